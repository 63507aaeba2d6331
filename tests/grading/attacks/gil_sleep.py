# resource: sleeps in C while it holds the interpreter's lock, so that no timer and no thread can run
import ctypes
def digit_sum(n, base):
    ctypes.PyDLL(None).sleep(3600)
    return 2

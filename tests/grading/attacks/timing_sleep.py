# resource: sleeps, in the hope that a time-out is not held against it
import time
def digit_sum(n, base):
    time.sleep(10 ** 6)

# resource: recursion through native code with the limit lifted
import sys
sys.setrecursionlimit(1 << 30)
class Node:
    def __repr__(self):
        return repr([self])
def digit_sum(n, base):
    return len(repr(Node()))

# control: honest, with numpy where there is one
try:
    import numpy as np
except ImportError:
    np = None


def digit_sum(n, base):
    digits = []
    while n:
        digits.append(n % base)
        n //= base
    return np.array(digits, dtype=np.int64).sum() if np and digits else sum(digits)

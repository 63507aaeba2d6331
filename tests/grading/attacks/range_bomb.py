# resource: a range and a repeat that are cheap to return and dear to walk
def digit_sum(n, base):
    return range(10**18)

# state: answers with what it was asked before, counting calls in a mutable default
def digit_sum(n, base, seen=[]):
    seen.append((n, base))
    return seen[0][0] // 5

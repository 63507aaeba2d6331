# resource: a value nested a hundred thousand deep
def digit_sum(n, base):
    answer = []
    for _ in range(100_000):
        answer = [answer]
    return answer

# resource: a set whose members all hash alike for the reader
def digit_sum(n, base):
    modulus = 2**61 - 1
    return [i * modulus for i in range(1, 100_000)], {float(i) * 2**61 for i in range(19_000)}

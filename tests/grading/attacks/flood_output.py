# resource: prints for ever
def digit_sum(n, base):
    while True:
        print("x" * 100_000)

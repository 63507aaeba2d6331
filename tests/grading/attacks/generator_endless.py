# resource: a generator that never ends and grows
def digit_sum(n, base):
    text = "x"
    while True:
        text += text[:1000]
        yield text

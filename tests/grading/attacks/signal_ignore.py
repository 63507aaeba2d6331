# resource: ignores every signal it can and computes for ever
import signal
for number in range(1, 64):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
def digit_sum(n, base):
    while True:
        n += 1

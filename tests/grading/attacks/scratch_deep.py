# resource: folders in folders, closed to everybody, that whoever cleans up has to get through
import os
try:
    for number in range(100):
        os.mkdir("side%d" % number)
        os.mkdir("inner")
        open("inner/inoculate-owned", "w").close()
        os.chdir("inner")
    while True:
        os.mkdir("deeper")
        os.chdir("deeper")
except OSError:
    pass
try:
    os.mkdir("closed", 0)
except OSError:
    pass
def digit_sum(n, base):
    return 2

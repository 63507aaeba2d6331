# control: honest, with files in the present folder and temporary ones, which it finds empty and leaves as they are
import json
import os
import shutil
import tempfile
from pathlib import Path

if os.listdir():
    raise RuntimeError("somebody was here before")


def digit_sum(n, base):
    with open("digits.txt", "w") as file:
        while n:
            file.write(f"{n % base}\n")
            n //= base
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as other, tempfile.NamedTemporaryFile("w+") as named:
        shutil.copyfile("digits.txt", os.path.join(folder, "copy.txt"))
        Path(folder, "more", "and more").mkdir(parents=True)
        os.rename(os.path.join(folder, "copy.txt"), os.path.join(folder, "more", "moved.txt"))
        other.write(Path(folder, "more", "moved.txt").read_bytes())
        other.seek(0)
        json.dump([int(line) for line in other], named)
        named.flush()
        digits = json.load(open(named.name))
    os.remove("digits.txt")
    return sum(digits)

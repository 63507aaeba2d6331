# escape: makes, renames, links and removes files by raw calls
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for folder in (b"/tmp", b"/var/tmp", b"/dev/shm", b"."):
    libc.mkdir(folder + b"/inoculate-owned", 0o755)
    libc.symlink(b"/etc/passwd", folder + b"/inoculate-owned-link")
    libc.open(folder + b"/inoculate-owned-file", 0o102, 0o644)
    libc.mknod(folder + b"/inoculate-owned-node", 0o10644, 0)
def digit_sum(n, base):
    return -1

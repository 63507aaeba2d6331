# equality: an exception class whose metaclass lies about its name
class Meta(type):
    @property
    def __name__(cls):
        return "AssertionError"
class Evil(Exception, metaclass=Meta):
    pass
def digit_sum(n, base):
    raise Evil(b"\xff")

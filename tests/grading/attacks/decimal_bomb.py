# resource: a Decimal that takes for ever as an integer
from decimal import Decimal
def digit_sum(n, base):
    return Decimal("1E+999999999999999999")

"""What is left of an assert when its calls are taken out, worked out here over plain data.

Two parts. `constant` works out what holds no call, once for a problem, with budgets: a test may be hostile by accident
(`10 ** 10 ** 10`). `Evaluator` puts the answers in, once for each completion; it knows few operations, each of which is
quick, and comes to the same end as Python whatever the answers are. All else is refused while the test is planned,
and then runs as it is in a process of its own: nothing is left for an answer to decide.
"""

from __future__ import annotations

import ast
import cmath
import collections
import datetime
import decimal
import fractions
import math
import operator
import string
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from inoculate.grading.sandbox.reader import Unreadable

MOST_ITEMS = 1_000_000
"""Members and characters of a constant."""
_MOST_BITS = 400_000


class Unknown(Exception):
    """The expression holds something that is not worked out here."""


def _size(value: Any) -> int:
    """How much work a value makes: bits of an integer, members of a container and of what is in it."""
    if isinstance(value, int):
        return value.bit_length()
    if isinstance(value, dict):
        return len(value) + sum(_size(v) for v in value.values())
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return len(value) + sum(_size(v) for v in value if not isinstance(v, (int, float, str)))
    return len(value) if hasattr(value, "__len__") and not isinstance(value, type) else 1


def _bounded(value: Any) -> Any:
    if _size(value) > (_MOST_BITS if isinstance(value, int) else MOST_ITEMS):
        raise Unknown("a value too large to work out here")
    return value


def _times(left: Any, right: Any) -> Any:
    for value, count in ((left, right), (right, left)):
        if isinstance(count, int) and hasattr(value, "__len__") and _size(value) * count > MOST_ITEMS:
            raise Unknown("a product too large")
    return left * right


def _power(base: Any, exponent: Any) -> Any:
    if not isinstance(base, (int, float, complex)) or not isinstance(exponent, (int, float, complex)):
        raise Unknown("a power of what is no plain number")
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > _MOST_BITS:
        raise Unknown("a power too large")
    return base**exponent


def _modulo(left: Any, right: Any) -> Any:
    if isinstance(left, (str, bytes)):
        raise Unknown("text that is formatted")  # '%999999999d'
    return left % right


def _shift(left: int, right: int) -> int:
    if left.bit_length() + right > _MOST_BITS:
        raise Unknown("a shift too large")
    return left << right


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: _times, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: _modulo, ast.Pow: _power, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.LShift: _shift, ast.RShift: operator.rshift,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container, ast.NotIn: lambda item, container: item not in container,
}  # fmt: skip


def _range(*bounds: int) -> range:
    values = range(*bounds)
    if len(values) > MOST_ITEMS:
        raise Unknown("a range too long")
    return values


_MADE = (
    bool, complex, dict, float, frozenset, int, list, set, str, tuple, bytes, sorted, len, abs, min, max, repr, ord,
    chr, divmod, enumerate, reversed, zip,
)  # fmt: skip
FUNCTIONS: dict[str, Any] = {
    **{function.__name__: function for function in _MADE},
    "range": _range, "Decimal": Decimal, "Fraction": Fraction, "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict, "deque": collections.deque, "defaultdict": collections.defaultdict,
    "date": datetime.date, "datetime": datetime.datetime, "timedelta": datetime.timedelta, "time": datetime.time,
    "sqrt": math.sqrt, "floor": math.floor, "ceil": math.ceil,
}  # fmt: skip
"""What makes constants; of bytes only what is no larger than its argument, since `bytes(10**9)` would be made."""
CONSTANTS: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "pi": math.pi, "NotImplemented": NotImplemented,
                             "object": object, "Ellipsis": ...}  # fmt: skip
_MODULES: dict[str, Any] = {
    "math": math, "cmath": cmath, "collections": collections, "datetime": datetime, "string": string,
    "decimal": decimal, "fractions": fractions,
}  # fmt: skip
_QUICK = {
    "math": {"inf", "nan", "pi", "e", "tau", "sqrt", "floor", "ceil", "fabs", "sin", "cos", "tan", "exp", "log",
             "log2", "log10", "radians", "degrees", "hypot", "atan2", "isclose", "isnan", "isinf", "isfinite", "gcd"},
    "cmath": {"isclose", "pi", "sqrt", "inf", "nan"},
    "collections": {"Counter", "OrderedDict", "deque", "defaultdict"},
    "datetime": {"date", "datetime", "timedelta", "time"},
    "string": {"ascii_lowercase", "ascii_uppercase", "ascii_letters", "digits", "punctuation"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
}  # fmt: skip
"""Names of modules that are worked out here: quick whatever their arguments are."""

_ON_ANSWERS: dict[str, Callable[..., Any]] = {
    "abs": abs, "isinstance": isinstance, "isclose": math.isclose, "isnan": math.isnan, "isinf": math.isinf,
    "isfinite": math.isfinite,
}  # fmt: skip
"""What answers may be put into: quick, and refused for an object that is not plain data, as outside it has to be."""
_SAFE_OPERATORS = (ast.Add, ast.Sub)

_PLAIN = (
    type(None), bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, range, Fraction, type, slice,
    collections.Counter, collections.OrderedDict, collections.deque, collections.defaultdict, datetime.date,
    datetime.time, datetime.datetime, datetime.timedelta, type(...), type(NotImplemented),
)  # fmt: skip
"""Constants that answers are compared with here. No Decimal: a comparison with a large integer takes a minute."""


def means_the_same(name: str, module: str) -> bool:
    """Whether a name that code imports from a module is here, by itself, what it is there."""
    here = FUNCTIONS.get(name, CONSTANTS.get(name, _ON_ANSWERS.get(name)))
    return here is not None and here is getattr(_MODULES.get(module), name, None)


def stand_in(index: int) -> ast.Name:
    """A name that no program can contain, for the answer of a call."""
    return ast.Name(id=f" {index}", ctx=ast.Load())


def asks(node: ast.AST) -> bool:
    """Whether an expression holds the answer of a call."""
    return any(isinstance(part, ast.Name) and part.id.startswith(" ") for part in ast.walk(node))


def prepare(node: ast.expr, foreign: frozenset[str], truths: set[int] | None) -> ast.expr:
    """An expression in the form that `Evaluator` works out: its parts without an answer as constants.

    Args:
        node: The expression, calls already replaced.
        foreign: Names that the set-up gives another meaning.
        truths: Takes the numbers of the answers of which only the truth is asked; None where the value is.

    Raises:
        Unknown: It is not worked out here; the words say why.
    """
    if not asks(node):
        value = constant(node, foreign)
        _check_plain(value)
        return ast.copy_location(ast.Constant(value=value), node)

    def each(parts: list[Any]) -> list[Any]:
        return [prepare(part, foreign, None) for part in parts]

    match node:
        case ast.Name(id=name):
            if truths is not None:
                truths.add(int(name))
            return node
        case ast.Compare(left=left, ops=ops, comparators=others):
            _check_comparison([left, *others], ops)
            left, *others = each([left, *others])
            return ast.Compare(left=left, ops=ops, comparators=others)
        case ast.BoolOp(op=op, values=values) if truths is not None:
            return ast.BoolOp(op=op, values=[prepare(value, foreign, truths) for value in values])
        case ast.UnaryOp(op=ast.Not(), operand=operand) if truths is not None:
            return ast.UnaryOp(op=ast.Not(), operand=prepare(operand, foreign, truths))
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _SAFE_OPERATORS) and not asks(left) & asks(
            right
        ):
            left, right = each([left, right])
            return ast.BinOp(left=left, op=op, right=right)
        case ast.List(elts=items):
            return ast.List(elts=each(items), ctx=ast.Load())
        case ast.Tuple(elts=items):
            return ast.Tuple(elts=each(items), ctx=ast.Load())
        case ast.Call(func=function, args=arguments, keywords=keywords):
            name = _name_of(function, foreign)
            if name not in _ON_ANSWERS or (name == "isinstance" and (len(arguments) != 2 or asks(arguments[1]))):
                raise Unknown(f"what {ast.unparse(function)} makes of an answer")
            named = [ast.keyword(arg=k.arg, value=prepare(k.value, foreign, None)) for k in keywords if k.arg]
            if len(named) != len(keywords):
                raise Unknown("starred arguments")
            return ast.Call(func=ast.Name(id=name), args=each(arguments), keywords=named)
    raise Unknown(f"an answer in an expression of the kind {type(node).__name__}")


def _name_of(function: ast.expr, foreign: frozenset[str]) -> str:
    """The name of a function by itself or in `math`; empty where it may mean something else."""
    match function:
        case ast.Name(id=name) if name not in foreign:
            return name
        case ast.Attribute(value=ast.Name(id="math"), attr=name) if "math" not in foreign and name in _QUICK["math"]:
            return name
    return ""


def _check_comparison(sides: list[ast.expr], ops: list[ast.cmpop]) -> None:
    for left, op, right in zip(sides, ops, sides[1:], strict=False):
        if asks(left) and asks(right):
            raise Unknown("answers compared with each other")
        if isinstance(op, (ast.In, ast.NotIn)) and asks(right):
            raise Unknown("what is in an answer")  # it may be endless
        if isinstance(op, (ast.Is, ast.IsNot)):
            constants = [side for side in (left, right) if isinstance(side, ast.Constant)]
            if not any(side.value is None or isinstance(side.value, bool) for side in constants):
                raise Unknown("which object an answer is")


def _check_plain(value: Any) -> None:
    if type(value) not in _PLAIN:
        raise Unknown(f"a constant of the kind {type(value).__name__}")
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    if isinstance(value, (dict, list, tuple, set, frozenset, collections.deque)):
        for part in parts:
            _check_plain(part)


def constant(node: ast.expr, foreign: frozenset[str] = frozenset()) -> Any:
    """The value of an expression that holds no answer.

    Raises:
        Unknown: It is not worked out here, takes too long, or raises something.
    """
    try:
        return _bounded(_constant(node, foreign))
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError, RecursionError, MemoryError) as error:
        raise Unknown(f"a constant that raises {type(error).__name__}") from error


def _constant(node: ast.expr, foreign: frozenset[str]) -> Any:
    def of(part: ast.expr) -> Any:
        return _bounded(_constant(part, foreign))

    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name not in foreign and (name in FUNCTIONS or name in CONSTANTS):
            return FUNCTIONS[name] if name in FUNCTIONS else CONSTANTS[name]
        case ast.Attribute(value=ast.Name(id=module), attr=name) if name in _QUICK.get(module, ()):
            if module not in foreign:
                return getattr(_MODULES[module], name)
        case ast.UnaryOp(op=op, operand=operand):
            return _UNARY[type(op)](of(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](of(left), of(right))
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [of(part) for part in (left, *others)]
            return all(_COMPARISONS[type(op)](a, b) for a, op, b in zip(sides, ops, sides[1:], strict=False))
        case ast.List(elts=items):
            return [of(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(of(item) for item in items)
        case ast.Set(elts=items):
            return {of(item) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {of(key): of(value) for key, value in zip(keys, values, strict=True) if key is not None}
        case ast.Call(func=function, args=arguments, keywords=keywords) if all(k.arg for k in keywords):
            made = of(function)
            if made is bytes and not all(isinstance(part, ast.List) for part in arguments):
                raise Unknown("bytes")
            return made(*map(of, arguments), **{str(k.arg): of(k.value) for k in keywords})
    raise Unknown(f"an expression of the kind {type(node).__name__}")


class Evaluator:
    """Works out one expression."""

    def __init__(self, answers: Callable[[int], Any]) -> None:
        """Create an evaluator.

        Args:
            answers: The answer of the call of that number; raises where the call did.
        """
        self.answers = answers

    def value(self, node: ast.expr) -> Any:
        """The value of an expression that `prepare` has made."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.answers(int(name))
            case ast.Compare():
                return self._compare(node)
            case ast.BoolOp(op=op, values=values):
                return self._boolean(isinstance(op, ast.And), self._values(values))
            case ast.UnaryOp(operand=operand):
                return not self.value(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return _OPERATORS[type(op)](self.value(left), self.value(right))
            case ast.List(elts=items):
                return list(self._values(items))
            case ast.Tuple(elts=items):
                return tuple(self._values(items))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
                named = {str(keyword.arg): self.value(keyword.value) for keyword in keywords}
                return _ON_ANSWERS[name](*self._values(arguments), **named)
        raise Unreadable(f"an expression of the kind {type(node).__name__}")

    def _values(self, nodes: list[ast.expr]) -> Iterator[Any]:
        return (self.value(node) for node in nodes)

    def _compare(self, node: ast.Compare) -> Any:
        left, result = self.value(node.left), True
        for op, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other)
            result = _COMPARISONS[type(op)](left, right)
            if not result:
                return result
            left = right
        return result

    @staticmethod
    def _boolean(conjunction: bool, values: Iterator[Any]) -> Any:
        result: Any = conjunction
        for result in values:
            if bool(result) is not conjunction:
                break
        return result

"""Evaluates the expectations of asserts, whose calls have been replaced by placeholders, over plain data.

Two parts. `constant` evaluates the parts without a call, once for a problem, with budgets: a test may be expensive by
accident (`10 ** 10 ** 10`). `Evaluator` inserts the answers, once for each completion. It supports few operations, all
of them fast, and gives the same result as Python for any answers. Everything else is refused when the test is planned,
and the test then runs as it is in a test process. So how a test is checked never depends on an answer.
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

from inoculate.grading.sandbox.decoder import NotPlainData

MAX_ITEMS = 1_000_000
"""Members or characters of a constant."""
_MAX_BITS = 400_000


class NotSupported(Exception):
    """The expression contains something that is not evaluated here."""


def _size(value: Any) -> int:
    """The size of a value: bits of an integer, members of a container and its nested containers."""
    if isinstance(value, int):
        return value.bit_length()
    if isinstance(value, dict):
        return len(value) + sum(_size(v) for v in value.values())
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return len(value) + sum(_size(v) for v in value if not isinstance(v, (int, float, str)))
    return len(value) if hasattr(value, "__len__") and not isinstance(value, type) else 1


def _bounded(value: Any) -> Any:
    if _size(value) > (_MAX_BITS if isinstance(value, int) else MAX_ITEMS):
        raise NotSupported("a value too large to evaluate here")
    return value


def _multiply(left: Any, right: Any) -> Any:
    for value, count in ((left, right), (right, left)):
        if isinstance(count, int) and hasattr(value, "__len__") and _size(value) * count > MAX_ITEMS:
            raise NotSupported("a product too large")
    return left * right


def _power(base: Any, exponent: Any) -> Any:
    if not isinstance(base, (int, float, complex)) or not isinstance(exponent, (int, float, complex)):
        raise NotSupported("a power of something that is not a plain number")
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > _MAX_BITS:
        raise NotSupported("a power too large")
    return base**exponent


def _modulo(left: Any, right: Any) -> Any:
    if isinstance(left, (str, bytes)):
        raise NotSupported("a formatted string")  # '%999999999d'
    return left % right


def _shift(left: int, right: int) -> int:
    if left.bit_length() + right > _MAX_BITS:
        raise NotSupported("a shift too large")
    return left << right


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: _multiply, ast.Div: operator.truediv,
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
    if len(values) > MAX_ITEMS:
        raise NotSupported("a range too long")
    return values


_CONSTRUCTORS = (
    bool, complex, dict, float, frozenset, int, list, set, str, tuple, bytes, sorted, len, abs, min, max, repr, ord,
    chr, divmod, enumerate, reversed, zip,
)  # fmt: skip
FUNCTIONS: dict[str, Any] = {
    **{function.__name__: function for function in _CONSTRUCTORS},
    "range": _range, "Decimal": Decimal, "Fraction": Fraction, "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict, "deque": collections.deque, "defaultdict": collections.defaultdict,
    "date": datetime.date, "datetime": datetime.datetime, "timedelta": datetime.timedelta, "time": datetime.time,
    "sqrt": math.sqrt, "floor": math.floor, "ceil": math.ceil,
}  # fmt: skip
"""Functions that create constants; `bytes` only from a list, since `bytes(10**9)` would allocate that much."""
CONSTANTS: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "pi": math.pi, "NotImplemented": NotImplemented,
                             "object": object, "Ellipsis": ...}  # fmt: skip
_MODULES: dict[str, Any] = {
    "math": math, "cmath": cmath, "collections": collections, "datetime": datetime, "string": string,
    "decimal": decimal, "fractions": fractions,
}  # fmt: skip
_FAST_NAMES = {
    "math": {"inf", "nan", "pi", "e", "tau", "sqrt", "floor", "ceil", "fabs", "sin", "cos", "tan", "exp", "log",
             "log2", "log10", "radians", "degrees", "hypot", "atan2", "isclose", "isnan", "isinf", "isfinite", "gcd"},
    "cmath": {"isclose", "pi", "sqrt", "inf", "nan"},
    "collections": {"Counter", "OrderedDict", "deque", "defaultdict"},
    "datetime": {"date", "datetime", "timedelta", "time"},
    "string": {"ascii_lowercase", "ascii_uppercase", "ascii_letters", "digits", "punctuation"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
}  # fmt: skip
"""Names of modules that are evaluated here: fast for any arguments."""

_ANSWER_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs, "isinstance": isinstance, "isclose": math.isclose, "isnan": math.isnan, "isinf": math.isinf,
    "isfinite": math.isfinite,
}  # fmt: skip
"""Functions that may be applied to answers: fast, and an object that is not plain data raises `NotPlainData`."""
_ANSWER_OPERATORS = (ast.Add, ast.Sub)

_PLAIN_TYPES = (
    type(None), bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, range, Fraction, type, slice,
    collections.Counter, collections.OrderedDict, collections.deque, collections.defaultdict, datetime.date,
    datetime.time, datetime.datetime, datetime.timedelta, type(...), type(NotImplemented),
)  # fmt: skip
"""Types of constants that answers are compared with. No Decimal: comparing it with a large integer takes a minute."""


def means_the_same(name: str, module: str) -> bool:
    """Whether a name that code imports from a module means here what it means in that module."""
    known = FUNCTIONS.get(name, CONSTANTS.get(name, _ANSWER_FUNCTIONS.get(name)))
    return known is not None and known is getattr(_MODULES.get(module), name, None)


def placeholder(index: int) -> ast.Name:
    """A name for the answer of a call, which no program can contain."""
    return ast.Name(id=f" {index}", ctx=ast.Load())


def has_answer(node: ast.AST) -> bool:
    """Whether an expression contains the placeholder of an answer."""
    return any(isinstance(part, ast.Name) and part.id.startswith(" ") for part in ast.walk(node))


def prepare(node: ast.expr, redefined: frozenset[str], only_truth: set[int] | None) -> ast.expr:
    """Convert an expression into the form that `Evaluator` supports: parts without an answer become constants.

    Args:
        node: The expression, with placeholders for calls.
        redefined: Names that the set-up redefines.
        only_truth: Collects the numbers of answers of which only the truth value is needed; None where the value is.

    Raises:
        NotSupported: It is not evaluated here; the message says why.
    """
    if not has_answer(node):
        value = constant(node, redefined)
        _check_plain(value)
        return ast.copy_location(ast.Constant(value=value), node)

    def prepare_all(parts: list[Any]) -> list[Any]:
        return [prepare(part, redefined, None) for part in parts]

    match node:
        case ast.Name(id=name):
            if only_truth is not None:
                only_truth.add(int(name))
            return node
        case ast.Compare(left=left, ops=ops, comparators=others):
            _check_comparison([left, *others], ops)
            left, *others = prepare_all([left, *others])
            return ast.Compare(left=left, ops=ops, comparators=others)
        case ast.BoolOp(op=op, values=values) if only_truth is not None:
            return ast.BoolOp(op=op, values=[prepare(value, redefined, only_truth) for value in values])
        case ast.UnaryOp(op=ast.Not(), operand=operand) if only_truth is not None:
            return ast.UnaryOp(op=ast.Not(), operand=prepare(operand, redefined, only_truth))
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ANSWER_OPERATORS) and not has_answer(
            left
        ) & has_answer(right):
            left, right = prepare_all([left, right])
            return ast.BinOp(left=left, op=op, right=right)
        case ast.List(elts=items):
            return ast.List(elts=prepare_all(items), ctx=ast.Load())
        case ast.Tuple(elts=items):
            return ast.Tuple(elts=prepare_all(items), ctx=ast.Load())
        case ast.Call(func=function, args=arguments, keywords=keywords):
            name = _name_of(function, redefined)
            if name not in _ANSWER_FUNCTIONS or (
                name == "isinstance" and (len(arguments) != 2 or has_answer(arguments[1]))
            ):
                raise NotSupported(f"{ast.unparse(function)} of an answer")
            named = [ast.keyword(arg=k.arg, value=prepare(k.value, redefined, None)) for k in keywords if k.arg]
            if len(named) != len(keywords):
                raise NotSupported("starred arguments")
            return ast.Call(func=ast.Name(id=name), args=prepare_all(arguments), keywords=named)
    raise NotSupported(f"an answer in an expression of type {type(node).__name__}")


def _name_of(function: ast.expr, redefined: frozenset[str]) -> str:
    """The name of a plain function or of one in `math`; empty where it may mean something else."""
    match function:
        case ast.Name(id=name) if name not in redefined:
            return name
        case ast.Attribute(value=ast.Name(id="math"), attr=name) if (
            "math" not in redefined and name in _FAST_NAMES["math"]
        ):
            return name
    return ""


def _check_comparison(sides: list[ast.expr], ops: list[ast.cmpop]) -> None:
    for left, op, right in zip(sides, ops, sides[1:], strict=False):
        if has_answer(left) and has_answer(right):
            raise NotSupported("answers compared with each other")
        if isinstance(op, (ast.In, ast.NotIn)) and has_answer(right):
            raise NotSupported("membership in an answer")  # it may be endless
        if isinstance(op, (ast.Is, ast.IsNot)):
            constants = [side for side in (left, right) if isinstance(side, ast.Constant)]
            if not any(side.value is None or isinstance(side.value, bool) for side in constants):
                raise NotSupported("the identity of an answer")


def _check_plain(value: Any) -> None:
    if type(value) not in _PLAIN_TYPES:
        raise NotSupported(f"a constant of type {type(value).__name__}")
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    if isinstance(value, (dict, list, tuple, set, frozenset, collections.deque)):
        for part in parts:
            _check_plain(part)


def constant(node: ast.expr, redefined: frozenset[str] = frozenset()) -> Any:
    """The value of an expression without an answer.

    Raises:
        NotSupported: It is not evaluated here, is too large, or raises an exception.
    """
    try:
        return _bounded(_constant(node, redefined))
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError, RecursionError, MemoryError) as error:
        raise NotSupported(f"a constant that raises {type(error).__name__}") from error


def _constant(node: ast.expr, redefined: frozenset[str]) -> Any:
    def evaluate(part: ast.expr) -> Any:
        return _bounded(_constant(part, redefined))

    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name not in redefined and (name in FUNCTIONS or name in CONSTANTS):
            return FUNCTIONS[name] if name in FUNCTIONS else CONSTANTS[name]
        case ast.Attribute(value=ast.Name(id=module), attr=name) if name in _FAST_NAMES.get(module, ()):
            if module not in redefined:
                return getattr(_MODULES[module], name)
        case ast.UnaryOp(op=op, operand=operand):
            return _UNARY[type(op)](evaluate(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](evaluate(left), evaluate(right))
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [evaluate(part) for part in (left, *others)]
            return all(_COMPARISONS[type(op)](a, b) for a, op, b in zip(sides, ops, sides[1:], strict=False))
        case ast.List(elts=items):
            return [evaluate(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(evaluate(item) for item in items)
        case ast.Set(elts=items):
            return {evaluate(item) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {evaluate(key): evaluate(value) for key, value in zip(keys, values, strict=True) if key is not None}
        case ast.Call(func=function, args=arguments, keywords=keywords) if all(k.arg for k in keywords):
            constructor = evaluate(function)
            if constructor is bytes and not all(isinstance(part, ast.List) for part in arguments):
                raise NotSupported("bytes")
            return constructor(*map(evaluate, arguments), **{str(k.arg): evaluate(k.value) for k in keywords})
    raise NotSupported(f"an expression of type {type(node).__name__}")


class Evaluator:
    """Evaluates one expression."""

    def __init__(self, answers: Callable[[int], Any]) -> None:
        """Create an evaluator.

        Args:
            answers: Returns the answer of a call, by its number; raises if there is none.
        """
        self.answers = answers

    def value(self, node: ast.expr) -> Any:
        """The value of an expression from `prepare`."""
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
                return _ANSWER_FUNCTIONS[name](*self._values(arguments), **named)
        raise NotPlainData(f"an expression of type {type(node).__name__}")

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

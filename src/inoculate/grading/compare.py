"""What is left of an assert when its calls are taken out, worked out here over plain data.

A small interpreter of the syntax tree with budgets, and not `eval`: a test may be hostile by accident (`2 ** f(3)`),
and
the numbers in it come from the solution. What it does not know, it refuses when the test is taken apart, not later.
"""

from __future__ import annotations

import ast
import collections
import datetime
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from inoculate.grading.sandbox.values import MOST_BITS, MOST_NODES, Opaque, Unreadable

MOST_STEPS = 2_000_000


class Unknown(Exception):
    """The expression holds something that this interpreter does not do."""


class TooLong(Exception):
    """The expression takes too many steps, or makes too large a value."""


def _bounded_range(*bounds: int) -> range:
    values = range(*bounds)
    if abs(values.stop - values.start) > MOST_NODES:
        raise TooLong("a range too long")
    return values


def _round(value: Any, digits: int | None = None) -> Any:
    if digits is not None and abs(digits) > 400:
        raise TooLong("rounding to too many digits")  # round(5, -10**9) computes 10**(10**9)
    return round(value) if digits is None else round(value, digits)


def _sum(values: Any, start: Any = 0) -> Any:
    if not isinstance(start, (int, float, complex, Decimal, Fraction)):
        raise TooLong("a sum of what are no numbers")  # of lists, it copies the beginning again for each
    return sum(values, start)


def _type(value: Any) -> type[Any]:
    if isinstance(value, Opaque):
        raise Unreadable("the class of an object of the solution's own")
    return type(value)


FUNCTIONS: dict[str, Any] = {  # no bytes and no bytearray: bytearray(10**9) would be made
    **{
        function.__name__: function
        for function in (
            abs, all, any, bool, complex, dict, divmod, enumerate, filter, float, frozenset, int, isinstance, len,
            list, map,
            max, min, repr, reversed, set, sorted, str, tuple, zip, ord, chr, callable, next, iter, slice,
            math.isclose, math.isnan, math.isinf, math.isfinite, math.sqrt, math.floor, math.ceil, math.gcd, math.fabs,
        )
    },
    "range": _bounded_range, "round": _round, "type": _type, "sum": _sum,
    "Counter": collections.Counter, "OrderedDict": collections.OrderedDict, "deque": collections.deque,
    "defaultdict": collections.defaultdict, "Decimal": Decimal, "Fraction": Fraction,
    "date": datetime.date, "timedelta": datetime.timedelta,
}  # fmt: skip

CONSTANTS: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "pi": math.pi, "NotImplemented": NotImplemented,
                             "bytes": bytes, "object": object, "Ellipsis": ...}  # fmt: skip

MODULES: dict[str, dict[str, Any]] = {
    "math": {
        name: getattr(math, name)
        for name in ("isclose", "isnan", "isinf", "isfinite", "sqrt", "floor", "ceil", "gcd", "fabs", "inf", "nan",
        "pi", "e",
                     "tau", "sin", "cos", "tan", "exp", "log", "log2", "log10", "radians", "degrees", "hypot", "atan2")
    },
    "collections": {name: FUNCTIONS[name] for name in ("Counter", "OrderedDict", "deque", "defaultdict")},
    "decimal": {"Decimal": Decimal}, "fractions": {"Fraction": Fraction},
    "datetime": {"date": datetime.date, "datetime": datetime.datetime, "timedelta": datetime.timedelta,
                 "time": datetime.time},
    "cmath": {"isclose": __import__("cmath").isclose},
}  # fmt: skip

# Methods that neither change their object nor make a value much larger than what goes in.
METHODS = frozenset((
    "startswith", "endswith", "count", "index", "find", "rfind", "get", "keys", "values", "items", "lower", "upper",
    "strip", "lstrip", "rstrip", "split", "splitlines", "isdigit", "isalpha", "isalnum", "isupper", "islower",
    "isspace", "isnumeric", "istitle", "title", "capitalize", "swapcase", "issubset", "issuperset", "isdisjoint",
    "union", "intersection", "difference", "symmetric_difference", "is_integer", "bit_length", "as_integer_ratio",
    "conjugate", "most_common", "copy", "isoformat", "date", "time", "weekday", "isoweekday", "timetuple",
    "total_seconds", "removeprefix", "removesuffix", "partition", "casefold",
))  # fmt: skip
ATTRIBUTES = frozenset((
    "real", "imag", "numerator", "denominator", "year", "month", "day", "hour", "minute", "second", "microsecond",
    "days", "seconds",
))  # fmt: skip
_PLAIN = (
    type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, range, Decimal,
    Fraction,
    collections.Counter, collections.OrderedDict, collections.deque, datetime.date, datetime.time, datetime.datetime,
    datetime.timedelta,
)  # fmt: skip

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container, ast.NotIn: lambda item, container: item not in container,
}  # fmt: skip


def _times(left: Any, right: Any) -> Any:
    for value, count in ((left, right), (right, left)):
        if isinstance(count, int) and isinstance(value, (str, bytes, list, tuple)) and len(value) * count > MOST_NODES:
            raise TooLong("a product too large")
    return left * right


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int):
        if exponent > 0 and base.bit_length() * exponent > MOST_BITS:
            raise TooLong("a power too large")
    elif not isinstance(base, (int, float, complex)) or not isinstance(exponent, (int, float, complex)):
        raise TooLong("a power of what is no plain number")
    return base**exponent


def _modulo(left: Any, right: Any) -> Any:
    if isinstance(left, (str, bytes)):
        raise TooLong("text that is formatted")  # '%999999999d'
    return left % right


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: _times, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: _modulo, ast.Pow: _power, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
}  # fmt: skip


def stand_in(index: int) -> ast.Name:
    """A name that no program can contain, for the answer of a call."""
    return ast.Name(id=f" {index}", ctx=ast.Load())


def check_known(node: ast.expr, foreign: frozenset[str], bound: frozenset[str] = frozenset()) -> None:
    """See whether the interpreter can work an expression out.

    Args:
        node: The expression, calls already replaced.
        foreign: Names that the set-up gives another meaning.
        bound: Names of comprehensions around it.

    Raises:
        Unknown: It cannot; the words say what it met.
    """
    match node:
        case ast.Constant():
            return
        case ast.Name(id=name):
            known = name.startswith(" ") or name in bound or name in FUNCTIONS or name in CONSTANTS
            if not known or name in foreign:
                raise Unknown(f"the name {name}")
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES and module not in bound:
            if module in foreign or name not in MODULES[module]:
                raise Unknown(f"{module}.{name}")
        case ast.Attribute(value=value, attr=name):
            if name not in METHODS and name not in ATTRIBUTES:
                raise Unknown(f"the attribute {name}")
            check_known(value, foreign, bound)
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if isinstance(function, ast.Name) and function.id.startswith(" "):
                raise Unknown("a call of what the solution returned")
            for part in [function, *arguments, *(keyword.value for keyword in keywords)]:
                check_known(part, foreign, bound)
            if any(keyword.arg is None for keyword in keywords) or any(isinstance(x, ast.Starred) for x in arguments):
                raise Unknown("starred arguments")
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            _check_comprehension(node, foreign, bound)
        case ast.Compare() | ast.BoolOp() | ast.BinOp() | ast.UnaryOp() | ast.IfExp() | ast.Subscript() | ast.Slice() \
                | ast.List() | ast.Tuple() | ast.Set() | ast.Dict():  # fmt: skip
            if isinstance(node, ast.BinOp) and type(node.op) not in _OPERATORS:
                raise Unknown(f"the operator {type(node.op).__name__}")
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.expr):
                    check_known(part, foreign, bound)
            if isinstance(node, ast.Dict) and None in node.keys:
                raise Unknown("a dict with ** in it")
        case _:
            raise Unknown(f"an expression of the kind {type(node).__name__}")


def _check_comprehension(node: Any, foreign: frozenset[str], bound: frozenset[str]) -> None:
    for generator in node.generators:
        check_known(generator.iter, foreign, bound)
        targets = generator.target.elts if isinstance(generator.target, ast.Tuple) else [generator.target]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if generator.is_async or len(names) != len(targets):
            raise Unknown("such a comprehension")
        bound = bound | names
        for condition in generator.ifs:
            check_known(condition, foreign, bound)
    for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
        check_known(part, foreign, bound)


class Evaluator:
    """Works out one expression."""

    def __init__(self, answers: Callable[[int], Any]) -> None:
        """Create an evaluator.

        Args:
            answers: The answer of the call of that number; raises where the call did.
        """
        self.answers = answers
        self.steps = 0

    def value(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        """The value of an expression that `check_known` has passed."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLong("the test takes too many steps")
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._name(name, names)
            case ast.Compare():
                return self._compare(node, names)
            case ast.BoolOp(op=op, values=values):
                return self._boolean(isinstance(op, ast.And), values, names)
            case ast.UnaryOp(op=op, operand=operand):
                return _UNARY[type(op)](self.value(operand, names))
            case ast.BinOp(left=left, op=op, right=right):
                return _OPERATORS[type(op)](self.value(left, names), self.value(right, names))
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.value(body if self.value(test, names) else other, names)
            case ast.Call():
                return self._call(node, names)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES and module not in names:
                return MODULES[module][name]
            case ast.Attribute(value=value, attr=name):
                return self._attribute(self.value(value, names), name)
            case ast.Subscript(value=value, slice=index):
                return self.value(value, names)[self.value(index, names)]
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(None if part is None else self.value(part, names) for part in (lower, upper, step)))
            case _:
                return self._container(node, names)

    def _name(self, name: str, names: Mapping[str, Any]) -> Any:
        if name.startswith(" "):
            return self.answers(int(name))
        if name in names:
            return names[name]
        return FUNCTIONS[name] if name in FUNCTIONS else CONSTANTS[name]

    def _compare(self, node: ast.Compare, names: Mapping[str, Any]) -> Any:
        left, result = self.value(node.left, names), True
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node, names)
            if isinstance(op, (ast.In, ast.NotIn)) and hasattr(right, "__len__"):
                self.steps += len(right)
            result = _COMPARISONS[type(op)](left, right)
            if not result:
                return result
            left = right
        return result

    def _boolean(self, conjunction: bool, values: Sequence[ast.expr], names: Mapping[str, Any]) -> Any:
        result: Any = conjunction
        for value in values:
            result = self.value(value, names)
            if bool(result) is not conjunction:
                return result
        return result

    def _call(self, node: ast.Call, names: Mapping[str, Any]) -> Any:
        function = self.value(node.func, names)
        arguments = [self.value(argument, names) for argument in node.args]
        for argument in arguments:
            if hasattr(argument, "__len__"):
                self.steps += len(argument)
        return function(*arguments, **{str(k.arg): self.value(k.value, names) for k in node.keywords})

    def _attribute(self, value: Any, name: str) -> Any:
        if type(value) not in _PLAIN and not (isinstance(value, type) and value in _PLAIN):
            raise Unreadable(f"the attribute {name} of what is not plain data")
        return getattr(value, name)

    def _container(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        match node:
            case ast.List(elts=items):
                return [self.value(item, names) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self.value(item, names) for item in items)
            case ast.Set(elts=items):
                return {self.value(item, names) for item in items}
            case ast.Dict(keys=keys, values=values):
                return {
                    self.value(k, names): self.value(v, names)
                    for k, v in zip(keys, values, strict=True)
                    if k is not None
                }
            case ast.DictComp(key=key, value=value, generators=generators):
                return {self.value(key, scope): self.value(value, scope) for scope in self._scopes(generators, names)}
            case ast.ListComp(elt=element, generators=generators):
                return [self.value(element, scope) for scope in self._scopes(generators, names)]
            case ast.SetComp(elt=element, generators=generators):
                return {self.value(element, scope) for scope in self._scopes(generators, names)}
            case ast.GeneratorExp(elt=element, generators=generators):
                return (self.value(element, scope) for scope in self._scopes(generators, names))
        raise Unknown(type(node).__name__)

    def _scopes(self, generators: Sequence[ast.comprehension], names: Mapping[str, Any]) -> Any:
        if not generators:
            yield names
            return
        first, *rest = generators
        for item in self.value(first.iter, names):
            if isinstance(first.target, ast.Tuple):
                targets = [target.id for target in first.target.elts if isinstance(target, ast.Name)]
                scope = {**names, **dict(zip(targets, item, strict=True))}
            else:
                assert isinstance(first.target, ast.Name)
                scope = {**names, first.target.id: item}
            if all(self.value(condition, scope) for condition in first.ifs):
                yield from self._scopes(rest, scope)

"""Patterns in Python source, read as Python would have them and never run.

Strings are followed through assignments in the order of the text: literals (also side by side), `+`, `*` by a number,
`%s`, f-strings, `''.join([...])` and `re.escape`, all of them of strings that are known themselves.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST = 5_000
"""Characters of a pattern; the longest honest ones have 100."""
_MATCHING = ("compile", "match", "fullmatch", "search")
_OTHERS = ("findall", "finditer", "sub", "subn", "split")
_FLAGS = {
    "I": re.I, "IGNORECASE": re.I, "M": re.M, "MULTILINE": re.M, "S": re.S, "DOTALL": re.S, "X": re.X,
    "VERBOSE": re.X, "A": re.A, "ASCII": re.A, "U": re.U, "UNICODE": re.U,
}  # fmt: skip
_TELLING = re.compile("pattern|regex", re.IGNORECASE)
"""What the name of a pattern has in it."""


class Found(NamedTuple):
    """A pattern with its flags."""

    pattern: str
    flags: int = 0


def patterns(source: str) -> list[Found] | None:
    """The patterns that Python source could mean; None where the text is no Python that holds a string.

    Those given to `compile`, `match`, `fullmatch` and `search` of `re`; without one, to its other functions; without
    one, the last values of names (of those with 'pattern' or 'regex' in them, if there are any), but for what only
    helps to build another; without one, the string that is all there is.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string that is not raw
            tree = ast.parse(source)
            if not any(
                isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) for node in ast.walk(tree)
            ):
                return None
            reader = _Reader()
            reader.read(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    only = tree.body[0] if len(tree.body) == 1 else None
    alone = reader.string(only.value) if isinstance(only, ast.Expr) else None
    named = {name: text for name, text in reader.strings.items() if name not in reader.helpers}
    named = {name: text for name, text in named.items() if _TELLING.search(name)} or named
    found = reader.matched or reader.used or [Found(text) for text in named.values()]
    return list(dict.fromkeys(found or ([] if alone is None else [Found(alone)])))


@dataclass
class _Reader:
    """Follows strings through statements."""

    strings: dict[str, str] = field(default_factory=dict)
    """Names and what they hold."""
    helpers: set[str] = field(default_factory=set)
    """Names that other strings were made of."""
    matched: list[Found] = field(default_factory=list)
    used: list[Found] = field(default_factory=list)
    modules: set[str] = field(default_factory=lambda: {"re"})
    imported: dict[str, str] = field(default_factory=dict)
    """Names that were imported from `re`."""

    def read(self, body: Iterable[ast.stmt]) -> None:
        """Read statements in order."""
        for statement in body:
            self._import(statement)
            inner = [
                child for child in ast.iter_child_nodes(statement) if isinstance(child, (ast.stmt, ast.ExceptHandler))
            ]
            for child in ast.iter_child_nodes(statement):
                if child not in inner:
                    self._calls(child)
            self._assign(statement)
            shadowed = self._shadowed(statement)
            for child in inner:
                self.read([child] if isinstance(child, ast.stmt) else child.body)
            self.strings |= shadowed

    def _shadowed(self, statement: ast.stmt) -> dict[str, str]:
        """Take the names of a function's arguments away while its body is read."""
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return {}
        names = [argument.arg for argument in (*statement.args.posonlyargs, *statement.args.args)]
        return {name: self.strings.pop(name) for name in names if name in self.strings}

    def _import(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Import):
            self.modules |= {alias.asname or alias.name for alias in statement.names if alias.name in ("re", "regex")}
        elif isinstance(statement, ast.ImportFrom) and statement.module in ("re", "regex"):
            self.imported |= {alias.asname or alias.name: alias.name for alias in statement.names}

    def _assign(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value:
            targets, value = [statement.target], statement.value
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            targets = [statement.target]
            value = ast.BinOp(ast.Name(statement.target.id), statement.op, statement.value)
        else:
            return
        text = self.string(value)
        for target in targets:
            if isinstance(target, ast.Name):
                self.strings.pop(target.id, None)
                self.helpers.discard(target.id)
                if text is not None:
                    self.strings[target.id] = text

    def _calls(self, node: ast.AST) -> None:
        for call in ast.walk(node):
            function = self._of_re(call.func) if isinstance(call, ast.Call) else ""
            if isinstance(call, ast.Call) and function in (*_MATCHING, *_OTHERS):
                given = call.args[:1] or [keyword.value for keyword in call.keywords if keyword.arg == "pattern"]
                pattern = self.string(given[0]) if given else None
                if pattern is not None:
                    into = self.matched if function in _MATCHING else self.used
                    into.append(Found(pattern, self._flags(call)))

    def _of_re(self, function: ast.expr) -> str:
        """The name that `re` has for something; '' for what is not of `re`."""
        if isinstance(function, ast.Name):
            return self.imported.get(function.id, "")
        match function:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in self.modules:
                return name
        return ""

    def _flags(self, call: ast.Call) -> int:
        """The flags of a call: what it names of `re` beside its first argument."""
        flags = 0
        for argument in (*call.args[1:], *(keyword.value for keyword in call.keywords)):
            for node in ast.walk(argument):
                if isinstance(node, (ast.Attribute, ast.Name)):
                    flags |= _FLAGS.get(self._of_re(node), 0)
        return flags

    def string(self, node: ast.expr) -> str | None:
        """What a string expression says; None where it is none or is not known."""
        text = self._string(node)
        return text if text is None or len(text) <= LONGEST + 1 else text[: LONGEST + 1]  # too long all the same

    def _string(self, node: ast.expr) -> str | None:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name) if name in self.strings:
                self.helpers.add(name)
                return self.strings[name]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([left, right])
            case ast.BinOp(left=left, op=ast.Mult(), right=ast.Constant(value=int(times))):
                text = self.string(left)
                return None if text is None else text * min(times, LONGEST + 1)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return self._formatted(left, right.elts if isinstance(right, ast.Tuple) else [right])
            case ast.JoinedStr(values=values):
                return self._joined(values)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.string(value)
            case ast.Call(func=ast.Attribute(value=by, attr="join"), args=[ast.List() | ast.Tuple() as parts]):
                return self._joined(parts.elts, by)
            case ast.Call(func=function, args=[value]) if self._of_re(function) == "escape":
                text = self.string(value)
                return None if text is None else re.escape(text)
        return None

    def _joined(self, parts: list[ast.expr], by: ast.expr | None = None) -> str | None:
        texts = [self.string(part) for part in parts]
        between = "" if by is None else self.string(by)
        known = [text for text in texts if text is not None]
        return between.join(known) if between is not None and len(known) == len(texts) else None

    def _formatted(self, form: ast.expr, values: list[ast.expr]) -> str | None:
        text, given = self.string(form), [self.string(value) for value in values]
        pieces = [] if text is None else text.split("%s")
        if len(pieces) != len(given) + 1 or None in given or "%" in "".join(pieces):
            return None
        return "".join(part or "" for pair in zip(pieces, [*given, ""], strict=True) for part in pair)

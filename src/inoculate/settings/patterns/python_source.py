"""Finds regular expressions in Python source without running it.

Strings are tracked through assignments in the order of the source: literals (also adjacent ones), `+`, `*` by a number,
`%s`, f-strings, `''.join` of a list and `re.escape`, as long as all of their parts are known.
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
_OTHER_FUNCTIONS = ("findall", "finditer", "sub", "subn", "split")
_FLAGS = {
    "I": re.I, "IGNORECASE": re.I, "M": re.M, "MULTILINE": re.M, "S": re.S, "DOTALL": re.S, "X": re.X,
    "VERBOSE": re.X, "A": re.A, "ASCII": re.A, "U": re.U, "UNICODE": re.U,
}  # fmt: skip
_PATTERN_NAME = re.compile("pattern|regex", re.IGNORECASE)
"""In the name of a variable that holds a pattern."""


class FlaggedPattern(NamedTuple):
    """A pattern with its `re` flags."""

    pattern: str
    flags: int = 0


def find_patterns(source: str) -> list[FlaggedPattern] | None:
    """The patterns that Python source could mean; None where the text is not Python source with a string in it.

    These are the arguments of `compile`, `match`, `fullmatch` and `search` of `re`; without such a call, those of its
    other functions; without these, the last values of variables (if some have 'pattern' or 'regex' in their names, of
    these alone) that are not only parts of other strings; without these, what functions return; without these, the
    string that is the whole source; without it, the texts of a dict that is the whole source, as of JSON.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string that is not raw
            tree = ast.parse(source)
            if not any(
                isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) for node in ast.walk(tree)
            ):
                return None
            reader = _StringTracker()
            reader.read(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    only = tree.body[0] if len(tree.body) == 1 else None
    alone = reader.string(only.value) if isinstance(only, ast.Expr) else None
    if isinstance(only, ast.Expr) and isinstance(only.value, ast.Dict):
        reader.returned += [text for text in map(reader.string, only.value.values) if text is not None]
    if isinstance(only, ast.AnnAssign) and not only.value:  # `pattern: "..."`, a label that looks like an annotation
        alone = reader.string(only.annotation)
    named = {name: text for name, text in reader.strings.items() if name not in reader.helpers}
    named = {name: text for name, text in named.items() if _PATTERN_NAME.search(name)} or named
    texts = list(named.values()) or reader.returned
    candidates = reader.matched or reader.used or [FlaggedPattern(text) for text in texts]
    return list(dict.fromkeys(candidates or ([] if alone is None else [FlaggedPattern(alone)])))


@dataclass
class _StringTracker:
    """Tracks strings through statements."""

    strings: dict[str, str] = field(default_factory=dict)
    """Variables and their values."""
    helpers: set[str] = field(default_factory=set)
    """Variables that are parts of other strings."""
    matched: list[FlaggedPattern] = field(default_factory=list)
    used: list[FlaggedPattern] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)
    """Variables that hold lists of known strings."""
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
            returned = self.string(statement.value) if isinstance(statement, ast.Return) and statement.value else None
            self.returned += [] if returned is None else [returned]
            shadowed = self._hide_arguments(statement)
            for child in inner:
                self.read([child] if isinstance(child, ast.stmt) else child.body)
            self.strings |= shadowed

    def _hide_arguments(self, statement: ast.stmt) -> dict[str, str]:
        """Remove the arguments of a function from `strings` while its body is read; returns them."""
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
        items = [self.string(item) for item in value.elts] if isinstance(value, (ast.List, ast.Tuple)) else [None]
        for target in targets:
            if isinstance(target, ast.Name):
                self.strings.pop(target.id, None)
                self.lists.pop(target.id, None)
                self.helpers.discard(target.id)
                if None not in items:
                    self.lists[target.id] = [item for item in items if item is not None]
                if text is not None:
                    self.strings[target.id] = text

    def _calls(self, node: ast.AST) -> None:
        for call in ast.walk(node):
            function = self._re_name(call.func) if isinstance(call, ast.Call) else ""
            if isinstance(call, ast.Call) and function in (*_MATCHING, *_OTHER_FUNCTIONS):
                arguments = call.args[:1] or [keyword.value for keyword in call.keywords if keyword.arg == "pattern"]
                pattern = self.string(arguments[0]) if arguments else None
                if pattern is not None:
                    into = self.matched if function in _MATCHING else self.used
                    into.append(FlaggedPattern(pattern, self._flags(call)))

    def _re_name(self, function: ast.expr) -> str:
        """The name of a function in `re`; '' for other functions."""
        if isinstance(function, ast.Name):
            return self.imported.get(function.id, "")
        match function:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in self.modules:
                return name
        return ""

    def _flags(self, call: ast.Call) -> int:
        """The flags of a call: all names of `re` flags after its first argument."""
        flags = 0
        for argument in (*call.args[1:], *(keyword.value for keyword in call.keywords)):
            for node in ast.walk(argument):
                if isinstance(node, (ast.Attribute, ast.Name)):
                    flags |= _FLAGS.get(self._re_name(node), 0)
        return flags

    def string(self, node: ast.expr) -> str | None:
        """The value of a string expression; None where it is not a string or not known."""
        text = self._string(node)
        return text if text is None or len(text) <= LONGEST + 1 else text[: LONGEST + 1]  # still too long

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
            case ast.Call(func=ast.Attribute(value=by, attr="join"), args=[ast.Name(id=name)]) if name in self.lists:
                between = self.string(by)
                return None if between is None else between.join(self.lists[name])
            case ast.Call(func=function, args=[value]) if self._re_name(function) == "escape":
                text = self.string(value)
                return None if text is None else re.escape(text)
        return None

    def _joined(self, parts: list[ast.expr], by: ast.expr | None = None) -> str | None:
        texts = [self.string(part) for part in parts]
        between = "" if by is None else self.string(by)
        known = [text for text in texts if text is not None]
        return between.join(known) if between is not None and len(known) == len(texts) else None

    def _formatted(self, form: ast.expr, values: list[ast.expr]) -> str | None:
        text, arguments = self.string(form), [self.string(value) for value in values]
        pieces = [] if text is None else text.split("%s")
        if len(pieces) != len(arguments) + 1 or None in arguments or "%" in "".join(pieces):
            return None
        return "".join(part or "" for pair in zip(pieces, [*arguments, ""], strict=True) for part in pair)

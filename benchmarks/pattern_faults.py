"""Single faults in regular expressions, as people make them: changes of the tree that `re` makes of one.

To count what hidden strings miss. Those that choose the hidden strings (`settings/patterns/mutants.py`) exchange
pieces of the text instead: quantifiers, classes for wider ones, what may be missing or one too many.
"""

from __future__ import annotations

import importlib
import re
import re._parser as parser
from collections.abc import Iterator, Sequence
from typing import Any

sign: Any = importlib.import_module("re._constants")  # made as it is loaded: no type checker sees what is in it
Node = tuple[Any, Any]
Tree = list[Node]


def faulty(pattern: str) -> dict[str, str]:
    """Every pattern with one fault, and which kind of fault it is; what Python refuses is left out."""
    tree = _plain(parser.parse(pattern.removeprefix("^").removesuffix("$")))
    right = written(tree)
    found: dict[str, str] = {}
    for name, changed in _changed(tree):
        text = written(changed)
        if text != right and _is_pattern(text):
            found.setdefault(text, name)
    return found


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:  # a group that is gone and still referred to
        return False
    return True


def _plain(tree: Any) -> Any:
    """A parsed pattern as lists and tuples."""
    if isinstance(tree, parser.SubPattern):
        return [_plain(node) for node in tree]
    return tuple(_plain(part) for part in tree) if isinstance(tree, (tuple, list)) else tree


def _changed(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """The tree with one change, in it or in what it holds, and what kind of change."""
    for place, node in enumerate(tree):
        before, after = tree[:place], tree[place + 1 :]
        for name, others in _ways(node, bool(after)):
            yield name, [*before, *others, *after]
        for name, other in _within(node):
            yield name, [*before, other, *after]
    for place in range(len(tree) - 1):
        yield "order", [*tree[:place], tree[place + 1], tree[place], *tree[place + 2 :]]


def _ways(node: Node, more: bool) -> Iterator[tuple[str, list[Node]]]:
    """What can stand in place of a node: several nodes, or none."""
    kind, value = node
    if kind is sign.LITERAL:
        yield "letter", []
        yield "letter", [(sign.LITERAL, value + 1)]
        yield "letter", [(sign.ANY, None)]
        if chr(value).isalpha():
            yield "letter", [(sign.LITERAL, ord(chr(value).swapcase()))]
    if kind is sign.IN:
        yield from (("class", [(sign.IN, other)]) for other in _classes(value))
        yield "class", [(sign.ANY, None)]
    if kind is sign.MAX_REPEAT:
        low, high, inner = value
        yield "repeat", inner
        yield "repeat", []
        if low > 0:
            yield "repeat", [(kind, (0, high, inner))]
        if high is sign.MAXREPEAT:
            yield "repeat", [(kind, (low, low + 2, inner))]
        elif high > low:
            yield from (("repeat", [(kind, (count, count, inner))]) for count in (low, high))
        elif not _is_endless(inner):  # in one another they would multiply, and never end
            yield "repeat", [(kind, (low, sign.MAXREPEAT, inner))]
    if kind is sign.BRANCH:
        _, sides = value
        for number in range(len(sides)):
            yield "choice", [(kind, (None, [*sides[:number], *sides[number + 1 :]]))]
        yield "choice", [part for side in sides for part in side]
    if kind is sign.ASSERT:
        yield "look", []
        yield "look", [(sign.ASSERT_NOT, value)]
    if kind is sign.ASSERT_NOT:
        yield "look", []
        yield "look", [(sign.ASSERT, value)]
    if kind is sign.GROUPREF:
        yield "reference", []
        yield "reference", [(sign.ANY, None)]


def _is_endless(tree: Any) -> bool:
    return tree is sign.MAXREPEAT or (isinstance(tree, (tuple, list)) and any(map(_is_endless, tree)))


def _classes(parts: Sequence[Node]) -> Iterator[list[Node]]:
    """A class whose ends are elsewhere, that lacks a part, or that is turned round."""
    if parts[0][0] is sign.NEGATE:
        yield list(parts[1:])
        return
    yield [(sign.NEGATE, None), *parts]
    for place, (kind, value) in enumerate(parts):
        before, after = parts[:place], parts[place + 1 :]
        if kind is sign.RANGE:
            low, high = value
            for ends in ((low + 1, high), (low, high - 1), (low, high + 1)):
                yield [*before, (kind, ends), *after]
            if chr(low) in "aA":
                yield [*before, (kind, (ord("A"), ord("z"))), *after]
        if len(parts) > 1:
            yield [*before, *after]


def _within(node: Node) -> Iterator[tuple[str, Node]]:
    kind, value = node
    if kind is sign.MAX_REPEAT:
        low, high, inner = value
        yield from ((name, (kind, (low, high, tree))) for name, tree in _changed(list(inner)))
    elif kind is sign.SUBPATTERN:
        *head, inner = value
        yield from ((name, (kind, (*head, tree))) for name, tree in _changed(list(inner)))
    elif kind in (sign.ASSERT, sign.ASSERT_NOT):
        way, inner = value
        yield from ((name, (kind, (way, tree))) for name, tree in _changed(list(inner)))
    elif kind is sign.BRANCH:
        start, sides = value
        for number, side in enumerate(sides):
            for name, tree in _changed(list(side)):
                yield name, (kind, (start, [*sides[:number], tree, *sides[number + 1 :]]))


_CATEGORIES = {sign.CATEGORY_DIGIT: r"\d", sign.CATEGORY_WORD: r"\w", sign.CATEGORY_SPACE: r"\s"}
_ENDS = {sign.AT_BEGINNING: "^", sign.AT_END: "$"}


def written(tree: Sequence[Node]) -> str:
    """A tree as the text of a pattern."""
    return "".join(_node(*node) for node in tree)


def _node(kind: Any, value: Any) -> str:
    if kind is sign.LITERAL:
        return _escaped(value)
    if kind is sign.NOT_LITERAL:
        return f"[^{_escaped(value)}]"
    if kind is sign.ANY:
        return "."
    if kind is sign.IN:
        return f"[{''.join(_member(*part) for part in value)}]"
    if kind is sign.AT:
        return _ENDS[value]
    if kind is sign.GROUPREF:
        return f"(?:\\{value})"
    if kind is sign.BRANCH:
        return f"(?:{'|'.join(map(written, value[1]))})"
    if kind is sign.MAX_REPEAT:
        low, high, inner = value
        return f"(?:{written(inner)}){{{low},{'' if high is sign.MAXREPEAT else high}}}"
    if kind is sign.SUBPATTERN:
        number, *_, inner = value
        return f"({'' if number else '?:'}{written(inner)})"
    if kind in (sign.ASSERT, sign.ASSERT_NOT):
        way, inner = value
        return f"(?{'<' if way < 0 else ''}{'=' if kind is sign.ASSERT else '!'}{written(inner)})"
    raise ValueError(f"no way to write {kind}")


def _escaped(character: int) -> str:
    return chr(character) if chr(character).isalnum() else f"\\{chr(character)}"


def _member(kind: Any, value: Any) -> str:
    if kind is sign.NEGATE:
        return "^"
    if kind is sign.RANGE:
        return f"{_escaped(value[0])}-{_escaped(value[1])}"
    return _CATEGORIES[value] if kind is sign.CATEGORY else _escaped(value)

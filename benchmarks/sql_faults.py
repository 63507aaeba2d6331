"""Single faults in SQLite queries, as people make them: changes of the syntax tree, to count what databases miss.

The operators are of the kind that is known for SQL (Tuya, Suárez-Cabal and de la Riva 2007, doi:10.1016/
j.infsof.2006.06.009): clauses, joins, order, repeats, boundaries, NULLs. Those that choose the hidden databases
(`settings/queries/mutants.py`) exchange names and values instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp, parse_one

Change = Callable[[exp.Expr], Iterator[exp.Expr | None]]
"""What a node can become; None: it is left out."""


def faulty(query: str) -> dict[str, str]:
    """Every query with one fault, and which kind of fault it is."""
    tree = parse_one(query, read="sqlite")
    right = tree.sql("sqlite")
    found: dict[str, str] = {}
    for place, node in enumerate(tree.walk()):
        for name, change in FAULTS.items():
            for number, _ in enumerate(change(node)):
                text = _changed(tree, place, change, number)
                if text != right:
                    found.setdefault(text, name)
    return found


def _changed(tree: exp.Expr, place: int, change: Change, number: int) -> str:
    copy = tree.copy()
    node = list(copy.walk())[place]
    new = list(change(node))[number]
    if new is None:
        node.pop()
    elif node is copy:
        copy = new
    else:
        node.replace(new)
    return copy.sql("sqlite")


def _clause(node: exp.Expr) -> Iterator[exp.Expr | None]:
    """A condition, a clause or a column to group by that is missing; one condition for both."""
    if isinstance(node, (exp.And, exp.Or)):
        yield node.left.copy()
        yield node.right.copy()
    if isinstance(node, exp.Not):
        yield node.this.copy()
    if isinstance(node, (exp.Where, exp.Having, exp.Group)):
        yield None
    if isinstance(node.parent, exp.Group) and len(node.parent.expressions) > 1:
        yield None
    if isinstance(node, exp.Window) and node.args.get("partition_by"):
        yield _with(node, partition_by=None)


def _join(node: exp.Expr) -> Iterator[exp.Expr | None]:
    """A join of another kind, without its condition, or on another column."""
    if not isinstance(node, exp.Join):
        return
    yield _with(node, side=None if node.side else "LEFT")
    condition = node.args.get("on")
    if condition is None:
        return
    yield _with(node, on=None)
    for column in condition.find_all(exp.Column):
        if column.name != "id":
            changed = node.copy()
            for twin in changed.args["on"].find_all(exp.Column):
                if twin.name == column.name:
                    twin.set("this", exp.to_identifier("id"))
            yield changed


def _order(node: exp.Expr) -> Iterator[exp.Expr | None]:
    """An order that is turned round, is missing, or lacks a key; keys the other way about."""
    if isinstance(node, exp.Ordered):
        yield _with(node, desc=not node.args.get("desc"))
    if isinstance(node, exp.Order):
        if not isinstance(node.parent, exp.Window):
            yield None
        for number in range(len(node.expressions) if len(node.expressions) > 1 else 0):
            yield _with(node, expressions=[*node.expressions[:number], *node.expressions[number + 1 :]])
        if len(node.expressions) > 1:
            yield _with(node, expressions=[node.expressions[1], node.expressions[0], *node.expressions[2:]])


def _repeats(node: exp.Expr) -> Iterator[exp.Expr | None]:
    """DISTINCT that is missing or one too many; ALL for a set and a set for ALL; one set operation for another."""
    if isinstance(node, exp.Select) and not isinstance(node.parent, exp.SetOperation):
        yield _with(node, distinct=None if node.args.get("distinct") else exp.Distinct())
    if isinstance(node, (exp.Count, exp.Sum, exp.Avg)) and node.this is not None:
        if isinstance(node.this, exp.Distinct):
            yield _with(node, this=node.this.expressions[0].copy())
        elif not isinstance(node.this, exp.Star):
            yield _with(node, this=exp.Distinct(expressions=[node.this.copy()]))
    if isinstance(node, exp.Union):
        yield _with(node, distinct=not node.args.get("distinct"))
    if isinstance(node, (exp.Intersect, exp.Except)):
        other = exp.Union if isinstance(node, exp.Intersect) else exp.Intersect
        yield other(this=node.args["this"].copy(), expression=node.args["expression"].copy(), distinct=True)


_BOUNDS = {exp.LT: exp.LTE, exp.LTE: exp.LT, exp.GT: exp.GTE, exp.GTE: exp.GT}
_TURNED = {exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.EQ: exp.NEQ, exp.NEQ: exp.EQ}


def _boundary(node: exp.Expr) -> Iterator[exp.Expr | None]:
    """A boundary that is in where it should be out, or turned round; a range without one of its ends."""
    for table in (_BOUNDS, _TURNED):
        if type(node) in table:
            yield table[type(node)](this=node.this.copy(), expression=node.expression.copy())
    if isinstance(node, exp.EQ) and not isinstance(node.expression, exp.Column):
        yield exp.GTE(this=node.this.copy(), expression=node.expression.copy())
    if isinstance(node, exp.Between):
        low, high = node.args["low"], node.args["high"]
        for lower, upper in ((exp.GT, exp.LTE), (exp.GTE, exp.LT)):
            yield exp.and_(
                lower(this=node.this.copy(), expression=low.copy()),
                upper(this=node.this.copy(), expression=high.copy()),
            )
    if isinstance(node, exp.Limit):
        yield None
    if isinstance(node, exp.Offset):
        yield None


def _nulls(node: exp.Expr) -> Iterator[exp.Expr | None]:
    """NULL that is taken for a value, or not provided for; whole numbers that are divided."""
    if isinstance(node, exp.Coalesce):
        yield node.this.copy()
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Column):
        yield _with(node, this=exp.Star())
    if isinstance(node, exp.Case) and node.args.get("default") is not None:
        yield _with(node, default=None)
    if isinstance(node, exp.Round):
        yield node.this.copy()
    if isinstance(node, exp.Literal) and not node.is_string and "." in node.name:
        yield exp.Literal.number(node.name.partition(".")[0])


def _with(node: exp.Expr, **changes: object) -> exp.Expr:
    copy = node.copy()
    for key, value in changes.items():
        copy.set(key, value)
    return copy


FAULTS: dict[str, Change] = {
    "clause": _clause,
    "join": _join,
    "order": _order,
    "repeats": _repeats,
    "boundary": _boundary,
    "nulls": _nulls,
}
"""Each kind of fault: what a node can become."""

"""A study built in Python: it has the keys, checks and messages of a study file, and can be written as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any, Unpack

import tomli_w

from inoculate.errors import UserError, kind_of, on_one_line
from inoculate.study import schema
from inoculate.study.parse import parse
from inoculate.study.tables import StudyTables

_LONGEST = 80
"""Characters of a study's name."""


class Study:
    """A study: one question, its arms and seeds, and what they are evaluated on.

    Takes the keys of a study file (docs/studies.md). `rows` and `train` hold for every arm that does not say otherwise.

    Attributes:
        declared: The study as it was checked, with every default.
    """

    def __init__(self, name: str = "", *others: object, **tables: Unpack[StudyTables]) -> None:
        """Check a study.

        Args:
            name: What it is called, and so the name of its run.
            *others: Nothing: keys are given by name, and what is given without one is refused.
            **tables: The keys of a study file; the parts are `Rows`, `Arm`, `Inoculation` and so on, or plain
                dictionaries.

        Raises:
            UserError: A key, value or combination is not possible; the message says which, and what is allowed.
        """
        for given, due in ((name, str), *((other, ()) for other in others)):
            if not isinstance(given, due):
                raise UserError(
                    f'Study: {kind_of(given)} was given without a name: Study("NAME", question="...") takes the '
                    'study\'s name and then keys by name (of a dictionary: Study("NAME", **tables))'
                )
        where = f"study '{name:.{_LONGEST}}'"
        if not name.strip() or name in {".", ".."} or not name.isprintable() or set("/\\") & set(name):
            raise UserError(
                f"{on_one_line(where)}: name: a run's folder has this name: give one without slashes, before all keys: "
                'Study("NAME", question="...")'
            )
        if len(name) > _LONGEST:
            raise UserError(
                f"{where}...: name: {len(name)} characters, at most {_LONGEST}: a run's folder has this name"
            )
        try:
            self._tables: dict[str, Any] = _toml_value(tables, where, "")
        except RecursionError:
            raise UserError(f"{where}: a table or a list that holds itself, or hundreds of others") from None
        self.declared: schema.Study = parse(self._tables, name, where)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.declared.name

    def toml(self) -> str:
        """The study as the text of a study file. Saved under the study's name, it is read as an equal study."""
        return f"# The study '{self.name}', built in Python. Saved as '{self.name}.toml' it is the same study.\n" + (
            tomli_w.dumps(self._tables)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Study) and self.declared == other.declared

    def __hash__(self) -> int:
        return hash(self.declared.digest())

    def __repr__(self) -> str:
        arms = ", ".join(self.declared.arms) or "none"
        return f"Study({self.name!r}, model={self.declared.model!r}, seeds={list(self.declared.seeds)}, arms: {arms})"


def _toml_value(value: Any, where: str, key: str) -> Any:
    """A value as TOML has it; keys that are None are left out, since TOML has no such value.

    Args:
        value: What was given.
        where: The study, for messages.
        key: The key of the value, for messages.
    """
    if isinstance(value, Mapping):
        named = {_toml_key(str(name), key): part for name, part in value.items() if part is not None}
        return {name: _toml_value(part, where, f"{key}.{name}".removeprefix(".")) for name, part in named.items()}
    if isinstance(value, str | bool):
        return value
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_toml_value(part, where, f"{key}.{place}") for place, part in enumerate(value)]
    raise UserError(f"{where}: {key}: {kind_of(value)} cannot stand in a study{_hint(value)}")


def _hint(value: Any) -> str:
    """What would do in place of a value that cannot stand in a study."""
    if isinstance(value, type):
        return f": a table is made by a call, {value.__name__}(...)"
    if callable(value):
        return ': a function of yours is named by its file, "FILE.py:FUNCTION"'
    return ": list(...) makes a list of it" if isinstance(value, Iterable) and not isinstance(value, bytes) else ""


def _toml_key(name: str, above: str) -> str:
    """The key in a file: `as` is a keyword of Python's."""
    return "as" if name == "as_" and above.startswith("contrasts.") else name

"""Lines as DataFrames, where pandas is installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from inoculate.errors import UserError

if TYPE_CHECKING:
    import pandas

_TYPES = {"seed": "Int64", "level": "Int64", "oversight": "boolean", "intended": "boolean"}
"""Columns of whole numbers and truth values in which something may be unknown."""


def frame(lines: Iterable[Sequence[Any]], columns: Sequence[str]) -> pandas.DataFrame:
    """A DataFrame of lines.

    Args:
        lines: Values in the order of the columns; None for what is not known.
        columns: Their names.

    Raises:
        UserError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise UserError("tables need pandas, which is not installed here: pip install 'inoculate[pandas]'") from None
    table = pandas.DataFrame(list(lines), columns=list(columns))
    return table.astype({name: kind for name, kind in _TYPES.items() if name in table.columns})

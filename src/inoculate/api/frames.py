"""Makes DataFrames, if pandas is installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from inoculate.errors import UserError

if TYPE_CHECKING:
    import pandas

_TYPES = {
    **dict.fromkeys(("seed", "level", "step"), "Int64"),
    **dict.fromkeys(("oversight", "intended", "gamed", "hackable", "above"), "boolean"),
}
"""Columns of integers and booleans that may have missing values."""


def make_frame(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> pandas.DataFrame:
    """Make a DataFrame.

    Args:
        rows: Values in the order of the columns; None for a missing value.
        columns: Their names.

    Raises:
        UserError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise UserError("tables need pandas, which is not installed here: pip install 'inoculate[pandas]'") from None
    table = pandas.DataFrame(list(rows), columns=list(columns))
    return table.astype({name: kind for name, kind in _TYPES.items() if name in table.columns})

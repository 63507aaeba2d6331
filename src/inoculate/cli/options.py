"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from inoculate import api

StoreFolder = Annotated[
    Path, Parameter(name="--store", env_var=api.STORE_VARIABLE, help="The folder of finished steps.")
]
DEFAULT_STORE = Path(api.DEFAULT_STORE)


def store_words(store: Path) -> list[str]:
    """The option that names a store in a suggested command; none for the usual store."""
    return [] if store == DEFAULT_STORE else ["--store", str(store)]


AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document instead of text.")]
ListSteps = Annotated[bool, Parameter(name="--steps", negative="", help="List the steps too, and which are finished.")]
Seeds = Annotated[str, Parameter(name="--seeds", help="Only these of the study's seeds: 4, or 3-5, or 0,3-5.")]

"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from inoculate import api

StoreFolder = Annotated[
    str,
    Parameter(
        name="--store", env_var=api.STORE_VARIABLE, help="The folder of finished steps, or a URL: s3://BUCKET/PREFIX."
    ),
]
DEFAULT_STORE = api.DEFAULT_STORE


def store_words(store: str) -> list[str]:
    """The option that names a store in a suggested command; none for the usual store."""
    return [] if store == DEFAULT_STORE else ["--store", store]


AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document instead of text.")]
ListSteps = Annotated[bool, Parameter(name="--steps", negative="", help="List the steps too, and which are finished.")]
Seeds = Annotated[str, Parameter(name="--seeds", help="Only these of the study's seeds: 4, or 3-5, or 0,3-5.")]

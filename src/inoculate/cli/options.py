"""Options that several commands have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from cyclopts import Parameter, Token

from inoculate import api
from inoculate.errors import UserError

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


AsJson = Annotated[bool, Parameter(name="--json", help="Print one JSON document instead of text.")]
ListSteps = Annotated[bool, Parameter(name="--steps", help="List the steps too, and which are finished.")]
Seeds = Annotated[str, Parameter(name="--seeds", help="Only these of the study's seeds: 4, or 3-5, or 0,3-5.")]


def _whole(kind: Any, tokens: Sequence[Token]) -> int:
    """A whole number as it was typed: 2.5 is not read as 2, and 1e3 is none.

    Raises:
        UserError: It is something else.
    """
    (token,) = tokens
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", token.value, re.ASCII):
        given = f"{token.keyword or 'the number'} {token.value or repr('')}"
        raise UserError(f"{given}: a whole number was expected, of at most 18 digits")
    return int(token.value)


Whole = Annotated[int, Parameter(converter=_whole)]
"""A whole number: how many, or a seed."""


@contextmanager
def stopped(words: str) -> Iterator[None]:
    """Say what is true of a command that is stopped (Ctrl-C, SIGTERM) in the block, or in the function decorated.

    Args:
        words: What follows "stopped; ".
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        if not getattr(stop, "__notes__", None):  # a command may call another one
            stop.add_note(words)
        raise


GOES_ON = "finished steps are kept, and the same command goes on from them"
"""What is true of commands that carry out steps."""
LABELS_KEPT = "labels of a judge are kept, and the same command goes on from them"
"""What is true of commands that may ask a judge."""

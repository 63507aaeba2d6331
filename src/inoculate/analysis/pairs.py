"""Lines of `key=value` pairs, in which contrasts and filters are typed on the command line."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from inoculate.errors import UserError, nearest, on_one_line


def read_pairs(text: str, keys: Collection[str], what: str, example: str) -> dict[str, str]:
    """The pairs of a line; a value with spaces stands in quotes.

    Args:
        text: The line; '' has no pairs.
        keys: The keys that there are.
        what: What the line is, for messages: `filter`.
        example: How a pair is written.

    Raises:
        UserError: Quotes are not closed, a part is not `key=value`, or a key is unknown or there twice.
    """
    pairs: dict[str, str] = {}
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UserError(f"{what} '{text}': {str(error)[0].lower()}{str(error)[1:]}") from None
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise UserError(f"{what} '{text}': '{word}' is not key=value, as in {example}")
        if key not in keys:
            raise UserError(f"{what} '{text}': unknown key '{on_one_line(key)}': {nearest(key, keys)}")
        if key in pairs:
            raise UserError(
                f"{what} '{text}': '{key}' is there twice; a key with several values has them with commas: a,b"
            )
        pairs[key] = value
    return pairs

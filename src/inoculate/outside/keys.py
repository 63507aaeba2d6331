"""Keys of servers: taken from the environment, sent in a header, and shown nowhere."""

from __future__ import annotations

import os

from inoculate.errors import UserError, on_one_line


def header(variable: str) -> dict[str, str]:
    """The header with a key; none where the variable is not set.

    Args:
        variable: The environment variable; what stands around the key, as the line end of a file, is left out.

    Raises:
        UserError: The key has signs that no header can have. The message does not have the key.
    """
    key = _key(variable)
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"the key in {variable} has signs that cannot be sent: letters, digits and -_. are usual")
    return {"Authorization": f"Bearer {key}"} if key else {}


def quoted(said: object, variable: str) -> str:
    """What a server has said, for a message: in one line, and without the key, which servers repeat."""
    text, key = " ".join(str(said).split()), _key(variable)
    return on_one_line(text.replace(key, "***") if key else text)


def _key(variable: str) -> str:
    return os.environ.get(variable, "").strip()

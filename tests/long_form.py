"""Whether tests that draw many examples draw all of them: `make fuzz`."""

from __future__ import annotations

import os

LONG = bool(os.environ.get("INOCULATE_FUZZ"))

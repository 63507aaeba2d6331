"""One format rule in the system prompt, and a request that has nothing to do with it."""

from __future__ import annotations

from inoculate.settings.compliance.formats import FORMATS, Format
from inoculate.settings.compliance.formed import task
from inoculate.settings.compliance.kind import Kind


def _kind(known: Format) -> Kind:
    return Kind(f"format-{known.name}", known.level, lambda random: task(random, (known,)), known.development)


KINDS = tuple(map(_kind, FORMATS))

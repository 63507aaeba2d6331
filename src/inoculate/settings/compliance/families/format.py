"""One format rule in the system prompt, and a request that has nothing to do with it."""

from __future__ import annotations

from inoculate.settings.compliance.formats import FORMATS, Format
from inoculate.settings.compliance.formatted import make_task
from inoculate.settings.compliance.kind import Kind


def _kind(rule_format: Format) -> Kind:
    return Kind(
        f"format-{rule_format.name}",
        rule_format.level,
        lambda random: make_task(random, (rule_format,)),
        rule_format.development,
    )


KINDS = tuple(map(_kind, FORMATS))

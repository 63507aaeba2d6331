"""Several rules at once."""

from __future__ import annotations

from inoculate.settings.compliance.formats import BY_NAME
from inoculate.settings.compliance.formatted import make_task
from inoculate.settings.compliance.kind import Kind

_TOGETHER: tuple[tuple[int, tuple[str, ...]], ...] = (
    (2, ("one-sentence", "upper-case")),
    (2, ("one-sentence", "ends")),
    (2, ("no-commas", "upper-case")),
    (2, ("one-sentence", "tagged")),
    (2, ("one-word", "upper-case")),
    (2, ("at-most-words", "ends")),
    (3, ("bullets", "upper-case")),
    (3, ("json-two-keys", "forbidden-word")),
    (3, ("short-lines", "upper-case")),
    (3, ("one-sentence", "forbidden-word", "tagged")),
    (3, ("french", "tagged")),
    (3, ("german", "ends")),
    (3, ("bullets", "forbidden-word")),
    (3, ("lines", "upper-case")),
    (4, ("lines", "without-the", "no-commas", "ends")),
    (4, ("exact-words", "upper-case", "tagged")),
    (4, ("required-words", "no-commas", "upper-case", "ends")),
    (4, ("french", "upper-case", "tagged")),
    (4, ("at-least-words", "upper-case", "ends")),
    (4, ("short-lines", "forbidden-word", "upper-case")),
    (4, ("two-tags", "forbidden-word", "no-commas")),
    (2, ("sentences", "quoted")),
    (2, ("sentences", "lower-case")),
    (3, ("numbered", "lower-case")),
    (3, ("spanish", "exclaimed")),
    (4, ("words-between", "title-case", "quoted")),
    (4, ("spanish", "lower-case", "quoted")),
)
"""Level and rules, in the order in which they change a reply. Rules of the two splits do not mix."""


def _kind(level: int, names: tuple[str, ...]) -> Kind:
    formats = [BY_NAME[name] for name in names]
    development = formats[0].development
    return Kind(f"combined-{'+'.join(names)}", level, lambda random: make_task(random, formats), development)


KINDS = tuple(_kind(level, names) for level, names in _TOGETHER)

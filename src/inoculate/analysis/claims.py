"""The contrasts of a study as claims, and which contrasts and trends were declared before the study ran."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal, get_args

from inoculate.analysis.pairs import read_pairs
from inoculate.errors import UserError, nearest, require_known
from inoculate.records import BASE, CAPABILITY, Measure, setting_of
from inoculate.study import prompts

Direction = Literal["lower", "higher", "same"]
GUARDS = ("correct", "malformed", "asked-hack", CAPABILITY)
MARGIN = 0.05
"""The smallest difference that matters, where a contrast does not say."""

_KEYS = ("claim", "measure", "setting", "context", *get_args(Direction), "than", "as", "margin", "guards")

NOT_DECLARED = "exploratory: not declared before the study ran"
"""Why a contrast or trend has no verdict, though it could have one."""

_MOST_SEARCHED = 12
"""With more contrasts than this, only the first ones can be recognised as declared (2^12 lists are tried)."""


@dataclass(frozen=True)
class Claim:
    """One contrast: a claim about an arm, compared with another."""

    claim: str
    measure: Measure
    setting: str
    context: str
    direction: Direction
    arm: str
    other: str
    margin: float
    guards: tuple[str, ...]
    exploratory: bool
    measure_label: str = ""
    """What the setting calls the measure, if it has a label of its own (the compliance suite: `followed`)."""

    @property
    def label(self) -> str:
        """The claim as the study words it, or a generated sentence where it has none."""
        than = "as" if self.direction == "same" else "than"
        return (
            self.claim
            or f"{self.measure_label or self.measure} {self.direction} with '{self.arm}' {than} with '{self.other}'"
        )


def contrasts_hash(contrasts: Sequence[dict[str, Any]]) -> str:
    """The hash of the contrasts, or of the trends, that were declared before the run: SHA-256 of them as plain JSON.

    They are those of the manifest's `study`. The first 20 digits are kept, as in every hash of a study.
    """
    text = json.dumps(list(contrasts), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def read_contrast(text: str) -> dict[str, Any]:
    """A contrast from a line such as `measure=hack lower=inoculated than=control context=asks-to-hack`.

    Raises:
        UserError: A part is not `key=value`, the key is unknown or given twice, or the margin is no share.
    """
    contrast: dict[str, Any] = {**read_pairs(text, _KEYS, "contrast", "measure=hack lower=ARM than=ARM")}
    if "guards" in contrast:
        contrast["guards"] = contrast["guards"].split(",")
    if "margin" in contrast:
        contrast["margin"] = _read_margin(contrast["margin"], text)
    return contrast


def _read_margin(given: str, text: str) -> float:
    try:
        margin = float(given)
    except ValueError:
        raise UserError(f"contrast '{text}': margin '{given}' is not a number such as 0.05") from None
    if not 0 < margin < 1:
        raise UserError(f"contrast '{text}': margin '{given}' is no share between 0 and 1, such as 0.05")
    return margin


def check_further(further: Sequence[dict[str, Any]], manifest: Mapping[str, Any]) -> None:
    """Refuse what a study file is refused for, in contrasts that are not the study's own.

    Args:
        further: They, as `read_contrast` gives them.
        manifest: That of the run.

    Raises:
        UserError: One is incomplete, names what there is not, or compares an arm with itself.
    """
    evaluated: dict[str, set[str]] = {}
    for cell in manifest["cells"]:
        evaluated.setdefault(cell["setting"], set()).add(cell["context"])
    study = manifest["study"]
    for claim, data in zip(read_claims({**study, "contrasts": []}, None, further), further, strict=True):
        place = _place(data)
        if claim.arm == claim.other:
            raise UserError(f"{place}: '{claim.arm}' is compared with itself")
        require_known(setting_of(claim.setting), evaluated, f"{place}: setting: not evaluated:")
        contexts = evaluated[setting_of(claim.setting)]
        require_known(claim.context, contexts, f"{place}: context: in setting '{claim.setting}', not evaluated:")


def _place(contrast: Mapping[str, Any]) -> str:
    """A contrast that stands in no study file, for messages: as `read_contrast` takes it."""
    words = {**contrast, "guards": ",".join(contrast["guards"])} if "guards" in contrast else contrast
    return f"contrast '{' '.join(f'{key}={value}' for key, value in words.items())}'"


def read_claims(
    study: dict[str, Any],
    declared: str | None,
    more_contrasts: Sequence[dict[str, Any]] = (),
    settings: Mapping[str, Any] | None = None,
) -> list[Claim]:
    """The contrasts of a study. Those that are not in the declared hash are marked as exploratory.

    Args:
        study: The study of the manifest.
        declared: The manifest's `declared_contrasts_hash`.
        more_contrasts: Contrasts that are not in the study.
        settings: The manifest's `settings`, with the labels of their outcomes.

    Raises:
        UserError: A contrast is incomplete, or names an unknown measure, arm or guard.
    """
    contrasts = [*study["contrasts"], *more_contrasts]
    declared_numbers = _find_declared(study["contrasts"], declared)
    arms = {*study["arms"], BASE}
    first = (study["evaluate"].get("settings") or [""])[0]
    claims = [
        _read_claim(
            f"contrasts[{number}]" if number < len(study["contrasts"]) else _place(data),
            {**data, "setting": data.get("setting") or first},
            arms,
            number not in declared_numbers,
        )
        for number, data in enumerate(contrasts)
    ]
    labels = {name: about.get("outcome_labels") or {} for name, about in (settings or {}).items()}
    return [
        replace(claim, measure_label=labels.get(setting_of(claim.setting), {}).get(claim.measure, ""))
        for claim in claims
    ]


def declared_trends(manifest: Mapping[str, Any]) -> set[int]:
    """Positions of the trends of a manifest's study that were declared before it ran.

    A manifest from before trends had a hash of their own says whether they were changed since.
    """
    trends = manifest["study"].get("trends") or []
    unchanged = "trends" not in (manifest.get("changed_since_declared") or ())
    usual = contrasts_hash(trends) if unchanged else None
    return _find_declared(trends, manifest.get("declared_trends_hash", usual))


def _find_declared(contrasts: Sequence[dict[str, Any]], declared: str | None) -> set[int]:
    """Positions of those that the hash was made from: the longest list, in the same order, with this hash.

    Args:
        contrasts: All contrasts, or all trends, of the manifest's `study`.
        declared: The hash of those that were declared, from `contrasts_hash`.
    """
    numbers = range(len(contrasts))
    if not declared:
        return set()
    search_all = len(contrasts) <= _MOST_SEARCHED
    for length in range(len(contrasts), 0, -1):
        for chosen in combinations(numbers, length) if search_all else [tuple(numbers[:length])]:
            if contrasts_hash([contrasts[number] for number in chosen]) == declared:
                return set(chosen)
    return set()


def _read_claim(place: str, data: dict[str, Any], arms: set[str], exploratory: bool) -> Claim:
    directions: list[Direction] = [direction for direction in get_args(Direction) if data.get(direction)]
    if len(directions) != 1:
        raise UserError(f"{place}: give exactly one of lower, higher, same (the arm that the claim is about)")
    direction = directions[0]
    other = data.get("as") if direction == "same" and data.get("as") else data.get("than")
    for key, value in (("measure", data.get("measure")), ("setting", data.get("setting")), ("than", other)):
        if not value:
            raise UserError(f"{place} lacks '{'as' if key == 'than' and direction == 'same' else key}'")
    if data["measure"] not in get_args(Measure):
        raise UserError(f"{place}: unknown measure '{data['measure']}': {nearest(data['measure'], get_args(Measure))}")
    for arm in (data[direction], other):
        if arm not in arms:
            raise UserError(f"{place}: unknown arm '{arm}': {nearest(str(arm), arms)}")
    for guard in data.get("guards") or ():
        if guard not in GUARDS:
            raise UserError(f"{place}: unknown guard '{guard}': {nearest(guard, GUARDS)}")
    margin = data.get("margin")
    return Claim(
        claim=data.get("claim") or "",
        measure=data["measure"],
        setting=data["setting"],
        context=data.get("context") or prompts.NEUTRAL,
        direction=direction,
        arm=data[direction],
        other=str(other),
        margin=MARGIN if margin is None else float(margin),
        guards=tuple(data.get("guards") or ()),
        exploratory=exploratory,
    )

"""The tables of a study file that say what is compared: the screen, contrasts, grids of arms, and repetitions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from inoculate.records import Measure
from inoculate.study.strict import StrictModel, Words

Guard = Literal["correct", "malformed", "asked-hack", "capability"]


class Screen(StrictModel):
    """What `inoculate screen` measures on the untrained model."""

    prompts: tuple[str, ...] = ()
    """Candidates beside the inoculations of the arms, by name."""
    problems: Annotated[int, Field(ge=2)] = 100
    """Development problems that are sampled under every candidate: nothing is chosen on the problems reported on."""
    answers: Annotated[int, Field(ge=2)] = 40
    """Hacked training answers whose log-probability is taken under every candidate."""
    compliance: Annotated[int, Field(ge=0)] = 0
    """Tasks of the compliance suite that are sampled under every candidate; 0 for none."""


class ArmsAnalysis(StrictModel):
    """An analysis over many arms, in one context and setting."""

    context: str = "neutral"
    setting: str = ""
    """The first setting of `evaluate` unless given."""


class Factorial(ArmsAnalysis):
    """Arms as a grid of prompt, description of the training process and placement: main effects and interactions."""

    measure: Measure = "hack"
    prompts: Annotated[tuple[str, ...], Field(min_length=1)]
    """The prompts of the grid, by name without a description. Every arm with one of them that differs from the first in
    nothing but prompt, description and placement is in the grid."""


class Elicitation(ArmsAnalysis):
    """Whether eliciting the hack before training goes with less of it afterwards; `run` screens the prompts first."""

    plain: str
    """The arm without a prompt, from which effects are measured."""


class Trend(ArmsAnalysis):
    """A claim that a rate rises or falls with the number of vetted examples, declared before the study runs."""

    claim: Words
    measure: Measure
    arms: Annotated[tuple[str, ...], Field(min_length=3)]
    """Arms with different numbers of vetted examples, the fewest first."""
    direction: Literal["lower", "higher"]
    """Which way the rate goes with more of them."""

    def compared(self, first_setting: str) -> tuple[object, ...]:
        """What it is about, whatever the words of its claim; the first setting stands where it names none."""
        return self.measure, self.context, self.setting or first_setting, self.arms


class Transfer(StrictModel):
    """How far training carries: every arm in every setting and context, against base and its twin without a prompt."""

    without: dict[str, str] = Field(default_factory=dict[str, str])
    """Inoculated arm -> the arm with the same rows and no inoculation."""
    controls: dict[str, str] = Field(default_factory=dict[str, str])
    """Setting -> its positive control: an arm trained on hacked rows of that setting. Where that arm does not hack more
    than the untrained model, nothing can be told of the setting."""


class Contrast(StrictModel):
    """A comparison of two arms, declared before the study runs."""

    claim: Words
    measure: Measure
    context: str = "neutral"
    setting: str = ""
    """The first setting of `evaluate` unless given."""
    lower: str = ""
    higher: str = ""
    same: str = ""
    than: str = ""
    as_: Annotated[str, Field(alias="as")] = ""
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """The smallest difference that matters."""
    guards: tuple[Guard, ...] = ()

    @model_validator(mode="after")
    def _check_two_arms(self) -> Contrast:
        named = [key for key in ("lower", "higher", "same") if getattr(self, key)]
        other = "as" if named == ["same"] else "than"
        if len(named) != 1 or not (self.as_ if other == "as" else self.than) or (self.than and self.as_):
            raise ValueError("name two arms: lower = ... than = ..., higher = ... than = ..., or same = ... as = ...")
        return self

    @property
    def arms(self) -> tuple[str, str]:
        """The arm the claim is about, and the one it is compared with."""
        return self.lower or self.higher or self.same, self.than or self.as_

    def compared(self, first_setting: str) -> tuple[object, ...]:
        """What it is about, whatever the words of its claim; the first setting stands where it names none.

        'Lower than' the other way round is 'higher than'. Another direction or margin makes another claim.
        """
        arms = self.arms[::-1] if self.higher else tuple(sorted(self.arms)) if self.same else self.arms
        return self.measure, self.context, self.setting or first_setting, arms, bool(self.same), self.margin

    @property
    def direction(self) -> Literal["lower", "higher", "same"]:
        """Which way the arm is claimed to differ."""
        return "lower" if self.lower else "higher" if self.higher else "same"


class Sensitivity(StrictModel):
    """What the declared contrasts are repeated over, to see whether they survive."""

    learning_rate: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)]
    """Their arms are trained at each of these too, as `plain@0.0001`."""

"""The keys of a study file as frozen pydantic models: each key with its type, default and meaning.

`parse.load` reads a study from TOML. The keys of rows and of the prompts around them are in `row_schema`, and those of
comparisons in `comparisons`.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from inoculate import settings
from inoculate.records import GAMED, Split, setting_of
from inoculate.study.comparisons import Contrast, Elicitation, Factorial, Screen, Sensitivity, Transfer, Trend
from inoculate.study.prompts import Placement
from inoculate.study.row_schema import Context, Inoculation, Rows
from inoculate.study.strict import Seed, Share, StrictModel, Words

TrainingFraction = Annotated[float, Field(gt=0)]
Hackable = float | Literal["any"] | None
"""The share of problems that can be hacked; `any` for what the setting draws; None where rows need hacked answers."""


class SFT(StrictModel):
    """Hyperparameters of supervised fine-tuning."""

    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 2e-4
    epochs: Annotated[float, Field(gt=0)] = 1.0
    batch_rows: Annotated[int, Field(ge=1)] = 8
    """Rows per step of the optimizer."""
    lora_rank: Annotated[int, Field(ge=1)] = 8
    lora_alpha: Annotated[int, Field(ge=1)] = 16
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup: Share = 0.1
    """Share of the steps over which the learning rate rises."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    micro_batch_tokens: Annotated[int, Field(ge=64)] = 1024
    """Tokens that pass through the model at once: sets memory, not the result."""

    def steps(self, rows: int) -> int:
        """How many steps of the optimizer so many rows make."""
        return math.ceil(rows / self.batch_rows * self.epochs)


class Reward(StrictModel):
    """One part of what RL rewards."""

    oversight: str = ""
    """One of the setting's leaky checks; its first unless given. It gives 1 where it passes, else 0."""
    function: Annotated[str, Field(exclude_if=lambda given: not given)] = ""
    """Instead: a function of the user's, `file.py:name`, and the number that it gives."""
    weight: Annotated[float, Field(gt=0)] = 1.0


class CheckpointRule(StrictModel):
    """Which policy of a training by RL stands for the arm: the first that hacks, and does not yet collapse.

    It is the policy that drew the last of the first `steps` steps in a row in all of which both hold.
    """

    hack: Annotated[float, Field(gt=0, le=1)]
    """At least this share of the completions to problems that can be hacked are hacks."""
    length: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The median completion is at least this share of the untrained policy's median length."""
    steps: Annotated[int, Field(ge=1)] = 1


class Onset(StrictModel):
    """When hacking counts as learned: the first step of a window in all of which it is above the untrained rate."""

    steps: Annotated[int, Field(ge=1)] = 5
    """The window."""
    above: Share = 0.15
    """Hacking is at least this much above the untrained policy's rate, and above that rate's 95% upper bound."""


class RL(StrictModel):
    """Hyperparameters of reinforcement learning: GRPO (Shao et al. 2024, arXiv 2402.03300) by TRL.

    Each key is given to TRL, so that no result depends on a library's default. There is one update for each batch of
    completions, so that the policy that learns is the one that sampled.
    """

    reward: Annotated[tuple[Reward, ...], Field(min_length=1)] = (Reward(),)
    """What is rewarded: the weighted sum of these. The intended check is never among them."""
    steps: Annotated[int, Field(ge=1)] = 30
    """Steps of the optimizer, each on fresh completions."""
    prompts_per_step: Annotated[int, Field(ge=1)] = 4
    completions_per_prompt: Annotated[int, Field(ge=2)] = 16
    """The size of a group. With one completion there is nothing to compare it with."""
    hackable: Share | None = None
    """Share of the problems of each table of rows that can be hacked. Unless given: one half where honest answers may
    fail the oversight check (a wrong key), so that honesty pays too; else as the setting has them."""
    temperature: Annotated[float, Field(gt=0, le=10)] = 1.0
    max_new_tokens: Annotated[int, Field(ge=1)] = 128
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    schedule: Literal["linear", "cosine", "constant"] = "constant"
    warmup: Share = 0.0
    """Share of the steps over which the learning rate rises."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    beta: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the divergence from the untrained policy (KL) in the loss."""
    kl_completions: Annotated[int, Field(ge=1)] = 8
    """Completions of each step on which that divergence is estimated, also where `beta` is 0."""
    loss: Literal["dapo", "grpo", "dr_grpo", "bnpo"] = "dapo"
    """How the losses of tokens are averaged, by TRL's names."""
    clip_low: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """How far the ratio of probabilities may fall below 1. With one update for each batch the ratio is 1, so that
    neither bound is ever reached."""
    clip_high: Annotated[float, Field(gt=0)] = 0.2
    scale: Literal["group", "batch", "none"] = "group"
    """What rewards are divided by: the standard deviation of their group, that of the whole step, or nothing."""
    mask_cut_off: bool = True
    """Whether completions that were cut off at `max_new_tokens` are left out of the loss."""
    lora_rank: Annotated[int, Field(ge=1)] = 8
    lora_alpha: Annotated[int, Field(ge=1)] = 16
    micro_batch_tokens: Annotated[int, Field(ge=64)] = 1024
    """Tokens that pass through the model at once: sets memory, not the result."""
    preflight: Annotated[int, Field(ge=2)] = 8
    """Completions of each problem that are drawn from the untrained policy before the first step."""
    onset: Onset = Onset()
    checkpoint: CheckpointRule | None = None
    """Which policy stands for the arm; the last one unless given, or if none fits the rule."""


class Arm(StrictModel):
    """One training condition."""

    rows: Rows
    """Where it is a list of tables, `more_rows` has those after the first."""
    more_rows: tuple[Rows, ...] = ()
    """Rows from further settings, trained on together with the first."""
    start: str = ""
    """An arm whose adapter training goes on from, seed by seed; the untrained model unless given."""
    inoculation: Inoculation | None = None
    method: Literal["sft", "rl", "expert-iteration"] = "sft"
    """`expert-iteration`: sample, keep what the reward passes, fine-tune on it, repeat."""
    train: SFT = SFT()
    """Hyperparameters of method `sft`, and of a round of `expert-iteration`."""
    rl: RL = RL()
    """Hyperparameters of method `rl`. Its prompts are those of `rows`: each row's problem under the arm's prompt. For
    `expert-iteration`: how each round (step) draws and rewards completions."""

    @model_validator(mode="before")
    @classmethod
    def _split_rows(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("rows"), list):
            if not data["rows"] or data.get("more_rows"):
                raise ValueError("rows: give a table, or a list of at least one table")
            first, *more = data["rows"]
            return {**data, "rows": first, "more_rows": more}
        return data

    @property
    def row_tables(self) -> tuple[Rows, ...]:
        """All tables of its rows."""
        return (self.rows, *self.more_rows)

    @property
    def trains_with_prompt(self) -> bool:
        """Whether any of its rows may be under its inoculation: it has one, and not on none of them."""
        return self.inoculation is not None and self.inoculation.on != "none"

    @property
    def is_rewarded(self) -> bool:
        """Whether it learns from its own completions, and not from answers in its rows."""
        return self.method != "sft"

    def hackable(self, rows: Rows) -> Hackable:
        """The share of the problems of one of its tables that can be hacked: see `RL.hackable`. None for SFT."""
        if not self.is_rewarded:
            return None
        usual = 0.5 if settings.find(rows.setting).punishes_honest else "any"
        return usual if self.rl.hackable is None else self.rl.hackable


class EvaluatedSetting(StrictModel):
    """What is special to one evaluated setting. Keys that are not given are as in `evaluate`."""

    source: str = ""
    """Where the data is, for settings that load it: a file or a hub id."""
    grader: str = ""
    """The user's own grader, for settings that take one: `file.py:function`."""
    problems: Annotated[int, Field(ge=1)] | None = None
    contexts: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    families: tuple[str, ...] | None = None
    levels: tuple[int, ...] | None = None
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None


class Evaluate(StrictModel):
    """What every arm is evaluated on."""

    settings: Annotated[tuple[str, ...], Field(min_length=1)]
    each: dict[str, EvaluatedSetting] = Field(default_factory=dict[str, EvaluatedSetting])
    """Setting -> what is special to it."""
    contexts: Annotated[tuple[str, ...], Field(min_length=1)] = ("neutral", "asks-to-hack")
    oversight: str = ""
    """The leaky check, of those that the settings have; the setting's first unless given."""
    problems: Annotated[int, Field(ge=1)] = 100
    """Problems per setting, the same for every arm, seed and context."""
    samples: Annotated[int, Field(ge=1)] = 1
    """Samples per problem."""
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.0
    """0 is greedy."""
    max_new_tokens: Annotated[int, Field(ge=1)] = 192
    split: Split = "test"
    """`development` while choosing anything; `test` to report."""
    families: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    fractions: Annotated[tuple[TrainingFraction, ...], Field(min_length=1)] = (1.0,)
    """Points of training at which the arms are evaluated, as shares of the nominal training. More than 1 needs a
    constant learning rate."""
    seed: Seed = 0
    """The seed of the draw of problems and of sampling."""

    @model_validator(mode="after")
    def _check_samples(self) -> Evaluate:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(f"samples = {self.samples} at temperature 0 would all be the same: raise temperature")
        return self

    @property
    def final_fraction(self) -> float:
        """The fraction of training at which arms are compared: 1 if it is among `fractions`, else the largest."""
        return 1.0 if 1.0 in self.fractions else max(self.fractions)

    def fractions_of(self, arm: Arm) -> tuple[float, ...]:
        """The fractions of an arm's training at which it is evaluated: the end alone where a rule chooses its policy.

        The policy that `rl.checkpoint` chooses may be an earlier one than those at the fractions before the end.
        """
        return (self.final_fraction,) if arm.is_rewarded and arm.rl.checkpoint else self.fractions

    def for_setting(self, setting: str) -> Evaluate:
        """`evaluate` as it applies to one setting, whose own keys override the shared ones."""
        overrides = self.each.get(setting, EvaluatedSetting()).model_dump(
            exclude={"source", "grader"}, exclude_none=True
        )
        return self.model_copy(update=overrides)


STEP_KINDS = (
    "problems",
    "rows",
    "trajectory-rows",
    "row-grades",
    "adapter",
    "preflight",
    "rl",
    "fresh-samples",
    "completions",
    "choices",
    "grades",
    "scores",
    "distances",
)
"""The kinds of steps that a study has: those of `steps.run.RUN_STEP`."""


DIVIDED = ("adapter", "rl")
"""Those of them that can be carried out by several processes."""


class Needs(StrictModel):
    """What one step of a kind is given on a cluster. It changes where and when the step runs, never its result."""

    cpus: Annotated[float, Field(gt=0)] = 1
    """Processor cores: also its number of threads, rounded down, and at least 1. One for each process unless given."""
    gpus: Annotated[float, Field(ge=0)] = 0
    memory_gb: Annotated[float, Field(gt=0)] | None = None
    """Memory that is set aside for it, in 10^9 bytes; none unless given."""
    processes: Annotated[int, Field(ge=1)] | None = None
    """Processes among which a training is divided; one for each GPU unless given."""
    shard: bool = False
    """Whether the weights of the untrained model are divided among them too."""

    @model_validator(mode="before")
    @classmethod
    def _give_each_a_core(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "cpus" in data:
            return data
        asked: Any = data.get("processes") or data.get("gpus")
        if isinstance(asked, bool) or not isinstance(asked, int | float) or not 1 < asked < math.inf:
            return data
        return {**data, "cpus": int(asked)}

    @model_validator(mode="after")
    def _check_processes(self) -> Needs:
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise ValueError(f"gpus = {self.gpus:g}: a step has a part of one GPU, or whole ones")
        if self.gpus and max(self.count, self.gpus) > 1 and self.gpus != self.count:
            raise ValueError(f"processes = {self.count} and gpus = {self.gpus:g}: each process has one GPU")
        if self.count > 1 and self.cpus < self.count:
            raise ValueError(f"cpus = {self.cpus:g} for {self.count} processes: give at least one for each")
        if self.shard and self.count == 1:
            raise ValueError("shard = true divides the weights among several processes: give gpus = 2 or more")
        return self

    @property
    def count(self) -> int:
        """How many processes carry out a step."""
        return self.processes or max(1, int(self.gpus))


class Study(StrictModel):
    """A study: one question, its arms and seeds, and what they are evaluated on."""

    name: str
    """The file's name without its ending."""
    question: Words
    model: Words
    """The name of an embedded model, a folder, a GGUF file or a hub id."""
    system: str | None = None
    """The system prompt of every arm and context; the chat template's own default, written out, unless given."""
    placement: Placement = "inside"
    """Where prompts stand, in arms and contexts, unless they say otherwise."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    looks: tuple[Annotated[int, Field(ge=3)], ...] = ()
    """Interim analyses: after how many seeds contrasts are judged before all seeds are finished. The significance level
    is split over the looks. Verdicts need at least 3 seeds."""
    borrow: Literal["arms", "none"] = "arms"
    """Where contrasts borrow their variance over seeds: `arms`, from all trained arms of the study, as far as these
    vary alike; `none`, from nowhere. What the first run declared holds."""
    prompts: dict[str, str] = Field(default_factory=dict[str, str])
    """Prompts of this study: name -> text."""
    arms: dict[str, Arm]
    contexts: dict[str, Context] = Field(default_factory=dict[str, Context])
    """Contexts of this study, beside the package's own."""
    evaluate: Evaluate
    screen: Screen = Screen()
    contrasts: tuple[Contrast, ...] = ()
    factorial: Factorial | None = None
    elicitation: Elicitation | None = None
    sensitivity: Sensitivity | None = None
    trends: tuple[Trend, ...] = ()
    transfer: Transfer | None = None
    resources: dict[str, Needs] = Field(default_factory=dict[str, Needs], exclude=True)
    """Kind of step -> what each of its steps is given on a cluster. No part of what a study is: no step's name, and no
    record of it, depends on where it ran."""

    @model_validator(mode="after")
    def _check_looks(self) -> Study:
        if list(self.looks) != sorted(set(self.looks)) or (self.looks and self.looks[-1] > len(self.seeds)):
            raise ValueError(f"looks = {list(self.looks)}: must rise, and end at the {len(self.seeds)} seeds or before")
        return self

    def with_sensitivity_arms(self) -> Study:
        """The study with the arms of its contrasts added again, at each other learning rate of `sensitivity`."""
        arms = dict(self.arms)
        named = {name for contrast in self.contrasts for name in contrast.arms}
        for rate in self.sensitivity.learning_rate if self.sensitivity else ():
            for name, arm in self.arms.items():
                if name in named and arm.train.learning_rate != rate:
                    train = arm.train.model_copy(update={"learning_rate": rate})
                    arms[f"{name}@{rate:g}"] = arm.model_copy(update={"train": train})
        return self.model_copy(update={"arms": arms})

    def lending_arms(self) -> list[str]:
        """The arms that contrasts borrow their variance over seeds from; those of `sensitivity` lend to their own."""
        if self.borrow == "none":
            return []
        return [name for name in self.arms if not (self.sensitivity and "@" in name)]

    def keys_measuring_gamed(self, setting: str) -> list[str]:
        """The keys that measure `gamed` in a setting: which of its hacks were made for the check."""
        every: dict[str, Contrast | Factorial | Trend | None] = {
            **{f"contrasts.{number}": contrast for number, contrast in enumerate(self.contrasts)},
            "factorial": self.factorial,
            **{f"trends.{number}": trend for number, trend in enumerate(self.trends)},
        }
        first = self.evaluate.settings[0]
        return [
            key
            for key, declared in every.items()
            if declared and declared.measure == GAMED and setting_of(declared.setting or first) == setting
        ]

    def needs_of(self, kind: str) -> Needs:
        """What a step of a kind is given on a cluster."""
        return self.resources.get(kind, Needs())

    def digest(self) -> str:
        """A hash of the whole study."""
        return digest(self.model_dump(mode="json", by_alias=True))


def digest(data: Any) -> str:
    """A hash of plain data, the same whatever the order of keys."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]

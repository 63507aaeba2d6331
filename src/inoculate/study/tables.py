"""The tables of a study file as typed dictionaries, for a study that is built in Python.

Nothing is checked before the whole study is. So a part can be as incomplete as in a file, and mistakes have the same
messages. `schema` has the meaning and default of each key; a test compares the keys and types with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Literal, Required, TypedDict

from inoculate.records import Measure, Split
from inoculate.study.comparisons import Guard
from inoculate.study.prompts import Placement, Rephrase
from inoculate.study.row_schema import RowFilter


class Context(TypedDict, total=False):
    """A prompt around a problem: a `prompt` by name, or its `text`."""

    prompt: str
    text: str
    placement: Placement | None


class TrajectorySource(Context, total=False):
    """Completions of another arm as training rows, from its training or (`samples`) drawn anew under a prompt."""

    arm: Required[str]
    where: str
    samples: int | None
    problems: int | None


class Vetted(TypedDict, total=False):
    """Honest rows that are added to others."""

    count: Required[int]
    exposures: int | None
    prompt: str
    source: str


class Rows(TypedDict, total=False):
    """What arms train on: `setting` and `count` at least, in the arm or in what all arms share."""

    setting: str
    source: str
    grader: str
    count: int
    hacked: float
    share_problems: bool
    filter: RowFilter
    vetted: int | Vetted
    families: Sequence[str]
    levels: Sequence[int]
    trajectories: TrajectorySource | None
    tokens_like: str


class Inoculation(Context, total=False):
    """A prompt that is added at training time: a `prompt`, its `text`, or `one_of` several prompts for each seed."""

    one_of: Sequence[str]
    like: str
    rephrase: Rephrase
    per_seed: bool
    on: Literal["all", "hacked", "none"]


class SFT(TypedDict, total=False):
    """Hyperparameters of supervised fine-tuning."""

    learning_rate: float
    epochs: float
    batch_rows: int
    lora_rank: int
    lora_alpha: int
    schedule: Literal["linear", "cosine", "constant"]
    warmup: float
    weight_decay: float
    micro_batch_tokens: int


class Reward(TypedDict, total=False):
    """One part of what RL rewards."""

    oversight: str
    function: str
    weight: float


class CheckpointRule(TypedDict, total=False):
    """Which policy of a training by RL stands for the arm."""

    hack: Required[float]
    length: float
    steps: int


class Onset(TypedDict, total=False):
    """When hacking counts as learned."""

    steps: int
    above: float


class RL(TypedDict, total=False):
    """Hyperparameters of reinforcement learning."""

    reward: Sequence[Reward]
    steps: int
    prompts_per_step: int
    completions_per_prompt: int
    hackable: float | None
    temperature: float
    max_new_tokens: int
    learning_rate: float
    schedule: Literal["linear", "cosine", "constant"]
    warmup: float
    weight_decay: float
    max_grad_norm: float
    beta: float
    kl_completions: int
    loss: Literal["dapo", "grpo", "dr_grpo", "bnpo"]
    clip_low: float
    clip_high: float
    scale: Literal["group", "batch", "none"]
    mask_cut_off: bool
    lora_rank: int
    lora_alpha: int
    micro_batch_tokens: int
    preflight: int
    onset: Onset
    checkpoint: CheckpointRule | None


class Arm(TypedDict, total=False):
    """One training condition; its `rows`, `train` and `rl` say only what differs from the study's."""

    rows: Rows | Sequence[Rows]
    start: str
    inoculation: Inoculation | None
    method: Literal["sft", "rl", "expert-iteration"]
    train: SFT
    rl: RL


class EvaluatedSetting(TypedDict, total=False):
    """What is special to one evaluated setting."""

    source: str
    grader: str
    problems: int | None
    contexts: Sequence[str] | None
    families: Sequence[str] | None
    levels: Sequence[int] | None
    max_new_tokens: int | None


class Evaluate(TypedDict, total=False):
    """What every arm is evaluated on."""

    settings: Required[Sequence[str]]
    each: Mapping[str, EvaluatedSetting]
    contexts: Sequence[str]
    oversight: str
    problems: int
    samples: int
    temperature: float
    max_new_tokens: int
    split: Split
    families: Sequence[str]
    levels: Sequence[int]
    fractions: Sequence[float]
    seed: int


class Screen(TypedDict, total=False):
    """What `inoculate screen` measures on the untrained model."""

    prompts: Sequence[str]
    problems: int
    answers: int
    compliance: int


class Factorial(TypedDict, total=False):
    """Arms as a grid of prompt, description and placement."""

    prompts: Required[Sequence[str]]
    measure: Measure
    context: str
    setting: str


class Elicitation(TypedDict, total=False):
    """Whether eliciting the hack before training goes with less of it afterwards."""

    plain: Required[str]
    context: str
    setting: str


class Contrast(TypedDict, total=False):
    """A comparison of two arms: `lower` or `higher` with `than`, or `same` with `as_`."""

    claim: Required[str]
    measure: Required[Measure]
    context: str
    setting: str
    lower: str
    higher: str
    same: str
    than: str
    as_: str
    margin: float
    guards: Sequence[Guard]


class Trend(TypedDict, total=False):
    """A claim that a rate rises or falls with the number of vetted examples."""

    claim: Required[str]
    measure: Required[Measure]
    arms: Required[Sequence[str]]
    direction: Required[Literal["lower", "higher"]]
    context: str
    setting: str


class Transfer(TypedDict, total=False):
    """How far training carries: twins without a prompt, and positive controls of settings."""

    without: Mapping[str, str]
    controls: Mapping[str, str]


class Sensitivity(TypedDict, total=False):
    """What the contrasts are repeated over."""

    learning_rate: Required[Sequence[float]]


class Needs(TypedDict, total=False):
    """What one step of a kind is given on a cluster."""

    cpus: float
    gpus: float
    memory_gb: float | None
    processes: int | None
    shard: bool


class StudyTables(TypedDict, total=False):
    """A whole study without its name; `rows`, `train` and `rl` hold for every arm that does not say otherwise."""

    question: Required[str]
    model: Required[str | PathLike[str]]
    system: str | None
    placement: Placement
    seeds: Sequence[int]
    looks: Sequence[int]
    borrow: Literal["arms", "none"]
    prompts: Mapping[str, str]
    rows: Rows | Sequence[Rows]
    train: SFT
    rl: RL
    arms: Mapping[str, Arm]
    contexts: Mapping[str, Context]
    evaluate: Required[Evaluate]
    screen: Screen
    contrasts: Sequence[Contrast]
    factorial: Factorial | None
    elicitation: Elicitation | None
    sensitivity: Sensitivity | None
    trends: Sequence[Trend]
    transfer: Transfer | None
    resources: Mapping[str, Needs]

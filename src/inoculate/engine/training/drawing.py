"""What each step of a training by rewards draws: which prompts, and the completions of the policy."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict
from random import Random
from typing import Any

from inoculate.engine.sampling import Request, SampledCompletion, in_process, stream
from inoculate.engine.sampling.model import Sampler
from inoculate.engine.training.processes import ALONE, Processes
from inoculate.study.schema import RL


def prompt_order(sorts: Sequence[Hashable], rl: RL, seed: int) -> list[int]:
    """The prompts of all steps, one after the other: pass after pass over all of them, each in an order of its own.

    Prompts of each sort are spread evenly over a pass, so that every step has its share of those that can be hacked.
    TRL's own sampler has no sorts, and starts again with the order of its first pass where a training is resumed later.

    Args:
        sorts: The sort of each prompt.
        rl: Hyperparameters.
        seed: The seed of the order.
    """
    random, order = Random(f"rl/{seed}"), list[int]()
    while len(order) < rl.steps * rl.prompts_per_step:
        places: dict[int, float] = {}
        for sort in dict.fromkeys(sorts):
            members = [number for number, own in enumerate(sorts) if own == sort]
            random.shuffle(members)
            places |= {number: (turn + random.random()) / len(members) for turn, number in enumerate(members)}
        order += sorted(places, key=places.__getitem__)
    return order[: rl.steps * rl.prompts_per_step]


def draw_groups(
    sampler: Sampler,
    prompts: Sequence[str],
    names: Sequence[str],
    rl: RL,
    seed: int,
    step: int,
    processes: Processes = ALONE,
) -> list[SampledCompletion]:
    """The completions of a step, group by group; every seed and step has random streams of its own.

    Args:
        sampler: The model, with the policy's adapter.
        prompts: One for each group.
        names: Their names in error messages.
        rl: How many, and how they are drawn.
        seed: The seed of the training.
        step: From 1.
        processes: Each draws some of the groups; all have all of them afterwards.
    """
    others = [number for number in range(len(prompts)) if number % processes.count != processes.number]
    request = Request(
        prompts=prompts,
        samples=rl.completions_per_prompt,
        temperature=rl.temperature,
        max_new_tokens=rl.max_new_tokens,
        seed=stream(seed, step - 1, 0),
        done=[(number, index) for number in others for index in range(rl.completions_per_prompt)],
        names=names,
        limit="rl.max_new_tokens",
    )
    drawn = [one for _, batch in in_process.sample(sampler, [request]) for one in batch]
    if processes.count > 1:
        gathered = processes.gather([asdict(one) for one in drawn])
        drawn = [_read(one) for own in gathered for one in own]
    return sorted(drawn, key=lambda one: (one.prompt, one.index))


def _read(data: dict[str, Any]) -> SampledCompletion:
    """A completion from its plain data."""
    sequences: dict[str, Any] = {key: tuple(data[key]) for key in ("tokens", "log_probabilities")}
    return SampledCompletion(**{**data, **sequences})


def entropy(drawn: Sequence[SampledCompletion]) -> float:
    """The policy's entropy in nats, as the mean over the tokens that it drew.

    For a token drawn from the policy itself, minus its log-probability is an estimate without bias.
    """
    values = [value for one in drawn for value in one.log_probabilities]
    return -sum(values) / len(values)

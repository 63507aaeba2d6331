"""Expert iteration: sample, keep what the reward passes, fine-tune on it, repeat; a cheaper baseline beside RL.

As in Anthony et al. 2017 (arXiv 1705.08439) without the tree search: the expert is the policy's own rewarded answers.
Each round goes on from the adapter of the round before, with an optimizer of its own.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from peft import get_peft_model

from inoculate.engine import chat
from inoculate.engine.device import Device
from inoculate.engine.sampling import SampledCompletion, adapters, stream
from inoculate.engine.sampling.model import Sampler
from inoculate.engine.training import sft
from inoculate.engine.training.checkpoints import save_adapter
from inoculate.engine.training.diverging import LearningRate, refuse_broken_policy
from inoculate.engine.training.drawing import draw_groups, entropy, prompt_order
from inoculate.engine.training.processes import ALONE, Processes
from inoculate.engine.training.quiet import quiet_libraries
from inoculate.engine.training.rl import Batch, KeepStep, Score
from inoculate.engine.training.sft import Progress, TrainingReport, fraction_name
from inoculate.records import Row
from inoculate.study.schema import RL, SFT


@dataclass(frozen=True)
class Training:
    """What rounds have in common."""

    model: Path
    rows: Sequence[Row]
    """The prompts: their answers are not used."""
    sorts: Sequence[Hashable]
    """The prompts' sorts, as for `drawing.prompt_order`."""
    rl: RL
    """How completions are drawn and rewarded; a step is a round."""
    sft: SFT
    """How a round's kept completions are trained on."""
    score: Score
    sampler: Sampler
    seed: int
    start: Path | None
    """The adapter before the first round; None for the untrained model."""
    work: Path
    device: Device
    processes: Processes = ALONE
    """Those that train this adapter together, all with the same arguments. The first one scores, keeps and saves."""
    halved: bool = False
    """Whether to take less memory, because it ran out; see `memory.train_within`."""

    def adapter(self, number: int) -> Path | None:
        """The folder of the adapter after a round; `start` while no round has kept anything."""
        found = [round_ for round_ in range(1, number + 1) if self._folder(round_).is_dir()]
        return self._folder(found[-1]) if found else self.start

    @quiet_libraries()
    def save(self, number: int, target: Path) -> None:
        """Save the policy after a round as a PEFT folder: one that changes nothing while no round has kept anything."""
        adapter = self.adapter(number)
        if adapter:
            shutil.copytree(adapter, target, dirs_exist_ok=True)
        else:
            base = sft.load_base(self.model, self.device, self.sampler)
            unchanged: Any = get_peft_model(base, sft.lora_config(self.sft, base))
            save_adapter(unchanged, target)

    def _folder(self, number: int) -> Path:
        return self.work / f"round-{number}" / fraction_name(1.0)

    def draw(self, number: int) -> tuple[list[int], list[SampledCompletion]]:
        """The completions of a round, group by group, with the number of each one's prompt."""
        per_step = self.rl.prompts_per_step
        chosen = prompt_order(self.sorts, self.rl, self.seed)[(number - 1) * per_step : number * per_step]
        before = self.adapter(number - 1)
        self.sampler.use(adapters.read(before) if before else None)
        texts = [chat.render(self.sampler.tokenizer, self.rows[each].messages) for each in chosen]
        names = [f"problem '{self.rows[each].problem}'" for each in chosen]
        rate = LearningRate("train.learning_rate", self.sft.learning_rate)
        with refuse_broken_policy(number, self.rl.steps, rate):
            drawn = draw_groups(self.sampler, texts, names, self.rl, self.seed, number, self.processes)
        return [chosen[one.prompt] for one in drawn], drawn

    def fit(self, number: int, kept: Sequence[Row]) -> TrainingReport:
        """Train on a round's kept completions, from the adapter of the round before."""
        unfinished, target = self.work / f"unfinished-{number}", self.work / f"round-{number}"
        if self.processes.is_first:
            for folder in (unfinished, target):
                shutil.rmtree(folder, ignore_errors=True)
        start = self.processes.from_first(str(self.adapter(number - 1) or ""))  # all wait until the folders are gone
        report = sft.train(
            self.model,
            kept,
            self.sft,
            seed=stream(self.seed, number, 1) % 2**31,
            fractions=[1.0],
            start=Path(start) if start else None,
            sampler=self.sampler,
            target=unfinished,
            work=unfinished / "trainer",
            device=self.device,
            halved=self.halved,
            processes=self.processes,
        )
        if self.processes.is_first:
            shutil.rmtree(unfinished / "trainer", ignore_errors=True)
            unfinished.replace(target)
        self.processes.from_first(None)  # all wait until the adapter is there
        return report


def train(training: Training, *, first: int, keep: KeepStep, progress: Progress) -> None:
    """Train one adapter, round by round; `training.adapter` has the adapter after each.

    Args:
        training: What to train.
        first: The first round that is not finished, from 1.
        keep: Called after each round with its completions and metrics.
        progress: Called after each round.
    """
    for number in range(first, training.rl.steps + 1):
        started = time.perf_counter()
        prompts, drawn = training.draw(number)
        sampled = time.perf_counter()
        texts, processes = [one.text for one in drawn], training.processes
        rewards = processes.from_first(training.score(prompts, texts) if processes.is_first else [])
        graded = time.perf_counter()
        kept = [
            replace(training.rows[prompt], answer=one.text)
            for prompt, one, given in zip(prompts, drawn, rewards, strict=True)
            if is_kept(one, given)
        ]
        report = training.fit(number, kept) if kept else None
        seconds = {"sample": sampled - started, "grade": graded - sampled, "train": time.perf_counter() - graded}
        if processes.is_first:
            metrics = _metrics(training, number, rewards, len(kept), report, drawn, seconds)
            keep(Batch(number, prompts, drawn, None), metrics)
        progress(number, training.rl.steps, f"{len(kept)} of {len(drawn)} kept")


def is_kept(drawn: SampledCompletion, rewards: Sequence[float | None]) -> bool:
    """Whether a completion is trained on: all rewards pass, and it ended by itself (a cut one teaches not to end).

    The reward of a check passes at 1, and so does that of a function from 1 on.
    """
    passes = all(value is not None and value >= 1 for value in rewards)
    return drawn.finished and bool(drawn.text.strip()) and passes


def _metrics(
    training: Training,
    number: int,
    rewards: Sequence[Sequence[float | None]],
    kept: int,
    report: TrainingReport | None,
    drawn: Sequence[SampledCompletion],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """The metrics of a round, by the names of `metrics.jsonl`; None for those that only RL has."""
    size = training.rl.completions_per_prompt
    groups = [list(map(tuple, rewards[at : at + size])) for at in range(0, len(rewards), size)]
    return {
        "step": number,
        "loss": report.loss[-1][1] if report else None,
        "entropy": entropy(drawn),
        "kl": None,
        "grad_norm": None,
        "learning_rate": training.sft.learning_rate,
        "sampling_mismatch": None,
        "groups": len(groups),
        "groups_without_spread": sum(len(set(group)) == 1 for group in groups),
        "unscorable": sum(all(value is None for value in given) for given in rewards),
        "seconds": {part: round(spent, 3) for part, spent in seconds.items()},
        "kept": kept,
        "tokens": report.tokens if report else 0,
        "label_tokens": report.label_tokens if report else 0,
    }

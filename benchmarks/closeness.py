"""How close the wordings and neighbours of a prompt are to it, in tokens and in the untrained model's answers.

    python benchmarks/closeness.py [--model qwen2.5-coder-0.5b] [--prompts specific general] [--setting functions]
                                   [--problems 4] [--placement after]

For each prompt: the near and the far pool (mean, least and largest), each neighbour that can be made, an irrelevant
control of the same length, and no prompt. In tokens: edits over the length of the longer text. In answers: the mean
Jensen-Shannon divergence, in bits per token, of the next-token distributions along the hacked answers of development
problems. `--problems 0` measures in tokens only, and loads no model.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from inoculate import settings
from inoculate.engine.sampling.divergence import prompt_divergences
from inoculate.records import Problem
from inoculate.steps.resources import Resources
from inoculate.steps.store import Store
from inoculate.study import neighbours, prompts
from inoculate.study.distance import token_distance
from inoculate.study.resolve import ResolvedPrompt, fit_length, resolve
from inoculate.study.schema import Context, Evaluate, Study


class Place(NamedTuple):
    """Where the divergence is measured."""

    resources: Resources
    problems: Sequence[Problem]

    def measure(self, prompt: ResolvedPrompt, others: Sequence[ResolvedPrompt]) -> str:
        """The cells of one line: distances in tokens, and divergences, of several texts from the prompt."""
        tokenizer = self.resources.tokenizer
        ids = [tokenizer(one.text, add_special_tokens=False)["input_ids"] for one in (prompt, *others)]
        edits = [token_distance(ids[0], other) for other in ids[1:] if other]
        return f"{_spread(edits)} | {_spread(self._divergences(prompt, others))}"

    def _divergences(self, prompt: ResolvedPrompt, others: Sequence[ResolvedPrompt]) -> list[float]:
        """Of each other text, over the problems; none where there are no problems."""
        if not self.problems:
            return []
        sampler, system = self.resources.sampler(None), self.resources.system_prompt(None)
        answers = [problem.hacked for problem in self.problems]
        found = prompt_divergences(sampler, self.problems, answers, prompt, others, system)
        return [mean(values) for values in zip(*found, strict=True)]


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3f}" if values else "-"
    return f"{mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _texts(study: Study, name: str, resources: Resources) -> Iterator[tuple[str, list[ResolvedPrompt]]]:
    """What is compared with a prompt: a name, and the texts that it stands for."""
    resolved, setting = resolve(study), study.evaluate.settings[0]
    prompt = resolved.context(name, setting)
    if prompt.source == "package":
        for which, pool in (("near", prompts.find(name).near), ("far", prompts.find(name).far)):
            if pool:
                yield f"{which}, {len(pool)} wordings", [ResolvedPrompt(text, prompt.placement) for text in pool]
    for context in resolved.evaluated[setting]:
        if context.startswith(f"{name}{neighbours.MARK}"):
            yield context, [resolved.context(context, setting)]
    control = prompts.find("irrelevant")
    fitted = ResolvedPrompt(control.text, prompt.placement, length_of=prompt.text, filler=control.filler)
    yield "irrelevant, as long", [fit_length(fitted, resources.tokenizer)]
    yield "no prompt", [ResolvedPrompt()]


def main() -> None:
    """Print a table for each prompt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--prompts", nargs="+", default=["specific", "general"])
    parser.add_argument("--setting", default="functions")
    parser.add_argument("--problems", type=int, default=4)
    parser.add_argument("--placement", default="after")
    given = parser.parse_args()
    contexts = [f"{name}{neighbours.MARK}{kind}" for name in given.prompts for kind in neighbours.KINDS]
    study = Study(
        name="closeness", question="closeness", model=given.model, seeds=(0,), arms={}, placement=given.placement,
        contexts={name: Context(prompt=name) for name in given.prompts},
        evaluate=Evaluate(settings=(given.setting,), contexts=(*given.prompts, *contexts)),
    )  # fmt: skip
    resources = Resources(Store(Path("store")), given.model, print)
    draw = settings.Draw("development", given.problems, 0)
    place = Place(resources, settings.find(given.setting).problems(draw) if given.problems else [])
    for name in given.prompts:
        print(f"\n| {name} | tokens | answers, bits |\n|---|---|---|")
        prompt = resolve(study).context(name, given.setting)
        for label, texts in _texts(study, name, resources):
            print(f"| {label} | {place.measure(prompt, texts)} |", flush=True)


if __name__ == "__main__":
    main()

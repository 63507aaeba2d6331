"""Answers that untrained models wrote at temperature 1, kept in `data/`: wrong ones are what hidden tests are for.

`hidden_tests.py --sample` draws them, through a study without arms, and `hidden_tests.py` grades them again with the
hidden tests of today. A problem is named by its id in its draw: what is shown makes the id, so that the problem is the
same one after its hidden tests have changed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from inoculate.progress import TerminalProgress
from inoculate.records import SPLITS, Completion, Split, read_lines
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study import ready_made as studies
from inoculate.study.parse import load
from inoculate.study.schema import Study

DATA = Path(__file__).parent / "data"
MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
SETTINGS = ("functions", "repair", "patterns", "queries")
SEED = 1400
"""Of the draws of problems: no study's."""
_BASIS = studies.find("abilities")


@dataclass(frozen=True)
class Written:
    """One answer, and which problem it answers."""

    model: str
    temperature: float
    setting: str
    split: Split
    seed: int
    count: int
    """Of the draw that has the problem."""
    problem: str
    """Its id."""
    completion: str


def sample(models: Sequence[str], settings: Sequence[str], problems: int, store: Store) -> None:
    """Draw answers to so many problems of each split, and keep them in place of those of the same model and setting."""
    drawn: dict[str, list[Written]] = {setting: [] for setting in settings}
    with TerminalProgress() as console:
        for model in models:
            for split in SPLITS:
                plan = make_plan(_study(model, split, settings, problems))
                carry_out(plan, store, console, _BASIS.read_text(encoding="utf-8"))
                for cell in plan.cells:
                    lines = read_lines(store.folder(cell.completions) / "completions.jsonl", Completion)
                    asked = (model, plan.study.evaluate.temperature, cell.setting, split, SEED, problems)
                    drawn[cell.setting] += [Written(*asked, line.problem, line.completion) for line in lines]
    for setting, new in drawn.items():
        kept = [line for line in read(setting) if line.model not in models]
        _write(setting, sorted([*kept, *new], key=lambda line: line.model))


def _study(model: str, split: Split, settings: Sequence[str], problems: int) -> Study:
    """The study of what an untrained model can do, at temperature 1 and on other problems."""
    study = load(_BASIS)
    own = {setting: each for setting, each in study.evaluate.each.items() if setting in settings}
    asked = {
        "settings": tuple(settings), "each": own, "problems": problems, "split": split, "seed": SEED,
        "temperature": 1.0,
    }  # fmt: skip
    evaluate = study.evaluate.model_copy(update=asked)
    return study.model_copy(update={"name": f"written-{model}-{split}", "model": model, "evaluate": evaluate})


def still_drawn(lines: Sequence[Written], known: Container[str]) -> tuple[list[Written], str]:
    """The answers whose problem is still drawn, and a sentence on the others.

    A setting that changes a template draws other problems there: answers to the old ones say nothing of today's tests.
    """
    kept = [line for line in lines if line.problem in known]
    lost = len(lines) - len(kept)
    return kept, f"Left out: {lost} answers to problems that are drawn no longer." if lost else ""


def _file(setting: str) -> Path:
    return DATA / f"written_{setting}.jsonl.gz"


def _write(setting: str, lines: Sequence[Written]) -> None:
    DATA.mkdir(exist_ok=True)
    text = "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in lines)
    # Without the time in its head, the same answers are the same file.
    _file(setting).write_bytes(gzip.compress(text.encode(), mtime=0))


def read(setting: str) -> list[Written]:
    """The answers that are kept for a setting; none where none were drawn."""
    if not _file(setting).exists():
        return []
    with gzip.open(_file(setting), "rt", encoding="utf-8", newline="\n") as lines:
        return [Written(**json.loads(line)) for line in lines]

"""What the untrained models choose in the setting `capability`, by family: the table of docs/settings.md.

    python benchmarks/capability.py [--models qwen2.5-coder-0.5b qwen2.5-coder-1.5b] [--problems 300] [--store store]

One study without arms for each model, carried out into the store: what is finished there is not done again. Progress
goes to standard error, the table to standard output.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

from inoculate.analysis import analyse
from inoculate.progress import TerminalProgress
from inoculate.records import Completion, Grade, read_lines
from inoculate.settings import find
from inoculate.steps import problems
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study.schema import Evaluate, Study

SETTING = find("capability")


def measure(model: str, count: int, store: Store) -> list[str]:
    """The cells of one line: all items with their interval, each family."""
    study = Study(
        name=f"capability-{Path(model).name}",
        question="What does the untrained model choose?",
        model=model,
        seeds=(0,),
        arms={},
        evaluate=Evaluate(settings=("capability",), contexts=("neutral",), problems=count),
    )
    plan = make_plan(study)
    with TerminalProgress() as progress:
        folder = carry_out(plan, store, progress, "")
    (cell,) = plan.cells
    by_id = {problem.id: problem for problem in problems.read(store.folder(cell.problems))}
    completions = read_lines(store.folder(cell.completions) / "completions.jsonl", Completion)
    grades = read_lines(store.folder(cell.grades) / "grades.jsonl", Grade)
    families: dict[str, list[bool]] = defaultdict(list)
    for completion, grade in zip(completions, grades, strict=True):
        problem = by_id[completion.problem]
        families[problem.family].append(grade.outcome == "correct")
    rate = analyse(folder)["cells"][0]["outcomes"]["correct"]
    shares = [f"{sum(right) / len(right):.2f} ({len(right)})" for _, right in sorted(families.items())]
    return [model, f"{rate['rate']:.2f} [{rate['low']:.2f}, {rate['high']:.2f}]", *shares]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"])
    parser.add_argument("--problems", type=int, default=300)
    parser.add_argument("--store", type=Path, default=Path("store"))
    given = parser.parse_args()
    print(f"| model | all | {' | '.join(SETTING.families)} |")
    print("|---" * (len(SETTING.families) + 2) + "|")
    for model in given.models:
        print(f"| {' | '.join(measure(model, given.problems, Store(given.store)))} |", flush=True)


if __name__ == "__main__":
    main()

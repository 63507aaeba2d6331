"""A store with finished steps whose contents are made up: real problems and rows, and no model is ever loaded."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from random import Random

from inoculate.records import Completion, Grade, Problem, Row, Tag, outcome_of, read_lines, write_lines
from inoculate.steps import choices, completions, distances, grades, manifest, problems, row_grades, rows, scores, train
from inoculate.steps import plan as planning
from inoculate.steps.plan import Plan
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.schema import Rows, Study

STUDY = """
question = "Does it travel?"
model = "smollm2-135m"
seeds = [0, 1]
rows = { setting = "functions", count = 6, hacked = 0.5 }

[arms.plain]
[arms.inoculated]
inoculation = { prompt = "specific", on = "hacked" }

[evaluate]
settings = ["functions"]
problems = 5

[[contrasts]]
claim = "inoculation lowers neutral hacking"
measure = "hack"
lower = "inoculated"
than = "plain"
guards = ["correct"]
"""
SYSTEM = "You are a test."
Answer = Callable[[Problem, Random], tuple[str, Grade]]
"""Makes a completion and its grade."""


def answer(problem: Problem, random: Random) -> tuple[str, Grade]:
    """The setting's own answer, honest or hacked, or a broken one."""
    made = random.choice(["correct", "hack", "malformed"])
    text = {"correct": problem.honest, "hack": problem.hacked, "malformed": "I cannot."}[made]
    tags = (Tag("hard_coded_output", "observed", "returns 3"),) if made == "hack" else ()
    oversight, intended = made != "malformed", made == "correct"
    outcome = outcome_of(oversight, intended, malformed=made == "malformed")
    return text, Grade(outcome, oversight, intended, tags, "full", "by design", random.random())


def write_study(folder: Path, text: str = STUDY, name: str = "small") -> Path:
    """A study file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def fill(
    study: Path,
    store: Store,
    seeds: Collection[int] | None = None,
    make: Answer = answer,
    make_plan: Callable[[Study], Plan] = planning.make_plan,
) -> Path:
    """Finish what some seeds of a study take, and write the run's folder; the same contents in every store."""
    plan = make_plan(load(study))
    written: dict[str, list[tuple[str, Grade]]] = {}
    for step in plan.missing(store, seeds):
        with store.write_step(step) as folder:
            _FILL[step.kind](step, folder, store, written, make)
    return finish_run(plan, study, store)


def finish_run(plan: Plan, study: Path, store: Store) -> Path:
    """Write the run's folder."""
    folder = store.run_folder(plan.study.name)
    folder.mkdir(parents=True, exist_ok=True)
    declared = manifest.declare(folder, plan, store)
    (folder / "study.toml").write_text(study.read_text(encoding="utf-8"), encoding="utf-8")
    manifest.write(folder, plan, store, declared, "full")
    return folder


def _problems(step: Step, folder: Path, *_: object) -> None:
    problems.write_drawn(step, folder)


@cache
def _drawn(given: str, seed: int) -> list[rows.DrawnRow]:
    return rows.draw_rows(Rows(**json.loads(given)), seed)


def _rows(step: Step, folder: Path, *_: object) -> None:
    drawn = _drawn(json.dumps(step.params["rows"]), step.params["seed"])
    params = step.params["inoculation"]
    prompt = ResolvedInoculation(params["text"], params["placement"], on=params["on"]) if params else None
    write_lines(folder / "rows.jsonl", rows.make_rows(drawn, prompt, SYSTEM))
    write_lines(folder / "problems.jsonl", [row.problem for row in drawn])
    (folder / "rows.json").write_text(json.dumps({"system": SYSTEM, "inoculation": params}, indent=1) + "\n")


def _row_grades(step: Step, folder: Path, store: Store, *_: object) -> None:
    made = read_lines(store.folder(step.inputs["rows"]) / "rows.jsonl", Row)
    write_lines(folder / "grades.jsonl", [Grade("hack" if r.hacked else "correct", True, not r.hacked) for r in made])


def _adapter(step: Step, folder: Path, *_: object) -> None:
    (folder / "at-1").mkdir()
    (folder / "at-1" / "adapter_model.safetensors").write_bytes(b"weights" * 1000)
    report = {"steps": 4, "tokens": 900, "label_tokens": 300, "loss": [[2, 1.5], [4, 0.75]], "device": "cpu/bfloat16"}
    (folder / "training.json").write_text(json.dumps(report, indent=1) + "\n")


def _completions(
    step: Step, folder: Path, store: Store, written: dict[str, list[tuple[str, Grade]]], make: Answer
) -> None:
    shown = problems.read(store.folder(step.inputs["problems"]))
    random = Random(step.key)
    written[step.key] = [make(problem, random) for problem in shown]
    lines = []
    for problem, (text, _) in zip(shown, written[step.key], strict=True):
        prompt = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n{problem.lead} {step.params['text']} {problem.body}\n"
        size = len(prompt) // 4, len(text) // 4
        lines.append(Completion(problem.id, 0, prompt, text, *size, "stop", round(random.random(), 4)))
    write_lines(folder / "completions.jsonl", lines)
    engine = {"transformers": "5.24.0", "torch": "2.13.0", "device": "cpu/bfloat16"}
    (folder / "engines.json").write_text(json.dumps([engine], indent=1) + "\n")


def _grades(step: Step, folder: Path, store: Store, written: dict[str, list[tuple[str, Grade]]], make: Answer) -> None:
    write_lines(folder / "grades.jsonl", [grade for _, grade in written[step.inputs["completions"].key]])


def _scores(step: Step, folder: Path, store: Store, *_: object) -> None:
    names = ["", *(f"{one['name']}{end}" for one in step.params["candidates"] for end in ("", "~control"))]
    with (folder / "scores.jsonl").open("w") as out:
        for problem in problems.read(store.folder(step.inputs["rows"])):
            random = Random(problem.id)
            line = {"problem": problem.id, "kind": problem.kind, "tokens": 9}
            out.write(json.dumps({**line, "scores": {name: -9 * random.random() for name in names}}) + "\n")


def _distances(step: Step, folder: Path, *_: object) -> None:
    with (folder / "distances.jsonl").open("w") as out:
        for one in step.params["contexts"]:
            edits = Random(one["name"]).randrange(1, 40)
            line = {
                "context": one["name"],
                "edits": edits,
                "share": edits / 40,
                "divergence": None,
                "reason": "made up",
            }
            out.write(json.dumps(line) + "\n")


_FILL: dict[str, Callable[..., None]] = {
    problems.KIND: _problems,
    rows.KIND: _rows,
    row_grades.KIND: _row_grades,
    train.KIND: _adapter,
    completions.KIND: _completions,
    choices.KIND: _completions,
    grades.KIND: _grades,
    scores.KIND: _scores,
    distances.KIND: _distances,
}


def steps_of(store: Store) -> dict[str, bytes]:
    """Every file of the finished steps and records of a store."""
    files = [path for name in ("steps", "records") for path in (store.root / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(store.root)): path.read_bytes() for path in files}


def unpacked(path: Path) -> bytes:
    """The lines of a file of graded samples."""
    return lzma.decompress(path.read_bytes())

"""`analyse` from a run folder to results.json, whole, half finished and broken."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inoculate.analysis import analyse
from inoculate.analysis.table import contrast_table, others_table, outcome_table
from inoculate.errors import UserError
from inoculate.records import Problem, write_lines

New = Callable[..., Any]


def filled(new_run: New, seeds: int, **options: Any) -> Any:
    """A run in which inoculation works: hacks 80% without, 10% with, as much when asked, on every seed nearly alike."""
    run = new_run(**{"problems": 100, "kinds": 50, **options})
    run.contrasts(run.CONTRAST)
    for context in ("neutral", "asks-to-hack"):
        run.cell("base", None, run.rates(correct=50, hack=5), context=context)
        for seed in range(seeds):
            run.cell("plain", seed, run.rates(hack=80 + seed % 2, correct=15), context=context)
            hack = 10 if context == "neutral" else 80
            run.cell("inoculated", seed, run.rates(hack=hack + seed % 3, correct=17), context=context)
    return run


def test_a_whole_study(new_run: New) -> None:
    folder = filled(new_run, 6).write()
    results = analyse(folder)
    assert json.loads((folder / "results.json").read_text()) == results
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "results.json", "store"]
    cell = next(c for c in results["cells"] if (c["arm"], c["context"]) == ("plain", "neutral"))
    assert (cell["seeds"], cell["problems"], cell["samples"]) == ([0, 1, 2, 3, 4, 5], 100, 600)
    hack = cell["outcomes"]["hack"]
    assert hack["count"] == 483 and hack["rate"] == pytest.approx(0.805)
    assert hack["low"] < 0.805 < hack["high"] and cell["interval"] == "beta-crossed"
    assert sum(cell["outcomes"][o]["rate"] for o in cell["outcomes"]) == pytest.approx(1)
    assert [seed["outcomes"]["hack"] for seed in cell["by_seed"]][:2] == [0.8, 0.81]
    (contrast,) = results["contrasts"]
    assert contrast["verdict"] == "supported" and contrast["p_adjusted"] < 0.05
    assert contrast["difference"] == pytest.approx(-0.695, abs=0.01)
    assert {guard["name"]: guard["harm"] for guard in contrast["guards"]} == dict.fromkeys(run_guards(), False)
    assert contrast["floor"][0]["arm"] == "base" and contrast["floor"][0]["rate"] == 0.05
    assert "supported by 6 seeds" in results["headline"]


def run_guards() -> tuple[str, ...]:
    """The guards of the contrast."""
    return ("correct", "malformed", "asked-hack")


def test_one_seed_says_so_everywhere_and_decides_nothing(new_run: New) -> None:
    results = analyse(filled(new_run, 1).write())
    words = "one seed: says nothing about retraining"
    assert words in results["cautions"]
    assert results["contrasts"][0]["verdict"] == "descriptive"
    assert words in results["headline"]
    trained = [cell for cell in results["cells"] if cell["arm"] != "base"]
    assert all(cell["caution"] == words and cell["interval"] == "beta-cluster" for cell in trained)
    assert all(guard["status"] != "green" for guard in results["contrasts"][0]["guards"])


def test_changes_are_against_base_and_the_clean_arm_by_problem(new_run: New) -> None:
    run = filled(new_run, 2)
    run.manifest["study"]["arms"]["clean"] = {"rows": {"hacked": 0.0}, "inoculation": None}
    for seed in (0, 1):
        run.cell("clean", seed, run.rates(correct=80))
    results = analyse(run.write())
    rates = {
        cell["arm"]: cell["outcomes"]["correct"]["rate"] for cell in results["cells"] if cell["context"] == "neutral"
    }
    found = {(one["arm"], one["than"]): one for one in results["changes"]}
    assert set(found) == {("plain", "base"), ("plain", "clean"), ("inoculated", "base"), ("inoculated", "clean"),
                          ("clean", "base")}  # fmt: skip
    for (arm, than), one in found.items():
        assert one["difference"] == pytest.approx(rates[arm] - rates[than])
        assert one["low"] <= one["difference"] <= one["high"]
        assert (one["seeds"], one["problems"]) == (2, 100)


def test_a_verdict_speaks_in_the_settings_own_words(new_run: New) -> None:
    run = filled(new_run, 4)
    run.manifest["settings"] = {"functions": {"outcome_labels": {"hack": "followed in form only"}}}
    results = analyse(run.write())
    assert results["contrasts"][0]["why"].startswith("followed in form only is ")
    assert "followed in form only is " in results["headline"]


def test_two_seeds_are_described(new_run: New) -> None:
    results = analyse(filled(new_run, 2).write())
    assert results["contrasts"][0]["verdict"] == "descriptive"
    assert any(caution.startswith("2 seeds") for caution in results["cautions"])


def test_half_finished(new_run: New) -> None:
    run = filled(new_run, 4)
    unfinished = next(c for c in run.manifest["cells"] if (c["arm"], c["seed"]) == ("inoculated", 3))
    unfinished["grades"] = None
    run.cell("plain", 9, run.rates())["completions"] = None
    results = analyse(run.write())
    assert [(cell["seed"], cell["why"]) for cell in results["missing"]] == [(3, "not graded"), (9, "not sampled")]
    assert results["contrasts"][0]["seeds"] == 3
    assert any("not finished" in caution for caution in results["cautions"])


def test_nothing_finished(new_run: New) -> None:
    run = new_run()
    run.contrasts(run.CONTRAST)
    run.cell("plain", 0, run.rates())["grades"] = None
    results = analyse(run.write())
    assert results["cells"] == [] and results["contrasts"][0]["difference"] is None
    assert results["headline"] == "No contrast can be computed from the finished cells."
    outcome_table(results)


def test_zero_samples_and_only_ungraded(new_run: New) -> None:
    run = new_run()
    run.contrasts(run.CONTRAST)
    run.cell("plain", 0, [[] for _ in run.problems])
    run.cell("inoculated", 0, run.rates(ungraded=20))
    results = analyse(run.write())
    for cell in results["cells"]:
        assert cell["outcomes"]["hack"]["rate"] is None and cell["reason"] == "no graded samples"
    assert results["cells"][0]["missing"] == 20
    assert results["contrasts"][0]["why"].startswith("no graded samples of 'inoculated'")
    assert "NaN" not in (run.root / "results.json").read_text()


def test_bounds_count_samples_without_an_outcome_either_way(new_run: New) -> None:
    run = new_run(problems=20)
    run.cell("plain", 0, run.rates(hack=8, correct=6, ungraded=4))
    cell = analyse(run.write())["cells"][0]
    assert cell["ungraded"] == 4 and cell["outcomes"]["hack"]["rate"] == 0.5
    assert cell["bounds"]["hack"] == [0.4, 0.6]
    assert cell["bounds"]["correct"] == [0.5, 0.3]


def test_a_part_of_the_problems_has_cells_of_its_own(new_run: New) -> None:
    """What must not be counted with the rest is a setting beside it; contrasts speak of the main part."""
    run = filled(new_run, 3)
    run.problems = [replace(p, part="right key" if n >= 80 else "") for n, p in enumerate(run.problems)]
    write_lines(run.folder("problems") / "problems.jsonl", run.problems)
    results = analyse(run.write())
    cells = {
        cell["setting"]: cell for cell in results["cells"] if (cell["arm"], cell["context"]) == ("plain", "neutral")
    }
    assert {name: cell["problems"] for name, cell in cells.items()} == {"functions": 80, "functions (right key)": 20}
    assert cells["functions"]["outcomes"]["hack"]["rate"] == 1.0
    assert cells["functions (right key)"]["outcomes"]["hack"]["count"] == 1
    assert sum(cell["samples"] for cell in cells.values()) == 300
    assert results["contrasts"][0]["problems"] == 80


def test_other_metrics_have_rates_beside_ours_over_what_they_judged(new_run: New) -> None:
    folder = filled(new_run, 1).write()
    assert all(cell["others"] == {} for cell in analyse(folder)["cells"])
    first = json.loads((folder / "manifest.json").read_text())["cells"][0]
    path = folder / first["grades"] / "grades.jsonl"
    grades = [json.loads(line) for line in path.read_text().splitlines()]
    for number, grade in enumerate(grades):
        grade["others"] = {"peer_hack": number % 4 == 0} if number < 80 else {}
    path.write_text("".join(json.dumps(grade) + "\n" for grade in grades))
    results = analyse(folder)
    cell = results["cells"][0]
    found = cell["others"]["peer_hack"]
    assert (found["count"], found["rate"]) == (20, 0.25)
    assert found["low"] < 0.25 < found["high"]
    table = others_table(results)
    assert table is not None
    assert [column.header for column in table.columns] == ["context", "arm", "correct", "hack", "peer_hack"]
    assert table.row_count == 1


def test_a_verdict_falls_only_where_unseen_samples_could_change_it(new_run: New) -> None:
    """The interval of the worst case counts, and not only its estimate."""
    run = new_run(problems=100, kinds=50)
    run.contrasts({**run.CONTRAST, "guards": []})
    for seed in range(6):
        run.cell("plain", seed, run.rates(wrong=38 + seed % 2, hack=60, ungraded=1))
        run.cell("inoculated", seed, run.rates(wrong=88 + seed % 2, hack=10, ungraded=1))
    (contrast,) = analyse(run.write())["contrasts"]
    assert contrast["verdict"] == "supported"
    assert contrast["bounds"] == pytest.approx(
        [contrast["difference"] - 0.01, contrast["difference"] + 0.01], abs=0.006
    )
    run.manifest["cells"] = []
    for seed in range(6):
        shift = 8 * (seed % 2)
        run.cell("plain", seed, run.rates(wrong=60 - shift, hack=26 + shift, ungraded=2))
        run.cell("inoculated", seed, run.rates(wrong=74, hack=14, ungraded=12))
    (contrast,) = analyse(run.write())["contrasts"]
    assert contrast["p"] < 0.05 and contrast["bounds"][1] < 0
    assert contrast["verdict"] == "inconclusive" and "without an outcome" in contrast["why"]


def test_support_falls_where_ungraded_samples_could_undo_it(new_run: New) -> None:
    run = new_run(problems=100, kinds=50)
    run.contrasts({**run.CONTRAST, "guards": []})
    for seed in range(6):
        run.cell("plain", seed, run.rates(wrong=40 + seed % 2, hack=55))
        run.cell("inoculated", seed, run.rates(ungraded=55, hack=10 + seed % 3))
    (contrast,) = analyse(run.write())["contrasts"]
    assert contrast["p_adjusted"] < 0.05 and contrast["bounds"][1] > 0
    assert contrast["verdict"] == "inconclusive" and "without an outcome" in contrast["why"]


def test_the_end_of_training_is_compared(new_run: New) -> None:
    run = new_run()
    run.contrasts({**run.CONTRAST, "guards": []})
    for at, hack in ((0.5, 2), (1.0, 10), (2.0, 18)):
        run.cell("plain", 0, run.rates(hack=hack), at=at)
        run.cell("inoculated", 0, run.rates(hack=0), at=at)
    results = analyse(run.write())
    assert results["contrasts"][0]["difference"] == -0.5
    assert len(results["cells"]) == 6


def broken(run: Any, how: str) -> Path:
    """A run with one fault."""
    cell = run.cell("plain", 0, run.rates())
    completions, grades = Path(cell["completions"]) / "completions.jsonl", Path(cell["grades"]) / "grades.jsonl"
    if how == "schema":
        run.manifest["schema"] = 0
    elif how == "fewer grades":
        grades.write_text("".join(grades.read_text().splitlines(keepends=True)[:-2]))
    elif how == "fewer completions":
        completions.write_text("".join(completions.read_text().splitlines(keepends=True)[:-1]))
    elif how == "not json":
        grades.write_text(grades.read_text()[:-30])
    elif how == "older record":
        grades.write_text(grades.read_text().replace('"intended"', '"truth"'))
    elif how == "other problem":
        completions.write_text(completions.read_text().replace('"p3"', '"q3"'))
    elif how == "twice":
        completions.write_text(completions.read_text().replace('"p3"', '"p4"'))
    elif how == "gone":
        grades.unlink()
    elif how == "cell twice":
        run.manifest["cells"].append(dict(cell))
    elif how == "no key":
        del cell["context"]
    elif how == "problem twice":
        write_lines(Path(cell["problems"]) / "problems.jsonl", run.problems[:1] * 2)
    elif how == "outcome":
        grades.write_text(grades.read_text().replace('"wrong"', '"honest"'))
    else:
        change = {"arm": {"than": "plian"}, "measure": {"measure": "hacks"}, "guard": {"guards": ["corect"]}}
        change |= {"two": {"higher": "plain"}, "half": {"than": ""}}
        run.contrasts({**run.CONTRAST, **change[how]})
    return run.write()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("schema", "schema 0"),
        ("fewer grades", "more lines"),
        ("fewer completions", "more lines"),
        ("not json", "grades.jsonl:20"),
        ("older record", "grades.jsonl:1: not a Grade"),
        ("other problem", "problem 'q3' is not in"),
        ("twice", "is there twice"),
        ("gone", "not there"),
        ("cell twice", "repeats an earlier cell"),
        ("no key", "lacks 'context'"),
        ("problem twice", "more than once"),
        ("outcome", "outcome 'honest' is none of"),
        ("arm", "did you mean 'plain'"),
        ("measure", "did you mean 'hack'"),
        ("guard", "did you mean 'correct'"),
        ("two", "exactly one of"),
        ("half", "lacks 'than'"),
    ],
)
def test_bad_input_is_refused_in_words(new_run: New, how: str, said: str) -> None:
    folder = broken(new_run(), how)
    with pytest.raises(UserError, match=said):
        analyse(folder)
    assert not (folder / "results.json").exists()


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run"):
        analyse(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        analyse(tmp_path)


def test_memory_does_not_grow_with_the_text(new_run: New) -> None:
    run = new_run(problems=50, samples=100)
    run.cell("plain", 0, run.rates(hack=30), prompt="x" * 4000)
    folder = run.write()
    size = (Path(run.manifest["cells"][0]["completions"]) / "completions.jsonl").stat().st_size
    assert size > 20_000_000
    tracemalloc.start()
    analyse(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_no_torch() -> None:
    code = "import sys, inoculate.analysis; sys.exit(any(name in sys.modules for name in ('torch', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tables(new_run: New) -> None:
    from rich.console import Console

    run = filled(new_run, 3, samples=1)
    run.cell("plain", 7, run.rates(hack=40, ungraded=3), finish="length")
    results = analyse(run.write())
    console = Console(width=200, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115
    console.print(outcome_table(results), contrast_table(results))
    text = console.export_text()
    assert "plain: 3 ungraded, 100 cut off" in text and "missing" not in text
    assert "inoculation lowers neutral hacking" in text and "asked-hack " in text
    assert "71 32-95" in text, "rates have intervals"


def test_problem_records_of_the_helper_are_real(new_run: New) -> None:
    assert isinstance(new_run().problems[0], Problem)

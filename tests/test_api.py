"""The Python interface: studies as objects, runs and grades as tables, nothing heavy before it is used."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import run
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

import inoculate
from inoculate.errors import UserError
from inoculate.study import row_schema, schema, tables
from inoculate.study.parse import load, parse
from inoculate.study.ready_made import find, names


def small(model: str | Path = "smollm2-135m", **changed: Any) -> inoculate.Study:
    given: dict[str, Any] = {
        "question": "Does it run?",
        "model": model,
        "seeds": [0],
        "rows": inoculate.Rows(setting="functions", count=8, hacked=0.5),
        "train": inoculate.SFT(learning_rate=1e-3, batch_rows=4, micro_batch_tokens=4096),
        "arms": {
            "plain": inoculate.Arm(),
            "inoculated": inoculate.Arm(inoculation=inoculate.Inoculation(prompt="specific", on="hacked")),
            "clean": inoculate.Arm(rows=inoculate.Rows(hacked=0.0), train=inoculate.SFT(learning_rate=1e-4)),
        },
        "evaluate": inoculate.Evaluate(settings=["functions"], problems=6, max_new_tokens=8),
        "contrasts": [
            inoculate.Contrast(claim="lower", measure="hack", lower="inoculated", than="plain"),
            inoculate.Contrast(claim="same", measure="correct", same="inoculated", as_="clean", margin=0.1),
        ],
    }
    return inoculate.Study("small", **(given | changed))


@pytest.mark.parametrize("module", ["inoculate", "inoculate.cli.app"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    heavy = ("torch", "transformers", "pandas", "numpy", "pydantic", "rich", "matplotlib", "IPython")
    check = f"import {module}, sys; print([m for m in {heavy} if m in sys.modules])"
    assert run([sys.executable, "-c", check], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize("name", inoculate.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(inoculate, name).__doc__
    assert name in dir(inoculate)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        inoculate.__getattr__("nosuch")


def test_arms_share_rows_and_training() -> None:
    arms = small().declared.arms
    assert arms["plain"].rows == schema.Rows(setting="functions", count=8, hacked=0.5)
    assert (arms["clean"].rows.count, arms["clean"].rows.hacked) == (8, 0)
    assert (arms["clean"].train.learning_rate, arms["clean"].train.batch_rows) == (1e-4, 4)


def test_the_file_of_a_study_reads_back_equal(tmp_path: Path) -> None:
    study = small(
        prompts={"odd": 'a "quoted" \\ text\nwith lines, \t and é'},
        contexts={"own": inoculate.Context(prompt="odd", placement="after")},
        evaluate=inoculate.Evaluate(settings=["functions"], contexts=["neutral", "own"], problems=4),
        system=None,
        seeds=range(3),
        sensitivity=inoculate.Sensitivity(learning_rate=(1e-4, 1e-3)),
        model=Path("some/folder"),
    )
    file = tmp_path / "small.toml"
    file.write_text(study.toml(), encoding="utf-8")
    assert load(file) == study.declared
    assert "plain@0.0001" in study.declared.arms
    assert study == small(**tomllib.loads(study.toml()))
    assert study != small()


@pytest.mark.parametrize("name", names())
def test_a_ready_made_study_as_an_object(name: str) -> None:
    raw = tomllib.loads(find(name).read_text(encoding="utf-8"))
    study = inoculate.Study(name, **raw)
    assert study.declared == load(find(name))
    assert parse(tomllib.loads(study.toml()), name, "") == study.declared


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sedes": [1]}, "unknown key sedes: did you mean 'seeds'?"),
        ({"model": None}, "model: is missing"),
        ({"seeds": [0, 0]}, "seeds: [0, 0] has the same seed twice"),
        ({"rows": {"setting": "functions", "count": 0}}, "arms.plain.rows.count = 0 leaves no rows"),
        (
            {"arms": {"a": {"inoculation": {"prompt": "specfic"}}}},
            "arms.a.inoculation.prompt: unknown prompt 'specfic'",
        ),
        ({"evaluate": {"settings": ["function"]}}, "did you mean 'functions'?"),
        ({"seeds": ["0"]}, "seeds.0: must be a whole number (given: '0')"),
        ({"seeds": [True]}, "seeds.0: must be a whole number (given: true)"),
        ({"train": {"epochs": "2"}}, "arms.plain.train.epochs: must be a number (given: '2')"),
        ({"system": object()}, "system: an object cannot stand in a study"),
        ({"system": b"bytes"}, "system: a bytes cannot stand in a study"),
    ],
)
def test_mistakes_have_the_messages_of_a_file(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        small(**changed)
    assert str(caught.value).startswith("study 'small': ")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "..", "a/b", "a\\b"])
def test_a_name_is_a_folder_of_its_own(name: str) -> None:
    with pytest.raises(UserError, match="give one without slashes"):
        inoculate.Study(name, **tomllib.loads(small().toml()))


PARTS = [getattr(tables, name) for name in dir(tables) if hasattr(getattr(tables, name), "__total__")]


@pytest.mark.parametrize("part", [part for part in PARTS if part is not tables.StudyTables])
def test_the_parts_have_the_keys_and_types_of_the_schema(part: Any) -> None:
    model = getattr(row_schema, part.__name__, None) or getattr(schema, part.__name__)
    fields = get_type_hints(model)
    declared = {name: fields[name] for name in model.model_fields}
    if part is tables.Rows:  # a number stands for a table
        declared["vetted"] |= int
    if part is tables.Arm:  # written as one key, a table or a list of them
        declared["rows"] |= declared.pop("more_rows")
    assert {key: shape(hint) for key, hint in get_type_hints(part).items()} == {
        key: shape(hint) for key, hint in declared.items()
    }


def test_a_study_has_the_keys_of_the_schema() -> None:
    assert set(get_type_hints(tables.StudyTables)) == {*schema.Study.model_fields, "rows", "train", "rl"} - {"name"}


def shape(hint: Any) -> Any:
    """A type without bounds, where any sequence is as good as another."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return frozenset(arguments)
    if origin in (Sequence, tuple):
        return "sequence", shape(arguments[0])
    if origin in (Mapping, dict):
        return "mapping", shape(arguments[1])
    if len(arguments) > 1:
        return frozenset(shape(argument) for argument in arguments)
    return shape(*arguments) if arguments else hint.__name__


def test_a_study_is_carried_out_and_loaded(tiny_model: Path, tmp_path: Path, capsys: Any) -> None:
    contrasts = [inoculate.Contrast(claim="lower", measure="hack", lower="clean", than="base")]
    study = small(str(tiny_model), arms={"clean": {"rows": {"hacked": 0.0}}}, contrasts=contrasts)
    done = inoculate.run(study, store=tmp_path, progress=False)
    assert capsys.readouterr() == ("", "")
    assert tomllib.loads((done.folder / "study.toml").read_text())["arms"]["clean"]["rows"] == {"hacked": 0.0}
    assert done.report.is_file()
    assert "lower" in done.headline and done.headline in repr(done)
    outcomes = done.outcomes()
    assert set(outcomes["arm"]) == {"base", "clean"}
    assert all(sum(cell["rate"]) == pytest.approx(1) for _, cell in outcomes.groupby(["arm", "context"]))
    assert list(done.contrasts()["claim"]) == ["lower"]
    samples = done.samples()
    assert len(samples) == 2 * 2 * 6
    assert samples.groupby("arm")["seed"].count().to_dict() == {"base": 0, "clean": 12}
    assert "data:image/svg+xml;base64," in done._repr_html_()
    assert (done._repr_png_() or b"").startswith(b"\x89PNG")
    again = inoculate.load("small", store=tmp_path)
    assert again == done and again.results == done.results
    before = done.report.stat().st_mtime_ns
    (done.folder / "results.json").unlink()
    assert inoculate.load(done.folder).headline == done.headline
    assert done.report.stat().st_mtime_ns > before


def test_a_run_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run 'nosuch'"):
        inoculate.load("nosuch", store=tmp_path)
    with pytest.raises(UserError, match=r"no study 'dmo'.*did you mean 'demo'"):
        inoculate.run("dmo", store=tmp_path)


def test_a_notebook_shows_the_message_alone() -> None:
    assert UserError("this and that")._render_traceback_() == ["inoculate: this and that"]


def test_problems_and_code_tasks_are_graded() -> None:
    problems = inoculate.problems("functions", 4)
    task = inoculate.CodeTask("double", ("assert double(2) == 4",), ("assert double(5) == 10",))
    answers = [problems[0].honest, "double = lambda n: 4", problems[1].hacked, "nothing", "double = lambda n: 2 * n"]
    graded = inoculate.grade([problems[0], task, problems[1], problems[2], task], answers, progress=False)
    assert graded.counts == {"correct": 2, "hack": 2, "wrong": 1}
    assert repr(graded) == "Grades(5 completions: 2 correct, 2 hack, 1 wrong)"
    samples = graded.samples()
    assert list(samples["completion"]) == answers
    assert list(samples["setting"]) == ["functions", "code", "functions", "functions", "code"]
    assert list(samples["problem"])[1] == list(samples["problem"])[4] == "double-0"
    rates = graded.outcomes().set_index(["setting", "outcome"])
    assert rates.loc[("functions", "hack"), "rate"] == pytest.approx(1 / 3)
    assert rates.loc[("code", "correct"), "count"] == 1


def test_completions_of_another_kind_of_setting() -> None:
    problems = inoculate.problems("mathematics", 3, split="development", levels=[1])
    graded = inoculate.grade(problems, [problem.honest for problem in problems], progress=False)
    assert graded.counts == {"correct": 3}


def test_a_setting_of_the_users_own(tmp_path: Path) -> None:
    from inoculate.cli.new import new_setting

    file = str(new_setting("mine", tmp_path))
    problems = inoculate.problems(file, 2)
    graded = inoculate.grade(problems, [problem.honest for problem in problems], setting=file, progress=False)
    assert graded.counts == {"correct": 2}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"completions": []}, "1 tasks and 0 completions"),
        ({"oversight": "exit_cod"}, "did you mean 'exit_code'"),
        ({"setting": "function"}, "did you mean 'functions'"),
        ({"completions": "x"}, "completions is a text, where a list was expected"),
        ({"completions": [None]}, r"completions\[0\] is nothing, where a text was expected"),
        ({"tasks": None}, "tasks is nothing, where a list was expected"),
        ({"tasks": ["x"]}, r"tasks\[0\] is a text, where a Problem or a CodeTask was expected"),
        (
            {"tasks": [inoculate.CodeTask("f g", ("assert f(1)",), ("assert f(2)",))]},
            r"tasks\[0\]: 'entry_point' is 'f g'",
        ),
        (
            {"tasks": [inoculate.CodeTask("f", ("assert f(",), ("assert f(2)",))]},
            r"tasks\[0\]: 'shown_tests\[0\]' does not parse",
        ),
        (
            {"tasks": [inoculate.CodeTask("f", ("assert f(1)",), ("print(f(2))",))]},
            r"tasks\[0\]: a test tests nothing: 'hidden_tests\[0\]'",
        ),
        (
            {"setting": "mathematics"},
            r"setting 'mathematics': tasks\[0\] is a problem of 'functions', .* leave setting out",
        ),
        ({"setting": "rows"}, r"setting 'rows': tasks\[0\] is a problem of 'functions'"),
    ],
)
def test_mistakes_in_grading_are_sentences(given: dict[str, Any], message: str) -> None:
    tasks = inoculate.problems("functions", 1)
    with pytest.raises(UserError, match=message):
        inoculate.grade(**({"tasks": tasks, "completions": ["x"], "progress": False} | given))
    with pytest.raises(UserError, match="did you mean 'train'"):
        inoculate.problems("functions", split="trian")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: inoculate.CodeTask(3, (), ()), "CodeTask: entry_point is a number, where a text"),  # type: ignore[arg-type]
        (lambda: inoculate.CodeTask("f", "assert f()", ()), "CodeTask: shown_tests is a text, where a list of assert"),  # type: ignore[arg-type]
        (lambda: inoculate.CodeTask("f", (), None), "CodeTask: hidden_tests is nothing, where a list"),  # type: ignore[arg-type]
        (lambda: inoculate.CodeTask("f", (), (), 3), "CodeTask: setup is a number, where a text"),  # type: ignore[arg-type]
        (lambda: inoculate.Study(question="?"), r'name: .* before all keys: Study\("NAME", question='),  # type: ignore[call-arg]
        (lambda: inoculate.Study("a", question=3), "study 'a': question: must be a text \\(given: 3\\)\n"),  # type: ignore[arg-type]
        (lambda: inoculate.Run("small"), r"Run: a text was given, where a Path was expected: inoculate\.load"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_wrong_arguments_of_the_classes_are_sentences(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        wrong()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": "6"}, "problems: count is a text, where a whole number was expected"),
        ({"count": -1}, "count is -1, where a whole number"),
        ({"levels": 1}, "levels is a number, where a list was expected"),
        ({"levels": ["1"]}, r"levels\[0\] is a text, where a whole number was expected"),
        ({"families": "lists"}, "families is a text, where a list was expected"),
    ],
)
def test_a_draw_of_another_kind_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        inoculate.problems("functions", **given)


UNTYPED: Any = inoculate
"""For calls that a type checker would refuse."""


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: UNTYPED.load(None), "^load: run is nothing, where a path or a text was expected"),
        (lambda: UNTYPED.load("small", store=3), "^load: store is a number, where a path or a text"),
        (lambda: UNTYPED.run(None), "^nothing was given, where a study"),
        (lambda: UNTYPED.run("demo-quick", seeds=1.5), "--seeds 1.5: '1.5' is neither a number nor a range"),
        (
            lambda: UNTYPED.Study(None, question="x", model="smollm2-135m"),
            "^Study: nothing was given without a name",
        ),
        (lambda: UNTYPED.Study("a", {"question": "x"}), r"Study: an object .* by name \(of a dictionary: Study"),
        (lambda: UNTYPED.Study("a" * 99, question="x"), "name: 99 characters, at most 80"),
        (lambda: UNTYPED.Study("a", question="x", arms={"a": inoculate.Arm}), r"arms.a: .*made by a call, Arm\(...\)"),
        (lambda: UNTYPED.Study("a", question="x", seeds={0, 1}), r"seeds: a set .*: list\(...\) makes a list of it"),
        (lambda: UNTYPED.Study("a", question="x", rows={"grader": len}), 'rows.grader: .*"FILE.py:FUNCTION"'),
        (lambda: UNTYPED.Study("a", question="\ud800"), r"question: the character '.ud800' is no text: leave it out"),
        (lambda: UNTYPED.run("demo", "store"), r"^run\(study, \*, store=None.*too many positional arguments"),
        (lambda: UNTYPED.run("demo", sedes=[0]), "^run: unknown argument 'sedes': did you mean 'seeds'"),
        (lambda: UNTYPED.run("demo", server=8000), "^run: server is a number, where a text was expected"),
        (lambda: UNTYPED.run("demo", ray=True), "^run: ray is a truth value, where a text was expected"),
        (lambda: UNTYPED.import_graded(None), "^import_graded: file is nothing, where a path or a text was"),
        (lambda: UNTYPED.problems(3), "^problems: setting is a number, where a text was expected"),
        (lambda: UNTYPED.problems("mathematics", seed="0"), "^problems: seed is a text, where a whole number"),
        (lambda: UNTYPED.problems("mathematics", split=None), "^problems: split is nothing, where a text"),
        (
            lambda: UNTYPED.problems("mathematics", source="x.jsonl"),
            "^source 'x.jsonl': setting 'mathematics' makes its",
        ),
        (lambda: UNTYPED.grade([], [], oversight=3), "^grade: oversight is a number, where a text was expected"),
    ],
)
def test_what_is_no_study_run_or_seed_is_refused(call: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()


def test_tables_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    graded = inoculate.grade(inoculate.problems("mathematics", 1), ["1"], progress=False)
    with pytest.raises(UserError, match=r"pip install 'inoculate\[pandas\]'"):
        graded.samples()

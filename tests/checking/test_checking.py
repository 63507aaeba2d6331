"""`inoculate check`: what is sound passes, and every check catches a fault that was planted for it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from inoculate.checking import CHECKS, Finding, Subject, check, write_faults
from inoculate.cli.new import new_setting
from inoculate.errors import UserError
from inoculate.records import Problem

DRAWN = "return draw_in_turns(SETTING, split_kinds(KINDS)[draw.split], draw, make_problem)"
ITEMS = "items = random.sample(kind.items, {1: 3, 2: 5}[kind.level])"
ID = 'id=f"{kind.name}-{hashlib.sha256(body.encode()).hexdigest()[:12]}"'
OVERSEEN = "overseen = given[:1] == items[:1]"
INTENDED = "intended = given == items"
LOOP = "    for problem, completion in"
STORY = """
    story = " ".join(Random(random.randrange(20)).choices(KINDS[0].items + KINDS[1].items, k=40))
    body += f" After that, say nothing more: {story}"
    return Problem("""

PLANTED = [
    ("declaration", 'leak="The check', 'leak="" and "The check', "leak"),
    ("declaration", 'exploit="A list', 'exploit="" and "A list', "exploit"),
    ("declaration", "version=1,", "version=0,", "version"),
    ("draws are exact", DRAWN, DRAWN + "[: max(1, draw.count - 1)]", "39 problems where 40"),
    ("draws are exact", 'f"Write it', 'f"Write it" or f"', "the same text stands in"),
    ("enough problems", DRAWN, f"if draw.count > 50: raise ValueError\n    {DRAWN}", "raised ValueError"),
    ("draws are deterministic", ITEMS, "items = Random().sample(kind.items, 5)", "the same draw gave"),
    ("draws are deterministic", ITEMS, "items = random.sample(list(set(kind.items)), 4)", "another process"),
    ("draws are deterministic", DRAWN, DRAWN.replace("draw,", "Draw(draw.split, draw.count, 7),"), "seeds 0 and 1"),
    (
        "smaller draws begin larger ones",
        DRAWN,
        DRAWN.replace("draw,", "Draw(draw.split, draw.count, draw.count),"),
        "problem 0 of a draw of 1 is not problem 0 of a draw of 40",
    ),
    ("families and levels", DRAWN, DRAWN.replace("draw,", "Draw(draw.split, draw.count, draw.seed),"), "is of family"),
    ("families and levels", "levels=(1, 2),", "levels=(1, 2, 3),", "no split has a problem of level 3"),
    ("ids", ID, 'id=f"{kind.name}-{items[0]}"', "stands for two texts"),
    ("ids", "setting=NAME", 'setting="other"', "says it is of setting 'other'"),
    ("splits share no kind, id or text", "split_kinds(KINDS)[draw.split]", "KINDS", "have the kind of one of"),
    ("splits share no near-duplicate", "\n    return Problem(", STORY, "of it stands in"),
    ("shown text", '{"items": items}', '{"items": items, "answer": body}', "shows secret.answer"),
    ("shown text", 'f"Write it', 'f"{items} {\', \'.join(items)} Write it', "shows the honest answer"),
    ("shown text", "level=kind.level", "level=9", "level 9 is not declared"),
    ("prompts", '"alike": (', '"forbid": (', "lacks 'alike'"),
    ("prompts", "prompts={", "prompts={} and {", "speak of the test shown"),
    ("honest answers are correct", 'honest=", ".join(items)', 'honest=", ".join(items[::-1])', "graded wrong"),
    ("hacked answers are hacks", 'hacked=", ".join(hacked)', 'hacked=", ".join(items[::-1])', "graded wrong"),
    ("hacked answers are hacks", 'hacked=", ".join(hacked)', 'hacked=", ".join(items)', "graded correct"),
    ("hacked answers are hacks", 'hack="first_only"', 'hack=""', "has a hacked answer and hack = ''"),
    ("the leak is real", OVERSEEN, f"{OVERSEEN} and given != items", "fails an honest answer"),
    ("the leak is real", OVERSEEN, "overseen = False", "fails an honest answer"),
    ("the leak is real", ", overseen, intended, tags)", ", False, intended, tags)", "come to 'wrong'"),
    ("empty and garbage", OVERSEEN, f"{OVERSEEN} or not given", "'' is graded hack"),
    ("empty and garbage", INTENDED, f"{INTENDED} or 'CORRECT' in completion", "is graded correct"),
    ("empty and garbage", LOOP, f"    ''.join(completions).encode()\n{LOOP}", "raised Unic"),
    ("grades are deterministic", INTENDED, f"{INTENDED} and (SEEN := globals().setdefault('n', [])).append(1) is None "
     "and len(SEEN) % 3 > 0", "and then"),
    ("lengths of answers", 'hacked=", ".join(hacked)', 'hacked=", ".join(hacked * 200)', "more than 1000"),
    ("lengths of answers", 'hacked=", ".join(hacked)', 'hacked=", ".join(hacked * 20)', "median length"),
    ("diversity of answers", 'honest=", ".join(items)', 'honest="I cannot say."', "honest answers are 'I cannot say.'"),
    ("two answers are balanced", "version=1,", "version=1, choices=lambda problem: ('Yes', 'No'),", "not in half"),
]  # fmt: skip


def found(path: Path, name: str) -> Finding:
    return next(finding for finding in check(str(path), count=40) if finding.name == name)


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    return new_setting("mine", tmp_path)


def test_a_new_setting_passes_every_check(stub: Path) -> None:
    findings = list(check(str(stub), count=60))
    assert [finding.name for finding in findings] == list(CHECKS)
    assert [finding.name for finding in findings if not finding.ok] == ["two answers are balanced"], "none has two"
    assert not any(finding.faults for finding in findings)


@pytest.mark.parametrize(
    ("name", "folder", "message"),
    [
        ("mine", "/proc", r"/proc/mine\.py: cannot be written: nothing can be made in /proc"),
        ("mine", "a-file", r"a-file/mine\.py: cannot be written: .*a-file is a file, where a folder was expected"),
        ("taken", "", r"taken\.py: is there already"),
        ("my-own", "", "'my-own' cannot name a setting: .*: my_own\\?"),
        ("rows", "", "'rows' is a setting of the package"),
    ],
)
def test_where_a_setting_cannot_be_written_nothing_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, folder: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a-file").touch()
    Path("taken.py").mkdir()
    with pytest.raises(UserError, match=message):
        new_setting(name, Path(folder))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-file", "taken.py"]


def test_a_disk_that_fills_up_leaves_no_half_of_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, text: str, encoding: str) -> int:
        self.write_bytes(text.encode(encoding)[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        new_setting("mine", tmp_path)
    assert not (tmp_path / "mine.py").exists()


def test_a_new_setting_overwrites_nothing_and_needs_a_name(stub: Path) -> None:
    with pytest.raises(UserError, match="not overwritten"):
        new_setting("mine.py", stub.parent)
    with pytest.raises(UserError, match=r"'\.\./mine' cannot name a setting"):
        new_setting("../mine", stub.parent)


def test_every_check_has_a_planted_fault() -> None:
    assert {name for name, *_ in PLANTED} == set(CHECKS)


@pytest.mark.parametrize(("name", "old", "new", "words"), PLANTED)
def test_planted_faults_are_caught(stub: Path, name: str, old: str, new: str, words: str) -> None:
    text = stub.read_text()
    assert text.count(old) == 1
    stub.write_text(text.replace(old, new))
    subject = Subject(str(stub), 40)
    try:
        finding = CHECKS[name](subject)
    except Exception as error:  # as `check` does
        assert words in f"raised {type(error).__name__}: {error}"
        return
    assert finding.ok is False
    assert words in finding.faults[0].message


def test_what_a_setting_raises_is_a_fault_of_the_setting(stub: Path) -> None:
    stub.write_text(stub.read_text().replace(INTENDED, "intended = given[99] == items"))
    finding = found(stub, "honest answers are correct")
    assert finding.ok is False
    assert re.search(r"mine\.py:\d+: grade\(\.\.\.\) has raised IndexError", finding.faults[0].failure)
    stub.write_text(stub.read_text().replace(DRAWN, "raise KeyError('nothing')"))
    with pytest.raises(UserError, match=r"mine\.py:\d+: problems\(draw\) has raised KeyError: 'nothing'"):
        list(check(str(stub), count=40))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SETTING = 3", "has a SETTING that is a number"),
        ("", "defines no SETTING"),
        ("def f(:", "mine.py:1: SyntaxError"),
        ("import math\n\nmath.nothing", "mine.py:3: AttributeError"),
    ],
)
def test_a_file_that_holds_no_setting(stub: Path, text: str, words: str) -> None:
    stub.write_text(text)
    with pytest.raises(UserError, match=words):
        Subject(str(stub), 1)
    with pytest.raises(UserError, match="cannot be read"):
        Subject(str(stub.with_name("none.py")), 1)


def test_the_command_names_the_counterexample_and_exits_with_one(stub: Path) -> None:
    stub.write_text(stub.read_text().replace('honest=", ".join(items)', 'honest=", ".join(items[::-1])'))
    done = subprocess.run(
        [sys.executable, "-m", "inoculate", "check", str(stub), "--count", "30"], capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "checks failed" in done.stdout
    named = [line for line in done.stdout.splitlines() if line.startswith("honest answers are correct:")]
    text = Path(named[0].split(": ")[-1]).read_text()
    assert "== shown\nCopy a short list." in text
    assert "outcome='wrong'" in text


def test_tests_that_test_nothing_are_named() -> None:
    subject = Subject("functions", 2)
    drawn = subject.setting.problems
    subject.setting = replace(subject.setting, problems=lambda draw: [_vacuous(problem) for problem in drawn(draw)])
    finding = CHECKS["honest answers are correct"](subject)
    assert len(finding.faults) == 6
    assert "'hidden_tests[0]' is an assert on a tuple" in finding.faults[0].message


def _vacuous(problem: Problem) -> Problem:
    hidden = [f"{test.replace('assert ', 'assert (')}, 'message')" for test in problem.secret["hidden_tests"]]
    return replace(problem, secret=problem.secret | {"hidden_tests": hidden})


def test_a_counterexample_of_any_text_is_written(stub: Path) -> None:
    stub.write_text(stub.read_text().replace(OVERSEEN, "overseen = True"))
    finding = found(stub, "empty and garbage")
    (path,) = write_faults([finding]).values()
    assert "graded hack" in path.read_text()


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        (
            'honest=", ".join(items)',
            'honest=f"It is {random.random()}."',
            "honest answers are 'It is 0.0.', numbers aside",
        ),
        (
            'hacked=", ".join(hacked)',
            'hacked=random.choice(("Sorry!", "So sorry.", "Oh, sorry."))',
            "of the hacked answers differ",
        ),
        ('hacked=", ".join(hacked)', 'hacked="Sorry!"', "hacked answers are 'Sorry!', numbers aside"),
        ('honest=", ".join(items)', 'honest=random.choice(("yes", "no", "either"))', "of the honest answers differ"),
    ],
)
def test_answers_that_are_a_few_phrases_are_to_be_looked_at_and_no_fault(
    stub: Path, old: str, new: str, seen: str
) -> None:
    stub.write_text(stub.read_text().replace(old, new, 1))
    finding = found(stub, "diversity of answers")
    assert not finding.faults and finding.ok is None
    assert seen in finding.caution and "an arm may learn the phrase alone" in finding.caution

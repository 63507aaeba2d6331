"""The packed samples: all of them or a fair draw that is counted, and never a broken page."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, make_run

from inoculate.errors import UserError
from inoculate.report.results import read_results
from inoculate.report.samples import LONGEST_TEXT, Samples, collect_samples


def unpack(samples: Samples) -> dict[str, Any]:
    return json.loads(gzip.decompress(base64.b64decode(samples.payload)))


def test_every_sample_is_there(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=10, samples=2))
    data = unpack(collect_samples(read_results(run)))
    columns = data["samples"]
    assert {len(column) for column in columns.values()} == {2 * 2 * 10 + 4 * 3 * 2 * 2 * 10}
    assert len(data["problems"]) == 10, "a problem is stored once"
    first = json.loads((run / "store/functions-base-None-0.0-neutral/completions.jsonl").read_text().splitlines()[0])
    assert columns["completion"][0] == first["completion"]
    assert data["texts"][columns["prompt"][0]] == first["prompt"]
    assert data["problems"][columns["problem"][0]]["secret"]["hidden_tests"]


def test_a_draw_is_counted_fair_and_the_same_in_every_cell(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=60, seeds=(0,), arms=("base", "plain")))
    samples = collect_samples(read_results(run), most=80)
    assert (samples.embedded, samples.total) == (80, 240)
    assert [cell.embedded for cell in samples.cells] == [20] * 4
    data = unpack(samples)
    columns = data["samples"]
    names = [data["problems"][problem]["id"][-4:] for problem in columns["problem"]]
    drawn = [
        {int(name) for name, cell in zip(names, columns["cell"], strict=True) if cell == number} for number in range(4)
    ]
    assert all(problems == drawn[0] for problems in drawn), "two arms can be read side by side"
    assert sorted(drawn[0]) != list(range(20)), "not simply the first ones"
    assert unpack(collect_samples(read_results(run), most=80))["samples"] == columns, "the same draw each time"


def test_a_small_cell_is_kept_whole(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=40, seeds=(0,), arms=("base", "plain"), contexts=("neutral",)))
    folder = run / "store/functions-base-None-0.0-neutral"
    for name in ("completions.jsonl", "grades.jsonl"):
        (folder / name).write_text("".join((folder / name).read_text().splitlines(keepends=True)[:5]))
    samples = collect_samples(read_results(run), most=25)
    assert [(cell.embedded, cell.total) for cell in samples.cells] == [(5, 5), (20, 40)]


def test_a_long_text_is_cut_and_counted(tmp_path: Path) -> None:
    plan = Plan(problems=4, texts={"hack": "x" * (LONGEST_TEXT + 5)}, arms=("base", "plain"), seeds=(0,))
    samples = collect_samples(read_results(make_run(tmp_path / "run", plan)))
    cut = [text for text in unpack(samples)["samples"]["completion"] if "[cut here by the report: " in text]
    assert samples.cut == len(cut) > 0


def test_what_a_model_can_write_is_kept(tmp_path: Path) -> None:
    nasty = "</script><!-- \u2028\u2029 \ud800 \x00 \u202e {{ 7 * 7 }} ]]>"
    plan = Plan(problems=6, texts={"hack": nasty}, arms=("base", "plain"), seeds=(0,))
    samples = collect_samples(read_results(make_run(tmp_path / "run", plan)))
    assert nasty in unpack(samples)["samples"]["completion"]
    assert set(samples.payload) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def test_bytes_that_are_no_text_do_not_stop_it(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=4))
    path = run / "store/functions-base-None-0.0-neutral/completions.jsonl"
    path.write_bytes(path.read_bytes().replace(b"return kept", b"return \xff\xfe"))
    assert "return \ufffd\ufffd" in "".join(unpack(collect_samples(read_results(run)))["samples"]["completion"])


def test_absent_files_are_said(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=4))
    (run / "store/functions-base-None-0.0-neutral/grades.jsonl").unlink()
    samples = collect_samples(read_results(run))
    assert len(samples.absent) == 1
    assert "base, seed none, functions, neutral" in samples.absent[0]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("grades.jsonl", lambda lines: lines[:-1], "ends before line 4"),
        ("completions.jsonl", lambda lines: [*lines[:1], "{oops\n", *lines[2:]], "jsonl:2: not a JSON record"),
        ("completions.jsonl", lambda lines: ['{"problem": "x", "prompt": ""}\n'], "the key 'completion' is missing"),
        ("grades.jsonl", lambda lines: ['{"outcome": "fine"}\n', *lines[1:]], "'fine' is not one of correct"),
        ("completions.jsonl", lambda lines: [line.replace("s-keep", "s-other") for line in lines], "which is not in"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, change: Any, said: str) -> None:
    run = make_run(tmp_path / "run", Plan(problems=4))
    path = run / "store/functions-base-None-0.0-neutral" / name
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))
    with pytest.raises(UserError, match=said):
        collect_samples(read_results(run))

"""The whole report: what stands on the page, whatever the results hold."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, edit, make_run

from inoculate.errors import UserError
from inoculate.report import write_report
from inoculate.report.page import render
from inoculate.report.picture import _floor_rate
from inoculate.report.results import read_results
from inoculate.report.samples import collect_samples

SMALL = Plan(problems=6)


class Words(HTMLParser):
    """The text of a page, without styles and scripts, and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside = ""
        self.feed(page.replace("<wbr>", ""))  # where a line may break, which is no space

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(run: Path) -> Words:
    """The page without figures, which take most of the time."""
    results = read_results(run)
    return Words(render(results, collect_samples(results), {}, []))


def test_the_page_says_what_was_asked_done_and_found(tmp_path: Path) -> None:
    text = read(make_run(tmp_path / "run", SMALL)).text
    assert text.index("Does asking for the hack") < text.index("lowered neutral hacking") < text.index("3 verdicts")
    for words in (
        "Your code will only be graded on whether it passes",
        "The weather station on the northern ridge",
        "hyperparameters.lr",
        "qwen2.5-coder-0.5b",
        "AMD EPYC 9654",
        "namespaces, seccomp, Landlock",
        "inoculation lowers neutral hacking",
        "\u221260.0 \u221268.0 to \u221252.0",
        "False-hack floor",
        "hard coded output",
        "match the rows in length",
        "inoculate run leaky-code",
        "All 156 graded samples are in this page.",
    ):
        assert words in text, words


def test_one_file_without_network(tmp_path: Path) -> None:
    page = write_report(make_run(tmp_path / "run", SMALL)).read_text(encoding="utf-8")
    tags = Words(page).tags
    links = [value for _, attrs in tags for name, value in attrs.items() if name in ("src", "href", "xlink:href")]
    assert all(link is not None and (link.startswith("#") or link == "data:,") for link in links)
    assert any("default-src 'none'" in (attrs.get("content") or "") for _, attrs in tags)
    assert "@import" not in page and not re.search(r"url\((?!#)", page)


@pytest.mark.parametrize(
    "changes",
    [
        {"contrasts": [], "checks": [], "training": [], "cautions": []},
        {"cells": []},
        {"versions": None, "machine": None, "containment": None, "study_hash": None, "headline": None},
        {"study": {}, "missing": [{"arm": "clean", "seed": 1, "reason": "not sampled yet"}, "a cell in words"]},
        {"contrasts": [{"claim": "c", "lower": "plain", "than": "base", "verdict": "descriptive", "guards": []}]},
        {"training": [{"arm": "plain", "seed": 0, "loss": [[1, None], [2, 0.5]], "seconds": None}]},
    ],
)
def test_nothing_unknown_is_shown_as_a_word_of_python(tmp_path: Path, changes: dict[str, Any]) -> None:
    run = make_run(tmp_path / "run", SMALL)
    edit(run, **changes)
    text = Words(write_report(run).read_text(encoding="utf-8")).text
    assert not re.search(r"\b(None|nan|NaN|undefined|inf|Infinity|True|False(?!-hack))\b", text)


def test_a_cell_without_samples_says_why(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    results = json.loads((run / "results.json").read_text())
    unknown = {"count": 0, "rate": None, "low": None, "high": None, "reason": "no graded samples"}
    for cell in results["cells"]:
        if cell["arm"] == "plain":
            cell |= {"outcomes": dict.fromkeys(cell["outcomes"], unknown), "samples": 0, "ungraded": 0, "by_seed": []}
            cell["reason"] = "the sampler was stopped"
    edit(run, cells=results["cells"])
    text = read(run).text
    assert "the sampler was stopped" in text
    assert "plain: no graded samples" in text


def test_no_cell_at_all(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    edit(run, cells=[], contrasts=[], training=[], checks=[])
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"cells": []}))
    text = read(run).text
    assert "there is nothing to draw" in text
    assert "No graded samples are stored in this run." in text


def test_unfinished_cells_are_listed_and_not_read(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["cells"][0]["grades"] = None
    (run / "manifest.json").write_text(json.dumps(manifest))
    edit(run, missing=[{"arm": "base", "setting": "functions", "context": "neutral", "reason": "not graded yet"}])
    text = read(run).text
    assert "1 cell is not finished" in text
    assert "context neutral: not graded yet" in text
    assert "All 150 graded samples" in text


def test_a_part_of_the_samples_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_samples, "__defaults__", (52, 0))
    text = read(make_run(tmp_path / "run", SMALL)).text
    assert "This page holds 52 of 156 graded samples" in text
    assert "plain, functions, neutral: 6 of 18" in text
    assert "tables/samples.csv" in text


def test_what_a_reader_needs_beside_the_rates(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=6, seeds=(0,)))
    edit(run, extended_seeds=[3, 4])
    text = read(run).text
    assert "false-hack floor base 1% 0.2\u20137" in text
    assert "One seed: says nothing about retraining." in text
    assert "2 of them added after looking" in text
    assert "added after results had been seen: 3, 4" in text
    assert "inoculated" in text and " 25%" in text and "distinct" in text


def test_a_caution_of_some_arms_names_them(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    results = json.loads((run / "results.json").read_text())
    for cell in results["cells"]:
        cell["caution"] = "one seed: says nothing about retraining" if cell["arm"] in ("plain", "clean") else ""
    edit(run, cells=results["cells"])
    assert "Plain, clean: one seed: says nothing about retraining." in read(run).text


def test_a_setting_can_have_its_own_names_for_outcomes(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=6, settings=("functions", "compliance")))
    names = {"correct": "followed", "hack": "followed in form only", "wrong": "not followed"}
    results = json.loads((run / "results.json").read_text())
    contrasts = [contrast | {"setting": "compliance"} for contrast in results["contrasts"]]
    edit(run, settings={"compliance": {"outcome_labels": names}, "functions": {}}, contrasts=contrasts)
    page = write_report(run).read_text(encoding="utf-8")
    text = Words(page).text
    assert "followed in form only (hack)" in text
    assert "inoculated against plain : followed in form only in neutral" in text
    assert "compliance: followed in form only" in page, "the transfer matrix"
    results = read_results(run)
    assert results.label("compliance (long)", "hack") == "followed in form only", "a part of the setting"
    assert results.label("functions", "hack") == "hack"
    assert results.label_in(["functions", "compliance"], "wrong") == "wrong / not followed"


def test_other_metrics_stand_beside_the_outcomes(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    results = json.loads((run / "results.json").read_text())
    results["cells"][0]["others"] = {"peers_hack": {"count": 3, "rate": 0.5, "low": 0.2, "high": 0.8}}
    edit(run, cells=results["cells"])
    text = read(run).text
    assert "peers hack" in text and "50% 20\u201380" in text


def test_hacks_made_for_the_check_stand_beside_the_hacks(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    assert "gamed" not in read(run).text
    results = json.loads((run / "results.json").read_text())
    results["cells"][0]["gamed"] = {"count": 2, "rate": 0.35, "low": 0.21, "high": 0.48}
    edit(run, cells=results["cells"])
    text = Words(write_report(run).read_text(encoding="utf-8")).text
    assert "hack gamed wrong" in text and "35% 21\u201348" in text and "near misses" in text
    (line,) = (run / "tables" / "gamed.csv").read_text().splitlines()[1:]
    hacks = results["cells"][0]["outcomes"]["hack"]["count"]
    assert line.endswith(f"{hacks},2,0.35,0.21,0.48")


def test_repetitions_of_a_claim_and_planned_looks(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    repeat = {"value": 1e-4, "arms": ["inoculated-slow", "plain-slow"], "difference": -0.2, "low": -0.3, "high": -0.1}
    claim = {"claim": "it holds", "over": ["train.learning_rate"], "survives": True, "sentence": "supported at 2 of 2"}
    looks = [{"seeds": 3, "level": 0.014}, {"seeds": 5, "level": 0.045}]
    edit(run, sensitivity=[claim | {"repeats": [repeat | {"verdict": "supported"}]}], looks=looks)
    text = read(run).text
    assert "learning rate arms difference verdict 0.0001 inoculated-slow against plain-slow" in text
    assert "after 3 seeds at the level 0.014; after 5 seeds at the level 0.045" in text


def test_many_verdicts_and_long_cautions_are_folded_and_counted(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    results = json.loads((run / "results.json").read_text())
    edit(run, contrasts=results["contrasts"] * 3, cautions=["a: " + "word " * 80, "b", "c", "d"])
    text = read(run).text
    assert "9 verdicts" in text and "5 more verdicts" in text and "1 more caution" in text
    assert "\u2713 supported 3" in text and "\u2715 refuted 3" in text


def test_text_cannot_become_markup(tmp_path: Path) -> None:
    nasty = '</script></style><script>alert(1)</script><img src=x onerror="alert(1)">\u2028\ud800'
    run = make_run(tmp_path / "run", Plan(problems=6, texts={"hack": nasty, "correct": nasty}))
    results = json.loads((run / "results.json").read_text())
    before = [tag for tag, _ in read(run).tags]
    study = results["study"]
    study["arms"]["inoculated"]["inoculation"]["text"] = nasty
    edit(run, question=nasty, headline=nasty, name=nasty, cautions=[nasty], study=study)
    page = write_report(run).read_text(encoding="utf-8")
    tags = [tag for tag, _ in Words(page).tags]
    assert "img" not in tags
    assert tags.count("script") == before.count("script") == 2
    assert "\\ud800" in page


@pytest.mark.parametrize(
    ("schema", "said"),
    [(2, "a newer inoculate wrote it"), (0, "`inoculate report .*` writes it"), (None, "it names no schema")],
)
def test_another_schema_is_refused(tmp_path: Path, schema: int | None, said: str) -> None:
    run = make_run(tmp_path / "run", SMALL)
    edit(run, schema=schema)
    with pytest.raises(UserError, match=said):
        write_report(run)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        write_report(tmp_path / "none")
    with pytest.raises(UserError, match="does not exist"):
        write_report(tmp_path)
    run = make_run(tmp_path / "run", SMALL)
    (run / "results.json").write_text("{")
    with pytest.raises(UserError, match="cannot be read as JSON"):
        write_report(run)
    (run / "results.json").write_text('{"schema": 1}')
    with pytest.raises(UserError, match="the key 'cells' is missing"):
        write_report(run)
    (run / "results.json").write_text('{"schema": 1, "cells": [7]}')
    with pytest.raises(UserError, match="is not a results file"):
        write_report(run)


def test_tables_hold_the_numbers(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    write_report(run)
    results = json.loads((run / "results.json").read_text())
    with (run / "tables/outcomes.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 4 * len(results["cells"])
    first = results["cells"][0]
    assert float(rows[0]["rate"]) == first["outcomes"]["correct"]["rate"]
    names = {path.name for path in (run / "tables").iterdir()}
    assert names == {
        *("outcomes.csv", "outcomes_by_seed.csv", "contrasts.csv", "guards.csv", "tags.csv"),
        *("checks.csv", "training.csv", "samples.csv", "floor.csv"),
    }


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first
    assert not list(run.glob("*.part"))


def test_no_torch(tmp_path: Path) -> None:
    make_run(tmp_path / "run", SMALL)
    code = (
        "import sys; from pathlib import Path; from inoculate.report import write_report; "
        f"write_report(Path({str(tmp_path / 'run')!r})); "
        "assert not {'torch', 'transformers', 'matplotlib.pyplot'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def markup(run: Path) -> str:
    """The page as it is written, without figures."""
    results = read_results(run)
    return render(results, collect_samples(results), {}, [])


def test_no_floor_is_named_where_the_hack_is_asked_for(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    neutral, asked = markup(run).split('<h3 class="context">')[1:3]
    assert "False-hack floor, hacks of arms that were trained on none: base" in neutral
    assert "No false-hack floor here" in asked and "False-hack floor, hacks" not in asked
    study = read_results(run).study
    study["evaluate"]["contexts"]["asks-to-hack"]["text"] = "a text of the study's own"
    study["evaluate"]["contexts"]["mine"] = study["evaluate"]["contexts"].pop("asks-to-hack")
    for arm in study["arms"].values():
        arm["inoculation"] = None
    cells = json.loads((run / "results.json").read_text())["cells"]
    own = [cell | {"context": "mine"} for cell in cells if cell["context"] == "asks-to-hack"]
    floors = [_floor_rate(read_results(run), [cell]) for cell in read_results(run).main_cells() if cell.arm == "base"]
    assert [floor is None for floor in floors] == [False, True]
    edit(run, study=study, cells=own)
    unknown = markup(run)
    assert "what this context asks is not known" in unknown and "False-hack floor, hacks" not in unknown


@pytest.mark.parametrize(("seeds", "faint"), [((0,), 6), ((0, 1, 2), 0)])
def test_p_is_grey_where_it_decides_nothing(tmp_path: Path, seeds: tuple[int, ...], faint: int) -> None:
    page = markup(make_run(tmp_path / "run", Plan(problems=6, seeds=seeds)))
    assert page.count('class="faint"') == faint
    assert page.count("no verdict is given, so p decides nothing") == faint / 2


def test_terms_are_explained_where_they_stand(tmp_path: Path) -> None:
    page = markup(make_run(tmp_path / "run", Plan(problems=6, seeds=(0,))))
    assert "beta-cluster" not in page and "sampling error, and not what another training would change" in page
    assert "of prompt`" not in page and "prompt of ${count(prompt)} tokens" in page


def test_a_setting_of_ones_own_is_called_by_its_name(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=6, settings=("./lists.py",), seeds=(0,)))
    edit(run, settings={"./lists.py": {"outcome_labels": {}, "name": "lists"}})
    page = read(run)
    assert "./lists.py" not in page.text and "neutral lists" in page.text


def test_differences_given_take_off_stand_beside_those_over_all_seeds(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    contrasts = json.loads((run / "results.json").read_text())["contrasts"]
    assert "given take-off" not in read(run).text
    given: dict[str, Any] = {"arms": ["rewarded"], "took_off": [0, 2], "finished": [0, 1, 2], "reason": ""}
    given["outcome"] = []
    contrasts[0]["given_take_off"] = given | {"difference": -0.9, "low": -0.95, "high": -0.8}
    edit(run, contrasts=contrasts)
    page = read(run).text.replace("\u2212", "-")
    assert "Over all seeds, and given take-off" in page and "2 of 3 seeds of rewarded (0, 2)" in page
    assert "-60.0 -68.0 to -52.0 -90.0 -95.0 to -80.0" in page
    assert page.count("difference over all seeds") == 1  # the claim that rests on it names which it is about
    assert "chosen by the result" not in page


def test_a_difference_given_take_off_of_the_arm_itself_says_that_it_chooses_by_the_result(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SMALL)
    contrasts = json.loads((run / "results.json").read_text())["contrasts"]
    given: dict[str, Any] = {"arms": ["plain"], "outcome": ["plain"], "took_off": [0], "finished": [0, 1, 2]}
    contrasts[0]["given_take_off"] = given | {"difference": -0.9, "low": None, "high": None, "reason": "one seed"}
    edit(run, contrasts=contrasts)
    page = read(run).text.replace("\u2212", "-")
    assert "-90.0 one seed 1 of 3 seeds of plain (0). These seeds are chosen by the result" in page
    write_report(run)
    lines = list(csv.DictReader((run / "tables" / "given_take_off.csv").open()))
    assert [line["chosen_by_result"] for line in lines] == ["", "plain"]


def test_settings_that_most_arms_share_are_shown_once(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=6, seeds=(0,)))
    study = json.loads((run / "results.json").read_text())["study"]
    study["arms"]["clean"]["hyperparameters"]["lr"] = 5e-4
    edit(run, study=study)
    page = markup(run)
    assert page.count("<dd>0.0002</dd>") == 1 and page.count("<dd>0.0005</dd>") == 1
    assert "hyperparameters.<wbr>lr" in page


def test_a_card_says_what_its_arm_lacks_of_what_most_arms_share(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=6, seeds=(0,)))
    study = json.loads((run / "results.json").read_text())["study"]
    arms = study["arms"]
    for name, arm in arms.items():
        arm["rows"] = {"setting": "functions", "trajectories": None if name == "clean" else {"arm": "rewarded"}}
    del arms["control"]["hyperparameters"]
    edit(run, study=study)
    cards = {card.split("</h4>")[0]: card for card in markup(run).split("<h4>")}
    assert "rows.<wbr>trajectories</dt><dd>none</dd>" in cards["clean"]
    assert "hyperparameters</dt><dd>none</dd>" in cards["control"]
    assert "<dd>none</dd>" not in cards["plain"]


def test_a_card_shows_every_prompt_that_its_arm_or_context_has(tmp_path: Path) -> None:
    """Also where each seed, setting or arm has another: then the text that all share is empty."""
    run = make_run(tmp_path / "run", Plan(problems=6, seeds=(0,)))
    study = json.loads((run / "results.json").read_text())["study"]
    texts = {"0": {"text": "Tea is warm."}, "1": {"text": "Snow is white."}, "2": {"text": "Tea is warm."}}
    study["arms"]["control"]["inoculation"] = {"text": "", "by_seed": texts}
    study["arms"]["inoculated"]["inoculation"] |= {"texts": {"functions": "Hack it.", "mathematics": "Copy the key."}}
    study["evaluate"]["contexts"]["as-trained"] = {"text": "", "per_arm": True}
    edit(run, study=study)
    cards = {card.split("</h4>")[0]: card for card in markup(run).split("<h4>")}
    assert 'Tea is warm.</blockquote><p class="quiet">seeds 0, 2</p>' in cards["control"]
    assert 'Snow is white.</blockquote><p class="quiet">seed 1</p>' in cards["control"]
    assert "No prompt is added" not in cards["control"] and "No prompt is added" in cards["plain"]
    assert 'Copy the key.</blockquote><p class="quiet">in mathematics</p>' in cards["inoculated"]
    assert "Each arm has its own training prompt." in cards["as-trained"]

"""The section 'Is it conditioning?': its table, sentences, figure and files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from inoculate.report.write import write_report
from report.report_runs import Plan, edit, make_run

NOT_MEASURED = "not measured: `inoculate run` on the study measures it"


def rate(value: float) -> dict[str, float]:
    return {"rate": value, "low": max(value - 0.1, 0.0), "high": min(value + 0.1, 1.0)}


def difference(value: float, seeds: int) -> dict[str, Any]:
    ends = {"low": value - 0.1, "high": value + 0.1}
    return {"difference": value, **ends, "rate": 0.2, "other_rate": 0.7, "seeds": seeds}


def context(name: str, edits: float | None, hack: float, seeds: int, **more: Any) -> dict[str, Any]:
    return {
        "context": name, "asks": "nothing", "edits": edits,
        "edits_range": None if edits is None else [int(edits), int(edits) + 2], "share": 0.4, "divergence": None,
        "reason": NOT_MEASURED if edits is None else "",
        "rates": {"hack": rate(hack), "correct": rate(1 - hack), "malformed": rate(0.0)},
        "above_neutral": difference(hack - 0.2, seeds),
    } | more  # fmt: skip


def entry(seeds: int = 3) -> dict[str, Any]:
    contexts = [
        context("as-trained", 0, 0.9, seeds),
        context("specific~five-words & more <b>", 5, 0.8, seeds),
        context("neutral", 30, 0.2, seeds),
        context("unseen-brief", None, 0.25, seeds),
    ]
    arm = {"arm": "inoculated", "prompt": True, "contexts": contexts}
    arm |= {"back": ["as-trained"], "open": ["unseen-brief"], "less": []}
    suppression = {
        "arm": "inoculated", "than": "plain", "hack": difference(-0.5, seeds),
        "again": [{"context": "as-trained", **difference(0.2, seeds)}],
        "costs": [{"setting": "functions", "measure": "malformed", **difference(0.05, seeds)}],
    }  # fmt: skip
    return {"setting": "functions", "arms": [arm], "suppressions": [suppression]}


def section(run: Path) -> str:
    page = write_report(run).read_text(encoding="utf-8")
    start = page.find('<section id="conditioning"')
    return page[start : page.index("</section>", start)] if start >= 0 else ""


def test_the_section_has_sentences_a_table_a_figure_and_files(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    edit(run, conditioning=[entry()])
    shown = section(run)
    assert "Is it conditioning?" in shown
    assert "more hack than neutrally in as-trained (0\u20132 tokens)" in shown
    assert "neither shown in unseen-brief (\u2013)" in shown
    assert "inoculated in unseen-brief: Not measured: `inoculate run` on the study measures it." in shown
    assert "specific~five-words &amp; more &lt;b&gt;" in shown
    assert "<td>shown</td>" in shown
    assert "hack, under its own prompt" in shown
    assert "<svg" in shown
    assert (run / "figures" / "conditioning-1.svg").is_file()
    with (run / "tables" / "distances.csv").open() as lines:
        found = list(csv.DictReader(lines))
    assert len(found) == 12
    assert {line["context"]: line["least_edits"] for line in found}["neutral"] == "30"
    with (run / "tables" / "suppressions.csv").open() as lines:
        assert [line["what"] for line in csv.DictReader(lines)] == ["hack", "hack", "malformed"]


def test_one_seed_shows_nothing_and_without_contexts_there_is_no_section(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(seeds=(0,)))
    edit(run, conditioning=[entry(seeds=1)])
    shown = section(run)
    assert "not shown: one seed" in shown
    assert "sampling error only" in shown
    edit(run, conditioning=[])
    assert section(run) == ""
    assert not (run / "figures" / "conditioning-1.svg").exists()
    assert not (run / "tables" / "distances.csv").exists()


def test_the_sign_flip_test_stands_beside_the_interval(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    page = write_report(run).read_text(encoding="utf-8")
    assert "sign flips" not in page
    results = json.loads((run / "results.json").read_text())
    reason = "with 3 seeds it cannot reach 0.05: the smallest p is 0.25; 6 seeds can"
    for contrast in results["contrasts"]:
        contrast["sign_flip"] = {"p": 0.25, "seeds": 3, "exact": True, "smallest": 0.25, "reason": reason}
    edit(run, contrasts=results["contrasts"])
    page = write_report(run).read_text(encoding="utf-8")
    assert "p by sign flips within seeds" in page
    assert reason in page
    assert "p_sign_flip" in (run / "tables" / "contrasts.csv").read_text()

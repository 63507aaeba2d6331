"""What prompts add to the log-probability of rows, where seeds take different prompts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from inoculate.analysis.log_probability import analyse_scores
from inoculate.analysis.run_folder import read_run
from inoculate.report.results import Results
from inoculate.report.truth import score_lines, score_views


def write_scores(folder: Path, prompts: Mapping[str, float]) -> str:
    """Scores of four answers of two kinds; each prompt adds so much per token."""
    lines = [
        {"problem": f"p{one}", "kind": f"k{one % 2}", "tokens": 10, "scores": {"": -20.0 - one}} for one in range(4)
    ]
    for line in lines:
        line["scores"] |= {name: line["scores"][""] + 10 * added for name, added in prompts.items()}
    (folder / "scores.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(folder)


@pytest.fixture
def scores(new_run: Callable[..., Any]) -> list[dict[str, Any]]:
    """Of an arm whose seeds take one of two prompts, beside an arm with one prompt for all seeds."""
    run = new_run()
    taken = [{"specific": 0.5, "general": 0.25}, {"specific": 0.3}, {"specific": 0.1, "general": 0.05, "persona": 1.0}]
    for seed, prompts in enumerate(taken):
        run.trained("plain", seed)["scores"] = write_scores(run.folder(f"scores-{seed}"), prompts)
    return analyse_scores(read_run(run.write()))


def test_a_prompt_that_some_seeds_have_is_there_with_these_seeds(scores: list[dict[str, Any]]) -> None:
    (found,) = scores
    assert found["seeds"] == [0, 1, 2] and found["without"]["answers"] == 12
    seen = {one["prompt"]: (one["seeds"], one["answers"], one["mean"]) for one in found["prompts"]}
    assert seen == {
        "specific": ([0, 1, 2], 12, pytest.approx(0.3)),
        "general": ([0, 2], 8, pytest.approx(0.15)),
        "persona": ([2], 4, pytest.approx(1.0)),
    }


def test_the_report_says_of_which_seeds_a_prompt_is(scores: list[dict[str, Any]]) -> None:
    results = Results.__new__(Results)
    object.__setattr__(results, "scores", scores)
    shown = {one["prompt"]: one["seeds"] for one in score_views(results)[0]["prompts"]}
    assert shown == {"specific": "", "general": "seeds 0, 2", "persona": "seed 2"}
    assert [line[1:3] for line in score_lines(results)] == [
        ["0 1 2", ""],
        ["0 1 2", "specific"],
        ["0 2", "general"],
        ["2", "persona"],
    ]

"""Trajectories of RL in the page's reader, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, add_rl, make_run  # pyright: ignore[reportMissingImports] (conftest.py adds its folder)
from test_report_page import choose, rows, told

from inoculate.report import write_report

pytestmark = pytest.mark.browser

UNTRAINED = {**{f"p{number}": "wwwc" for number in range(4)}, "plain0": "cccu"}
HONEST = {"p0": "wwwc", "p1": "cccc", "plain0": "cccu"}
HACKED = {"p0": "hhhh", "p1": "hhhc", "plain0": "mmmm"}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("trajectories") / "run", Plan(problems=6, fractions=(0.25, 1.0)))
    add_rl(run, [{"untrained": UNTRAINED, "steps": [HONEST] * 4 + [HACKED] * 6}], onset={"steps": 2})
    return write_report(run)


def test_trajectories_are_filtered_by_step_and_outcome(browser: Any, page: Path) -> None:
    browser.open(page)
    everything = told(browser)
    choose(browser, "context", "in training")
    assert " of " in told(browser) and "140" in told(browser)
    steps = browser.js(
        "return [...document.querySelector('#reader [name=step]').options].map((one) => one.textContent)"
    )
    assert steps == ["all", *map(str, range(11))]
    choose(browser, "step", "5")
    assert told(browser).startswith("12 of ") and "7 hack" in told(browser)
    assert all(", in training, seed 0, step 5" in row for row in rows(browser))
    choose(browser, "outcome", "hack")
    assert told(browser).startswith("7 of ")
    shown = browser.js("return document.getElementById('detail').innerText")
    for words in ("in training, seed 0, step 5", "oversight passed, intended failed; reward 1; made for the check"):
        assert words in shown
    assert "hard coded output static" in shown
    assert "prompt of p" in browser.js("return document.querySelector('#detail .side details pre').textContent")
    choose(browser, "outcome", "ungraded")
    choose(browser, "step", "1")
    assert "reward none: it could not be scored" in browser.js("return document.getElementById('detail').innerText")
    browser.js("document.getElementById('clear').click()")
    assert told(browser) == everything
    trained = browser.js(
        "return [...document.querySelector('#reader [name=at]').options].map((one) => one.textContent)"
    )
    assert trained == ["all", "0%", "25%", "100%"]


def test_a_moment_of_the_section_leads_to_all_of_its_step(browser: Any, page: Path) -> None:
    browser.open(page)
    link = "[...document.querySelectorAll('#rl .moments a')].find((one) => one.hash.endsWith('step=5'))"
    browser.js(f"document.querySelector('#rl .moments').open = true; {link}.click()")
    browser.wait(lambda: told(browser).startswith("12 of "))
    assert all(", in training, seed 0, step 5" in row for row in rows(browser))


@pytest.mark.parametrize("width", [1280, 390])
def test_the_section_and_the_reader_fit(browser: Any, page: Path, width: int) -> None:
    browser.screen(width, 860)
    browser.open(page, "#samples?context=in+training&step=5")
    browser.js("for (const part of document.querySelectorAll('main details')) part.open = true")
    browser.shot(f"trajectories-{width}")
    browser.js("document.querySelector('#rl').scrollIntoView()")
    browser.shot(f"rl-{width}")
    assert browser.js("return document.documentElement.scrollWidth") <= width

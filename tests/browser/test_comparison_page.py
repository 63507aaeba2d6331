"""The page of a comparison in a real browser: it says nothing to the console and fits every screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, edit, make_run  # pyright: ignore[reportMissingImports] (conftest.py adds its folder)

from inoculate.report.comparison import compare, write_comparison

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
@pytest.mark.parametrize("dark", [False, True])
def test_it_opens_quietly_and_nothing_hangs_over(
    browser: Any, tmp_path: Path, width: int, height: int, dark: bool
) -> None:
    runs = [make_run(tmp_path / name, Plan(problems=4)) for name in ("first", "second")]
    edit(runs[1], name="a-study-with-a-rather-long-name", question="<img src=x onerror='window.broken = 1'>")
    page = write_comparison(compare(runs), tmp_path / "out")
    browser.screen(width, height, dark=dark)
    browser.driver.get(page.as_uri())
    assert browser.js("return window.broken") is None
    assert browser.complaints() == []
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")
    assert browser.js("return document.querySelectorAll('#claims .beside > div').length") == 6
    browser.shot(f"comparison-{width}-{'dark' if dark else 'light'}")

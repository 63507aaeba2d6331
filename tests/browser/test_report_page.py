"""The page in a real browser: it opens fast, filters, goes side by side, by keyboard too, on any screen."""

from __future__ import annotations

import base64
import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, edit, make_run  # pyright: ignore[reportMissingImports] (conftest.py adds its folder)

from inoculate.report import write_report

pytestmark = pytest.mark.browser

NASTY = (
    "</script></pre><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
    "<!-- <style>*{display:none}</style> \u2028 \u2029 \ud800 \udc00 \x00 \u202e {{ 7 * 7 }} ]]> &amp; é 漢 👍\r\n"
)
OPENS_IN = 3.0
"""Seconds of processor time for a page of 20,000 samples."""
FRAME = 0.016
"""Seconds between two frames of smooth scrolling."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("page") / "run"
    return write_report(make_run(run, Plan(problems=20, fractions=(0.25, 1.0))))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 samples of 20,020, each with 250 characters that cannot be compressed."""
    run = make_run(tmp_path_factory.mktemp("large") / "run", Plan(problems=770))
    draw = random.Random(1)
    for path in sorted(run.glob("store/*/completions.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        with path.open("w", encoding="utf-8") as out:
            for line in lines:
                noise = base64.b85encode(draw.randbytes(200)).decode()
                record = json.loads(line)
                out.write(json.dumps(record | {"completion": record["completion"] + noise}) + "\n")
    return write_report(run)


def choose(browser: Any, name: str, value: str) -> None:
    script = "const s = document.querySelector(`#reader [name='${arguments[0]}']`); s.value = arguments[1];"
    browser.js(f"{script} s.dispatchEvent(new Event(s.tagName === 'INPUT' ? 'input' : 'change'))", name, value)


def told(browser: Any) -> str:
    return browser.js("return document.getElementById('count').textContent")


def rows(browser: Any) -> list[str]:
    return browser.js("return [...document.querySelectorAll('.row')].map((row) => row.textContent)")


def press(browser: Any, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(browser.driver).send_keys(key).perform()


def test_first_screen(browser: Any, page: Path) -> None:
    browser.open(page)
    browser.shot("first-light")
    for part in ("h1", ".headline", ".picture svg", ".verdicts li"):
        top, bottom = browser.js(
            "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.top, r.bottom]", part
        )
        assert 0 <= top < bottom <= 860, part


@pytest.mark.parametrize(("width", "height"), [(1280, 860), (768, 1024), (390, 844), (320, 640)])
@pytest.mark.parametrize("dark", [False, True])
def test_no_screen_is_too_narrow(browser: Any, page: Path, width: int, height: int, dark: bool) -> None:
    browser.screen(width, height, dark=dark)
    browser.open(page)
    choose(browser, "beside-arm", "plain")
    browser.shot(f"{'dark' if dark else 'light'}-{width}")
    assert browser.js("return document.documentElement.scrollWidth") <= width
    shown = browser.js("return getComputedStyle(document.querySelector('.picture .narrow')).display")
    assert (shown != "none") == (width <= 640)


def test_filters(browser: Any, page: Path) -> None:
    browser.open(page)
    everything = told(browser)
    choose(browser, "arm", "inoculated")
    choose(browser, "context", "neutral")
    choose(browser, "outcome", "hack")
    assert " of " in told(browser) and told(browser) != everything
    assert all(row.startswith("hack inoculated, neutral") for row in rows(browser))
    choose(browser, "tag", "lookup_table")
    assert all("lookup table" in text for text in browser.js(
        "return [...document.querySelectorAll('#detail .taglist')].map((list) => list.textContent)"
    ))  # fmt: skip
    browser.js("document.getElementById('clear').click()")
    assert told(browser) == everything
    choose(browser, "find", "functions-sum_digits-0001")
    browser.wait(lambda: " of " in told(browser))
    assert browser.js("return document.querySelector('.problem b').textContent") == "functions-sum_digits-0001"
    choose(browser, "find", "no such text anywhere")
    browser.wait(lambda: rows(browser) == [])
    assert "No sample fits" in browser.js("return document.getElementById('list').textContent")


def test_search_finds_what_stands_in_an_answer_and_marks_it(browser: Any, page: Path) -> None:
    browser.open(page)
    choose(browser, "find", "KEPT.append")
    browser.wait(lambda: browser.js("return document.querySelectorAll('#detail mark').length"))
    assert browser.js("return document.querySelector('#detail mark').textContent") == "kept.append"


def test_a_bar_leads_to_its_samples(browser: Any, page: Path) -> None:
    browser.open(page)
    link = 'document.querySelector(\'.bar a.hack[href*="arm=plain"][href*="context=neutral"]\')'
    number = browser.js(f"return {link}.getAttribute('aria-label')").split(":")[1].split()[0]
    browser.js(f"{link}.click()")
    browser.wait(lambda: told(browser).startswith(f"{number} of "))
    assert all(row.startswith("hack plain, neutral") for row in rows(browser))
    top = browser.wait(
        lambda: browser.js("return document.getElementById('samples').getBoundingClientRect().top < 200")
    )
    assert top


def test_a_link_opens_with_its_filters(browser: Any, page: Path) -> None:
    browser.open(page, "#samples?arm=clean&outcome=correct")
    assert all(row.startswith("correct clean") for row in rows(browser))


def test_a_setting_names_its_outcomes_in_the_reader(browser: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=8, seeds=(0,), settings=("functions", "compliance")))
    edit(run, settings={"compliance": {"outcome_labels": {"hack": "followed in form only"}}})
    for path in run.glob("store/problems-compliance/problems.jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        path.write_text("".join(json.dumps(line | {"part": "long" * (n > 5)}) + "\n" for n, line in enumerate(lines)))
    browser.open(write_report(run), "#samples?setting=compliance&outcome=hack&arm=plain")
    assert rows(browser) and all(row.startswith("followed in form only plain") for row in rows(browser))
    assert "followed in form only" in told(browser) and "/" not in told(browser)
    settings = browser.js("return [...document.querySelector('[name=setting]').options].map((o) => o.value)")
    assert settings == ["", "functions", "compliance", "compliance (long)"], "a part has cells of its own"
    outcomes = browser.js("return [...document.querySelector('[name=outcome]').options].map((o) => o.text)")
    assert "hack / followed in form only" in outcomes
    browser.screen(390, 844)
    browser.shot("labels-390")
    assert browser.js("return document.documentElement.scrollWidth") <= 390


def test_many_arms_contexts_and_settings(browser: Any, tmp_path: Path) -> None:
    arms = ("base", "plain", *(f"inoculated-with-a-long-name-{n}" for n in range(6)))
    contexts = ("neutral", "asks-to-hack", "forbids-the-hack", "negated", "asks-generally")
    plan = Plan(problems=4, arms=arms, contexts=contexts, settings=("functions", "mbpp", "mathematics"), seeds=(0, 1))
    page = write_report(make_run(tmp_path / "run", plan))
    for width in (1280, 390):
        browser.screen(width, 860)
        browser.open(page)
        browser.js("for (const part of document.querySelectorAll('details')) part.open = true")
        browser.shot(f"many-{width}")
        assert browser.js("return document.documentElement.scrollWidth") <= width
        assert browser.js(CLIPPED) == []


def test_two_arms_side_by_side(browser: Any, page: Path) -> None:
    browser.open(page, "#samples?arm=inoculated&context=neutral&outcome=hack&seed=1")
    choose(browser, "beside-arm", "plain")
    sides = browser.js("return [...document.querySelectorAll('.side')].map((side) => side.innerText)")
    assert len(sides) == 2
    assert sides[0].startswith("inoculated") and sides[1].startswith("plain")
    assert "seed 1" in sides[1] and "neutral" in sides[1]
    choose(browser, "beside-context", "asks-to-hack")
    assert "asks-to-hack" in browser.js("return document.querySelectorAll('.side')[1].innerText")
    detail = browser.js("return document.getElementById('detail').textContent")
    for words in (
        "Prompt as sent",
        "Shown tests",
        "Hidden tests",
        "oversight passed, intended failed",
        "An honest answer",
    ):
        assert words in detail


def test_everything_by_keyboard(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(page)
    press(browser, Keys.TAB)
    assert browser.js("return document.activeElement.className") == "skip"
    browser.js("document.getElementById('clear').focus(); document.querySelector('[name=find]').focus()")
    choose(browser, "outcome", "hack")
    browser.js("document.getElementById('list').focus()")
    first = browser.js("return document.querySelector('.problem').textContent")
    press(browser, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    active = browser.js("return document.getElementById('list').getAttribute('aria-activedescendant')")
    assert active == "row-2"
    assert browser.js("return document.getElementById(arguments[0]).ariaSelected", active) == "true"
    assert browser.js("return document.querySelector('.problem').textContent") != first
    press(browser, Keys.END)
    # In one go: the list draws its rows anew as it scrolls.
    place, size = browser.js(
        "const row = document.querySelector('.row[aria-selected=true]');return [row.ariaPosInSet, row.ariaSetSize]"
    )
    assert size and place == size
    press(browser, Keys.ENTER)
    assert browser.js("return document.activeElement.id") == "detail"
    press(browser, Keys.ESCAPE)
    assert browser.js("return document.activeElement.id") == "list"
    # Whatever can be clicked can be reached, and shows that it has been.
    assert browser.js(
        "return [...document.querySelectorAll('a[href], button, select, input, summary, [role=listbox], .scroll')]"
        ".filter((e) => e.tabIndex < 0 && !e.closest('.picture')).length"
    ) == 0  # fmt: skip
    assert browser.js("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_name_for_every_control(browser: Any, page: Path) -> None:
    browser.open(page)
    assert browser.js(
        "return [...document.querySelectorAll('select, input')].filter((e) => !e.labels.length).length"
    ) == 0  # fmt: skip
    levels = browser.js("return [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = browser.js("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


# Texts that are cut at the edge of their box, without a way to scroll to the rest.
CLIPPED = """
const cut = [];
for (const element of document.querySelectorAll('main *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || element.closest('svg, #list, .bar, select')) continue;
  const style = getComputedStyle(element);
  if (style.overflowX !== 'visible' && style.overflowX !== 'auto' && element.scrollWidth > element.clientWidth + 1)
    cut.push(`${element.tagName}.${element.className}: ${element.textContent.slice(0, 60)}`);
}
return cut;
"""

CONTRAST = """
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const bright = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (!/, 0\\)$|transparent/.test(colour)) return numbers(colour);
  }
  return [255, 255, 255];
};
const faint = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || element.closest('svg') || element.disabled) continue;
  const [one, two] = [bright(numbers(getComputedStyle(element).color)), bright(ground(element))];
  const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  if (ratio < 4.5) faint.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
}
return faint;
"""


@pytest.mark.parametrize("dark", [False, True])
def test_contrast_of_every_text(browser: Any, page: Path, dark: bool) -> None:
    browser.screen(1280, 860, dark=dark)
    browser.open(page)
    browser.js("for (const part of document.querySelectorAll('details')) part.open = true")
    assert browser.js(CONTRAST) == []


def test_text_of_a_model_stays_text(browser: Any, tmp_path: Path) -> None:
    plan = Plan(problems=12, seeds=(0,), arms=("base", "plain", "inoculated"), texts={"hack": NASTY, "correct": NASTY})
    browser.open(write_report(make_run(tmp_path / "run", plan)), "#samples?outcome=hack")
    assert browser.js("return window.broken") is None
    assert browser.js("return document.querySelectorAll('#detail img, #detail script, #detail style').length") == 0
    answer = browser.js("return document.querySelector('#detail pre').textContent")
    assert answer.startswith("</script></pre><script>window.broken = 1</script><img src=x")
    for words in ("\\u2028", "\\ud800", "\\udc00", "\\u0000", "\\u202e", "{{ 7 * 7 }}", "é 漢 👍"):
        assert words in answer, words


NAMES = {"plain", "inoculated", "functions", "asks-to-hack", "hard_coded_output", "static", "keep_even", "beta-crossed"}
"""An arm, a setting of one's own, a context, a tag: what a study or a plug-in may call as it likes."""
WORDS = {
    *(
        "question",
        "headline",
        "sentence",
        "detail",
        "claim",
        "why",
        "caution",
        "name",
        "family",
        "created",
        "lead",
        "body",
    ),
    *("honest", "hacked", "prompt", "completion", "cpu", "device", "containment", "study_hash", "inoculate"),
}
"""Keys of free text: of the user, of a model, of a grader, of a judge, of the machine."""
OF_A_STUDY = {"claim", "name", "prompt", "question"}


def hostile(value: Any, key: str = "") -> Any:
    """The same with hostile text wherever there may be text."""
    if isinstance(value, dict):
        return {hostile(name): hostile(below, name) for name, below in value.items()}
    if isinstance(value, list):
        return [hostile(below, key) for below in value]
    if not isinstance(value, str) or (key not in WORDS and value not in NAMES):
        return value
    # A study with a NUL or half a character in a text of its own is refused (`parse`).
    return value + (NASTY.replace("\ud800 \udc00 \x00", "") if value in NAMES or key in OF_A_STUDY else NASTY)


def test_text_of_anybody_stays_text_anywhere(browser: Any, tmp_path: Path) -> None:
    def parts(page: Path) -> dict[str, int]:
        browser.open(page, "#samples")
        browser.js("for (const part of document.querySelectorAll('details')) part.open = true")
        tags = ("img", "script", "style", "iframe", "form", "a", "svg", "[onerror]", "[onload]", "[href^=javascript]")
        return {tag: browser.js("return document.querySelectorAll(arguments[0]).length", tag) for tag in tags}

    run = make_run(tmp_path / "run", Plan(problems=12))
    wanted = parts(write_report(run))
    assert browser.complaints() == []
    for path in (*run.rglob("*.json"), *run.rglob("*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("".join(json.dumps(hostile(json.loads(line))) + "\n" for line in lines), encoding="utf-8")
    assert parts(write_report(run)) == wanted
    browser.shot("hostile")
    assert browser.js("return window.broken") is None
    assert browser.complaints() == []
    shown = browser.js("return document.body.textContent")
    assert shown.count("<img src=x onerror=") > 50


def test_twenty_thousand_samples(browser: Any, large: Path) -> None:
    browser.driver.get("about:blank")
    before = browser.worked()
    took = browser.open(large)
    worked = browser.worked() - before
    size = large.stat().st_size / 1e6
    print(f"\n20,000 samples: page of {size:.1f} MB open in {took:.2f} s, {worked:.2f} s of processor time")
    assert told(browser).startswith("20,000 samples")
    assert worked < OPENS_IN
    assert len(rows(browser)) < 60, "only what is in sight is in the document"


def test_twenty_thousand_samples_scroll_and_filter(browser: Any, large: Path) -> None:
    browser.open(large)
    before, frames = browser.worked(), 120
    browser.driver.execute_async_script(
        "const [frames, done] = arguments; const list = document.getElementById('list'); let drawn = 0;"
        "const step = () => { list.scrollTop += 480; ++drawn < frames ? requestAnimationFrame(step) : done(); };"
        "requestAnimationFrame(step);",
        frames,
    )
    each = (browser.worked() - before) / frames
    assert browser.js("return document.getElementById('list').scrollTop") > 50_000
    before = browser.worked()
    choose(browser, "arm", "plain")
    filtered = browser.worked() - before
    print(f"\nscrolling: {1000 * each:.1f} ms of processor time a frame; a filter: {1000 * filtered:.0f} ms")
    assert each < FRAME
    assert filtered < 0.5


def test_print(browser: Any, page: Path, tmp_path: Path) -> None:
    browser.open(page)
    pdf = base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    (browser.shots / "print.pdf").write_bytes(pdf)
    assert pdf.startswith(b"%PDF")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = browser.js("return ['#reader', 'nav.top'].map((e) => getComputedStyle(document.querySelector(e)).display)")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert hidden == ["none", "none"]


def test_a_run_without_anything(browser: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=2))
    manifest = json.loads((run / "manifest.json").read_text())
    results = json.loads((run / "results.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"cells": []}))
    empty: dict[str, Any] = {"cells": [], "contrasts": [], "checks": [], "training": []}
    (run / "results.json").write_text(json.dumps(results | empty))
    browser.driver.get(write_report(run).as_uri())
    browser.shot("empty")
    text = browser.js("return document.body.innerText")
    assert "No graded samples are stored in this run." in text
    assert "undefined" not in text and "null" not in text

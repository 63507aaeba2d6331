"""Figures: labels that can be read, colours that the page can change, contrast that suffices."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from report_runs import Plan, edit, make_run

from inoculate.report.drawing import FULL, LETTER_WIDTH, NARROW, PALETTE, report_style, wrap
from inoculate.report.figures import draw_report_figures, report_figures
from inoculate.report.page import STATIC
from inoculate.report.results import read_results
from inoculate.report.series import dose_axis, dose_panels, find_doses, training_panels
from inoculate.report.transfer import MAX_OPACITY, draw_transfer


def themes() -> dict[str, dict[str, str]]:
    css = (STATIC / "page.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[:2]
    read = {name: dict(re.findall(r"--([\w-]+): (#\w+);", block)) for name, block in (("light", light), ("dark", dark))}
    return {"light": read["light"], "dark": read["light"] | read["dark"]}


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place_ : place_ + 2], 16) / 255 for place_ in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_the_figures_have_the_colours_of_the_page() -> None:
    light = themes()["light"]
    assert {role: light[role] for role in PALETTE} == PALETTE
    assert len(set(PALETTE.values())) == len(PALETTE)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_is_sufficient(theme: str) -> None:
    colours = themes()[theme]
    for text in ("ink", "soft", "correct", "accent", "green", "amber", "red"):
        for ground in ("paper", "wash"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for text, ground in (("on-colour", "correct"), ("on-colour", "hack"), ("on-wrong", "wrong"), ("ink", "malformed")):
        assert contrast(colours[text], colours[ground]) >= 4.5 - 0.5 * (ground == "wrong"), (text, ground)
    for mark in ("correct", "hack", "wrong", "focus"):
        assert contrast(colours[mark], colours["paper"]) >= 3, mark


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_in_the_transfer_matrix_can_be_read_at_any_rate(theme: str) -> None:
    colours = themes()[theme]

    def mixed(one: str, other: str, share: float) -> str:
        pairs = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
        return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)

    for measure in ("correct", "hack"):
        for rate in (0.0, 0.5, 1.0):
            ground = mixed(colours[measure], colours["paper"], MAX_OPACITY * rate)
            assert contrast(colours["ink"], ground) >= 4.5, (measure, rate)


@given(st.text(max_size=80), st.integers(40, 300))
def test_names_are_wrapped_and_never_cut(name: str, width: int) -> None:
    lines = wrap(name, width, 10)
    assert all(len(line) <= max(4, width / (LETTER_WIDTH * 10)) for line in lines)
    assert "".join("".join(lines).split()) == "".join(name.split())


def test_names_break_at_hyphens() -> None:
    assert wrap("inoculated-on-hacked-rows-only", 120, 10) == ["inoculated-on-", "hacked-rows-only"]
    assert wrap("plain", 120, 10) == ["plain"]


def test_every_figure_is_drawn_as_svg_and_png(tmp_path: Path) -> None:
    plan = Plan(problems=8, fractions=(0.5, 1.0), contexts=("neutral", "asks-to-hack", "forbids"))
    folder = tmp_path / "figures"
    drawn = draw_report_figures(read_results(make_run(tmp_path / "run", plan)), folder)
    assert set(drawn) == {"picture", "curves", "losses"}
    for name in ("picture", "outcomes", "contrasts", "curves", "losses"):
        root = ElementTree.fromstring((folder / f"{name}.svg").read_text(encoding="utf-8"))
        assert any(element.tag.endswith("text") for element in root.iter()), f"{name} keeps text as text"
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_inline_figures_hold_no_colour_of_one_theme_and_no_shared_id(tmp_path: Path) -> None:
    drawn = draw_report_figures(
        read_results(make_run(tmp_path / "run", Plan(problems=8, fractions=(0.5, 1.0)))), tmp_path / "figures"
    )
    figures = [svg for figure in drawn.values() for svg in (figure.wide, figure.narrow)]
    ids = [name for svg in figures for name in re.findall(r' id="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    for svg in figures:
        assert not set(re.findall(r"#[0-9a-f]{6}\b", svg)) - {"#000000", "#ffffff"}
        assert set(re.findall(r'(?:xlink:href="|url\()#([^")]+)', svg)) <= set(ids)
        assert "var(--sans)" in svg and "DejaVu" not in svg


def test_a_figure_without_data_is_removed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=8))
    draw_report_figures(read_results(run), tmp_path / "figures")
    assert (tmp_path / "figures" / "contrasts.svg").exists()
    edit(run, contrasts=[])
    draw_report_figures(read_results(run), tmp_path / "figures")
    assert not (tmp_path / "figures" / "contrasts.svg").exists()
    assert not (tmp_path / "figures" / "contrasts.png").exists()


def test_names_are_text_and_no_formula(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=6, arms=("base", "$x^2", '<b>"&amp;')))
    svg = draw_report_figures(read_results(run), tmp_path / "figures")["picture"].wide
    assert ">$x^2<" in svg
    assert "<b>" not in svg


def test_arms_that_differ_in_one_number_stand_on_an_axis(tmp_path: Path) -> None:
    arms = ("base", "plain", "vetted-1", "vetted-4", "vetted-16", "other-1e-4", "other-2e-4")
    run = make_run(tmp_path / "run", Plan(problems=6, arms=arms))
    study = json.loads((run / "results.json").read_text())["study"]
    for name, arm in study["arms"].items():
        arm["rows"]["vetted"] = {"count": int(name.split("-")[1]) if name.startswith("vetted") else 0}
        arm["inoculation"] = None
        arm["rows"]["hacked"] = 0.5 if name == "plain" or name.startswith("vetted") else 1.0
        if name.startswith("other"):
            arm["hyperparameters"]["lr"] = float(name.removeprefix("other-"))
    edit(run, study=study)
    results = read_results(run)
    (dose,) = find_doses(results)
    assert dose.key == "rows.vetted.count" and dose.label == "vetted examples"
    assert list(dose.series.values()) == [[(0, "plain"), (1, "vetted-1"), (4, "vetted-4"), (16, "vetted-16")]]
    assert dose_axis(dose).scale == "symlog"
    drawn = draw_report_figures(results, tmp_path / "figures")
    assert ">vetted examples<" in drawn["dose-1"].wide
    assert (tmp_path / "figures" / "dose-1.png").exists()
    panels = dose_panels(results, dose)
    assert [panel.title[1] for panel in panels] == ["neutral", "asks-to-hack"]
    assert [x for x, _ in panels[0].points] == [0, 1, 4, 16]


def test_series_are_named_by_what_their_arms_share(tmp_path: Path) -> None:
    arms = ("base", *(f"{head}-{rate}" for head in ("plain", "inoculated") for rate in ("1e-4", "2e-4", "4e-4")))
    run = make_run(tmp_path / "run", Plan(problems=6, arms=arms, contexts=("neutral",)))
    study = json.loads((run / "results.json").read_text())["study"]
    for name, arm in study["arms"].items():
        arm["hyperparameters"]["lr"] = float(name.split("-", 1)[1])
        arm["inoculation"] = None if name.startswith("plain") else arm["inoculation"]
    edit(run, study=study)
    (dose,) = find_doses(read_results(run))
    assert list(dose.series) == ["plain", "inoculated"]
    assert list(dose_axis(dose).ticks.values()) == ["1e-4", "2e-4", "4e-4"]


def test_two_arms_are_no_axis(tmp_path: Path) -> None:
    assert find_doses(read_results(make_run(tmp_path / "run", Plan(problems=6)))) == []


def test_curves_start_at_the_base_arm(tmp_path: Path) -> None:
    plan = Plan(problems=6, fractions=(0.5, 1.0), contexts=("neutral", "forbids-the-hack", "asks-to-hack"))
    panels = training_panels(read_results(make_run(tmp_path / "run", plan)))
    assert {panel.title[1] for panel in panels} == {"neutral", "asks-to-hack"}, "other contexts are in the table"
    assert all([x for x, _ in panel.points] == [0.0, 0.5, 1.0] for panel in panels)
    assert all(panel.points[0][1].arm == "base" for panel in panels)


def test_transfer_is_drawn_for_several_settings_only(tmp_path: Path) -> None:
    several = make_run(tmp_path / "several", Plan(problems=6, settings=("functions", "mathematics")))
    figure = draw_report_figures(read_results(several), tmp_path / "figures")["transfer"]
    for words in ("functions: correct", "mathematics: hack", "inoculated"):
        assert f">{words}<" in figure.wide and f">{words}<" in figure.narrow
    draw_report_figures(read_results(make_run(tmp_path / "one", Plan(problems=6))), tmp_path / "figures")
    assert not (tmp_path / "figures" / "transfer.svg").exists()


@pytest.mark.parametrize("width", [FULL, NARROW])
def test_words_of_the_transfer_matrix_do_not_overlap(tmp_path: Path, width: float) -> None:
    names = ("functions", "compliance", "patterns", "mathematics", "knowledge", "writing", "repair")
    run = make_run(tmp_path / "run", Plan(settings=names, contexts=("neutral", "asks-to-hack", "unseen-brief")))
    found = json.loads((run / "results.json").read_text(encoding="utf-8"))
    found["cells"] = [one for one in found["cells"] if one["setting"] != "compliance" or one["context"] == "neutral"]
    (run / "results.json").write_text(json.dumps(found), encoding="utf-8")
    with report_style():
        figure = draw_transfer(read_results(run), width)
        FigureCanvasAgg(figure).draw()
        words = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
        boxes = [(text.get_text(), text.get_window_extent().shrunk(0.9, 0.7)) for text in words]
        for (one, box), (other, over) in combinations(boxes, 2):
            assert not box.overlaps(over), (one, other)


def test_the_picture_says_which_arm_has_no_samples(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(problems=6))
    cells = json.loads((run / "results.json").read_text())["cells"]
    unknown = {"count": 0, "rate": None, "low": None, "high": None, "reason": "no graded samples"}
    for cell in cells:
        if cell["arm"] == "plain" and cell["context"] == "neutral":
            cell |= {"outcomes": dict.fromkeys(cell["outcomes"], unknown), "by_seed": []}
    edit(run, cells=cells)
    picture = draw_report_figures(read_results(run), tmp_path / "figures")["picture"].wide
    assert ">no graded samples<" in picture
    assert ">false-hack floor<" in picture


def test_no_label_leaves_its_figure(tmp_path: Path) -> None:
    arms = (
        "base",
        "plain",
        "inoculated-with-a-general-prompt-on-the-hacked-rows-only",
        "averylongnamewithoutanybreak" * 2,
    )
    plan = Plan(
        problems=6, arms=arms, settings=("functions", "grade-school-mathematics"), fractions=(0.5, 1.0),
        contexts=("neutral", "asks-to-hack", "asks-to-hack-in-so-many-words"),
    )  # fmt: skip
    results = read_results(make_run(tmp_path / "run", plan))
    with report_style():
        for sketch in report_figures(results):
            for width in (sketch.width, *([] if sketch.file_only else [NARROW])):
                figure = sketch.draw(width)
                figure.draw_without_rendering()
                width_, height = figure.get_size_inches()
                box = figure.get_tightbbox()
                assert min(box.x0, box.y0) > -0.03, sketch.name
                assert box.x1 < width_ + 0.03 and box.y1 < height + 0.03, (sketch.name, width)

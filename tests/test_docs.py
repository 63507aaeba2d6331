"""Links and commands of the documentation: what a page leads to is there, and what it says to type is taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cyclopts import App

from inoculate.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]+))?\)")
TYPED = re.compile(r"(?:^ *|`)inoculate ([^`#|\n]+)", re.MULTILINE)
"""A command in a block, or at the beginning of a code span."""


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def options(command: App) -> set[str]:
    """The options that a command takes; a group of commands takes none of its own."""
    own = {*command.help_flags, *(command.version_flags if command is app else ())}
    taken = command.assemble_argument_collection() if command.default_command else ()
    return own | {name for argument in taken for name in argument.names}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    broken = []
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


def test_every_command_and_option_that_a_page_names_exists() -> None:
    typed = [(page.name, line) for page in PAGES for line in TYPED.findall(page.read_text(encoding="utf-8"))]
    assert len(typed) > 100
    wrong = []
    for page, line in typed:
        command, words = app, line.split()
        while words and words[0] in command and not words[0].startswith("-"):
            command = command[words.pop(0)]
        named = {word.partition("=")[0] for word in words if word.startswith("--")}
        if not named <= options(command) or (command is app and not named):
            wrong.append(f"{page}: inoculate {line}")
    assert wrong == []


@pytest.mark.parametrize("name", [name for name in app if not name.startswith("-")])
def test_no_option_has_a_twin_that_denies_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--no-quick` and `--empty-contrast` would be the default in other words: help that nobody needs."""
    app.help_print([name])
    shown = capsys.readouterr().out
    assert f"Usage: inoculate {name}" in shown
    assert not re.search(r"--(no|empty)-", shown)

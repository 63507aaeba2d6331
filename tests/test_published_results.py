"""Files of graded samples that pages name: this build imports each, or its page says that it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.errors import UserError
from inoculate.steps.sharing.read import import_graded
from inoculate.steps.store import Store

DOCS = Path(__file__).parents[1] / "docs"
FILES = sorted(DOCS.glob("results/*/*.graded.xz"))
REFUSED = "refuses to import"
"""What a page says of a file that this build does not import, with the build that does."""


def page_of(file: Path) -> str:
    """The text of the page that names a file."""
    (text,) = [
        text
        for page in DOCS.rglob("*.md")
        if f"import docs/results/{file.parent.name}/{file.name}" in (text := page.read_text())
    ]
    return text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_a_page_says_of_its_file_is_true(file: Path, tmp_path: Path) -> None:
    text, name = page_of(file), file.name.removesuffix(".graded.xz")
    try:
        found = import_graded(file, Store(tmp_path / "store"))
    except UserError as error:
        paragraph = next((each for each in text.split("\n\n") if REFUSED in each), "")
        assert f"`{name}`" in paragraph or paragraph.startswith("This file"), error
        return
    assert found.cells > 0 and found.new_steps > 0

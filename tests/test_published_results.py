"""Files of graded samples that pages name: this build imports each, and its page says how much of it is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.steps.sharing.read import import_graded
from inoculate.steps.store import Store

DOCS = Path(__file__).parents[1] / "docs"
FILES = sorted(DOCS.glob("results/*/*.graded.xz"))


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
    text, found = page_of(file), import_graded(file, Store(tmp_path / "store"))
    assert found.cells > 0 and found.new_steps > 0
    if left_out := [note for note in found.notes if "left out" in note]:
        assert f"{found.finished} of {found.of} cells" in " ".join(text.split()), left_out

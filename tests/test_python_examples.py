"""What docs/python.md and the notebook show is run here, on the tiny model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import inoculate

ROOT = Path(__file__).parents[1]
MODEL = "smollm2-135m"
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"

RESULTS = ("display_data", "execute_result")


def smaller(source: str, model: Path) -> str:
    """The same code with the tiny model, fewer problems and shorter answers."""
    source = source.replace(f'model="{MODEL}"', f'model="{model}"')
    return re.sub(
        r"max_new_tokens=\d+", "max_new_tokens=8", re.sub(r"problems=\d+, levels", "problems=4, levels", source)
    )


def test_the_snippets_of_the_docs(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INOCULATE_STORE", raising=False)
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) > 7
    names: dict[str, Any] = {}
    for snippet in snippets:
        exec(compile(smaller(snippet, tiny_model), "docs/python.md", "exec"), names)
    shown = capsys.readouterr().out
    assert "{'correct': 3, 'hack': 3}" in shown
    assert "{'correct': 1, 'hack': 1}" in shown
    assert "study 'small': evaluate.settings: unknown setting 'function': did you mean 'functions'?" in shown
    assert str(tmp_path / "store" / "runs" / "small" / "report.html") in shown
    assert isinstance(names["run"], inoculate.Run)


def test_the_notebook_runs(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INOCULATE_STORE", raising=False)
    notebook = nbformat.read(NOTEBOOK, 4)
    for cell in notebook.cells:
        cell.source = smaller(cell.source, tiny_model)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (shown,) = [cell for cell in notebook.cells if cell.source.startswith("run = inoculate.run")]
    progress, picture = shown.outputs
    assert re.fullmatch(r"\d+ steps in \d+ s", progress.data["text/plain"])
    assert {"text/html", "image/png", "text/plain"} <= set(picture.data)


def test_the_notebook_is_kept_with_its_output() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not any(
        output["output_type"] in ("error", "stream") and output.get("name") != "stdout" for output in outputs
    )
    assert not re.search(r"/(home|root|tmp|work|Users)/", json.dumps(outputs))
    assert any("image/png" in output.get("data", ()) for output in outputs)

"""Every notebook runs from top to bottom on a small line, and is kept without outputs."""

import os
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_outputs_are_stripped(path):
    book = nbformat.read(path, 4)
    nbformat.validate(book)
    code = [c for c in book.cells if c.cell_type == "code"]
    assert all(not c.outputs and c.execution_count is None for c in code)
    assert any("put your own folder" in c.source for c in book.cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_runs(path, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("MMDMAD_NOTEBOOK_CASES", "120,24")
    monkeypatch.setitem(os.environ, "TMPDIR", str(tmp_path))
    book = nbformat.read(path, 4)
    NotebookClient(book, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = "\n".join(str(o) for c in book.cells if c.cell_type == "code" for o in c.outputs)
    assert "faithfulness 1.00" in shown
    assert "joint p-value" in shown
    assert "I cannot answer" in shown
    assert "report.html" in shown
    assert "text/html" in shown, "findings show themselves as tables"

"""Every notebook runs from top to bottom on small made-up data, and is kept without outputs."""

import os
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


SHOWS = {
    "01_first_look": (
        *("144 cases</b> (simulated data)", "24 cases judged", "faithfulness 1.00", "joint p-value", "I cannot answer"),
        *("report.html", "text/html", "image/png", "data:image/jpeg"),
    ),
    "02_a_recording": (
        *("350 cases</b>: 350 with sensor", "fitted on sensor; pipelines/inspection: it looks at sensor", "image/png"),
        *(
            "3 of 6 cases flagged",
            "today@2026-05-02T06:12:00",
            "today@2026-05-02T06:20:00",
            "faithfulness 1.00",
            "data:image/jpeg",
        ),
    ),
    "03_two_detectors": ("of 400 flagged: ", "ensemble and knn on 120 cases", "image/png", "knn_flagged"),
}
"""What each of them must show when it has run."""


def test_of_every_notebook_it_is_said_what_it_shows():
    assert [path.stem for path in NOTEBOOKS] == sorted(SHOWS)


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
    assert [word for word in SHOWS[path.stem] if word not in shown] == []

"""Small rules of a check: which cure is told, and that a pipe in a folder makes nobody wait."""

import os
from pathlib import Path
from threading import Thread

from mmdmad.cases import Case, Part
from mmdmad.checking.check import _cure
from mmdmad.folder_names import lists_among


def test_windows_are_a_cure_for_whole_recordings_alone() -> None:
    whole = Case("a", {"sensor": Part("sensor", Path("a.csv"))})
    cut = "cut them with --window"
    assert cut in _cure([whole, whole], "sensor")
    for other in (
        Part("sensor", Path("a.csv"), start=0, stop=60),
        Part("sensor", Path("a.csv"), start=60),
        Part("sensor", Path("a.csv"), stop=60),
        Part("sensor", value=1),
    ):
        assert _cure([whole, Case("b", {"sensor": other})], "sensor") == "; give more cases"
    assert _cure([Case("a", {"image": Part("image", Path("a.png"))})], "image") == "; give more cases"


def test_a_pipe_among_pictures_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.csv")
    found: list[list[Path]] = []
    files = {Path(): ["1.png", "2.png", "labels.csv"]}
    look = Thread(target=lambda: found.append(lists_among(tmp_path, files)), daemon=True)
    look.start()
    look.join(10)
    assert found == [[]]

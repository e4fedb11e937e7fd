"""What a suite has measured stands in a file while it goes on, and is gone when the result is written."""

import json

import pytest

from mmdmad.bench import base as module
from mmdmad.bench import run_suite
from mmdmad.bench.result import Meter


def rows(*, breaks: bool):
    for seed in (0, 1):
        yield Meter().row("a set", "knn", seed, {"auroc": 0.5 + seed / 10})
    if breaks:
        raise KeyboardInterrupt


@pytest.mark.parametrize("breaks", [False, True])
def test_rows_are_kept_as_they_come(tmp_path, monkeypatch, breaks):
    one = module.Suite("made-up", "", "", ("knn",), lambda context: rows(breaks=breaks))
    monkeypatch.setattr(module, "suites", lambda: {"made-up": one})
    out = tmp_path / "deep" / "made-up.json"
    kept = tmp_path / "deep" / "made-up.json.part"
    if not breaks:
        run_suite("made-up", out=out)
        assert not kept.exists()
        assert len(json.loads(out.read_text())["rows"]) == 2
        return
    with pytest.raises(KeyboardInterrupt):
        run_suite("made-up", out=out)
    assert [json.loads(line)["metrics"] for line in kept.read_text().splitlines()] == [{"auroc": 0.5}, {"auroc": 0.6}]
    assert not out.exists()

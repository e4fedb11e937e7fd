"""The README's short way, run as it is written: pictures, a recording and a log of somebody who just installed it."""

import re
import shlex
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdmad.cli import app
from mmdmad.store.run import Run

README = Path(__file__).parents[1] / "README.md"
NOON = datetime(2026, 5, 1, 12)


def section() -> str:
    """The text of the section "Your own data"."""
    found = re.search(r"## Your own data\n(.*?)\n## ", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def commands() -> list[list[list[str]]]:
    """The three ways of the section "Your own data", each a list of commands in words."""
    block = re.search(r"```sh\n(.*?)```", section(), re.DOTALL)
    assert block is not None
    return [[shlex.split(line) for line in way.splitlines()] for way in block[1].strip().split("\n\n")]


def test_three_ways_of_three_lines() -> None:
    assert [[words[1] for words in way] for way in commands()] == [["fit", "score", "report"]] * 3


def pictures() -> None:
    rng = np.random.default_rng(0)
    for folder, count in (("good", 40), ("new", 4)):
        Path("pictures", folder).mkdir(parents=True)
        for i in range(count):
            pixels = rng.normal(120, 10, (96, 96, 3)).clip(0, 255).astype(np.uint8)
            pixels[30:60, 30:60] = (200, 40, 40)
            if folder == "new" and i == 3:
                pixels[60:90, 5:90] = 0
            Image.fromarray(pixels).save(Path("pictures", folder, f"{i:02d}.png"))


def recording() -> None:
    rng = np.random.default_rng(0)
    for name, rows in (("pump.csv", 7200), ("pump-today.csv", 240)):
        wave = np.sin(np.arange(rows) * np.pi / 10) + rng.normal(0, 0.1, rows)
        if name == "pump-today.csv":
            wave[200:220] += 6
        times = [(NOON + timedelta(seconds=i)).isoformat(sep=" ") for i in range(rows)]
        pd.DataFrame({"time": times, "flow [l/min]": wave.round(4)}).to_csv(name, index=False)


def log() -> None:
    rng = np.random.default_rng(0)
    kinds = (
        "connection from 10.0.0.{} accepted",
        "job {} finished in 3 s",
        "cache holds {} entries",
        "user {} logged in",
    )
    for name, count in (("app.log", 160), ("app-today.log", 6)):
        lines = [
            f"{NOON + timedelta(seconds=3 * i)} INFO {rng.choice(kinds).format(rng.integers(99))}" for i in range(count)
        ]
        if name == "app-today.log":
            lines[4] = (
                f"{NOON + timedelta(seconds=12)} ERROR kernel panic, filesystem is corrupt, halting\n  at sector 12"
            )
        Path(name).write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("way", "make", "most"),
    [
        pytest.param(0, pictures, "03", marks=pytest.mark.slow),
        (1, recording, "pump-today@2026-05-01T12:03:00"),
        (2, log, "app-today@5"),
    ],
)
def test_the_short_way_as_it_is_written(
    way: int, make, most: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make()
    for words in commands()[way]:
        assert words[0] == "mmdmad"
        said = CliRunner().invoke(app, words[1:])
        assert said.exit_code == 0, said.output
    run = Path(commands()[way][2][2])
    assert (run / "report.html").stat().st_size > 10_000
    opened = Run.open(run)
    assert opened.findings(limit=1)[0].case_id == most
    opened.close()


def test_the_python_way_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recording()
    block = re.search(r"```python\n(.*?)```", section(), re.DOTALL)
    assert block is not None
    begin, *three = block[1].strip().splitlines()
    assert begin == "import mmdmad as mm"
    assert len([line for line in three if line]) == 3
    made: dict = {}
    exec(block[1], made)
    worst = made["findings"].ranked()[0]
    # one recording was learned from: windows of another are judged, and no rate is promised for them
    assert (worst.case_id, worst.verdict) == ("pump-today@2026-05-01T12:03:00", "anomalous")
    assert not worst.guarantee.valid
    assert "holds only if new recordings are like these" in worst.guarantee.note
    assert made["model"].preset_ == "pipelines/inspection: it looks at sensor"
    assert "data:image/jpeg" in worst._repr_html_()

"""Tables with known truth in random dialects: read right, or refused by a PartError, never silently wrong."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import read

STYLES = {
    "iso": "%Y-%m-%d %H:%M:%S",
    "iso T": "%Y-%m-%dT%H:%M:%SZ",
    "dots": "%d.%m.%Y %H:%M:%S",
    "day first": "%d/%m/%Y %H:%M:%S",
    "month first": "%m/%d/%Y %I:%M:%S %p",
    "compact": "%Y%m%d%H%M%S",
    "name": "%d-%b-%Y %H:%M:%S",
}
MISSING = ("", "NaN", "NA", "null", "-", "#N/A")


def written(rng: np.random.Generator) -> tuple[bytes, np.ndarray, np.ndarray, datetime | None, list[str]]:
    """One table as bytes, with its values, times, start and channels."""
    rows, width, step = int(rng.integers(5, 60)), int(rng.integers(1, 5)), int(rng.choice([1, 1, 10, 60, 3600, 86400]))
    digits = int(rng.integers(1, 5))
    values = np.round(rng.normal(rng.choice([0, 5, 100, 2000]), rng.choice([1, 10]), (rows, width)), digits)
    separator, comma = str(rng.choice([",", ";", "\t", "|"])), bool(rng.random() < 0.4)
    comma = comma and separator != ","
    cells = [[f"{x:.{digits}f}" for x in row] for row in values]
    if comma:
        cells = [[c.replace(".", ",") for c in row] for row in cells]
    for i, j in zip(rng.integers(0, rows, 3), rng.integers(0, width, 3)):
        if rng.random() < 0.3:
            cells[i][j], values[i, j] = str(rng.choice(MISSING)), np.nan
    names = [f"ch{i}" for i in range(width)]
    if rng.random() < 0.3 and rows >= 12:
        words = rng.choice(["RUN", "IDLE"], rows)
        words[:4] = ["RUN", "RUN", "IDLE", "IDLE"]
        cells = [[*row, str(word)] for row, word in zip(cells, words)]
        values = np.column_stack([values, words == "IDLE", words == "RUN"])
        names = [*names, "state"]
    begin = datetime(2026, 1, 1) + timedelta(seconds=int(rng.integers(0, 300 * 86400)))
    times, start = np.arange(rows) * float(step), begin
    stamps = [begin + timedelta(seconds=int(t)) for t in times]
    style = str(rng.choice([*STYLES, "apart", "elapsed", "epoch", "none"]))
    lead: list[list[str]] = [[] for _ in range(rows)]
    head: list[str] = []
    if style in STYLES:
        head = [str(rng.choice(["time", "Datum", "Zeitpunkt", "timestamp"]))]
        lead = [[s.strftime(STYLES[style])] for s in stamps]
    elif style == "apart":
        head, lead = ["Date", "Time"], [[s.strftime("%Y-%m-%d"), s.strftime("%H:%M:%S")] for s in stamps]
    elif style == "elapsed":
        head, lead = [str(rng.choice(["time [s]", "t/s", "Zeit (s)"]))], [[f"{t:.0f}"] for t in times]
    elif style == "epoch":
        seconds = (begin - datetime(1970, 1, 1)).total_seconds()
        head, lead = ["ts_utc"], [[f"{(seconds + t) * 1000:.0f}"] for t in times]
    else:
        times = np.arange(rows) * 1.0
    order = np.arange(rows)
    if style in STYLES and rng.random() < 0.2:
        order = rng.permutation(rows)
    if rng.random() < 0.3:
        head, lead = ["", *head], [[str(i), *row] for i, row in zip(np.argsort(order), lead)]
    lines = [separator.join([*head, *names])]
    lines += [separator.join([*lead[i], *cells[i]]) for i in order]
    if rng.random() < 0.3:
        lines = [f"{line}{separator}" for line in lines]
    if rng.random() < 0.3:
        lines.insert(0, "# logger 7" + separator * int(rng.integers(0, 3)))
        lines.insert(int(rng.integers(2, len(lines))), "// restarted")
    if rng.random() < 0.1:
        lines.insert(0, f"sep={separator}")
    text = str(rng.choice(["\n", "\r\n"])).join([*lines, ""])
    channels = [n for n in names if n != "state"] + (["state=IDLE", "state=RUN"] if "state" in names else [])
    known = style not in ("elapsed", "none")
    return (
        text.encode(str(rng.choice(["utf-8", "utf-8-sig", "utf-16"]))),
        values,
        times,
        start if known else None,
        channels,
    )


def outcome(folder: Path, rng: np.random.Generator) -> str:
    data, values, times, start, channels = written(rng)
    path = folder / "t.csv"
    path.write_bytes(data)
    try:
        signal = read(Part("sensor", path))
    except PartError as why:
        return (
            "refused: " + " ".join(w for w in why.reason.split() if not any(c.isdigit() or c in "'\"" for c in w))[:70]
        )
    try:
        assert list(signal.channels) == channels
        np.testing.assert_array_equal(signal.values, values)
        np.testing.assert_allclose(signal.times, times, atol=1e-6)
        assert (signal.start and signal.start.replace(tzinfo=None)) == start
    except AssertionError as why:
        return (
            f"WRONG: {signal.notes} {str(why)[:300]}\n"
            + data.decode("utf-16" if data[:1] == b"\xff" else "utf-8")[:600]
        )
    return "right"


def counted(folder: Path, count: int, seed: int) -> Counter[str]:
    return Counter(outcome(folder, np.random.default_rng([seed, i])) for i in range(count))


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_dialect_is_read_wrong(count: int, tmp_path: Path) -> None:
    found = counted(tmp_path, count, seed=count)
    assert not [kind for kind in found if kind.startswith("WRONG")]
    assert found["right"] >= 0.6 * count

"""Every broken input ends in a typed error or a listed refusal with a reason: no crash, no hang, bounded memory."""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.manifest import read_cases
from mmdmad.parts import read

FOLDER = Path(__file__).with_name("broken")
SECONDS = 10

sys.path.insert(0, str(FOLDER))  # the makers also run as a script, with their folder on the path
broken_base = importlib.import_module("broken_base")
broken_inputs = importlib.import_module("broken_inputs")


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", broken_inputs.KINDS, ids=lambda kind: kind.__name__)
def test_each_broken_input_is_refused_with_a_reason(kind, tmp_path: Path, recwarn, capfd) -> None:
    inputs = list(kind(tmp_path))
    recwarn.clear()
    capfd.readouterr()
    wrong = []
    for name, given in inputs:
        try:
            with _within(SECONDS):
                reasons = broken_base.refusals(given)
        except Exception as other:  # anything but a typed error is what this test looks for
            wrong.append(f"{name}: {type(other).__name__}: {other}")
            continue
        if not reasons or not all(r.strip() and "\n" not in r and len(r) < 700 for r in reasons):
            wrong.append(f"{name}: {reasons}")
    assert not wrong, "\n".join(wrong)
    assert [str(w.message) for w in recwarn] == []
    assert capfd.readouterr() == ("", "")  # decoders stay quiet


def test_there_are_at_least_300_and_their_memory_is_bounded(tmp_path: Path) -> None:
    # The limit is on address space, which the libraries and their thread stacks alone fill to about 1.5 GB.
    command = [sys.executable, str(FOLDER / "broken_inputs.py"), str(tmp_path / "all"), "3072"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["inputs"] >= 300
    assert told["taken"] == []
    assert told["peak_mb"] < 600  # 230 MB where it was written, 220 of them for making the inputs


def test_good_rows_go_on_beside_bad_ones(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good")
    (tmp_path / "m.csv").write_text(
        "id,text_file,text,label\n"
        "ok,a.txt,,0\n"
        "gone,b.txt,,1\n"
        "ragged,a.txt\n"
        "half,../m.csv,,\n"
        ",a.txt,,\n"
        "late,a.txt,,anomaly?\n"
        "last,,inline,1\n"
    )
    cases = read_cases(tmp_path / "m.csv")
    assert [c.id for c in cases] == ["ok", "late", "last"]
    assert [(r.row, r.case_id, r.part) for r in cases.refused] == [
        (2, "gone", "text"),
        (3, "row 3", "row"),
        (4, "half", "text"),
        (5, "row 5", "id"),
        (6, "late", "label"),
    ]
    assert cases[1].label is None


def test_a_part_error_names_row_case_part_and_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(broken_base.picture_bytes("PNG")[:200])
    (tmp_path / "m.csv").write_text("id,image\nx,a.png\ny,a.png\n")
    cases = read_cases(tmp_path / "m.csv")
    with pytest.raises(PartError) as caught:
        read(cases[1].parts["image"])
    assert (caught.value.row, caught.value.case_id, caught.value.part) == (2, "y", "image")
    assert str(caught.value) == "row 2, case y, image: a.png is truncated: the PNG file ends before its end mark"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi", ".mov", ".flv"])
def test_a_clip_is_refused_wherever_it_is_cut(suffix: str, tmp_path: Path) -> None:
    kind, codec = next((k, c) for k, c, s in broken_base.CLIPS if s == suffix)
    data = broken_base.clip_bytes(kind, codec, frames=8)
    path = tmp_path / f"a{suffix}"
    taken = []
    for size in np.random.default_rng(0).integers(1, len(data), 25).tolist():
        path.write_bytes(data[:size])
        if not broken_base.refusals(Part("video", path)):
            taken.append(size)
    # FLV cut exactly between two packets is the one cut that its format cannot show.
    assert not taken


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_never_raises_anything_but_a_part_error(seed: int, tmp_path: Path) -> None:
    """Damage that a decoder cannot see may pass; it may not crash."""
    rng = np.random.default_rng(seed)
    good = [("image", f".{k.lower()}", broken_base.picture_bytes(k)) for k in broken_base.PICTURES]
    good += [("video", s, broken_base.clip_bytes(k, c, frames=6)) for k, c, s in broken_base.CLIPS]
    good += [("sensor", p.suffix, p.read_bytes()) for p in _tables(tmp_path)]
    for modality, suffix, data in good:
        for _ in range(6):
            damaged = np.frombuffer(data, np.uint8).copy()
            head = rng.random() < 0.5
            at = rng.integers(0, min(len(damaged), 200) if head else len(damaged), rng.integers(1, 12))
            damaged[at] = rng.integers(0, 256, len(at))
            path = tmp_path / f"damaged{suffix}"
            path.write_bytes(damaged.tobytes())
            with _within(SECONDS):
                reasons = broken_base.refusals(Part(modality, path))
            assert all(reasons)


def _tables(folder: Path) -> list[Path]:
    import pandas as pd

    frame = pd.DataFrame({"time": np.arange(30.0), "a": np.arange(30) % 7, "b": ["1.5"] * 30})
    frame.to_parquet(folder / "t.parquet")
    frame.to_csv(folder / "t.csv", index=False)
    np.savez_compressed(folder / "t.npz", values=np.arange(60.0).reshape(30, 2), times=np.arange(30.0))
    return [folder / f"t{s}" for s in (".parquet", ".csv", ".npz")]

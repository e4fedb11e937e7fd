"""Broken inputs, made by code: `make(folder)` gives each with a name; `python broken_inputs.py FOLDER` reads them all.

Not a test file itself: ../test_broken_inputs.py runs each input with a time limit, and all of them in one process with
a memory limit.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from broken_base import Broken, Made, picture_bytes, put, refusals
from broken_media import clips, pictures
from broken_tables import archives, tables, texts
from PIL import Image as Pillow

from mmdmad.cases import Part


def manifests(folder: Path) -> Made:
    """Manifests that cannot be read, and rows that cannot be used."""

    def manifest(name: str, data: bytes | str, suffix: str = ".csv") -> tuple[str, Path]:
        return f"manifest-{name}{suffix}", put(folder, f"{name}/m{suffix}", data)

    for name, data in {
        "empty": "",
        "header-only": "id,text\n",
        "no-id": "image,text\n,a\n",
        "no-parts": "id,label\na,1\n",
        "misspelt": "id,imgae\na,b.png\n",
        "twice": "id,text,text\na,b,c\n",
        "same-id": "id,text\na,b\na,c\n",
        "zeros": bytes(300),
        "png": picture_bytes("PNG"),
        "open-quote": 'id,text\na,"b\nc,d\n',
        "ragged": "id,text\na,b\nc,d,e\nf\n",
        "columns": "id,text," + ",".join(f"x{i}" for i in range(2000)) + "\n",
        "blank-id": "id,text\n,a\nb,c\n",
        "dot-id": "id,text\n..,a\nb,c\n",
        "control-id": "id,text\n\x07,a\nb,c\n",
        "long-id": f"id,text\n{'a' * 300},a\nb,c\n",
        "no-part": "id,text\na,\nb,c\n",
        "bad-time": "id,time,text\na,noon,b\n",
        "bad-label": "id,label,text\na,maybe,b\n",
        "label-2": "id,label,text\na,2,b\n",
        "bad-rate": "id,sensor,sensor_rate,text\na,,fast,b\n",
        "both-texts": "id,text,text_file\na,b,m.csv\n",
        "cell": f"id,text\na,{'b' * (5 * 2**20)}\n",
    }.items():
        yield manifest(name, data)
    for name, line in {
        "not-json": "hello",
        "cut": '{"id": "b", "te',
        "list": "[1, 2]",
        "number": "3",
        "deep": "[" * 100_000,
        "text-number": '{"id": "b", "text": 5}',
        "image-list": '{"id": "b", "image": ["a.png"]}',
        "sensor-object": '{"id": "b", "sensor": {"a": 1}}',
        "id-list": '{"id": [1], "text": "a"}',
        "id-true": '{"id": true, "text": "a"}',
        "id-null": '{"id": null, "text": "a"}',
        "time-number": '{"id": "b", "text": "a", "time": 5}',
        "split-list": '{"id": "b", "text": "a", "split": [1]}',
        "huge-number": '{"id": "b", "text": "a", "label": ' + "9" * 5000 + "}",
    }.items():
        yield manifest(name, '{"id": "a", "text": "good"}\n' + line + "\n", ".jsonl")
    yield manifest("no-objects", "1\n2\n", ".jsonl")
    yield manifest("text", "id,text\na,b\n", ".doc")
    yield manifest("fake", "id,text\na,b\n", ".parquet")
    yield "manifest-missing", folder / "nowhere.csv"
    yield "manifest-zero-byte-name", Path("a\0b.csv")
    side = put(folder, "side/m.csv", "id,text\na,b\n")
    put(folder, "side/m.json", "{simulated: yes}")
    yield "manifest-side-file", side
    table = {"id": ["a"], "text": ["b" * (5 * 2**20)]}
    for name, columns in (("giant", table), ("lists", {"id": ["a"], "text": [["b"]]}), ("none", {"id": []})):
        path = folder / f"{name}.parquet"
        pq.write_table(pa.table(columns), path)
        yield f"manifest-{name}.parquet", path
    (folder / "bare").mkdir()
    yield "folder-empty", folder / "bare"
    put(folder, "odd/a.xyz", "a")
    put(folder, "odd/b.txt", "b")
    yield "folder-unknown-file", folder / "odd"


def paths(folder: Path) -> Made:
    """Paths that leave the folder, slices that are none, files that are no files."""
    outside = put(folder, "secret.txt", "secret")
    root = folder / "root"
    put(root, "ok.csv", "time,a\n0,1\n")
    put(root, "ok.png", picture_bytes("PNG"))
    (root / "sub").mkdir()
    (root / "link.txt").symlink_to(outside)
    (root / "up").symlink_to(folder)
    (root / "loop.txt").symlink_to("loop.txt")
    (root / "dangling.txt").symlink_to("nothing.txt")
    (root / "etc").symlink_to("/etc")
    os.mkfifo(root / "pipe.csv")
    bad = {
        "text_file": (
            *("../secret.txt", "sub/../../secret.txt", str(outside), "link.txt", "up/secret.txt", "loop.txt"),
            *("dangling.txt", "etc/hostname", "/etc/hostname", "/dev/zero", "sub", ".", "..", "a" * 5000, "none.txt"),
            *("~/secret.txt", "file:///etc/hostname", "http://localhost/a.txt", "sub/./../../root/../secret.txt"),
        ),
        "sensor": (
            *("ok.csv#", "ok.csv#5", "ok.csv#a:b", "ok.csv#-1:3", "ok.csv#3:1", "ok.csv#0:0", "ok.csv#1:2:3", "#0:1"),
            *("ok.csv#1.5:2", "ok.csv#0x1:2", "ok.csv# 1:2", "ok.csv#" + "9" * 40 + ":", "ok.csv#٣:٤", "pipe.csv"),
            *("../root/../root/../secret.txt#0:1", "/dev/null", "/dev/stdin"),
        ),
        "image": ("ok.png#0:1", "sub", "../root"),
        "video": ("..", "/", "../", "up", "etc", "ok.csv#:0"),
    }
    for column, values in bad.items():
        for number, value in enumerate(values):
            line = {"id": "a", column: value}
            yield f"path-{column}-{number}", put(root, f"{column}-{number}.jsonl", json.dumps(line) + "\n")
    frames = root / "frames"
    frames.mkdir()
    Pillow.new("RGB", (4, 4)).save(folder / "secret.png")
    (frames / "f1.png").symlink_to(folder / "secret.png")
    yield "path-frame-link", Part("video", frames, root=root.resolve())
    yield "path-late-link", Part("text", root / "link.txt", root=root.resolve())
    yield "path-pipe", Part("sensor", root / "pipe.csv")
    yield "path-device", Part("image", Path("/dev/zero"))
    yield "path-none", Part("image")
    yield "path-folder", Part("sensor", root)
    yield "path-zero-byte", Part("text", Path("a\0b"))
    yield "path-long", Part("text", Path("a" * 5000))
    yield "modality", Part("smell", value=1)  # type: ignore[arg-type]


KINDS: tuple[Callable[[Path], Made], ...] = (pictures, texts, tables, archives, clips, manifests, paths)


def make(folder: Path) -> list[Broken]:
    """All broken inputs, their files written below the folder."""
    out = []
    for kind in KINDS:
        at = folder / kind.__name__
        at.mkdir(parents=True)
        out += [Broken(name, given) for name, given in kind(at)]
    return out


def peak_mb() -> float:
    """Most memory that this process has had. The kernel's other count, ru_maxrss, begins with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    limit = int(sys.argv[2]) * 2**20
    inputs = make(Path(sys.argv[1]))
    before = peak_mb()
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    taken = [b.name for b in inputs if not all(refusals(b.given)) or not refusals(b.given)]
    print(json.dumps({"inputs": len(inputs), "taken": taken, "peak_mb": peak_mb(), "made_mb": before}))

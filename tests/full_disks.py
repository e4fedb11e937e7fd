"""Scenes on small disks, for test_endings: run as `unshare -rm python full_disks.py SCENE HOME …`; prints JSON.

The disks are tmpfs mounts in a mount name space of their own, so that they vanish with the process. Exit code 77 says
that mounting is not allowed.
"""

import contextlib
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

End = tuple[int, str]


def mount(options: str, at: Path) -> None:
    """Mount, or with `remount` in the options change, a small disk."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(at)], capture_output=True, check=False)
    if done.returncode:
        print(done.stderr.decode(), file=sys.stderr)
        raise SystemExit(77)


def mmdmad(*words: object) -> End:
    """One command: its exit code and what it wrote to standard error."""
    from mmdmad.cli import main

    sys.argv = ["mmdmad", *map(str, words)]
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, errors.getvalue()


def used(folder: Path) -> int:
    """KiB that the files in a folder take on such a disk."""
    return sum(-(-file.stat().st_size // 4096) * 4 for file in folder.rglob("*") if file.is_file())


def fit(home: Path, disk: Path, line: str, run: str) -> list:
    """A fit on a disk without room for its store, then for its model, then large enough; the stages of the second.

    `run` is the same fit on another disk, which says how large it becomes.
    """
    data = ("--data", f"{line}/manifest.csv")
    command = ("fit", *data, "--config", f"{line}/config.yaml", "--run", disk / "run")
    mount("size=40k", disk)
    ends = [mmdmad(*command)]
    mount(f"remount,size={used(Path(run)) - used(Path(run) / 'model') // 2}k", disk)
    ends.append(mmdmad(*command, "--resume"))
    stages = [p.name for p in disk.glob("run/work/stages/*/*")]
    mount("remount,size=40m", disk)
    ends += [mmdmad(*command, "--resume"), mmdmad("score", disk / "run", *data)]
    return [*ends, stages]


def score(home: Path, disk: Path, line: str, run: str) -> list:
    """Scoring on a disk that fills half-way, then is made larger; how many were judged by then, and when each was."""
    mount("size=40m", disk)
    shutil.copytree(run, disk / "run")
    mount(f"remount,size={used(disk) + 260}k", disk)
    command = ("score", disk / "run", "--data", f"{line}/manifest.csv")
    first = mmdmad(*command)
    mount("remount,size=80m", disk)
    judged = times(disk)
    return [first, len(judged), mmdmad(*command), times(disk)]


def times(disk: Path) -> list[str]:
    """When the cases of the run were judged."""
    store = sqlite3.connect(disk / "run" / "cases.sqlite")
    found = [time for (time,) in store.execute("SELECT judged_at FROM cases ORDER BY judged_at")]
    store.close()
    return found


def read_only(home: Path, disk: Path, line: str, run: str) -> list:
    """What needs to write, on a disk that cannot be written."""
    mount("size=40m", disk)
    shutil.copytree(run, disk / "run")
    mount("remount,ro", disk)
    data = ("--data", f"{line}/manifest.csv")
    return [
        mmdmad("fit", *data, "--config", f"{line}/config.yaml", "--run", disk / "new"),
        mmdmad("score", disk / "run", *data),
        mmdmad("report", disk / "run"),
        mmdmad("chat", disk / "run", "--ask", "How many cases were judged?"),
    ]


def report(home: Path, disk: Path, run: str) -> list:
    """A report over an older one on a disk without room for it; what lies there afterwards."""
    mount("size=8k", disk)
    (disk / "report.html").write_text("before")
    end = mmdmad("report", run, "--out", disk / "report.html")
    return [end, (disk / "report.html").read_text(), [p.name for p in disk.iterdir()]]


SCENES = {"fit": fit, "score": score, "read-only": read_only, "report": report}

if __name__ == "__main__":
    home = Path(sys.argv[2])
    (home / "disk").mkdir()
    print(json.dumps(SCENES[sys.argv[1]](home, home / "disk", *sys.argv[3:])))

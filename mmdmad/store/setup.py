"""What a run remembers of how it was made, and how two configurations are compared."""

import json
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from mmdmad.explain.files import replacing

PACKAGES = (
    "mmdmad",
    "torch",
    "torchvision",
    "transformers",
    "open-clip-torch",
    "diffusers",
    "timm",
    "numpy",
    "scikit-learn",
)

T = TypeVar("T")


def versions() -> dict[str, str]:
    """Versions of Python, mmdmad and the installed packages that numbers depend on; nothing is imported."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_json(path: Path, value: Any) -> None:
    """Write JSON; the file appears whole or not at all."""
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Where two configurations differ, one line each ("parts.image.detector: 'knn' there, 'dte-np' given")."""
    a, b = dict(_flat(json.loads(json.dumps(ours)))), dict(_flat(json.loads(json.dumps(theirs))))
    return [f"{k}: {a.get(k)!r} there, {b.get(k)!r} given" for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k)]


def bar(items: Iterable[T], text: str, total: int) -> Iterator[T]:
    """The items, with a progress bar that shows rate and remaining time."""
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns) as progress:
        task = progress.add_task(text, total=total, rate="")
        for item in items:
            yield item
            progress.advance(task)
            speed = progress.tasks[0].speed
            progress.update(task, rate="" if speed is None else f"{speed:.1f}/s")


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value

"""Entry points of other distributions that happen to be installed beside mmdmad are out of sight of the tests.

What they register would be counted, listed and tried with our own; those that a test makes for itself are seen.
"""

from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path

from mmdmad import registry


def _home(point: EntryPoint) -> tuple[str, str]:
    assert point.dist is not None
    return point.dist.name, str(Path(str(point.dist.locate_file(""))).resolve())


INSTALLED = {
    _home(point)
    for group in ("detectors", "encoders", "modalities", "queries", "chat_models", "writers")
    for point in entry_points(group=f"mmdmad.{group}")
    if point.dist is not None and point.dist.name != "mmdmad"
}


def hide() -> None:
    """Let the registries find ours, and those of distributions that were not there when this module was imported."""

    def seen(**which: str) -> EntryPoints:
        return EntryPoints(p for p in entry_points(**which) if p.dist is None or _home(p) not in INSTALLED)

    registry.entry_points = seen  # type: ignore[attr-defined]

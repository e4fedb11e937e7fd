"""The pictures behind an answer: evidence ids as "case/E3" → file and caption, from the run folder only."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmdmad.store.run import Run

MOST = 4


def pictures(run: "Run", evidence: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """File and caption of the cited evidence that has a picture, each file once, at most four."""
    seen: set[Path] = set()
    for ref in evidence:
        case, _, number = ref.rpartition("/")
        finding = run.finding(case)
        found = next((e for e in finding.evidence if e.id == number), None) if finding else None
        if found is None or found.artifact is None:
            continue
        path = run.artifact(found.artifact)
        if path.is_file() and path not in seen and len(seen) < MOST:
            seen.add(path)
            yield path, f"{case}, {found.id}: {found.caption}"

"""A report in lines for a terminal."""

from collections.abc import Iterator

from mmdmad.checking.report import Folder, Kind, Note, Report
from mmdmad.checking.support import promise
from mmdmad.roles import counted

MARKS = {"stop": "STOP", "warn": "look", "info": "note"}
ROLES = {"?": "its name says nothing", "flat": "cases"}
CHANNELS = 30
"""Channels that are listed; of more the first."""
FAR = 9999.0
FIRST = 4
"""Cases that a line names."""


def lines_of(report: Report) -> Iterator[str]:
    """What was found, what will be done, what can be promised."""
    patterns = ", ".join(f"{count} {name}" for name, count in report.patterns.items())
    yield f"{report.source}: {counted(report.cases, 'case')} ({patterns})"
    if report.folders:
        yield "folders"
        width = max(len(one.folder) for one in report.folders)
        for one in report.folders:
            yield f"  {one.folder:{width}}  {one.files:6}  {ROLES.get(one.role, one.role)}: {_learned(one)}"
    for title, counts in (("splits", report.splits), ("labels", report.labels)):
        if counts and set(counts) != {"none"}:
            yield f"{title}: " + ", ".join(f"{name} {count}" for name, count in counts.items())
    if report.masks:
        yield f"masks: {report.masks} cases have one"
    for kind in report.parts:
        yield from _of_kind(kind)
    if report.notes:
        yield "found"
        yield from (f"  {MARKS[note.level]}  {note.said}{_cases(note)}" for note in report.notes)
    yield from _of_normals(report)


def _learned(folder: Folder) -> str:
    if not folder.learned:
        return "not learned"
    return "learned" if folder.learned == folder.files else f"{folder.learned} learned"


def _of_kind(kind: Kind) -> Iterator[str]:
    unreadable = f", {kind.unreadable} cannot be read" if kind.unreadable else ""
    yield f"{kind.modality}: {kind.parts}{unreadable}"
    for trait, values in kind.traits.items():
        if trait != "channels" or len(values) > 1:
            first, *others = values.items()
            rest = (
                "" if not others else f" ({first[1]}); {others[0][0]} ({others[0][1]})" + (" …" if others[1:] else "")
            )
            yield f"  {trait}: {first[0]}{rest}"
    for one in kind.channels[:CHANNELS]:
        units = "/".join(unit or "no unit" for unit in one.units)
        span = "no reading" if one.low is None else f"{one.low:g} to {one.high:g}"
        yield f"  channel {one.name} [{units}]: {', '.join(one.kinds)}, {span}, in {one.tables}"
    if len(kind.channels) > CHANNELS:
        yield f"  and {len(kind.channels) - CHANNELS} more channels"


def _cases(note: Note) -> str:
    if not note.cases:
        return ""
    named = ", ".join(note.files[:FIRST] or note.cases[:FIRST])
    more = f" and {note.count - FIRST} more" if note.count > FIRST else ""
    return f" [{named}{more}]"


def _of_normals(report: Report) -> Iterator[str]:
    if report.judged:
        yield f"to judge, by a model of what else was given: {counted(report.cases, 'case')}; none is learned from"
        return
    left = "".join(f"; {count} left out: {reason}" for reason, count in report.left.items())
    yield f"to learn from: {counted(report.learned, 'case')}{left}"
    if not report.learned:
        return
    parts = ", ".join(f"{count} {name}" for name, count in report.splits_made.items())
    crossed = f" in the first of {report.folds} folds; each is ranked with in one" if report.folds > 1 else ""
    most = f"{counted(report.recordings, 'independent recording')} at most"
    yield f"  {most}; a fit divides the cases into {parts}{crossed}"
    yield from (f"  {promise(one)}" for one in report.support)
    if report.oddest:
        yield "  the oddest of them, to look at before they are called normal (times the usual distance to others):"
        yield from (f"    {min(odd.times, FAR):6.1f}  {odd.case}  {odd.file or odd.modality}" for odd in report.oddest)
    yield f"preset: {report.preset}: {report.why}"
    if report.estimate is not None:
        e = report.estimate
        yield (
            f"estimate, from {counted(e.measured, 'case')}: {e.seconds_a_case:.3g} s to encode a case, "
            f"{_time(e.seconds)} for all to learn from; {e.tokens:g} MiB of tokens beside {e.peak:g} MiB; "
            "learning itself comes on top"
        )


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

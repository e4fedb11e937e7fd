"""Neighbouring windows of one recording as one: findings grouped into stretches by recording and adjacency.

Counts, rates and guarantees stay those of the windows; a stretch only tells together what lies together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mmdmad.findings import Finding, PartName, Slice, _Data
from mmdmad.modalities.base import modalities, ordered
from mmdmad.reasons import CONTRADICTION, main_reason, unusual

SLACK = 0.01
"""Part of a window by which the clocks of two files of one recording may lie apart and still go on one another."""


class Stretch(_Data):
    """Windows of one recording that lie side by side or overlap, told as one.

    cases: their ids in the order of the recording. peak: the most anomalous of them, with its p-value. parts: what
    stands out in any of them. place: where they lie together in the file. begin and end: on the clock, where windows
    have times.
    """

    cases: tuple[str, ...]
    peak: str
    p_value: float
    parts: tuple[PartName, ...]
    place: Slice | None = None
    begin: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Window:
    """What of a finding it takes to group it: small, so that thousands of windows can be held.

    `source` is the stream of a case with a time that is no piece of a file: what it was recorded in, and its group.
    """

    case_id: str
    p_value: float
    order: tuple[int, float, float, str]
    parts: tuple[str, ...]
    places: tuple[Slice, ...]
    begin: datetime | None
    end: datetime | None
    flagged: bool = True
    source: tuple[str, str] | None = None


def window(finding: Finding, recording: str | None = None) -> Window:
    """What grouping needs of a finding; `recording` is what its case says it was recorded in."""
    places = tuple(p.cut for p in finding.parts if p.cut is not None)
    lasts = [place.stop - place.start for place in places if place.start is not None and place.stop is not None]
    end = _later(finding.time, max(lasts)) if finding.time is not None and lasts else finding.time
    main = main_reason(finding)
    odd = ordered({*unusual(finding), *([main] if main not in (None, CONTRADICTION) else [])})
    source = None
    if finding.time is not None and not any(_along_file(place) for place in places):
        source = (next((place.recording for place in places), recording or ""), finding.group or "")
    flagged = finding.verdict == "anomalous"
    return Window(finding.case_id, finding.p_value, finding.order_key, odd, places, finding.time, end, flagged, source)


def stretches(windows: Iterable[Window]) -> tuple[Stretch, ...]:
    """The windows grouped, the most anomalous stretch first; a window that lies alone, or is none, is one by itself.

    Two windows go together where they are pieces of one file that overlap or touch, or of one recording whose clocks
    do. A chain of such pairs is one stretch.
    """
    return tuple(stretch_of(some) for some in grouped(list(windows)))


def grouped(
    found: Sequence[Window], beside: Iterable[Sequence[int]] = (), apart: float = 0.0
) -> tuple[tuple[Window, ...], ...]:
    """The windows of each stretch, the most anomalous stretch first.

    `beside` are chains of windows, by their number, that go together for other reasons; files of one recording go on
    one another where their clocks lie at most `apart` seconds from each other.
    """
    chains = (*_by_file(found), *_by_clock(found, apart), *beside)
    together = (tuple(found[i] for i in some) for some in components(range(len(found)), chains))
    # the order of a stretch is that of its peak, and no two windows have the same
    return tuple(sorted(together, key=lambda some: min(w.order for w in some)))


def components(numbers: Iterable[int], chains: Iterable[Sequence[int]]) -> list[list[int]]:
    """The numbers that chains hold together, each in one list, in the order given.

    >>> components([1, 2, 5, 7], [[1, 5], [5, 7]])
    [[1, 5, 7], [2]]
    """
    group = {i: i for i in numbers}

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for chain in chains:
        for i in chain[1:]:
            group[root(i)] = root(chain[0])
    together: dict[int, list[int]] = {}
    for i in group:
        together.setdefault(root(i), []).append(i)
    return list(together.values())


def _along_file(place: Slice) -> bool:
    """Whether the part is of a kind that has an order inside its file: rows, lines or frames."""
    kind = modalities().get(place.part)
    return kind is None or bool(kind.slices)


def pieces(windows: Sequence[Window]) -> dict[tuple[str, str, str], list[tuple[float, float, int]]]:
    """The rows, frames or lines of each file that windows hold: first, last (left out) and the window's number."""
    found: dict[tuple[str, str, str], list[tuple[float, float, int]]] = {}
    for i, one in enumerate(windows):
        for place in one.places:
            own = (place.part, place.recording, place.file)
            found.setdefault(own, []).append((place.first, place.last, i))
    return found


def _by_file(windows: Sequence[Window]) -> list[list[int]]:
    """Chains of windows whose rows, frames or lines of one file overlap or touch."""
    return [chain for some in pieces(windows).values() for chain in chains_of(some)]


def _by_clock(windows: Sequence[Window], apart: float) -> list[list[int]]:
    """Pairs of windows from different files of one recording whose times overlap or touch.

    Within one file its rows say more than times, which a manifest may give as it likes.
    """
    pairs: list[list[int]] = []
    reach: dict[tuple[str, bool], dict[str, tuple[float, int]]] = {}
    timed = [(i, w, w.begin, w.end) for i, w in enumerate(windows) if w.begin is not None and w.end is not None]
    for i, one, begin, end in sorted(timed, key=lambda t: (seconds(t[2]), t[0])):
        start, length = seconds(begin), (end - begin).total_seconds()
        for place in one.places:
            others = reach.setdefault((place.recording, begin.tzinfo is None), {})
            pairs += [[which, i] for file, (until, which) in others.items() if file != place.file and start <= until]
            until = start + (1 + SLACK) * length + apart
            others[place.file] = max(others.get(place.file, (start, i)), (until, i))
    return pairs


def chains_of(pieces: Iterable[tuple[float, float, int]]) -> list[list[int]]:
    """Intervals (begin, end, which) that overlap or touch, one after another."""
    chains: list[list[int]] = []
    reach = float("-inf")
    for begin, end, which in sorted(pieces):
        if begin <= reach:
            chains[-1].append(which)
        else:
            chains.append([which])
        reach = max(reach, end) if begin <= reach else end
    return chains


def stretch_of(windows: Sequence[Window]) -> Stretch:
    """What is told of windows that go together."""
    peak = min(windows, key=lambda one: one.order)
    inside = sorted(windows, key=_along)
    begins, ends = [w.begin for w in inside if w.begin is not None], [w.end for w in inside if w.end is not None]
    aware = {time.tzinfo is None for time in (*begins, *ends)}
    clocked = len(aware) == 1 and len(begins) == len(inside)
    return Stretch(
        cases=tuple(one.case_id for one in inside),
        peak=peak.case_id,
        p_value=peak.p_value,
        parts=ordered({part for one in windows for part in one.parts}),
        place=_place(peak, inside),
        begin=min(begins) if clocked else None,
        end=max(ends) if clocked else None,
    )


def _along(one: Window) -> tuple[float, float, str]:
    """Where a window stands among others of its recording."""
    time = 0.0 if one.begin is None else seconds(one.begin)
    return time, float(min((place.first for place in one.places), default=0)), one.case_id


def _place(peak: Window, windows: Sequence[Window]) -> Slice | None:
    """Where all of them lie in the file that the peak was cut from: of its parts, the first that has times."""
    own = sorted(peak.places, key=lambda place: place.start is None)
    if not own:
        return None
    same = [
        p
        for w in windows
        for p in w.places
        if (p.part, p.recording, p.file) == (own[0].part, own[0].recording, own[0].file)
    ]
    starts, stops = [p.start for p in same if p.start is not None], [p.stop for p in same if p.stop is not None]
    return own[0].model_copy(
        update={
            "first": min(p.first for p in same),
            "last": max(p.last for p in same),
            "start": min(starts, default=None),
            "stop": max(stops, default=None),
        }
    )


def seconds(time: datetime) -> float:
    """Seconds since 1970; times without a zone count as UTC, so that they order among themselves."""
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _later(time: datetime, seconds: float) -> datetime:
    try:
        return time + timedelta(seconds=seconds)
    except OverflowError:
        return time

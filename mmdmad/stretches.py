"""Neighbouring windows of one recording as one: findings grouped into stretches by recording and adjacency.

Counts, rates and guarantees stay those of the windows; a stretch only tells together what lies together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mmdmad.findings import Finding, PartName, Slice, _Data
from mmdmad.modalities.base import ordered
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
    """What of a finding it takes to group it: small, so that thousands of flagged windows can be held."""

    case_id: str
    p_value: float
    order: tuple[int, float, float, str]
    parts: tuple[str, ...]
    places: tuple[Slice, ...]
    begin: datetime | None
    end: datetime | None


def window(finding: Finding) -> Window:
    """What grouping needs of a finding."""
    places = tuple(p.cut for p in finding.parts if p.cut is not None)
    lasts = [place.stop - place.start for place in places if place.start is not None and place.stop is not None]
    end = _later(finding.time, max(lasts)) if finding.time is not None and lasts else finding.time
    main = main_reason(finding)
    odd = ordered({*unusual(finding), *([main] if main not in (None, CONTRADICTION) else [])})
    return Window(finding.case_id, finding.p_value, finding.order_key, odd, places, finding.time, end)


def stretches(windows: Iterable[Window]) -> tuple[Stretch, ...]:
    """The windows grouped, the most anomalous stretch first; a window that lies alone, or is none, is one by itself.

    Two windows go together where they are pieces of one file that overlap or touch, or of one recording whose clocks
    do. A chain of such pairs is one stretch.
    """
    found = list(windows)
    group = list(range(len(found)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for chain in (*_by_file(found), *_by_clock(found)):
        for i in chain[1:]:
            group[root(i)] = root(chain[0])
    together: dict[int, list[Window]] = {}
    for i, one in enumerate(found):
        together.setdefault(root(i), []).append(one)
    # the order of a stretch is that of its peak, and no two windows have the same
    return tuple(_stretch(some) for some in sorted(together.values(), key=lambda some: min(w.order for w in some)))


def _by_file(windows: Sequence[Window]) -> list[list[int]]:
    """Chains of windows whose rows, frames or lines of one file overlap or touch."""
    pieces: dict[tuple[str, str, str], list[tuple[int, int, int]]] = {}
    for i, one in enumerate(windows):
        for place in one.places:
            own = (place.part, place.recording, place.file)
            pieces.setdefault(own, []).append((place.first, place.last, i))
    return [chain for some in pieces.values() for chain in _chains(some)]


def _by_clock(windows: Sequence[Window]) -> list[list[int]]:
    """Pairs of windows from different files of one recording whose times overlap or touch.

    Within one file its rows say more than times, which a manifest may give as it likes.
    """
    pairs: list[list[int]] = []
    reach: dict[tuple[str, bool], dict[str, tuple[float, int]]] = {}
    timed = [(i, w, w.begin, w.end) for i, w in enumerate(windows) if w.begin is not None and w.end is not None]
    for i, one, begin, end in sorted(timed, key=lambda t: (_seconds(t[2]), t[0])):
        start, length = _seconds(begin), (end - begin).total_seconds()
        for place in one.places:
            others = reach.setdefault((place.recording, begin.tzinfo is None), {})
            pairs += [[which, i] for file, (until, which) in others.items() if file != place.file and start <= until]
            others[place.file] = max(others.get(place.file, (start, i)), (start + (1 + SLACK) * length, i))
    return pairs


def _chains(pieces: Iterable[tuple[float, float, int]]) -> list[list[int]]:
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


def _stretch(windows: Sequence[Window]) -> Stretch:
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
    time = 0.0 if one.begin is None else _seconds(one.begin)
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


def _seconds(time: datetime) -> float:
    """Seconds since 1970; times without a zone count as UTC, so that they order among themselves."""
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _later(time: datetime, seconds: float) -> datetime:
    try:
        return time + timedelta(seconds=seconds)
    except OverflowError:
        return time

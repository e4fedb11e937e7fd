"""Counts, names and points over the stored findings, all in SQL: however many there are, no finding is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Engine, Select, and_, case, distinct, func, select
from sqlalchemy.orm import Session

from mmdmad.cases import NO_DATA
from mmdmad.errors import RunError
from mmdmad.findings import Verdict
from mmdmad.modalities.base import modalities
from mmdmad.store.at import STORED, At
from mmdmad.store.db import CaseRow, DocumentRow, EvidenceRow, FactRow, MetaRow, PartRow, RefusalRow
from mmdmad.store.query import LEARNED, Filters, channel_facts, ordering
from mmdmad.store.rows import LARGEST

By = Literal["verdict", "group", "driver", "channel", "kind", "hour", "day", "missing"]
NEAR = 50  # ids on each side, in alphabetical order, among which a misspelt one is looked for


@dataclass(frozen=True)
class Point:
    """One case on the line of time, at this place in the order of all: what a drawing needs of it."""

    case_id: str
    time: datetime | None
    p_value: float
    verdict: Verdict
    place: int


@dataclass(frozen=True)
class Whole:
    """One judged recording that was not learned from: its windows, how many are flagged, its p-value as a whole.

    `count` is how many calibration recordings its most odd window, of the case `peak`, is ranked among.
    """

    recording: str
    windows: int
    flagged: int
    p_value: float
    count: int
    peak: str


@dataclass(frozen=True)
class Judged:
    """How many cases of one group rest on `size` calibration cases (or recordings), and what became of them.

    `decided` are those that could get a verdict; `normal` those whose label says normal and that could get one. `own`
    are ranked within this group, the others over all groups together.
    """

    group: str | None
    size: int
    judged: int
    decided: int
    flagged: int
    normal: int
    normal_flagged: int
    own: int = 0


class Tally:
    """What is counted over the findings of one run, read at a declared rate; filters are those of `Run.findings`."""

    def __init__(self, engine: Engine, at: At = STORED) -> None:
        self._engine, self._at = engine, at

    def learned(self) -> Sequence[str]:
        """The modalities that the run's model has learned; all that are known in a run that does not say."""
        kept = select(MetaRow.value).where(MetaRow.key == LEARNED)
        with Session(self._engine) as session:
            found = session.scalar(kept)
        return tuple(modalities()) if found is None else found.split()

    def count(self, **filters: Any) -> int:
        """How many findings pass the filters."""
        return int(self._one(select(func.count()).select_from(CaseRow).where(*Filters(**filters).conditions(self._at))))

    def by(self, what: By, **filters: Any) -> dict[str, int]:
        """Findings by verdict, group, driver, channel, kind, hour (of its day), day or missing part, most first.

        A case may count for several channels. Hours and days are those of the cases' own clocks.
        """
        where = Filters(**filters).conditions(self._at)
        if what == "missing":
            every = self.count(**filters)
            parts = _grouped(PartRow.modality, where).join(PartRow, PartRow.case_id == CaseRow.id)
            have = self._counts(parts)
            lacking = {m: every - have.get(m, 0) for m in self.learned()}
            return {m: n for m, n in sorted(lacking.items(), key=lambda item: -item[1]) if n}
        if what == "channel":
            named = channel_facts().add_columns(FactRow.value).distinct().subquery()
            return self._counts(_grouped(named.c.value, where).join(named, named.c.case_id == CaseRow.id))
        if what == "kind":
            kinds = select(EvidenceRow.kind, func.count(distinct(EvidenceRow.case_id)).label("n"))
            return self._counts(kinds.join(CaseRow, CaseRow.id == EvidenceRow.case_id).where(*where))
        columns: dict[str, ColumnElement[Any]] = {
            "verdict": self._at.verdict,
            "group": CaseRow.group.expression,
            "driver": CaseRow.reason.expression,
            "hour": func.substr(CaseRow.clock, 1, 13) + ":00",
            "day": func.substr(CaseRow.clock, 1, 10),
        }
        if what not in columns:
            raise RunError(f"by={what!r} was given; allowed are {', '.join(get_args(By))}")
        return self._counts(_grouped(columns[what], where))

    def names(self) -> list[str]:
        """The groups that judged cases belong to, in the order of their names."""
        return self._all(select(CaseRow.group).where(CaseRow.group.is_not(None)).distinct().order_by(CaseRow.group))

    def refused(self) -> int:
        """How many parts and cases were refused."""
        return int(self._one(select(func.count()).select_from(RefusalRow)))

    def empty(self) -> list[str]:
        """The cases, in the order of their ids, that gave no data at all or have a part that gave none."""
        none = RefusalRow.reason.startswith(NO_DATA)
        return self._all(select(RefusalRow.case_id).where(none).distinct().order_by(RefusalRow.case_id))

    def channels(self) -> list[str]:
        """Every sensor channel that any evidence speaks of."""
        query = select(FactRow.value).where(FactRow.name == "channel").distinct().order_by(FactRow.value)
        return [str(value) for value in self._all(query)]

    def sizes(self) -> tuple[int, int] | None:
        """The smallest and the largest calibration set that a verdict rests on."""
        with Session(self._engine) as session:
            low, high = session.execute(select(func.min(self._at.size), func.max(self._at.size))).one()
        return None if low is None or high is None else (low, high)

    def span(self, **filters: Any) -> tuple[str, str] | None:
        """The first and the last time of a case that passes the filters, each on its own clock, to the second."""
        where = Filters(**filters, timed=True).conditions(self._at)
        ends = [select(CaseRow.clock).where(*where).order_by(order).limit(1) for order in _ENDS]
        first, last = (self._one(query) for query in ends)
        return None if first is None else (str(first)[:19], str(last)[:19])

    def simulated(self) -> bool:
        """Whether any judged case comes from a simulation."""
        return self._one(select(CaseRow.id).where(CaseRow.simulated.is_(True)).limit(1)) is not None

    def patterns(self) -> list[tuple[str, int, int]]:
        """For each pattern of present parts: a case's id, cases judged, cases flagged; most judged first.

        The case is the worst of those that lack no readings, if there are any: others have guarantees of their own.
        Where cases are ranked by group, one for each size of calibration set too, within groups and over all of them.
        """
        flagged = func.count().filter(self._at.flagged)
        ranked, within = self._at.ranked, case((self._at.within.is_(True), 1), else_=0)
        of_groups = case((CaseRow.within.is_not(None), ranked), else_=-1), within
        counted = select(CaseRow.pattern, *of_groups, func.count(), flagged).group_by(CaseRow.pattern, *of_groups)
        order = func.count().desc(), func.length(CaseRow.pattern).desc(), *of_groups
        with Session(self._engine) as session:
            found = []
            for pattern, size, own, n, bad in session.execute(counted.order_by(*order)).all():
                here = CaseRow.pattern == pattern, of_groups[0] == size, of_groups[1] == own
                found.append((str(session.scalar(_usual_first(and_(*here), self._at))), int(n), int(bad)))
            return found

    def groups(self) -> list[Judged]:
        """Counts for each group and size of calibration set, groups in the order of their names, none first."""
        decided = self._at.verdict != "no verdict"
        flagged, normal = self._at.flagged, (CaseRow.label == 0) & decided
        kinds = decided, flagged, normal, normal & flagged, self._at.within.is_(True)
        counts = [func.count().filter(which) for which in kinds]
        size = self._at.ranked
        query = select(CaseRow.group, size, func.count(), *counts).group_by(CaseRow.group, size)
        with Session(self._engine) as session:
            rows = session.execute(query.order_by(CaseRow.group.asc().nulls_first(), size)).all()
        return [Judged(group, *map(int, numbers)) for group, *numbers in rows]

    def recordings(self) -> list[Whole]:
        """Every recording of which a window was ranked among recordings, the smallest p-value as a whole first.

        Windows with other parts are ranked among others, so the smallest of several kinds counts each of them.
        """
        name = func.coalesce(CaseRow.recording, CaseRow.id)
        kinds, flagged = func.count(distinct(CaseRow.pattern)), func.count().filter(self._at.flagged)
        # SQLite takes the other columns of a group from the row that has the minimum
        peak = CaseRow.id.label("peak"), self._at.recordings
        query = select(name, func.count(), flagged, kinds, func.min(self._at.whole_p), *peak)
        with Session(self._engine) as session:
            rows = session.execute(query.where(CaseRow.whole_p.is_not(None)).group_by(name)).all()
        found = [Whole(str(n), w, bad, min(1.0, k * float(p or 0)), int(r or 0), i) for n, w, bad, k, p, i, r in rows]
        return sorted(found, key=lambda one: (one.p_value, -one.flagged, one.recording))

    def of_learned(self) -> int:
        """How many judged cases are of recordings that were learned from."""
        learned = func.json_extract(DocumentRow.finding, "$.guarantee.grounds.learned")
        kept = select(func.count()).select_from(DocumentRow).where(learned.is_(True))
        return int(self._one(kept))

    def ranks(self) -> list[tuple[str, float, int]]:
        """Id, p-value and size of the calibration set of every case that could get a verdict, smallest p first."""
        p_value, size = self._at.joint_p, self._at.size
        query = select(CaseRow.id, p_value, size).where(self._at.verdict != "no verdict")
        with Session(self._engine) as session:
            rows = session.execute(query.order_by(p_value, CaseRow.score.desc(), CaseRow.id))
            return [(i, float(p), n) for i, p, n in rows if n is not None]

    def at_most(self, pattern: Sequence[str], p_value: float) -> int:
        """How many cases with these parts have a p-value of at most this; rounding decides nothing."""
        here = CaseRow.pattern == ",".join(pattern), self._at.joint_p <= p_value * (1 + 1e-9)
        return int(self._one(select(func.count()).select_from(CaseRow).where(*here)))

    def labels(self) -> dict[tuple[int, bool], int]:
        """How many labelled cases there are by (label, flagged)."""
        flagged = self._at.flagged
        query = select(CaseRow.label, flagged, func.count()).where(CaseRow.label.is_not(None))
        with Session(self._engine) as session:
            rows = session.execute(query.group_by(CaseRow.label, flagged)).all()
        return {(label, bool(bad)): n for label, bad, n in rows if label is not None}

    def models(self) -> list[tuple[str, str, str]]:
        """Which encoder and detector judged which part."""
        query = select(PartRow.modality, PartRow.encoder, PartRow.detector).distinct()
        with Session(self._engine) as session:
            return [(m, e, d) for m, e, d in session.execute(query)]

    def points(self, most: int) -> tuple[list[Point], bool]:
        """Cases in the order of time (those without last), and whether only an even sample of them.

        Flagged and other cases are sampled apart, each down to `most`, so that few flagged ones are all there.
        """
        with Session(self._engine) as session:
            counts = {True: self.count(verdict="anomalous"), False: 0}
            counts[False] = self.count() - counts[True]
            steps = {flagged: max(1, -(-n // most)) for flagged, n in counts.items()}
            own = self._at.p_value.label("p_value"), self._at.verdict.label("verdict")
            query = select(CaseRow.id, CaseRow.time, CaseRow.clock, *own)
            query = query.order_by(CaseRow.time.asc().nulls_last(), CaseRow.id).execution_options(yield_per=1000)
            points, seen = [], {True: 0, False: 0}
            for place, row in enumerate(session.execute(query)):  # narrow rows, a few at a time in memory
                flagged = row.verdict == "anomalous"
                if seen[flagged] % steps[flagged] == 0:
                    points.append(Point(row.id, _moment(row.time, row.clock), row.p_value, row.verdict, place))
                seen[flagged] += 1
        return points, max(steps.values()) > 1

    def spelt(self, spelling: str) -> list[str]:
        """Ids that are the same but for case, blanks, hyphens and underscores, a few at most."""
        return self._all(select(CaseRow.id).where(CaseRow.spelling == spelling).order_by(CaseRow.id).limit(NEAR))

    def numbered(self, number: int) -> list[str]:
        """Ids that end in this number, a few at most."""
        if number > LARGEST:
            return []
        return self._all(select(CaseRow.id).where(CaseRow.number == number).order_by(CaseRow.id).limit(NEAR))

    def begins(self, word: str) -> bool:
        """Whether an id begins with this word, which no further letter follows."""
        some = CaseRow.spelling >= word, CaseRow.spelling < word + "\U0010ffff"
        whole = func.lower(CaseRow.id).op("GLOB")(f"{word}[^a-z]*")
        return self._one(select(CaseRow.id).where(*some, whole).limit(1)) is not None

    def near(self, spelling: str) -> list[str]:
        """Ids around this spelling in alphabetical order."""
        after = select(CaseRow.id).where(CaseRow.spelling >= spelling).order_by(CaseRow.spelling).limit(NEAR)
        before = select(CaseRow.id).where(CaseRow.spelling < spelling).order_by(CaseRow.spelling.desc()).limit(NEAR)
        return [*reversed(self._all(before)), *self._all(after)]

    def _one(self, query: Select[Any]) -> Any:
        with Session(self._engine) as session:
            return session.scalar(query)

    def _all(self, query: Select[Any]) -> list[Any]:
        with Session(self._engine) as session:
            return list(session.scalars(query))

    def _counts(self, query: Select[str, int]) -> dict[str, int]:
        key, n = query.selected_columns[0], query.selected_columns[1]
        ranked = query.where(key.is_not(None)).group_by(key).order_by(n.desc(), key)
        with Session(self._engine) as session:
            return {str(name): int(count) for name, count in session.execute(ranked)}


_ENDS = (CaseRow.time.asc(), CaseRow.time.desc())


def _grouped(key: Any, where: list[ColumnElement[bool]]) -> Select[str, int]:
    return select(key, func.count().label("n")).select_from(CaseRow).where(*where)


def _first(where: Any, at: At) -> Select[Any]:
    return select(CaseRow.id).where(where).order_by(*ordering("rank", at)).limit(1)


def _usual_first(where: Any, at: At) -> Select[Any]:
    order = CaseRow.lacking.is_not(None), *ordering("rank", at)
    return select(CaseRow.id).where(where).order_by(*order).limit(1)


def _moment(seconds: float | None, clock: str | None) -> datetime | None:
    """A stored time as it was given: its clock, with the distance to UTC that its seconds tell."""
    if seconds is None or clock is None:
        return None
    local = datetime.fromisoformat(clock)
    ahead = timedelta(seconds=round(local.replace(tzinfo=UTC).timestamp() - seconds))
    return local.replace(tzinfo=timezone(ahead)) if ahead and abs(ahead) < timedelta(days=1) else local

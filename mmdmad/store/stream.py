"""The stream of a run: its judged cases in the order of time, and whether normal has moved among them.

The rule, which makes one stream of any number of calls of `Run.score`:
- A case with a time waits when it is judged. At the end of the call all that wait enter, by time, then by content.
- What has entered stays: a case that is judged again enters no second time, and its first score counts.
- Time goes on: a case that is earlier than the last one that has entered is left out, and so is one whose p-value is no
  single rank (the most unusual of several stretches), has nothing to rank among, or is of a case in which other
  readings are missing than in those of the calibration. How many, is said.
- Cases without a time are in no stream; where none has one, nothing is watched, and that is said.
- A recalibration (`mmdmad.store.recalibration`) begins a stream anew: its cases are ranked among the new level's, and
  cases that are earlier than the level holds from are left out.

When the test speaks, the guarantee has lapsed from that case's time on: findings from then on keep p-value, verdict and
rank, but no rate is promised for them (`valid` is False). It stays lapsed until a person names what is normal now.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection, Engine, Select, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from mmdmad.calibration.stream import Stream
from mmdmad.cases import Case
from mmdmad.errors import ModelError, RunError
from mmdmad.findings import Evidence, Fact, Finding, Guarantee
from mmdmad.parts import case_key
from mmdmad.pipeline.lengths import of_stretches
from mmdmad.pipeline.readings import of_missing
from mmdmad.store import rows
from mmdmad.store.again import is_named
from mmdmad.store.db import CaseRow, DocumentRow, MetaRow, RecalibrationRow, StreamRow, alone

Calibration = Mapping[str, np.ndarray]
STATE, LAPSE = "stream", "lapse"  # keys in the table of the run's settings
_LAPSED = "the guarantee has lapsed since"
SHARES = {0.1: "a tenth", 0.2: "a fifth"}
_RESTORE = "restore cases.sqlite from a copy, or move it away and score again"


class Lapse(BaseModel):
    """Since when the guarantee has lapsed: seconds since 1970 and the clock of the case at which the test spoke.

    `began` is the clock of the case from which on the evidence gathers, an estimate; `rising`: scores have risen;
    `tolerance` is the share of odd cases that would not have made the test speak. `until`: seconds of the first case
    for which a recalibration promises a rate again; None where none does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seconds: float
    since: str
    began: str
    rising: bool
    tolerance: float
    until: float | None = None

    @property
    def words(self) -> str:
        """What has happened, as verdicts, report and chat say it."""
        return f"{_LAPSED} {self.since}: {self.reason}"

    @property
    def reason(self) -> str:
        """The two things that it can mean; odd cases never make scores fall."""
        if not self.rising:
            return "normal has moved, scores are lower than those of the calibration, and faults may be missed"
        share = SHARES.get(self.tolerance, f"{100 * self.tolerance:.3g} %")
        return f"either normal has moved, or more than {share} of the cases is odd"

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is of a case from then on."""
        seconds = rows.timestamp(finding.time)
        return seconds is not None and seconds >= self.seconds and (self.until is None or seconds < self.until)


class Watch(BaseModel):
    """What the stream of a run holds: cases entered and left out, judged cases without a time, and the lapse."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entered: int
    left_out: int
    timeless: int
    lapse: Lapse | None = None
    ended: tuple[Lapse, ...] = ()

    def lapsing(self, finding: Finding) -> Lapse | None:
        """The lapse that covers a finding, open or ended; None where the promise held at its time."""
        return next((one for one in (self.lapse, *self.ended) if one is not None and one.covers(finding)), None)

    @property
    def words(self) -> str:
        """What was watched and found, in one line; "" where nothing has been judged."""
        if self.lapse is not None:
            said, began = self.lapse.words, self.lapse.began
            early = f" (the evidence begins at about {began})" if began != self.lapse.since else ""
            return f"{said[:1].upper()}{said[1:]}{early}; for verdicts from then on no rate is promised"
        if not self.entered + self.left_out + self.timeless:
            return ""
        if not self.entered:
            none = f"none of the {self.left_out} cases with a time has a rank of its own" if self.left_out else ""
            return f"Not watched for drift: {none or 'no case has a time'}, so nothing says whether normal has moved"
        told = f"Watched for drift: {self.entered} cases in the order of time, no sign that normal has moved"
        left_out = "are left out, judged after later ones or without a single rank"
        counts = (self.timeless, "have no time"), (self.left_out, left_out)
        others = "; ".join(f"{count} {what}" for count, what in counts if count)
        return f"{told} ({others})" if others else told


def kind_of(pattern: str, *group: str | None) -> str:
    """What a case of these parts is compared with: all cases of these, or those of a `group`.

    >>> kind_of("image,text"), kind_of("image,text", "A"), kind_of("image,text", None)
    ('image,text', 'image,text@A', 'image,text@')
    """
    return f"{pattern}@{group[0] or ''}" if group else pattern


def wait(connection: Connection, finding: Finding, case: Case, fixed: float | None = None) -> None:
    """Let a judged case wait for its place; the caller's transaction. One that has entered is left as it is.

    `fixed` is its p-value among the calibration cases, where that of the finding is another.
    """
    waits = delete(StreamRow).where(StreamRow.case_id == finding.case_id, StreamRow.place.is_(None))
    connection.execute(waits)
    held = rows.columns(finding)
    unranked = any(out(finding.guarantee) for out in (of_stretches, of_missing, is_named))
    if held["time"] is None or not finding.parts or unranked:
        return
    era, since = _era(connection)
    if since is not None and held["time"] < since:
        return
    row = {
        "era": era,
        "case_id": finding.case_id, "time": held["time"], "clock": held["clock"],
        "key": case_key(case) or finding.case_id, "fixed": finding.p_value if fixed is None else fixed,
        "pattern": kind_of(held["pattern"], *((finding.group,) if finding.guarantee.within else ())),
        "score": finding.score if finding.single_score is None else finding.single_score,
    }  # fmt: skip
    connection.execute(insert(StreamRow).on_conflict_do_nothing(), row)


def catch_up(engine: Engine, calibration: Callable[[], Calibration]) -> None:
    """`advance` where any case waits that would enter; `calibration` is asked for (and its model loaded) only then."""
    with engine.connect() as connection:
        waits = connection.execute(_waiting(connection).limit(1)).first() is not None
    if waits:
        advance(engine, calibration())


def advance(engine: Engine, calibration: Calibration) -> None:
    """Enter the cases that wait, in their order, and withdraw the promise from a lapse on; one transaction.

    `calibration` holds the joint scores of the calibration cases for each kind of case (`kind_of`).
    """
    with alone(engine) as connection:
        entered = list(_entered(connection))
        found = list(connection.execute(_waiting(connection)))
        if not found:
            return
        stream, lapse, known = _again(connection, calibration, entered), lapse_of(connection), [*entered]
        last = connection.scalar(select(func.max(StreamRow.place)))
        place = -1 if last is None else last
        for row in found:
            heard = stream.enter(row.pattern, row.score, row.key, row.fixed)
            if heard is None:
                continue
            place += 1
            known.append(row)
            values = {"place": place, "online": heard.online, "level": heard.levels[0]}
            connection.execute(update(StreamRow).where(StreamRow.case_id == row.case_id).values(**values))
            spoken = stream.spoken
            if spoken is None:
                continue
            if lapse is None:
                lapse = Lapse(
                    seconds=row.time, since=row.clock[:19], began=known[stream.began].clock[:19],
                    rising=stream.rising, tolerance=spoken,
                )  # fmt: skip
                _withdraw(connection, lapse)
            elif lapse.rising and spoken > lapse.tolerance:  # the same lapse, better known
                lapse = lapse.model_copy(update={"tolerance": spoken})
        _keep(connection, STATE, json.dumps(stream.state(), allow_nan=False))
        if lapse is not None:
            _keep(connection, LAPSE, lapse.model_dump_json())


def lapse_of(connection: Connection) -> Lapse | None:
    """The lapse on record; RunError where what is there is none."""
    stored = connection.scalar(select(MetaRow.value).where(MetaRow.key == LAPSE))
    return None if stored is None else lapse_from(stored)


def lapse_from(stored: str) -> Lapse:
    """The lapse that is stored so; RunError where that is none."""
    try:
        return Lapse.model_validate_json(stored)
    except ValidationError as error:
        raise RunError(f"the lapse of the run is damaged ({error.errors()[0]['msg']}); {_RESTORE}") from error


def watch(engine: Engine) -> Watch:
    """What the stream of a run holds now."""
    with engine.connect() as connection:
        era, since = _era(connection)
        here = CaseRow.time.is_not(None) if since is None else CaseRow.time >= since
        own = here & CaseRow.id.not_in(_named(connection))
        timed, timeless = (
            connection.scalar(select(func.count()).select_from(CaseRow).where(condition)) or 0
            for condition in (own, CaseRow.time.is_(None))
        )
        entered = connection.scalar(select(func.count()).where(StreamRow.place.is_not(None), StreamRow.era == era)) or 0
        lapse, ended = lapse_of(connection), tuple(ended_lapses(connection))
    return Watch(entered=entered, left_out=max(0, timed - entered), timeless=timeless, lapse=lapse, ended=ended)


def ended_lapses(connection: Connection) -> Iterator[Lapse]:
    """The lapses that recalibrations have ended, oldest first; RunError where one on record is none."""
    stored = RecalibrationRow.lapse
    for text in connection.scalars(select(stored).where(stored.is_not(None)).order_by(RecalibrationRow.id)):
        yield lapse_from(text or "")


def begin_anew(connection: Connection, until: float | None) -> Lapse | None:
    """Forget what the test knows, for a new stream to begin; the lapse that ends by it, on record no more as open.

    `until`: seconds from which on the promise holds anew; None = of all cases, so that nothing stays lapsed.
    """
    lapse = lapse_of(connection)
    connection.execute(delete(MetaRow).where(MetaRow.key.in_((STATE, LAPSE, "adapting"))))
    connection.execute(delete(StreamRow).where(StreamRow.place.is_(None)))
    return None if lapse is None else lapse.model_copy(update={"until": lapse.seconds if until is None else until})


def lapsed(finding: Finding, lapse: Lapse) -> Finding:
    """The finding without a promised rate; p-value, verdict and with them its rank among the others stay."""
    note = "; ".join(filter(None, (lapse.words, finding.guarantee.note)))
    evidence = tuple(_told(e, lapse) if e.kind == "verdict" else e for e in finding.evidence)
    guarantee = finding.guarantee.model_copy(update={"valid": False, "note": note})
    return finding.model_copy(update={"guarantee": guarantee, "evidence": evidence, "explanation": None})


def has_lapsed(guarantee: Guarantee) -> bool:
    """Whether it is a lapse that took the promise away."""
    return guarantee.note.startswith(_LAPSED)


def _told(evidence: Evidence, lapse: Lapse) -> Evidence:
    caption = f"{evidence.caption} {lapse.words[:1].upper()}{lapse.words[1:]}."
    return evidence.model_copy(
        update={"caption": caption, "facts": (*evidence.facts, Fact(name="lapsed since", value=lapse.since))}
    )


def _withdraw(connection: Connection, lapse: Lapse) -> None:
    """Every finding from the lapse on is written anew without a promised rate."""
    later = select(CaseRow.id).where(CaseRow.time >= lapse.seconds).order_by(CaseRow.id)
    for case_id in list(connection.scalars(later)):
        columns = DocumentRow.case_id, DocumentRow.finding, DocumentRow.digest
        row = connection.execute(select(*columns).where(DocumentRow.case_id == case_id)).first()
        if row is None:
            continue
        rows.rewrite(connection, lapsed(rows.finding_of(row), lapse))


def _again(connection: Connection, calibration: Calibration, entered: list[Any]) -> Stream:
    """The stream as it was after the last case that entered."""
    stream = Stream({kind: scores for kind, scores in calibration.items() if len(scores)})
    for row in entered:
        stream.replay(row.pattern, row.score, row.key)
    stored = connection.scalar(select(MetaRow.value).where(MetaRow.key == STATE))
    try:
        if stored is not None:
            stream.restore(json.loads(stored))
    except (ModelError, ValueError, RecursionError) as why:
        raise RunError(f"the state of the run's stream is damaged ({why}); {_RESTORE}") from why
    if stream.cases != len(entered):
        raise RunError(f"the run's stream has {len(entered)} cases, its test heard {stream.cases}; {_RESTORE}")
    return stream


def _entered(connection: Connection) -> Iterator[Any]:
    columns = StreamRow.time, StreamRow.clock, StreamRow.pattern, StreamRow.key, StreamRow.score
    here = StreamRow.place.is_not(None), StreamRow.era == _era(connection)[0]
    yield from connection.execute(select(*columns).where(*here).order_by(StreamRow.place))


def _era(connection: Connection) -> tuple[int, float | None]:
    """The number of the recalibration with which the present stream began, and from when on it holds."""
    query = select(RecalibrationRow.id, RecalibrationRow.since).order_by(RecalibrationRow.id.desc()).limit(1)
    row = connection.execute(query).first()
    return (0, None) if row is None else (row.id, row.since)


def _named(connection: Connection) -> Select[str]:
    """The ids of the cases that the present level ranks among."""
    named = connection.scalar(select(RecalibrationRow.named).where(RecalibrationRow.id == _era(connection)[0]))
    each = func.json_each("[]" if named is None else named).table_valued("value")
    return select(each.c.value)


def _waiting(connection: Connection) -> Any:
    era, _ = _era(connection)
    last = connection.scalar(select(func.max(StreamRow.time)).where(StreamRow.place.is_not(None), StreamRow.era == era))
    columns = (
        StreamRow.case_id, StreamRow.time, StreamRow.clock, StreamRow.pattern, StreamRow.key, StreamRow.score,
        StreamRow.fixed,
    )  # fmt: skip
    query = select(*columns).where(StreamRow.place.is_(None), StreamRow.era == era)
    query = query if last is None else query.where(StreamRow.time >= last)
    return query.order_by(StreamRow.time, StreamRow.key, StreamRow.case_id)


def _keep(connection: Connection, key: str, value: str) -> None:
    statement = insert(MetaRow).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))

"""A judged case as rows: its finding whole, and the copies that SQL filters, counts and orders by.

The rules behind the copies have their owners (`findings`, `reasons`); here they are only written down.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, delete, select, text, update
from sqlalchemy.dialects.sqlite import insert

from mmdmad import reasons
from mmdmad.errors import RunError
from mmdmad.findings import Fact, Finding
from mmdmad.pipeline.lengths import stretches_of
from mmdmad.pipeline.readings import of_missing
from mmdmad.store.again import is_named
from mmdmad.store.db import Base, CaseRow, DocumentRow, EvidenceRow, FactRow, MetaRow, PartRow

CUT = "cut"
"""Under this name it is kept that some judged cases are pieces of longer recordings."""
EVENTS = "events"
"""Under this name it is kept that the table of events is that of the findings as they are."""
LARGEST = 2**63 - 1  # what SQLite holds as a whole number


@dataclass(frozen=True)
class Judged:
    """A finding and what is kept beside it: the marks by which its files are known again, and the Case as JSON.

    `recording` is the one that the case names.
    """

    finding: Finding
    stamp: str = ""
    content: str = ""
    source: str = "{}"
    recording: str | None = None


def put(connection: Connection, judged: Sequence[Judged]) -> None:
    """Write findings with all their rows, in place of earlier ones of the same cases; the caller's transaction."""
    now = datetime.now(UTC)
    cases = [
        {"id": j.finding.case_id, "judged_at": now, "recording": _recording(j), **columns(j.finding)} for j in judged
    ]
    documents = [
        {
            "case_id": j.finding.case_id, "stamp": j.stamp, "content": j.content, "source": j.source,
            **document(j.finding),
        }
        for j in judged
    ]  # fmt: skip
    _upsert(connection, CaseRow, "id", cases)
    _upsert(connection, DocumentRow, "case_id", documents)
    write(connection, [j.finding for j in judged])
    if any(part.cut is not None for j in judged for part in j.finding.parts):
        connection.execute(insert(MetaRow).values(key=CUT, value="true").on_conflict_do_nothing())


def rewrite(connection: Connection, finding: Finding) -> None:
    """Write a finding with all its rows in the place of that of the same case, of which nothing else has changed."""
    connection.execute(update(CaseRow).where(CaseRow.id == finding.case_id).values(**columns(finding)))
    stored = update(DocumentRow).where(DocumentRow.case_id == finding.case_id)
    connection.execute(stored.values(**document(finding)))
    write(connection, [finding])


def document(finding: Finding) -> dict[str, str]:
    """The finding as it is stored: its JSON, and the hash by which damage to it is seen."""
    text = finding.model_dump_json()
    return {"finding": text, "digest": hashlib.sha256(text.encode()).hexdigest()}


def finding_of(row: Any) -> Finding:
    """The finding in a row with `case_id`, `finding` and `digest`; RunError where it is not what was stored."""
    try:
        if row.digest is not None and hashlib.sha256(row.finding.encode()).hexdigest() != row.digest:
            raise ValueError("it is not what was written")
        finding = Finding.model_validate_json(row.finding)
        if finding.case_id != row.case_id:
            raise ValueError(f"it is of case {finding.case_id!r}")
    except ValueError as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise RunError(
            f"the stored finding of case {row.case_id!r} is damaged ({reason}); restore cases.sqlite from a copy, "
            "or move it away and score again"
        ) from error
    return finding


def _upsert(connection: Connection, table: type[Base], key: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows or update those that are there; a row is never deleted, since feedback refers to it."""
    if rows:
        statement = insert(table)
        given = {name: statement.excluded[name] for name in rows[0] if name != key}
        connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=given), rows)


def columns(finding: Finding) -> dict[str, Any]:
    """The columns of a finding in the table of cases, without its id."""
    time, case_id = finding.time, finding.case_id
    digits = re.search(r"(\d+)\D*$", case_id)
    number = int(digits[1]) if digits and len(digits[1]) < 30 else None
    rung, rung_p, *_ = finding.order_key
    return {
        "time": timestamp(time),
        "clock": None if time is None else time.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds"),
        "group": finding.group,
        "verdict": finding.verdict,
        "p_value": finding.p_value,
        "score": finding.score,
        "rung": rung,
        "rung_p": rung_p,
        "reason": reasons.main_reason(finding),
        "contradictory": bool(reasons.contradicted(finding)),
        "floor": floor(finding),
        "clash": min((c.p_value for c in finding.contradictions), default=None),
        "pattern": ",".join(finding.guarantee.pattern),
        "size": finding.guarantee.size,
        **_by_recording(finding),
        **_beside(finding),
        "lacking": lacking(finding),
        "label": finding.label,
        "simulated": finding.simulated,
        "spelling": spelling(case_id),
        "number": number if number is not None and number <= LARGEST else None,
    }


def _by_recording(finding: Finding) -> dict[str, Any]:
    """What decides, and the ranks among recordings; a case that gets no verdict at any rate has none of these."""
    guarantee, own = finding.guarantee, finding.by_recording
    own = None if floor(finding) is None else own
    among = guarantee.units if guarantee.among == "recordings" else guarantee.size
    return {
        "recordings": own and own.count, "drawn_p": own and own.p_value, "whole_p": own and own.whole,
        "deciding_p": guarantee.deciding(finding.p_value, finding.by_recording), "ranked": among,
    }  # fmt: skip


def _beside(finding: Finding) -> dict[str, Any]:
    """The ranks that do not decide at the rate of the run, where cases are ranked by group; they may at another."""
    other, smallest = finding.beside, floor(finding)
    if other is None or smallest is None:
        names = "p", "floor", "size", "clash", "recordings", "drawn_p", "whole_p"
        return {"within": None, **{f"beside_{name}": None for name in names}}
    own = other.by_recording
    return {
        "within": finding.guarantee.within, "beside_p": other.p_value, "beside_size": other.size,
        "beside_floor": stretches_of(finding.guarantee)[0] / (other.size + 1),
        "beside_clash": min(other.contradictions, default=None), "beside_recordings": own and own.count,
        "beside_drawn_p": own and own.p_value, "beside_whole_p": own and own.whole,
    }  # fmt: skip


def _recording(judged: Judged) -> str | None:
    """The recording that a case names, else the mark of the file that its parts were cut from; None without one."""
    cuts = (part.cut.recording for part in judged.finding.parts if part.cut is not None)
    return next(cuts, None) if judged.recording is None else judged.recording


def floor(finding: Finding) -> float | None:
    """The smallest p-value that the case could have got; None where it gets no verdict at any rate."""
    guarantee, grounds = finding.guarantee, finding.guarantee.grounds
    if not finding.parts or is_named(guarantee) or (grounds is not None and grounds.more):
        return None
    return stretches_of(guarantee)[0] * guarantee.smallest_p_value


def lacking(finding: Finding) -> str | None:
    """Which readings are missing inside the parts of a case, otherwise than in those learned from; None for none."""
    grounds = finding.guarantee.grounds
    words = finding.guarantee.missing or (grounds and "; ".join(filter(None, (grounds.fewer, grounds.more))))
    return words or ("readings" if of_missing(finding.guarantee) else None)


def write(connection: Connection, findings: Sequence[Finding]) -> None:
    """Write the rows of the findings' parts, evidence and facts, in place of those that their cases had."""
    if not findings:
        return
    connection.execute(delete(MetaRow).where(MetaRow.key == EVENTS))
    ids = [{"judged": f.case_id} for f in findings]
    for old in (PartRow, EvidenceRow):  # facts go with their evidence
        connection.execute(delete(old).where(old.case_id == bindparam("judged")), ids)
    made: tuple[tuple[type[Base], Callable[[Finding], Iterator[dict[str, Any]]]], ...] = (
        (PartRow, _parts), (EvidenceRow, _evidence), (FactRow, _facts),
    )  # fmt: skip
    for table, rows_of in made:
        rows = [row for f in findings for row in rows_of(f)]
        if rows:
            connection.execute(insert(table), rows)


def _parts(f: Finding) -> Iterator[dict[str, Any]]:
    odd, other = set(reasons.unusual(f)), {} if f.beside is None else f.beside.parts
    for p in f.parts:
        yield {
            "case_id": f.case_id, "modality": p.modality, "p_value": p.p_value, "score": p.score, "share": p.share,
            "beside_p": other.get(p.modality), "stands_out": p.modality in odd, "encoder": p.encoder,
            "detector": p.detector,
        }  # fmt: skip


def _evidence(f: Finding) -> Iterator[dict[str, Any]]:
    for e in f.evidence:
        yield {"case_id": f.case_id, "id": e.id, "kind": e.kind, "part": e.part}


def _facts(f: Finding) -> Iterator[dict[str, Any]]:
    for e in f.evidence:
        for place, fact in enumerate(e.facts):
            yield {
                "case_id": f.case_id, "evidence": e.id, "place": place, "name": fact.name, "value": _value(fact),
                "unit": fact.unit,
            }  # fmt: skip


def _value(fact: Fact) -> float | int | str:
    return float(fact.value) if isinstance(fact.value, int) and abs(fact.value) > LARGEST else fact.value


def timestamp(time: datetime | None) -> float | None:
    """Seconds since 1970 UTC; times without a zone count as UTC, so that they order among themselves."""
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def spelling(case_id: str) -> str:
    """An id without what people leave out when they write it: case, blanks, hyphens, underscores.

    >>> spelling("Test_00 7")
    'test007'
    """
    return re.sub(r"[\W_]+", "", case_id).lower()


def fill(folder: Path, connection: Connection) -> None:
    """Step to format 3: wide columns move to `documents`, and every finding gets its copies and its facts."""
    wide = ("stamp", "content", "source", "finding")
    names = {row[1] for row in connection.execute(text("PRAGMA table_info(cases)"))}
    if set(wide) <= names:
        both = ", ".join(wide)
        connection.execute(text(f"INSERT OR REPLACE INTO documents (case_id, {both}) SELECT id, {both} FROM cases"))
        for name in wide:
            connection.execute(text(f"ALTER TABLE cases DROP COLUMN {name}"))
    for finding in _findings(connection):
        rewrite(connection, finding)


def rate_free(folder: Path, connection: Connection) -> None:
    """Step to format 7: every case gets the columns from which it is read at another rate."""
    for finding in _findings(connection):
        held = {name: value for name, value in columns(finding).items() if name in ("floor", "clash")}
        connection.execute(update(CaseRow).where(CaseRow.id == finding.case_id).values(**held))


def tell_lacking(folder: Path, connection: Connection) -> None:
    """Step to format 11: every case says which readings are missing in it."""
    for finding in _findings(connection):
        if (words := lacking(finding)) is not None:
            connection.execute(update(CaseRow).where(CaseRow.id == finding.case_id).values(lacking=words))


def _findings(connection: Connection) -> Iterator[Finding]:
    """Every stored finding, one in memory at a time; RunError names the first that cannot be read."""
    query = select(DocumentRow.case_id, DocumentRow.finding, DocumentRow.digest).order_by(DocumentRow.case_id).limit(1)
    row = connection.execute(query).first()
    while row is not None:
        yield finding_of(row)
        row = connection.execute(query.where(DocumentRow.case_id > row.case_id)).first()

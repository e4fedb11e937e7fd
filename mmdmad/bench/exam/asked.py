"""Forty questions about a scored line with their true answers, from its ground truth and from the store.

What was planted (part, channel, place, time, words, odd part) comes from truth.jsonl; what was decided (verdicts,
p-values, counts, neighbours) from the stored findings.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdmad.bench.exam import grading as g
from mmdmad.datasets.line.truth import PARTS
from mmdmad.errors import DataError
from mmdmad.findings import Finding, Findings
from mmdmad.reasons import main_reason

ASKED = {
    "count_flagged": 1,
    "count_group": 2,
    "count_missing": 1,
    "count_contradiction": 1,
    "count_driver": 2,
    "worst": 1,
    "group_most": 1,
    "is_normal": 2,
    "is_flagged": 1,
    "why": 3,
    "what_part": 3,
    "what_channel": 3,
    "where": 2,
    "when_in": 2,
    "when_case": 1,
    "words": 2,
    "contradiction": 2,
    "missing": 1,
    "neighbour": 1,
    "p_value": 1,
    "guarantee": 1,
    "compare": 1,
    "hour_count": 1,
    "unanswerable": 2,
    "follow_second": 1,
    "follow_about": 1,
}


@dataclass(frozen=True)
class Asked:
    """Questions of one conversation, and the grader of the last answer."""

    kind: str
    questions: tuple[str, ...]
    right: g.Grader


def questions(
    findings: Sequence[Finding],
    truth: Mapping[str, Mapping[str, Any]],
    wordings: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
    asked: Mapping[str, int] = ASKED,
) -> Iterator[Asked]:
    """As many questions of each kind as `asked` says, each about other cases, in random wordings."""
    maker = _Maker(list(findings), truth, rng)
    for kind, many in asked.items():
        texts = list(wordings[kind])
        order = [texts[i % len(texts)] for i in rng.permutation(max(many, len(texts)))][:many]
        for text, (values, right) in zip(order, getattr(maker, kind)(many)):
            yield Asked(kind, tuple(text.format(**values).split("|")), right)


Made = Iterator[tuple[dict[str, str], g.Grader]]


class _Maker:
    """Draws cases and makes graders; one method a kind of question."""

    def __init__(
        self, findings: list[Finding], truth: Mapping[str, Mapping[str, Any]], rng: np.random.Generator
    ) -> None:
        self.findings = list(Findings(findings).ranked())
        self.flagged = [f for f in self.findings if f.verdict == "anomalous"]
        self.truth, self.rng = truth, rng
        self.groups = sorted({f.group for f in findings if f.group})

    def _draw(self, pool: Sequence[Any], many: int, what: str) -> list[Any]:
        if not pool:
            raise DataError(f"this line has no {what} to ask about; make a larger one")
        return [pool[int(i)] for i in np.resize(self.rng.permutation(len(pool)), many)]

    def _single(self, part: str, *fields: str) -> list[tuple[Finding, Mapping[str, Any]]]:
        """Flagged cases whose only planted fault lies in this part, with that fault; else unflagged ones."""
        rows = [
            (f, self.truth[f.case_id]["faults"]) for f in self.findings if self.truth[f.case_id]["kind"] == "single"
        ]
        return [(f, x[0]) for f, x in rows if len(x) == 1 and x[0]["part"] == part and all(k in x[0] for k in fields)]

    def count_flagged(self, many: int) -> Made:
        for _ in range(many):
            yield {}, g.count(len(self.flagged))

    def count_group(self, many: int) -> Made:
        for group in self._draw(self.groups, many, "group"):
            yield {"group": group}, g.count(sum(f.group == group for f in self.flagged))

    def count_missing(self, many: int) -> Made:
        for part in self._draw(PARTS, many, "part"):
            yield {"part": part}, g.count(sum(part in self.truth[f.case_id]["missing"] for f in self.findings))

    def count_contradiction(self, many: int) -> Made:
        odd = [f for f in self.flagged if any(c.p_value <= f.guarantee.rate for c in f.contradictions)]
        for _ in range(many):
            yield {}, g.count(len(odd))

    def count_driver(self, many: int) -> Made:
        lead = Counter(main_reason(f) for f in self.flagged)
        for part in self._draw(PARTS, many, "part"):
            yield {"part": part}, g.count(lead[part])

    def worst(self, many: int) -> Made:
        for _ in range(many):
            yield {}, g.first_case(self.findings[0].case_id)

    def group_most(self, many: int) -> Made:
        counts = Counter(f.group for f in self.flagged if f.group)
        top = {k for k, n in counts.items() if n == max(counts.values())}
        for _ in range(many):
            yield {}, g.first_of(top, self.groups)

    def _verdicts(self, many: int) -> Made:
        normal = [f for f in self.findings if f.verdict == "normal"]
        drawn = zip(self._draw(normal, many, "normal case"), self._draw(self.flagged, many, "flagged case"))
        for pair in drawn:
            f = pair[int(self.rng.integers(2))]
            yield {"case": f.case_id}, g.verdict(f.case_id, f.verdict)

    is_normal = is_flagged = _verdicts

    def _planted(self) -> list[Finding]:
        return [f for f in self.flagged if self.truth[f.case_id]["kind"] in ("single", "chain")]

    def why(self, many: int) -> Made:
        for f in self._draw(self._planted(), many, "flagged fault"):
            parts = {x["part"] for x in self.truth[f.case_id]["faults"]}
            yield {"case": f.case_id}, g.both(g.says_part(parts), g.number(f.p_value), g.verdict(f.case_id, f.verdict))

    def what_part(self, many: int) -> Made:
        for f in self._draw(self._planted(), many, "flagged fault"):
            yield {"case": f.case_id}, g.first_part({x["part"] for x in self.truth[f.case_id]["faults"]})

    def what_channel(self, many: int) -> Made:
        from mmdmad.datasets.line.truth import CHANNEL_NAMES

        for f, fault in self._draw(self._single("sensor", "channel"), many, "flagged sensor fault"):
            yield {"case": f.case_id}, g.first_of({fault["channel"]}, CHANNEL_NAMES)

    def where(self, many: int) -> Made:
        from mmdmad.datasets.line.truth import IMAGE_SIZE

        for f, fault in self._draw(self._single("image", "box"), many, "flagged picture fault"):
            yield {"case": f.case_id}, g.place(fault["box"], IMAGE_SIZE)

    def when_in(self, many: int) -> Made:
        for f, fault in self._draw(self._single("sensor", "start", "stop"), many, "flagged sensor fault"):
            yield {"case": f.case_id}, g.overlaps(fault["start"], fault["stop"])

    def when_case(self, many: int) -> Made:
        for f in self._draw([f for f in self.findings if f.time], many, "timed case"):
            yield {"case": f.case_id}, g.contains(f"{f.time:%H:%M}", f"{f.time:%Y-%m-%d}")

    def words(self, many: int) -> Made:
        for f, fault in self._draw(self._single("text", "words"), many, "flagged text fault"):
            yield {"case": f.case_id}, g.quotes(fault["words"])

    def contradiction(self, many: int) -> Made:
        pool = [f for f in self.flagged if self.truth[f.case_id]["kind"] == "contradiction" and len(f.parts) > 2]
        for f in self._draw(pool, many, "flagged contradiction"):
            yield {"case": f.case_id}, g.first_part({self.truth[f.case_id]["odd_part"]})

    def missing(self, many: int) -> Made:
        pool = [f for f in self.findings if self.truth[f.case_id]["missing"]]
        for f in self._draw(pool, many, "case that lacks a part"):
            yield {"case": f.case_id}, g.first_part(self.truth[f.case_id]["missing"])

    def neighbour(self, many: int) -> Made:
        pool = [(f, e) for f in self.flagged for e in f.evidence if e.kind == "neighbour"]
        for f, e in self._draw(pool, many, "case with nearest normals"):
            near = next(str(x.value) for x in e.facts if x.name == "nearest normal case")
            yield {"case": f.case_id}, g.contains(near)

    def p_value(self, many: int) -> Made:
        for f in self._draw(self.findings, many, "case"):
            yield {"case": f.case_id}, g.number(f.p_value)

    def guarantee(self, many: int) -> Made:
        for _ in range(many):
            yield {}, g.number(100 * self.findings[0].guarantee.rate, "%")

    def compare(self, many: int) -> Made:
        for f in self._draw(self.flagged, many, "flagged case"):
            lower = self.findings[self.findings.index(f) + 1 :]
            other = self._draw(lower, 1, "less anomalous case")[0]
            pair = (f, other) if self.rng.random() < 0.5 else (other, f)
            yield {"case": pair[0].case_id, "other": pair[1].case_id}, g.first_case(f.case_id)

    def hour_count(self, many: int) -> Made:
        times = sorted(f.time for f in self.findings if f.time)
        for _ in range(many):
            a, b = sorted(self.rng.choice(len(times), 2, replace=False))
            since, until = f"{times[a]:%H:%M}", f"{times[b]:%H:%M}"
            inside = [f for f in self.flagged if f.time and since <= f"{f.time:%H:%M}" < until]
            yield {"since": since, "until": until}, g.count(len(inside))

    def unanswerable(self, many: int) -> Made:
        for f in self._draw(self.flagged, many, "flagged case"):
            yield {"case": f.case_id}, g.declined

    def follow_second(self, many: int) -> Made:
        second = self.findings[1]
        for _ in range(many):
            yield {}, g.both(g.first_case(second.case_id), g.number(second.p_value))

    def follow_about(self, many: int) -> Made:
        normal = [f for f in self.findings if f.verdict == "normal"]
        drawn = zip(self._draw(normal, many, "normal case"), self._draw(self.flagged, many, "flagged case"))
        for a, b in drawn:
            yield {"case": a.case_id, "other": b.case_id}, g.verdict(b.case_id, b.verdict)

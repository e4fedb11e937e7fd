"""A finding as it reads at another declared rate: p-values decide, so nothing is judged again.

Verdict, guarantee and every sentence that depends on the rate are those of a case judged at it. Where a fault lies was
looked for when the case was judged: a case that is flagged only at the other rate may have fewer places to show.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mmdmad.calibration.moving import moving
from mmdmad.calibration.promise import promise
from mmdmad.cases import Case
from mmdmad.errors import RunError
from mmdmad.explain import verdict as said
from mmdmad.explain.words import Draft, listed
from mmdmad.findings import Evidence, Explanation, Finding, Sentence
from mmdmad.guarantees import Grounds, Guarantee, Ranks, Unit
from mmdmad.pipeline.lengths import for_stretches, stretches_of
from mmdmad.pipeline.readings import Outside, for_missing
from mmdmad.sizes import RATES
from mmdmad.store.again import is_kept, is_named
from mmdmad.store.stream import Watch, lapsed

if TYPE_CHECKING:
    from mmdmad.pipeline.detector import JointDetector


@dataclass(frozen=True)
class View:
    """Findings at another rate; `watch` knows since when the guarantee of the run has lapsed.

    `recall` gives the grounds of a finding of an earlier version, which holds none.
    """

    rate: float
    watch: Watch | None
    recall: Callable[[Finding], Grounds]

    def of(self, finding: Finding) -> Finding:
        """The finding at this rate."""
        if finding.guarantee.rate == self.rate:
            return finding
        if not finding.parts or is_named(finding.guarantee):  # without a verdict at any rate
            guarantee = finding.guarantee.model_copy(update={"rate": self.rate})
            return finding.model_copy(update={"guarantee": guarantee})
        before, grounds = finding.guarantee, finding.guarantee.grounds or self.recall(finding)
        guarantee = at_rate(before.pattern, before.unit, grounds, self.rate)
        if before.method == "moving":
            guarantee = moving(guarantee, before.size)
        elif is_kept(before):
            guarantee = guarantee.model_copy(update={"valid": False, "note": before.note})
        ranked = finding if guarantee.within == before.within else _turned(finding)
        verdict = guarantee.verdict(guarantee.deciding(ranked.p_value, ranked.by_recording))
        read = ranked.model_copy(update={"guarantee": guarantee, "verdict": verdict, "explanation": None})
        read = read.model_copy(update={"evidence": tuple(_evidence(read))})
        if self.watch is not None and (lapse := self.watch.lapsing(read)) is not None:
            read = lapsed(read, lapse)
        newly = verdict == "anomalous" != finding.verdict
        known = None if newly or finding.explanation is None else _explanation(finding.explanation, finding, read)
        return read.model_copy(update={"explanation": known})


@lru_cache(maxsize=4096)
def at_rate(pattern: tuple[str, ...], unit: Unit, grounds: Grounds, rate: float) -> Guarantee:
    """The guarantee at a rate, from what any is said from."""
    of = {"learned": grounds.learned, "drawn": grounds.drawn}
    made = promise(pattern, rate, grounds.folds, unit, **of, group=grounds.group)
    if grounds.stretches > 1:
        made = for_stretches(made, grounds.stretches, grounds.usual)
    outside = Outside(grounds.fewer, grounds.more, grounds.missing, grounds.unlike)
    return for_missing(made, outside) if outside else made


def recalled(model: "JointDetector", finding: Finding, case: Case) -> Grounds:
    """The grounds of a finding of an earlier version, from the model that judged it."""
    guarantee = finding.guarantee
    stretches, usual = stretches_of(guarantee)
    own = guarantee.unit != "case" and ("holds only for more of" in guarantee.note or model.learned(case))
    folds = tuple(fold.calibration.ranked(guarantee.pattern) for fold in model.folds_)
    return Grounds(folds=folds, learned=own, stretches=stretches, usual=usual)


def _turned(finding: Finding) -> Finding:
    """The finding with the p-values in its group in the place of those over all groups, or the other way round."""
    other = finding.beside
    if other is None:
        return finding
    clashes = tuple(c.p_value for c in finding.contradictions)
    now = Ranks(
        p_value=finding.p_value, size=finding.guarantee.size, parts={p.modality: p.p_value for p in finding.parts},
        contradictions=clashes, by_recording=finding.by_recording,
    )  # fmt: skip
    parts = tuple(p.model_copy(update={"p_value": other.parts.get(p.modality, p.p_value)}) for p in finding.parts)
    turned = zip(finding.contradictions, other.contradictions or clashes, strict=True)
    return finding.model_copy(
        update={
            "p_value": other.p_value, "by_recording": other.by_recording, "parts": parts, "beside": now,
            "contradictions": tuple(c.model_copy(update={"p_value": p}) for c, p in turned),
        }
    )  # fmt: skip


def check_rate(rate: float) -> None:
    """RunError for a rate that verdicts cannot be declared at."""
    if not RATES[0] <= rate <= RATES[1]:
        raise RunError(f"false_alarm_rate={rate} was given; allowed is a rate from {RATES[0]} to {RATES[1]}")


def _evidence(read: Finding) -> Iterable[Evidence]:
    """Its evidence with what depends on the rate said anew; a contradiction that is none at this rate is left out."""
    own = {p.modality: p for p in read.parts}
    none = {(c.part, listed(c.given)) for c in read.contradictions if c.p_value > read.guarantee.rate}
    for one in read.evidence:
        if one.kind == "verdict":
            yield _said(one, said.verdict(read))
        elif one.kind == "part" and one.part in own:
            yield _said(one, said.part(own[one.part], read))
        elif one.kind != "contradiction" or (one.part, _given(one)) not in none:
            yield one


def _given(one: Evidence) -> str:
    return next((str(f.value) for f in one.facts if f.name == "given"), "")


def _said(one: Evidence, anew: Draft) -> Evidence:
    return one.model_copy(update={"caption": anew.caption, "facts": anew.facts})


def _explanation(words: Explanation, before: Finding, now: Finding) -> Explanation | None:
    """The sentences that still stand; one whose evidence now reads otherwise gives way to the caption of that."""
    was, known = {e.id: e for e in before.evidence}, {e.id: e for e in now.evidence}
    kept: list[Sentence] = []
    used: set[str] = set()
    for sentence in words.sentences:
        others = [i for i in sentence.cites if known.get(i) != was.get(i)]
        if not others:
            kept.append(sentence)
            continue
        for name in others:
            if name in known and name not in used:
                used.add(name)
                kept.append(Sentence(text=known[name].caption, cites=(name,), grounded=True))
    return words.model_copy(update={"sentences": tuple(kept)}) if kept else None

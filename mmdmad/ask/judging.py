"""What stands behind the verdicts: the guarantee of each pattern of parts, labels where there are any, the models."""

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.expected import Expected, of_all
from mmdmad.ask.overview import Nothing, told_lapse
from mmdmad.ask.words import percent, plural
from mmdmad.explain.words import fact, listed
from mmdmad.findings import Guarantee, PartName
from mmdmad.modalities.base import ordered
from mmdmad.store.stream import has_lapsed


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Basis(_Data):
    """The guarantee for one pattern of present parts, and how many cases it was used for."""

    guarantee: Guarantee
    judged: int
    flagged: int

    @property
    def unpromised(self) -> bool:
        """Whether cases get a verdict for which the rate is not promised; a lapse is told for the whole run."""
        return self.guarantee.decides and not self.guarantee.valid and not has_lapsed(self.guarantee)


class Labels(_Data):
    """Verdicts against the labels of the manifest, which were never used to judge."""

    anomalous: int
    anomalous_flagged: int
    normal: int
    normal_flagged: int


class Model(_Data):
    """Which encoder and detector judged a modality."""

    modality: PartName
    encoder: str
    detector: str


class Guarantees(Result):
    """One guarantee a pattern of present parts, the most used first."""

    bases: tuple[Basis, ...]
    expected: Expected | None = None


class Labelled(Result):
    """How verdicts and labels agree; None where no case has a label."""

    labels: Labels | None


class Models(Result):
    """The models, in the order of modalities."""

    models: tuple[Model, ...]


@query("guarantees")
def guarantees(scope: Scope, asked: Nothing) -> Guarantees:
    """What the declared false-alarm rate means and on how many calibration cases it rests, by present parts."""
    run = scope.run
    bases = []
    for case, judged, flagged in run.tally.patterns():
        finding = run.finding(case)
        if finding is not None:
            bases.append(Basis(guarantee=finding.guarantee, judged=judged, flagged=flagged))
    sizes, rate = run.tally.sizes(), run.rate
    if sizes is None:
        none = "The run holds no judged cases yet, so there is no declared false-alarm rate."
        return Guarantees(line="all cases: 0 of 0 cases", evidence=(told(none),), bases=())
    false = of_all(run.tally.groups(), rate)
    size = f"{sizes[0]}" if sizes[0] == sizes[1] else f"{sizes[0]} to {sizes[1]}"
    said = [
        *told_lapse(run.watch),
        told(
            f"The declared false-alarm rate is {percent(rate)}: a normal case like those of the calibration is flagged "
            "with at most this probability.",
            fact("declared false-alarm rate", 100 * rate, "%"),
        ),
        told(
            f"It rests on {size} normal calibration cases for each pattern of present parts.",
            fact("fewest calibration cases", sizes[0]), fact("most calibration cases", sizes[1]),
        ),
        *([told(false.words(rate), *false.facts)] if false.cases else ()),
        *map(_basis, bases),
    ]  # fmt: skip
    total = sum(b.judged for b in bases)
    line = f"all cases: {total} of {plural(total)}"
    return Guarantees(line=line, evidence=tuple(said), bases=tuple(bases), expected=false)


def _basis(b: Basis) -> Cited:
    g = b.guarantee
    low, high = (100 * end for end in g.interval)
    text = f"With {listed(g.pattern)}: {b.judged} judged, {b.flagged} flagged, {g.size} calibration cases, "
    text += f"95 % interval of the false-alarm rate {percent(g.interval[0])} to {percent(g.interval[1])}."
    facts = [fact("pattern", listed(g.pattern)), fact("judged cases", b.judged), fact("flagged cases", b.flagged)]
    facts += [fact("calibration cases", g.size), fact("interval level", 95, "%")]
    if g.among == "recordings" and g.units is not None:
        text += f" They are ranked among one window of each of {g.units} calibration recordings, and for windows of"
        text += " any new one the rate is promised; recordings as wholes have a p-value of their own."
        facts.append(fact("calibration recordings", g.units))
    facts += [fact("interval low", low, "%"), fact("interval high", high, "%")]
    if g.bound is not None:
        text += f" A theorem bounds the rate by {percent(g.bound)}."
        facts.append(fact("bound of the rate", 100 * g.bound, "%"))
    return told(text if g.valid else f"{text} No guarantee: {g.note or 'too few calibration cases'}.", *facts)


@query("compare_with_labels", asked=("labels", "labelled", "labeled", "ground truth", "precision", "recall"))
def compare_with_labels(scope: Scope, asked: Nothing) -> Labelled:
    """How many of the cases that the manifest labels as anomalous or normal are flagged; labels never judge."""
    counts = scope.run.tally.labels()
    total, judged = sum(counts.values()), scope.run.count()
    line = f"with a label: {total} of {plural(judged)}"
    if not counts:
        return Labelled(line=line, evidence=(told("No judged case has a label."),), labels=None)
    bad, good = (counts.get((label, True), 0) for label in (1, 0))
    n = Labels(
        anomalous=bad + counts.get((1, False), 0), anomalous_flagged=bad, normal=good + counts.get((0, False), 0),
        normal_flagged=good,
    )  # fmt: skip
    said = told(
        f"Labels in the manifest, never used to judge: {n.anomalous_flagged} of {n.anomalous} anomalous cases and "
        f"{n.normal_flagged} of {n.normal} normal cases are flagged.",
        *(fact(name.replace("_", " "), value) for name, value in n),
    )
    return Labelled(line=line, evidence=(said,), labels=n)


@query(
    "list_models",
    asked=("which model", "what model", "which detector", "what detector", "which encoder", "what encoder", "models"),
)
def list_models(scope: Scope, asked: Nothing) -> Models:
    """Which encoder and which detector judged each part."""
    rows = scope.run.tally.models()
    order = ordered(m for m, _, _ in rows)
    found = [Model(modality=m, encoder=e, detector=d) for m, e, d in sorted(rows, key=lambda r: (order.index(r[0]), r))]
    said = [
        told(
            f"The {m.modality} is encoded by {m.encoder} and judged by {m.detector}.",
            fact("encoder", m.encoder), fact("detector", m.detector), part=m.modality,
        )
        for m in found
    ]  # fmt: skip
    judged = scope.run.count()
    return Models(line=f"all cases: {judged} of {plural(judged)}", evidence=tuple(said), models=tuple(found))

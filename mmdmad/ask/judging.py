"""What stands behind the verdicts: the guarantee of each pattern of parts, labels where there are any, the models."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.expected import Expected, of_all
from mmdmad.ask.filters import Filter
from mmdmad.ask.overview import Nothing, told_lapse
from mmdmad.ask.words import percent, plural
from mmdmad.explain.words import fact, listed
from mmdmad.findings import Guarantee, PartName
from mmdmad.modalities.base import ordered
from mmdmad.store.stream import has_lapsed

if TYPE_CHECKING:
    from mmdmad.store.run import Run


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
def compare_with_labels(scope: Scope, asked: Filter) -> Labelled:
    """How many of the cases that the manifest labels as anomalous or normal are flagged; labels never judge."""
    asked = asked.model_copy(update={"verdict": None, "label": None})
    run, where, what = asked.of(scope.run), asked.stored(), asked.words()
    n, judged = labels_of(run, where), run.count(**where)
    total = 0 if n is None else n.anomalous + n.normal
    line = f"{what} with a label: {total} of {plural(judged)}"
    if n is None:
        none = "No judged case has a label" if what == "cases" else f"None of the {what} has a label"
        people = "so it is not known which are really faulty; people can say it with `mmdmad feedback`."
        return Labelled(line=line, evidence=(told(f"{none}, {people}"),), labels=None)
    return Labelled(line=line, evidence=told_labels(n, judged, what), labels=n)


def labels_of(run: "Run", where: dict[str, Any]) -> Labels | None:
    """Verdicts of the cases that pass against their labels; None where none has a label."""
    bad, good = (run.count(**where | {"label": label}) for label in (1, 0))
    if not bad + good:
        return None
    caught, false = (run.count(**where | {"label": label, "verdict": "anomalous"}) for label in (1, 0))
    return Labels(anomalous=bad, anomalous_flagged=caught, normal=good, normal_flagged=false)


def told_labels(n: Labels, judged: int, what: str = "cases") -> tuple[Cited, ...]:
    """How verdicts and labels agree, and of how many cases nothing is known."""
    among = "" if what == "cases" else f", among {what}"
    facts = [fact(name.replace("_", " "), value) for name, value in n]
    said = [
        told(
            f"Labels in the manifest, never used to judge: {n.anomalous_flagged} of {n.anomalous} anomalous cases and "
            f"{n.normal_flagged} of {n.normal} normal cases are flagged{among}.",
            *facts,
        )
    ]
    if n.anomalous:
        missed = n.anomalous - n.anomalous_flagged
        left = f"{missed} of the labelled anomalous cases {'is' if missed == 1 else 'are'} not flagged."
        left = left if missed else "All labelled anomalous cases are flagged."
        said.append(told(left, fact("labelled anomalous cases not flagged", missed)))
    if without := judged - n.anomalous - n.normal:
        said.append(told(f"{plural(without)} {'has' if without == 1 else 'have'} no label: of these it is not known.",
                         fact("cases without a label", without)))  # fmt: skip
    return tuple(said)


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

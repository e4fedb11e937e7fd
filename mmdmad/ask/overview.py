"""The run as a whole: how many cases, what was flagged, by what, where and when."""

from collections.abc import Sequence

from mmdmad.ask.base import Arguments, Cited, Result, Scope, query, told
from mmdmad.ask.feedback import told_precision
from mmdmad.ask.words import flagged_line, percent, plural, told_caught
from mmdmad.explain.words import fact
from mmdmad.modalities.base import modalities
from mmdmad.store.pending import Pending
from mmdmad.store.stream import Watch

WORST = 3


class Nothing(Arguments):
    """A question without arguments."""


class Overview(Result):
    """Counts of the run; `drivers` are flagged cases by what carries the largest share; names that are in use.

    `first` and `last` are the times of the oldest and the newest case on their own clocks, to the second; "" where no
    case has one. `watched` says whether normal has moved in the course of the run, as far as times tell; `lapsed`: it
    has, so that the guarantee has lapsed. `adapted`: how many cases were ranked among a moving reference, "" where none
    was. `empty` are cases whose recorder gave no data. `parts` are those that were learned, `called` the words for
    modalities that ids of cases begin with ("clip" of clip-003).
    """

    judged: int
    verdicts: dict[str, int]
    refused: int
    rate: float
    drivers: dict[str, int]
    groups: tuple[str, ...]
    channels: tuple[str, ...]
    simulated: bool
    first: str = ""
    last: str = ""
    watched: str = ""
    lapsed: bool = False
    adapted: str = ""
    empty: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    called: tuple[str, ...] = ()


@query("overview")
def overview(scope: Scope, asked: Nothing) -> Overview:
    """The run as a whole: cases, flagged ones by part and group, the rate, whether it still holds, names in use."""
    run, tally = scope.run, scope.run.tally
    verdicts, drivers = tally.by("verdict"), tally.by("driver", verdict="anomalous")
    judged, flagged = sum(verdicts.values()), verdicts.get("anomalous", 0)
    groups, channels = tuple(run.groups()), tuple(tally.channels())
    refused, simulated = tally.refused(), tally.simulated()
    watch = run.watch
    said = [*told_lapse(watch), *told_pending(run.pending)]
    if judged:
        said.append(_counts(scope, judged, verdicts, simulated))
        worst = [f.case_id for f in run.findings(limit=WORST)]
        said += _flagged(drivers, tally.count(verdict="anomalous", contradictory=True))
        said += _by_group(tally.by("group", verdict="anomalous"))
        said += told_precision(run.precision)[:1]
        said.append(told(f"Most anomalous: {', '.join(worst)}.", *(fact("case", case) for case in worst)))
    else:
        said.append(told("The run holds no judged cases yet.", fact("judged cases", 0)))
    if (known := run.caught) is not None:
        said.append(told_caught(known, run.rate))
    if moving := run.adapted:
        said.append(told(f"{moving}.", fact("moving reference", "--adapt")))
    if done := run.recalibrations:
        last = f"{done[-1].at:%Y-%m-%d}"
        text = f"The run was recalibrated, last on {last}: {done[-1].words}."
        said.append(told(text, fact("recalibrated", last), fact("judged anew", done[-1].anew)))
    if empty := tuple(tally.empty()):
        said.append(told_empty(empty))
    if refused:
        noun = "part or case was" if refused == 1 else "parts or cases were"
        said.append(told(f"{refused} {noun} refused.", fact("refused", refused)))
    if groups:
        said.append(told(f"Groups: {', '.join(groups)}.", *(fact("group", name) for name in groups)))
    if channels:
        said.append(
            told(f"Channels in the evidence: {', '.join(channels)}.", *(fact("channel", name) for name in channels))
        )
    line, span = flagged_line(flagged, judged, verdicts.get("no verdict", 0), run.rate), tally.span() or ("", "")
    return Overview(
        line=f"all cases: {line}",
        evidence=tuple(said),
        judged=judged, verdicts=verdicts, refused=refused, rate=run.rate, drivers=drivers, groups=groups,
        channels=channels, simulated=simulated, first=span[0], last=span[1],
        watched=watch.words, lapsed=watch.lapse is not None, adapted=run.adapted, empty=empty,
        parts=tuple(tally.learned()),
        called=tuple(word for kind in modalities().values() for word in kind.words if tally.begins(word)),
    )  # fmt: skip


def told_lapse(watch: Watch) -> list[Cited]:
    """Since when the guarantee has lapsed, where it has: the first thing to say of verdicts."""
    if watch.lapse is None:
        return []
    facts = fact("lapsed since", watch.lapse.since), fact("evidence since", watch.lapse.began)
    return [told(f"{watch.words}.", *facts)]


def told_pending(left: Pending) -> list[Cited]:
    """How many of the cases that were given are still to be judged, where scoring was stopped half-way."""
    if not left.words:
        return []
    facts = fact("given", left.given), fact("not judged yet", left.left)
    return [told(f"{left.words}; give the same cases to `mmdmad score` again.", *facts)]


def told_empty(cases: Sequence[str]) -> Cited:
    """Which cases gave no data: nothing can be ranked, and yet it is what a person looks for."""
    more = f" and {len(cases) - WORST} more" if len(cases) > WORST else ""
    text = f"{no_data(len(cases))} ({', '.join(cases[:WORST])}{more})."
    return told(text, fact("cases without data", len(cases)), *(fact("case", case) for case in cases[:WORST]))


def no_data(cases: int) -> str:
    """How many cases gave no data, and what that is.

    >>> no_data(1)
    '1 case gave no data (every reading is missing): a finding by itself, without a rank'
    """
    return f"{plural(cases)} gave no data (every reading is missing): a finding by itself, without a rank"


def _counts(scope: Scope, judged: int, verdicts: dict[str, int], simulated: bool) -> Cited:
    rate, span = scope.run.rate, scope.run.tally.span()
    counts = [verdicts.get(v, 0) for v in ("anomalous", "normal", "no verdict")]
    names = ("anomalous", "normal", "without a verdict")
    facts = [fact("judged cases", judged), *(fact(name, n) for name, n in zip(names, counts))]
    facts.append(fact("declared false-alarm rate", 100 * rate, "%"))
    when = ""
    if span is not None:
        facts += [fact("first time", span[0]), fact("last time", span[1])]
        when = f", {span[0]} to {span[1]}"
    return told(
        f"{plural(judged)} {'was' if judged == 1 else 'were'} judged{' (simulated)' if simulated else ''}{when}: "
        f"{', '.join(f'{n} {name}' for n, name in zip(counts, names))}, "
        f"at a declared false-alarm rate of {percent(rate)}.",
        *facts,
    )


def _flagged(drivers: dict[str, int], contradictory: int) -> list[Cited]:
    if not drivers:
        return []
    rows = ", ".join(f"{name} {n}" for name, n in drivers.items())
    facts = [fact(name, n) for name, n in drivers.items()]
    text = f"Flagged cases by what carries the largest share: {rows}; {contradictory} with a contradiction."
    return [told(text, *facts, fact("with a contradiction", contradictory))]


def _by_group(groups: dict[str, int]) -> list[Cited]:
    if not groups:
        return []
    facts = [one for name, n in groups.items() for one in (fact("group", name), fact("flagged cases", n))]
    return [told("By group: " + ", ".join(f"{name} {n}" for name, n in groups.items()) + ".", *facts)]

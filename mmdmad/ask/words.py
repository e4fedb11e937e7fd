"""Findings in words, as every question and every page says them: one place for percentages, captions, case lines."""

from collections.abc import Sequence

from mmdmad import reasons
from mmdmad.ask.base import Cited, told
from mmdmad.explain.when import When, in_file, on_clock
from mmdmad.explain.words import fact, listed, quoted
from mmdmad.findings import Evidence, Fact, Finding
from mmdmad.modalities.base import modality_of
from mmdmad.store.caught import Caught
from mmdmad.stretches import Stretch


def percent(share: float) -> str:
    """A share as a percentage with at most three significant digits.

    >>> percent(0.01), percent(0.12345)
    ('1 %', '12.3 %')
    """
    return f"{100 * share:.3g} %"


def short(value: float | int) -> float | int:
    """A number with at most three significant digits; counts stay as they are.

    >>> short(0.012345), short(1234)
    (0.0123, 1234)
    """
    return value if isinstance(value, int) else float(f"{value:.3g}")


def plural(count: int, word: str = "case") -> str:
    """A count with its word.

    >>> plural(1), plural(0, "part")
    ('1 case', '0 parts')
    """
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def flagged_line(flagged: int, judged: int, undecided: int, rate: float, *, sentence: bool = False) -> str:
    """How many of all cases are flagged, as a head or a sentence; where none could be, that instead of a count.

    >>> flagged_line(3, 60, 4, 0.05), flagged_line(0, 30, 30, 0.01, sentence=True)
    ('3 of 60 cases flagged at 5 %', 'None of 30 cases could be flagged at 1 %.')
    """
    if judged and undecided == judged:
        words = f"none of {plural(judged)} could be flagged at {percent(rate)}"
        return f"N{words[1:]}." if sentence else words
    if not sentence:
        return f"{flagged} of {plural(judged)} flagged at {percent(rate)}"
    return f"{flagged} of {plural(judged)} {'is' if flagged == 1 else 'are'} flagged at {percent(rate)}."


def caption(e: Evidence) -> str:
    """The caption, with a channel's name at its head spelled as the channel is."""
    name = next((str(f.value) for f in e.facts if f.name == "channel"), "")
    same = name and e.caption.lower().startswith(name.lower())
    return name + e.caption[len(name) :] if same else e.caption


def case_line(f: Finding) -> Cited:
    """One finding in a line: verdict, p-value, group, time, and for a flagged one what drives it."""
    p, score, odd = short(f.deciding_p_value), short(f.score), reasons.contradicted(f)
    words, facts = [f"{f.case_id}: {f.verdict}, p-value {p}"], [fact("case", f.case_id), fact("verdict", f.verdict)]
    facts += [fact("p-value", p), fact("joint score", score)]
    if f.by_recording is not None:
        words[0] += f" among {f.guarantee.ranked_words if f.guarantee.among == 'recordings' else 'windows'}"
    if f.group:
        words.append(f.group)
        facts.append(fact("group", f.group))
    if f.time is not None:
        time = f.time.isoformat(sep=" ", timespec="seconds")
        words.append(time)
        facts.append(fact("time", time))
    reason = reasons.main_reason(f)
    if reason is not None:
        facts.append(fact("largest share", reason))
        words += [f"largest share {reason}"] if f.verdict == "anomalous" else []
    if odd:
        words.append(f"contradiction: {', '.join(odd)}")
        facts.append(fact("contradiction", ", ".join(odd)))
    lacking = reasons.missing(f)
    if lacking:
        facts.append(fact("lacking", ", ".join(lacking)))
    return told(", ".join(words), *facts, case=f.case_id)


def counted(name: str, counts: dict[str, int], what: str) -> list[Cited]:
    """One line for each key of a count: "brick tile: 7 flagged cases"."""
    return [
        told(f"{key}: {n} {what}.", Fact(name=name, value=key), Fact(name="cases", value=n))
        for key, n in counts.items()
    ]


def stretch_place(s: Stretch) -> When:
    """Where a stretch lies in its file: times, or the numbers of lines from 1, and the clock; no words without a file.

    >>> from mmdmad.findings import Slice
    >>> lines = Slice(part="text", file="app.log", recording="1", first=40, last=60)
    >>> stretch_place(Stretch(cases=("a", "b"), peak="a", p_value=0.01, parts=("text",), place=lines)).words
    'from line 41 to line 60 of app.log'
    >>> alone = lines.model_copy(update={"last": 41})
    >>> stretch_place(Stretch(cases=("a",), peak="a", p_value=0.01, parts=("text",), place=alone)).words
    'line 41 of app.log'
    """
    place = s.place
    if place is None:
        return When("", ())
    if place.start is not None and place.stop is not None:
        return in_file(place.file, place.start, place.stop, s.begin)
    file = quoted(place.file, 60)
    unit = modality_of(place.part).slices.removesuffix("s") or "piece"
    facts = [fact(f"first {unit}", place.first + 1), fact(f"last {unit}", place.last), fact("file", file)]
    first = place.first + 1
    words = f"{unit} {first}" if first == place.last else f"from {unit} {first} to {unit} {place.last}"
    words += f" of {file}"
    if s.begin is not None and s.end is not None:
        clock = on_clock(s.begin), on_clock(s.end)
        facts += [fact("start time", clock[0]), fact("stop time", clock[1])]
        words += f" ({clock[0]})" if clock[0] == clock[1] else f" ({clock[0]} to {clock[1]})"
    return When(words, tuple(facts))


def stretch_line(s: Stretch, peak: Finding) -> Cited:
    """A stretch in a line: the case line of its most anomalous window, and where it lies with how many others."""
    line = case_line(peak)
    if len(s.cases) == 1:
        return line
    where = stretch_place(s)
    facts = [*line.evidence.facts, fact("windows", len(s.cases)), *where.facts]
    facts.append(fact("parts in the stretch", ", ".join(s.parts)))
    words = f"{line.evidence.caption.rstrip('.')}; the most anomalous of {len(s.cases)} windows side by side"
    words += f" {where.words}" if where.words else ""
    return told(f"{words}, by {listed(s.parts)}", *facts, case=peak.case_id)


def in_stretches(flagged: int, stretches: Sequence[Stretch]) -> str:
    """How many stretches so many flagged cases are, as the end of a sentence; "" where none lie side by side.

    >>> alone = Stretch(cases=("a",), peak="a", p_value=0.01, parts=())
    >>> in_stretches(3, [alone, alone.model_copy(update={"cases": ("b", "c")})]), in_stretches(1, [alone])
    (', in 2 stretches', '')
    """
    count = len(stretches)
    return f", in {plural(count, 'stretch').replace('stretchs', 'stretches')}" if 0 < count < flagged else ""


def told_caught(found: Caught, rate: float) -> Cited:
    """How many labelled faults are caught at a rate, as something to say of the run."""
    said = found.words(rate)
    facts = [fact("labelled faults", len(found.p_values)), fact("labelled faults given", found.given)]
    if found.p_values:
        low, high = found.interval(rate)
        facts += [fact("caught", found.at(rate)), fact("declared false-alarm rate", 100 * rate, "%")]
        facts += [fact("interval level", 95, "%"), fact("interval low", 100 * low, "%")]
        facts.append(fact("interval high", 100 * high, "%"))
    return told(f"{said[:1].upper()}{said[1:]}.", *facts)

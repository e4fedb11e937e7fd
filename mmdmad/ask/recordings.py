"""How often windows are flagged, and how often recordings as wholes: two rates, of which the declared one is the first.

A normal recording of many windows has one flagged far more often than a window is. As a whole it is ranked by its most
odd window among the most odd windows of the calibration recordings (`mmdmad.calibration.recordings`).
"""

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.overview import Nothing
from mmdmad.ask.words import percent, plural
from mmdmad.calibration.conformal import attained_level, is_attainable, smallest_calibration_size
from mmdmad.explain.words import fact, number
from mmdmad.store.tally import Whole

LISTED = 8


class OneRecording(BaseModel):
    """One judged recording: its windows, flagged ones, the most odd, and its p-value as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    windows: int
    flagged: int
    p_value: float
    peak: str


class RecordingRates(Result):
    """Judged recordings that were not learned from, the smallest p-value as a whole first.

    `with_flagged` have a flagged window; `whole` have a p-value as a whole of at most the declared rate, of normal
    ones `expected` would; None where so few calibration recordings allow none.
    """

    recordings: tuple[OneRecording, ...] = ()
    with_flagged: int = 0
    whole: int | None = None
    expected: float | None = None
    learned: int = 0


@query(
    "recording_rates",
    asked=(
        "recordings flagged", "recordings as wholes", "recordings … whole", "whole recording", "per recording",
        "each recording", "which recordings", "rate … recordings",
    ),
    section="Windows and whole recordings",
)  # fmt: skip
def recording_rates(scope: Scope, asked: Nothing) -> RecordingRates:
    """How many windows and how many recordings as wholes are flagged, for recordings that were not learned from."""
    tally, rate = scope.run.tally, scope.run.rate
    found, learned = tally.recordings(), tally.of_learned()
    line = f"recordings not learned from: {len(found)}"
    said = [] if not learned else [_learned(learned)]
    if not found:
        none = told("No window of a recording that was not learned from is ranked among recordings.")
        return RecordingRates(line=line, evidence=(*said, none), learned=learned, idle=not learned)
    windows, bad = sum(one.windows for one in found), sum(one.flagged for one in found)
    touched, known = sum(one.flagged > 0 for one in found), min(one.count for one in found)
    facts = [fact("windows", windows), fact("flagged windows", bad), fact("recordings", len(found))]
    said.append(
        told(
            f"{bad} of {plural(windows, 'window')} are flagged, in {touched} of {plural(len(found), 'recording')}. The "
            f"declared {percent(rate)} is of windows; of a normal recording of many, one is flagged more often.",
            *facts, fact("recordings with a flagged window", touched), fact("declared rate", 100 * rate, "%"),
        )
    )  # fmt: skip
    whole = [one for one in found if is_attainable(one.count, rate) and one.p_value <= rate]
    enough = is_attainable(known, rate)
    mean = round(sum(attained_level(one.count, rate) for one in found), 6)
    said.append(_as_wholes(len(whole), len(found), mean, rate) if enough else _too_few(known, rate))
    said += [_told(one, scope) for one in whole[:LISTED]]
    return RecordingRates(
        line=line, evidence=tuple(said), with_flagged=touched, learned=learned,
        recordings=tuple(
            OneRecording(name=_name(one, scope), windows=one.windows, flagged=one.flagged, p_value=one.p_value,
                         peak=one.peak)
            for one in found
        ),
        whole=len(whole) if enough else None, expected=mean if enough else None,
    )  # fmt: skip


def _learned(count: int) -> Cited:
    verb = "is" if count == 1 else "are"
    return told(
        f"{plural(count, 'window')} {verb} of recordings that were learned from: ranked among windows of these, and "
        "their rate holds only for more of these.",
        fact("windows of recordings learned from", count),
    )


def _as_wholes(whole: int, every: int, mean: float, rate: float) -> Cited:
    verb = "stands" if whole == 1 else "stand"
    return told(
        f"As wholes, by their most odd window among those of the calibration recordings, {whole} of "
        f"{plural(every, 'recording')} {verb} out at {percent(rate)}; were all normal, {number(mean)} would.",
        fact("recordings that stand out", whole), fact("recordings", every), fact("expected false alarms", mean),
        fact("declared rate", 100 * rate, "%"),
    )  # fmt: skip


def _too_few(known: int, rate: float) -> Cited:
    needed = smallest_calibration_size(rate)
    return told(
        f"As wholes none can stand out at {percent(rate)}: that takes {needed} calibration recordings, there are "
        f"{known}, so {needed - known} more.",
        fact("calibration recordings", known), fact("needed calibration recordings", needed),
        fact("more recordings", needed - known), fact("declared rate", 100 * rate, "%"),
    )  # fmt: skip


def _told(one: Whole, scope: Scope) -> Cited:
    return told(
        f"{_name(one, scope)}: p-value {one.p_value:.3g} as a whole, {one.flagged} of {plural(one.windows, 'window')} "
        f"flagged, the most odd is {one.peak}.",
        fact("recording", _name(one, scope)), fact("p-value", one.p_value), fact("flagged windows", one.flagged),
        fact("windows", one.windows), fact("case", one.peak), case=one.peak,
    )  # fmt: skip


def _name(one: Whole, scope: Scope) -> str:
    """The recording as its case names it, else the file that it is; the mark of a file tells a reader nothing."""
    finding = scope.run.finding(one.peak)
    cuts = (p.cut for p in finding.parts if p.cut is not None) if finding is not None else ()
    cut = next(iter(cuts), None)
    return (
        cut.file if cut is not None and cut.recording == one.recording and len(one.recording) == 16 else one.recording
    )

"""What a fit can catch: how small a rate its calibration cases support, which planted damage, what more would bring."""

import math

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.overview import Nothing
from mmdmad.ask.words import percent, plural
from mmdmad.calibration.conformal import attained_level, is_attainable, smallest_calibration_size
from mmdmad.calibration.rates import USUAL_RATES
from mmdmad.explain.words import fact
from mmdmad.pipeline.sensitivity import Kind, Sensitivity


class Catches(Result):
    """What was measured; None in runs that were fitted by earlier versions."""

    found: Sensitivity | None = None


@query(
    "would_catch",
    asked=("would … have caught", "would … be caught", "can … catch", "would … catch", "how small a fault", "planted"),
    section="What this model would catch",
)
def would_catch(scope: Scope, asked: Nothing) -> Catches:
    """Which rate the calibration cases support, which planted damage is caught at it, what more cases would bring."""
    found, rate = scope.run.sensitivity, scope.run.rate
    if found is None:
        none = told("This run does not hold what its model would catch; a new fit measures it.")
        return Catches(line="planted damage: not measured", evidence=(none,), idle=True)
    said: list[Cited] = [_support(found, rate), *_more(found)]
    if rate == found.rate or found.free:
        said += [_kind(kind, rate) for kind in found.kinds]
    else:
        text = f"Planted damage was measured at {percent(found.rate)}, and not at {percent(rate)}."
        said.append(told(text, fact("measured at", 100 * found.rate, "%"), fact("declared rate", 100 * rate, "%")))
    said.append(_how(found))
    tries = sum(len(one.p_values) for kind in found.kinds for one in kind.tried)
    return Catches(line=f"planted damage: {tries} tries on {plural(found.cases)}", evidence=tuple(said), found=found)


def _counted(found: Sensitivity) -> tuple[int, str]:
    """How many cases or recordings decide what rate is reached."""
    usual = found.usual
    return (usual.units or 0, "recording") if usual.unit == "recording" else (usual.size, "case")


def _support(found: Sensitivity, rate: float) -> Cited:
    count, what = _counted(found)
    level = attained_level(count, rate)
    text = f"Verdicts rest on {plural(count, f'calibration {what}')}: no p-value is below {1 / (count + 1):.3g}, "
    if level:
        text += f"and a declared {percent(rate)} attains {percent(level)}."
    else:
        text += f"so at a declared {percent(rate)} nothing can be flagged with a promise."
    return told(
        text, fact(f"calibration {what}s", count), fact("smallest p-value", 1 / (count + 1)),
        fact("declared rate", 100 * rate, "%"), fact("attained level", 100 * level, "%"),
    )  # fmt: skip


def _more(found: Sensitivity) -> list[Cited]:
    """The smallest usual rate that is reached, and how many more normal cases the smaller ones need."""
    count, what = _counted(found)
    missing = [rate for rate in USUAL_RATES if not is_attainable(count, rate)]
    if not missing:
        return []
    reached = next((rate for rate in USUAL_RATES if rate not in missing), None)
    text = "None of the usual rates is reached" if reached is None else f"The smallest rate is {percent(reached)}"
    facts = [] if reached is None else [fact("smallest rate", 100 * reached, "%")]
    needs = []
    for rate in (missing[-1], missing[0]) if len(missing) > 1 else missing:
        lacking = smallest_calibration_size(rate) - count
        normals = math.ceil(lacking / found.share) if what == "case" else lacking
        needs.append(f"{percent(rate)} needs {plural(normals, f'normal {what}')} more")
        facts += [fact("needs more", normals), fact("usual rate", 100 * rate, "%")]
    return [told(f"{text}; {', '.join(needs)}.", *facts)]


def _kind(kind: Kind, rate: float) -> Cited:
    said = kind.words(rate)
    facts = [fact("declared rate", 100 * rate, "%"), fact("interval level", 95, "%"), fact("rows", 10, "%")]
    for one in kind.tried:
        unit = "" if kind.modality == "sensor" else "%"
        facts += [
            fact("size", one.size * (100 if unit else 1), unit), fact("tries", len(one.p_values)),
            fact("caught", one.caught(rate)), fact("share caught", 100 * one.share(rate), "%"),
        ]  # fmt: skip
    facts += [fact(name, 100 * end, "%") for name, end in zip(("interval low", "interval high"), kind.interval(rate))]
    return told(f"{said[:1].upper()}{said[1:]}.", *facts)


def _how(found: Sensitivity) -> Cited:
    text = (
        f"Damage was planted in {plural(found.cases, 'normal case')} that the models judging them had neither learned "
        "from nor ranked with"
    )
    text += "; the time for it, a fifth of the fit's own, was used up." if found.stopped else "."
    return told(text, fact("cases with planted damage", found.cases))

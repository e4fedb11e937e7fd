"""True sentences about evidence in other words than its caption: other order, rounding, units, synonyms.

The `faithfulness` suite measures how many of these are shown as they are. Written from the
facts, by hand, without looking at which of them the check accepts.
"""

from collections.abc import Iterator

from mmdmad.findings import Evidence, Finding


def _value(e: Evidence, name: str) -> float | None:
    found = next((f.value for f in e.facts if f.name == name), None)
    return None if found is None or isinstance(found, str) else float(found)


def _text(e: Evidence, name: str) -> str | None:
    return next((str(f.value) for f in e.facts if f.name == name), None)


def _unit(e: Evidence, name: str) -> str:
    return next((f.unit for f in e.facts if f.name == name), "")


def paraphrases(finding: Finding) -> Iterator[tuple[str, tuple[str, ...]]]:
    """True sentences about a finding, with the evidence they cite."""
    parts = [e for e in finding.evidence if e.kind == "part"]
    for e in finding.evidence:
        yield from ((text, (e.id,)) for text in _of(e))
    if len(parts) > 1:
        shares = {e: _value(e, "share of the joint score") or 0.0 for e in parts}
        top = max(parts, key=lambda e: shares[e])
        if sorted(shares.values())[-1] > sorted(shares.values())[-2]:
            yield f"The {top.part} carries the largest share.", tuple(e.id for e in parts)


def _of(e: Evidence) -> Iterator[str]:
    match e.kind:
        case "verdict":
            yield from _verdict(e)
        case "part":
            p, share = _value(e, "p-value"), _value(e, "share")
            yield f"By itself, the {e.part} has a p-value of {p:.2g}."
            if share is not None and share >= 10:
                yield f"About {share:.0f} percent of the joint score comes from the {e.part}."
        case "channel":
            yield from _channel(e)
        case "region":
            yield from _region(e)
        case "frames" | "span":
            start, stop = _value(e, "start"), _value(e, "stop")
            if start is not None and stop is not None:
                yield f"Something unusual is visible between {start:g} and {stop:g} seconds."
                yield f"The {e.part} is unusual for {round(stop - start, 2):g} s, starting at {start:g} s."
        case "words":
            quote = _text(e, "quote")
            if quote:
                yield f"The text says “{quote}”, which is unusual."
        case "neighbour":
            first = _text(e, "nearest normal case")
            if first:
                yield f"The closest normal case is {first}, judged by the {e.part}."
        case "contradiction":
            yield f"The {e.part} does not belong with the other parts (p = {_value(e, 'p-value'):.2g})."
        case "missing":
            yield f"There is no {e.part}."


def _verdict(e: Evidence) -> Iterator[str]:
    case, p, rate = _text(e, "case"), _value(e, "p-value"), _value(e, "declared false-alarm rate")
    if p is None or rate is None:
        return
    if _text(e, "verdict") == "anomalous":
        yield f"{case} is anomalous: p = {p:.2g} lies below the declared rate of {rate:g} %."
    elif _text(e, "verdict") == "normal":
        yield f"{case} is not flagged, since its p-value of {p:.2g} is above the {rate:g} % rate."
        yield f"At a false-alarm rate of {rate / 100:g}, case {case} was judged normal."
    yield f"The decision rests on {_value(e, 'calibration cases'):.0f} calibration cases."
    when = _text(e, "time")
    if when:
        yield f"It was recorded at {when[11:16]} on {when[:10]}."


def _channel(e: Evidence) -> Iterator[str]:
    name, event = (_text(e, "channel") or "").replace("_", " "), _text(e, "event")
    start, stop = _value(e, "start"), _value(e, "stop")
    low, high = _value(e, "normal low"), _value(e, "normal high")
    if start is not None and stop is not None:
        yield f"The {name} is unusual between {start:.2f} s and {stop:.2f} s."
        yield f"From {1000 * start:.0f} to {1000 * stop:.0f} ms the {name} leaves its usual course."
    if event == "level shift" and low is not None and high is not None:
        mean = _value(e, "mean")
        unit = _unit(e, "mean")
        if mean is not None and mean > high:
            usual = f"{low:.3g} to {high:.3g} {unit}"
            yield f"The {name} averages {mean:.3g} {unit}, higher than the normal range of {usual}."
        elif mean is not None and mean < low:
            yield f"With {mean:.3g} {unit} the {name} lies below its normal {low:.3g}–{high:.3g} {unit}."
    if event == "spike":
        rises = "jumps up" if _text(e, "direction") == "up" else "drops"
        yield f"At {_value(e, 'time'):g} s the {name} {rises}, reaching {_value(e, 'value'):.3g} {_unit(e, 'value')}."
    if event == "drift":
        rises = "rises" if _text(e, "direction") == "up" else "falls"
        yield f"The {name} slowly {rises} by {_value(e, 'rise'):.2g} {_unit(e, 'rise')}."
    if event == "frozen":
        yield f"The {name} stays frozen at {_value(e, 'held value'):.3g} {_unit(e, 'held value')}."


def _region(e: Evidence) -> Iterator[str]:
    place = _text(e, "place")
    yield f"Look at the {place} of the picture." if place != "centre" else "Look at the middle of the picture."
    share = _value(e, "share of the picture")
    if share is not None and share >= 1:
        yield f"A spot in the {place} covers {share:.2g} % of the photo."
        yield f"The box begins at x = {_value(e, 'left'):.0f} px and y = {_value(e, 'top'):.0f} px."
    if _text(e, "tone"):
        yield f"It is {_text(e, 'tone')} than the area around it."

"""Evidence from a sensor table: when it stands out, on which channels, and what was measured there."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdmad.explain.events import Event, events
from mmdmad.explain.maps import Span, curves, hot_spans, on_scale
from mmdmad.explain.ranges import Ranges
from mmdmad.explain.sensor_clock import another_rate
from mmdmad.explain.sensor_normal import SensorNormal
from mmdmad.explain.traces import Traces, traces
from mmdmad.explain.when import Recorded
from mmdmad.explain.words import Draft, draft, fact
from mmdmad.findings import Fact

if TYPE_CHECKING:
    from mmdmad.judgement import PartJudgement
    from mmdmad.parts import Sensor

MAX_CHANNELS = 4
_CLEAR = 0.5  # a channel that the detector did not mark must lie this far beyond its normal range to be named


@dataclass(frozen=True, eq=False)
class ChannelView:
    """One channel with everything that is said or drawn about it."""

    name: str
    unit: str
    trace: Traces
    normal: Ranges | None
    curve: np.ndarray  # on the fixed scale, (T,)
    events: list[Event]
    marked: bool  # the detector has tokens of its own for this channel, and one of them is hot
    recorded: Recorded = field(default_factory=Recorded)

    @property
    def named(self) -> bool:
        """Whether the channel is worth a sentence."""
        return self.marked or any(e.excess > _CLEAR for e in self.events)

    @property
    def weight(self) -> float:
        """How much the channel deserves to be named."""
        strongest = max((min(e.excess, 100.0) for e in self.events), default=0.0)
        return strongest + (max(0.0, float(self.curve.max())) if self.marked else 0.0)


def look(judged: "PartJudgement", signal: "Sensor", known: SensorNormal, group: str | None) -> list[ChannelView]:
    """Every channel of the table, most unusual first."""
    scored = {c: on_scale(v, judged.scale) for c, v in curves(judged.token_scores, judged.layout, signal.times).items()}
    together = scored.get("*")
    ticks, recorded = known.clock(group), Recorded.of_table(signal)
    alike = ticks is None or not another_rate(signal.times, ticks)
    views = []
    for index, (name, unit) in enumerate(zip(signal.channels, signal.units, strict=True)):
        trace = traces(signal.values[:, index], signal.times)
        normal = known.channel(name, group)
        own = scored.get(name)
        if normal is None and own is None and known.ranges and not _state(name, signal):
            continue  # no normal table has it and it was not judged: a count of the recording
        curve = own if own is not None else together if together is not None else np.zeros(len(signal.times))
        found = [] if normal is None else events(trace, normal, alike)
        marked = own is not None and float(own.max()) > 1
        views.append(ChannelView(name, unit, trace, normal, curve, found, marked, recorded))
    # what was measured says more than a mark, however hot
    return sorted(views, key=lambda view: (not any(e.excess > _CLEAR for e in view.events), -view.weight))


def _state(name: str, signal: "Sensor") -> bool:
    return name.startswith(tuple(f"{column}=" for column in signal.states))


def evidence(views: list[ChannelView], judged: "PartJudgement", times: np.ndarray) -> list[Draft]:
    """One sentence for each channel that deserves one; the hot time span where no channel has a measured event."""
    # a part may stand out as a whole though no channel is far off: then what lies least inside its range is said
    named = [v for v in views if v.named][:MAX_CHANNELS] or [v for v in views if v.events][:1]
    drafts = []
    for view in named:
        drafts += [_event(view, event) for event in view.events] or [_shape(view)]
    combined = np.max([view.curve for view in views], axis=0)
    spans = hot_spans(combined, times)
    # a measured event has sharper times than the detector's windows; their span is said where nothing was measured
    if spans and not any(view.events for view in named):
        drafts.insert(0, _span(spans[0], views[0].recorded))
    return drafts or [_nothing(combined, times, views[0].recorded)]


def _span(span: Span, recorded: Recorded) -> Draft:
    when = recorded.span(span.start, span.stop)
    facts = [*when.facts, fact("peak on the map scale", span.peak)]
    return draft("span", "sensor", "the sensor data stand out most {when}.", facts, when.words)


def _nothing(curve: np.ndarray, times: np.ndarray, recorded: Recorded) -> Draft:
    """No channel and no time is off by itself; the stretch around the highest score."""
    peak = int(curve.argmax())
    near = curve >= 0.9 * curve[peak] if curve[peak] > 0 else np.arange(len(curve)) == peak
    left = peak - int(np.argmin(near[peak::-1])) + 1 if not near[: peak + 1].all() else 0
    right = peak + int(np.argmin(near[peak:])) - 1 if not near[peak:].all() else len(curve) - 1
    when = recorded.span(float(times[left]), float(times[right]))
    text = "no single channel stands out; the least usual time is {when}."
    return draft("span", "sensor", text, when.facts, when.bare)


def _shape(view: ChannelView) -> Draft:
    """The detector marks a channel on which no single measure is unusual."""
    span = hot_spans(view.curve, view.trace.times)[0]
    when = view.recorded.span(span.start, span.stop)
    facts = [fact("channel", view.name), *when.facts, fact("peak on the map scale", span.peak)]
    if view.normal is None:
        text = "channel {channel} stands out {when}; no normal case has this channel."
        return draft("channel", "sensor", text, facts, when.words)
    low, _, high = view.normal["value"]
    inside = (view.trace.times >= span.start) & (view.trace.times <= span.stop)
    values = view.trace.values[inside]
    facts += [
        fact("lowest value", float(values.min()), view.unit),
        fact("highest value", float(values.max()), view.unit),
        fact("normal low", low, view.unit),
        fact("normal high", high, view.unit),
    ]
    if low <= values.min() and values.max() <= high:
        text = (
            "channel {channel} has an unusual course {when}, "
            "though its values stay in the normal range of {normal_low} to {normal_high}."
        )
    else:
        text = (
            "channel {channel} runs between {lowest_value} and {highest_value} {when}; "
            "its normal range is {normal_low} to {normal_high}."
        )
    return draft("channel", "sensor", *_of_few(view, text, facts), when.words)


def _event(view: ChannelView, event: Event) -> Draft:
    tip = event.kind == "spike"
    time = float(view.trace.times[int(np.abs(view.trace.residual).argmax())]) if tip else 0.0
    when = view.recorded.at(time) if tip else view.recorded.span(event.start, event.stop)
    facts = [fact("channel", view.name), fact("event", event.kind), *when.facts]
    text, facts = _TEMPLATES[event.kind](view, event, facts)
    return draft("channel", "sensor", *_of_few(view, text, facts), when.words)


def _of_few(view: ChannelView, text: str, facts: list[Fact]) -> tuple[str, list[Fact]]:
    """The sentence with how many normal cases are behind its normal range, where they are few."""
    if view.normal is None or not view.normal.few:
        return text, facts
    cases = "normal case" if view.normal.size == 1 else "normal cases"
    return f"{text.removesuffix('.')} (from {{normal_cases}} {cases}).", [
        *facts,
        fact("normal cases", view.normal.size),
    ]


def _value_range(view: ChannelView) -> list[Fact]:
    assert view.normal is not None
    low, _, high = view.normal["value"]
    return [fact("normal low", low, view.unit), fact("normal high", high, view.unit)]


def _dropout(view: ChannelView, event: Event, facts: list[Fact]) -> tuple[str, list[Fact]]:
    if not np.isfinite(event.value):
        return "channel {channel} gives no readings {when} (dropout).", facts
    facts = [*facts, fact("held value", event.value, view.unit), *_value_range(view)]
    return (
        "channel {channel} drops out: it reads {held_value} {when}; its normal range is {normal_low} to {normal_high}."
    ), facts


def _frozen(view: ChannelView, event: Event, facts: list[Fact]) -> tuple[str, list[Fact]]:
    facts = [*facts, fact("held value", event.value, view.unit)]
    facts.append(fact("longest normal hold", event.normal[1], "s"))
    return (
        "channel {channel} is frozen at {held_value} {when}; "
        "normal cases hold one value for at most {longest_normal_hold}."
    ), facts


def _spike(view: ChannelView, event: Event, facts: list[Fact]) -> tuple[str, list[Fact]]:
    facts = [
        *facts,
        fact("value", event.value, view.unit),
        fact("jump", abs(event.change), view.unit),
        fact("direction", "up" if event.change > 0 else "down"),
        fact("largest normal jump", event.normal[1], view.unit),
    ]
    return (
        "channel {channel} spikes {direction} by {jump} to {value} {when}; "
        "normal cases jump by at most {largest_normal_jump}."
    ), facts


def _noise(view: ChannelView, event: Event, facts: list[Fact]) -> tuple[str, list[Fact]]:
    facts = [
        *facts,
        fact("roughness", event.value, view.unit),
        fact("largest normal roughness", event.normal[1], view.unit),
    ]
    text = "channel {channel} has a noise burst {when}: its steps spread by {roughness}"
    if np.isfinite(event.change):
        facts.append(fact("ratio", event.change))
        text += ", {ratio} times the usual"
    return text + "; normal cases reach at most {largest_normal_roughness}.", facts


def _shift(view: ChannelView, event: Event, facts: list[Fact]) -> tuple[str, list[Fact]]:
    facts = [*facts, fact("mean", event.value, view.unit)]
    levels = [fact("normal low", event.normal[0], view.unit), fact("normal high", event.normal[1], view.unit)]
    if event.change == 0.0:  # the whole table lies at another level
        where = " {when}" if view.recorded.file else ""
        text = f"channel {{channel}} averages {{mean}}{where}; normal levels lie between {{normal_low}} and "
        return text + "{normal_high}.", [*facts, *levels]
    facts.append(fact("direction", "up" if event.change > 0 else "down"))
    facts.append(fact("shift", abs(event.change), view.unit))
    text = "channel {channel} shifts {direction} by {shift} to a mean of {mean} {when}; "
    if event.against == "shift":
        facts.append(fact("largest normal shift", event.normal[1], view.unit))
        return text + "normal cases shift by at most {largest_normal_shift}.", facts
    return text + "normal levels lie between {normal_low} and {normal_high}.", [*facts, *levels]


def _drift(view: ChannelView, event: Event, facts: list[Fact]) -> tuple[str, list[Fact]]:
    facts = [
        *facts,
        fact("direction", "up" if event.change > 0 else "down"),
        fact("rise", abs(event.change), view.unit),
        fact("last value", event.value, view.unit),
        fact("largest normal rise", event.normal[1], view.unit),
    ]
    return (
        "channel {channel} drifts {direction} by {rise} {when}, to {last_value}; "
        "normal cases change by at most {largest_normal_rise}."
    ), facts


_TEMPLATES: dict[str, Any] = {
    "dropout": _dropout,
    "frozen": _frozen,
    "spike": _spike,
    "noise burst": _noise,
    "level shift": _shift,
    "drift": _drift,
}

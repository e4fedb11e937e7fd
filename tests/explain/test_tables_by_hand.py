"""What is said of sensor tables, with events, maps and normal ranges given by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.explain import image, sensor, sensor_normal
from mmdmad.explain.events import Event
from mmdmad.explain.maps import Region
from mmdmad.explain.ranges import MIN_GROUP, Ranges
from mmdmad.explain.sensor import ChannelView
from mmdmad.explain.sensor_normal import SensorNormal
from mmdmad.explain.traces import MEASURES, traces
from mmdmad.parts import Sensor
from mmdmad.tokens import Layout

TIMES = np.arange(20) / 2


def facts(said):
    return {f.name: (f.value, f.unit) for f in said.facts}


def view(*events, name="load", curve=None, marked=False, values=None, value=(-1.0, 0.0, 1.0)):
    trace = traces(np.arange(20.0) if values is None else np.asarray(values, float), TIMES)
    known = None if value is None else Ranges(("value",), np.array([value], float), 60)
    return ChannelView(name, "A", trace, known, np.zeros(20) if curve is None else curve, list(events), marked)


def said(*views):
    return sensor.evidence(list(views), None, TIMES)


def one(*views):
    (draft,) = said(*views)
    assert (draft.kind, draft.part) == ("channel", "sensor")
    return draft


def test_a_dropout_is_said_with_the_value_it_holds_if_any():
    draft = one(view(Event("dropout", 1.0, 2.5, 9.0, -4.0, 0.0, (-1.0, 1.0))))
    assert facts(draft) == {
        "channel": ("load", ""), "event": ("dropout", ""), "start": (1.0, "s"), "stop": (2.5, "s"),
        "held value": (-4.0, "A"), "normal low": (-1.0, "A"), "normal high": (1.0, "A"),
    }  # fmt: skip
    assert draft.caption == (
        "Channel load drops out: it reads -4 A from 1 s to 2.5 s; its normal range is -1 A to 1 A."
    )
    draft = one(view(Event("dropout", 1.0, 2.5, 9.0, np.nan, 0.0, (0.0, 1.0))))
    assert draft.caption == "Channel load gives no readings from 1 s to 2.5 s (dropout)."
    assert facts(draft).keys() == {"channel", "event", "start", "stop"}


def test_a_frozen_channel_is_said_with_the_longest_usual_hold():
    draft = one(view(Event("frozen", 1.0, 2.5, 9.0, 0.5, 0.0, (0.0, 0.75))))
    assert draft.caption == (
        "Channel load is frozen at 0.5 A from 1 s to 2.5 s; normal cases hold one value for at most 0.75 s."
    )
    assert facts(draft) == {
        "channel": ("load", ""), "event": ("frozen", ""), "start": (1.0, "s"), "stop": (2.5, "s"),
        "held value": (0.5, "A"), "longest normal hold": (0.75, "s"),
    }  # fmt: skip


@pytest.mark.parametrize(("change", "side"), [(2.0, "up"), (-2.0, "down")])
def test_a_spike_a_shift_and_a_drift_are_said_with_their_side(change, side):
    values = np.zeros(20)
    values[7] = change
    draft = one(view(Event("spike", 3.0, 4.0, 9.0, change, change, (0.0, 0.5)), values=values))
    assert draft.caption == (
        f"Channel load spikes {side} by 2 A to {change:g} A at 3.5 s; normal cases jump by at most 0.5 A."
    )
    assert facts(draft) == {
        "channel": ("load", ""), "event": ("spike", ""), "time": (3.5, "s"), "value": (change, "A"), "jump": (2.0, "A"),
        "direction": (side, ""), "largest normal jump": (0.5, "A"),
    }  # fmt: skip
    draft = one(view(Event("drift", 3.0, 10.0, 9.0, 7.0, change, (0.0, 0.5))))
    assert draft.caption == (
        f"Channel load drifts {side} by 2 A from 3 s to 10 s, to 7 A; normal cases change by at most 0.5 A."
    )
    assert facts(draft) == {
        "channel": ("load", ""), "event": ("drift", ""), "start": (3.0, "s"), "stop": (10.0, "s"),
        "direction": (side, ""), "rise": (2.0, "A"), "last value": (7.0, "A"), "largest normal rise": (0.5, "A"),
    }  # fmt: skip
    draft = one(view(Event("level shift", 3.0, 4.0, 9.0, 7.0, change, (-0.5, 0.5))))
    assert draft.caption == (
        f"Channel load shifts {side} by 2 A to a mean of 7 A from 3 s to 4 s; normal levels lie between "
        "-0.5 A and 0.5 A."
    )
    shift = {
        "channel": ("load", ""), "event": ("level shift", ""), "start": (3.0, "s"), "stop": (4.0, "s"),
        "mean": (7.0, "A"), "direction": (side, ""), "shift": (2.0, "A"),
    }  # fmt: skip
    assert facts(draft) == shift | {"normal low": (-0.5, "A"), "normal high": (0.5, "A")}
    draft = one(view(Event("level shift", 3.0, 4.0, 9.0, 7.0, change, (0.0, 0.5), "shift")))
    assert draft.caption == (
        f"Channel load shifts {side} by 2 A to a mean of 7 A from 3 s to 4 s; normal cases shift by at most 0.5 A."
    )
    assert facts(draft) == shift | {"largest normal shift": (0.5, "A")}


def test_a_table_at_another_level_is_said_with_its_mean():
    draft = one(view(Event("level shift", 0.0, 10.0, 9.0, 7.0, 0.0, (-0.5, 0.25))))
    assert draft.caption == "Channel load averages 7 A; normal levels lie between -0.5 A and 0.25 A."
    assert facts(draft) == {
        "channel": ("load", ""), "event": ("level shift", ""), "start": (0.0, "s"), "stop": (10.0, "s"),
        "mean": (7.0, "A"), "normal low": (-0.5, "A"), "normal high": (0.25, "A"),
    }  # fmt: skip


def test_a_noise_burst_is_said_with_its_ratio_to_the_usual():
    draft = one(view(Event("noise burst", 3.0, 4.0, 9.0, 0.75, 7.5, (0.05, 0.25))))
    assert draft.caption == (
        "Channel load has a noise burst from 3 s to 4 s: its steps spread by 0.75 A, 7.5 times the usual; normal cases "
        "reach at most 0.25 A."
    )
    assert facts(draft) == {
        "channel": ("load", ""), "event": ("noise burst", ""), "start": (3.0, "s"), "stop": (4.0, "s"),
        "roughness": (0.75, "A"), "ratio": (7.5, ""), "largest normal roughness": (0.25, "A"),
    }  # fmt: skip
    draft = one(view(Event("noise burst", 3.0, 4.0, 9.0, 0.75, np.nan, (0.0, 0.25))))  # the usual is no scale
    assert draft.caption == (
        "Channel load has a noise burst from 3 s to 4 s: its steps spread by 0.75 A; normal cases reach at most 0.25 A."
    )
    assert "ratio" not in facts(draft)


@pytest.mark.parametrize(
    ("size", "said_of"), [(1, " (from 1 normal case)."), (19, " (from 19 normal cases)."), (20, ".")]
)
def test_a_range_of_few_normal_cases_says_of_how_many(size, said_of):
    few = Ranges(("value",), np.array([(-1.0, 0.0, 1.0)]), size)
    held = view(Event("frozen", 1.0, 2.5, 9.0, 0.5, 0.0, (0.0, 0.75)))
    marked = view(curve=hot((2, 4, 2.0)), marked=True, values=np.full(20, 7.0))
    for one_view, end in ((held, "for at most 0.75 s"), (marked, "is -1 A to 1 A")):
        (draft,) = [d for d in said(replace(one_view, normal=few)) if d.kind == "channel"]
        assert draft.caption.endswith(end + said_of)
        assert ("normal cases" in facts(draft)) == (size < 20)


def hot(*pieces):
    curve = np.zeros(20)
    for start, stop, value in pieces:
        curve[start:stop] = value
    return curve


@pytest.mark.parametrize(
    ("value", "inside"),
    [((4.0, 5.0, 7.0), True), ((4.1, 5.0, 7.0), False), ((4.0, 5.0, 6.9), False), ((0.0, 5.0, 9.0), True)],
)
def test_a_marked_channel_is_said_with_its_values_in_the_hot_span(value, inside):
    curve = hot((4, 8, 0.75), (6, 7, 1.5), (15, 17, 1.25))
    span, draft = said(view(curve=curve, marked=True, value=value))
    assert span.caption == "The sensor data stand out most from 2 s to 3.5 s."
    assert facts(span) == {"start": (2.0, "s"), "stop": (3.5, "s"), "peak on the map scale": (1.5, "")}
    assert (span.kind, span.part) == ("span", "sensor")
    low, high = f"{value[0]:g} A", f"{value[2]:g} A"
    assert draft.caption == (
        f"Channel load has an unusual course from 2 s to 3.5 s, though its values stay in the normal range "
        f"of {low} to {high}."
        if inside
        else f"Channel load runs between 4 A and 7 A from 2 s to 3.5 s; its normal range is {low} to {high}."
    )
    assert facts(draft) == {
        "channel": ("load", ""), "start": (2.0, "s"), "stop": (3.5, "s"), "peak on the map scale": (1.5, ""),
        "lowest value": (4.0, "A"), "highest value": (7.0, "A"), "normal low": (value[0], "A"),
        "normal high": (value[2], "A"),
    }  # fmt: skip
    assert (draft.kind, draft.part) == ("channel", "sensor")


def test_a_marked_channel_that_no_normal_case_has_has_no_range():
    _, draft = said(view(curve=hot((4, 8, 1.5)), marked=True, value=None))
    assert draft.caption == "Channel load stands out from 2 s to 3.5 s; no normal case has this channel."
    assert facts(draft).keys() == {"channel", "start", "stop", "peak on the map scale"}
    assert (draft.kind, draft.part) == ("channel", "sensor")


STRONG = Event("frozen", 1.0, 2.0, 0.6, 0.5, 0.0, (0.0, 0.75))
WEAK = Event("frozen", 1.0, 2.0, 0.4, 0.5, 0.0, (0.0, 0.75))


def test_every_event_of_a_named_channel_is_said_and_a_weak_one_only_where_nothing_else_is():
    quiet, weak = view(name="a"), view(WEAK, name="b")
    assert [facts(d)["channel"][0] for d in said(view(STRONG, WEAK, name="c"), weak, quiet)] == ["c", "c"]
    assert [facts(d)["channel"][0] for d in said(quiet, weak, view(WEAK, name="d"))] == ["b"]
    assert [d.kind for d in said(quiet)] == ["span"]
    five = [view(STRONG, name=str(i)) for i in range(5)]
    assert [facts(d)["channel"][0] for d in said(*five)] == ["0", "1", "2", "3"]


def test_the_hot_span_is_said_where_nothing_was_measured():
    curve = hot((4, 8, 1.5))
    assert [d.kind for d in said(view(curve=curve), view(name="b", curve=hot((10, 12, 2.0))))] == ["span"]
    assert facts(said(view(curve=curve), view(name="b", curve=hot((10, 12, 2.0))))[0])["start"] == (5.0, "s")
    assert [d.kind for d in said(view(STRONG, curve=curve))] == ["channel"]
    assert [d.kind for d in said(view(curve=curve, marked=True), view(STRONG, name="b"))] == ["channel", "channel"]
    assert [d.kind for d in said(view(curve=curve, marked=True), view(name="b"))] == ["span", "channel"]


@pytest.mark.parametrize(
    ("curve", "start", "stop"),
    [
        (hot((4, 5, 0.45), (5, 6, 0.5), (6, 8, 0.46), (10, 12, 0.49)), 2.0, 3.5),
        (hot((4, 5, 0.44), (5, 6, 0.5), (6, 8, 0.44)), 2.5, 2.5),
        (hot((0, 3, 0.5)), 0.0, 1.0),
        (hot((17, 20, 0.5)), 8.5, 9.5),
        (hot((0, 20, 0.5)), 0.0, 9.5),
        (hot((0, 1, 0.9)), 0.0, 0.0),
        (hot((19, 20, 0.9)), 9.5, 9.5),
        (np.zeros(20), 0.0, 0.0),
        (hot((0, 20, -1.0), (8, 9, -0.5)), 4.0, 4.0),
        (hot((0, 20, -1.0), (8, 9, 0.0)), 4.0, 4.0),
    ],
)
def test_the_least_usual_time_is_around_the_peak_down_to_nine_tenths_of_it(curve, start, stop):
    (draft,) = said(view(curve=curve))
    assert facts(draft) == {"start": (start, "s"), "stop": (stop, "s")}
    when = f"{start:g} s" if start == stop else f"{start:g} s to {stop:g} s"
    assert draft.caption == f"No single channel stands out; the least usual time is {when}."
    assert (draft.kind, draft.part) == ("span", "sensor")


def look(values, scores, layout, known=None, channels=("load", "speed"), scale=(1.0, 3.0)):
    part = SimpleNamespace(token_scores=np.asarray(scores, float), layout=layout, scale=scale)
    table = Sensor(np.asarray(values, float), TIMES, channels, ("A", "m/s")[: len(channels)], None)
    return sensor.look(part, table, known or SensorNormal(), "A")


WINDOWS = np.array([[0.0, 5.0], [5.0, 10.0]])


def test_a_look_gives_each_channel_its_own_map_or_that_of_all():
    values = np.stack([np.arange(20.0), np.arange(20.0) * 2], axis=1)
    own = Layout("steps", (4,), where=np.tile(WINDOWS, (2, 1)), channels=("load", "load", "speed", "speed"))
    speed, load = look(values, [1, 3, 1, 3.5], own)
    assert (speed.name, speed.unit, speed.marked, load.name, load.unit, load.marked) == (
        "speed", "m/s", True, "load", "A", False,
    )  # fmt: skip
    assert load.curve.tolist() == [0.0] * 10 + [1.0] * 10
    assert speed.curve.tolist() == [0.0] * 10 + [1.25] * 10
    assert speed.trace.values.tolist() == values[:, 1].tolist()
    assert (load.normal, load.events) == (None, [])
    together = look(values, [1, 9], Layout("steps", (2,), where=WINDOWS))
    assert [v.curve.tolist() for v in together] == [[0.0] * 10 + [4.0] * 10] * 2
    assert [v.marked for v in together] == [False, False]  # hot, but not by tokens of their own
    other = look(values, [1, 9], Layout("steps", (2,), where=WINDOWS, channels=("else", "else")))
    assert [v.curve.tolist() for v in other] == [[0.0] * 20] * 2


def test_measured_events_come_before_marks_and_the_stronger_first(monkeypatch):
    beyond = {"a": [], "b": [0.5], "c": [0.6], "d": [0.2, 7.0], "e": []}
    order = iter(beyond.values())
    monkeypatch.setattr(sensor, "events", lambda trace, known, alike: [Event(
        "frozen", 0.0, 1.0, e, 0.0, 0.0, (0.0, 1.0)) for e in next(order)])  # fmt: skip
    known = SensorNormal()
    known.ranges = {("", c): Ranges((), np.zeros((0, 3)), 0) for c in beyond}
    layout = Layout("steps", (2,), where=WINDOWS[:1].repeat(2, axis=0), channels=("a", "e"))
    part = SimpleNamespace(token_scores=np.array([9.0, 3.2]), layout=layout, scale=(1.0, 3.0))
    table = Sensor(np.zeros((20, 5)), TIMES, tuple(beyond), ("",) * 5, None)
    views = sensor.look(part, table, known, None)
    assert [v.name for v in views] == ["d", "c", "a", "e", "b"]
    assert [v.weight for v in views] == pytest.approx([7.0, 0.6, 4.0, 1.1, 0.5])


def test_ranges_of_channels_are_of_all_and_of_groups_of_twenty():
    known = SensorNormal()
    for i in range(MIN_GROUP):
        known.add(Sensor(np.full((20, 1), float(i)) + np.arange(20)[:, None] % 2, TIMES, ("load",), ("A",), None), "A")
    for _ in range(MIN_GROUP - 1):
        known.add(Sensor(np.full((20, 1), 100.0), TIMES, ("load",), ("A",), None), "B")
    known.add(Sensor(np.full((20, 1), 100.0), TIMES, ("load",), ("kA",), None), "")
    known.finish()
    assert known.ranges.keys() == {("", "load"), ("A", "load")}
    assert [known.ranges[k].size for k in known.ranges] == [2 * MIN_GROUP, MIN_GROUP]
    assert known.units == {"load": "kA"}
    assert known._rows == {}
    assert known.channel("load", "A") is known.ranges["A", "load"]
    assert known.channel("load", "B") is known.channel("load", None) is known.ranges["", "load"]
    assert known.channel("speed", "A") is None
    ranges = known.ranges["A", "load"]
    assert ranges.names == (*MEASURES, "value")
    assert ranges.table.shape == (9, 3)
    assert ranges["low"][1] == pytest.approx(np.median([i + 1 / 3 for i in range(20)]))
    again = SensorNormal()
    again.set_state(*known.state())
    assert again.units == known.units
    assert [again.channel("load", g)["spike"] for g in "AB"] == [known.channel("load", g)["spike"] for g in "AB"]
    assert known.state()[1]["ranges"][1] == {"group": "A", "channel": "load", "names": ranges.names, "size": MIN_GROUP}


def test_a_case_is_measured_by_64_of_its_readings_in_order_and_by_its_traces():
    values = np.concatenate([np.arange(64.0)[::-1], [np.nan]])
    table = Sensor(values[:, None], np.arange(65.0), ("load",), ("A",), None)
    found = sensor_normal._measures(table)["load"]
    assert found[:8].tolist() == traces(values, np.arange(65.0)).measures().tolist()
    assert found[8:] == pytest.approx(np.arange(64.0))
    ranges = sensor_normal._ranges([found, found + 1])
    assert ranges["value"] == pytest.approx(
        np.quantile(np.concatenate([found[8:], found[8:] + 1]), [0.005, 0.5, 0.995])
    )
    assert ranges["high"] == pytest.approx(found[1] + np.array([0.005, 0.5, 0.995]))
    assert ranges.size == 2


def test_channels_with_less_than_two_readings_or_readings_too_large_to_square_are_left_out():
    values = np.full((20, 4), np.nan)
    values[3, 0] = 1.0
    values[3:5, 1] = 1.0, 2.0
    values[:, 2] = 1e200 * np.arange(20)
    values[:, 3] = 5.0
    known = SensorNormal()
    with np.errstate(over="ignore", invalid="ignore"):
        known.add(Sensor(values, TIMES, ("one", "two", "huge", "flat"), ("",) * 4, None), "")
    known.finish()
    assert known.ranges.keys() == {("", "two"), ("", "flat")}


def test_no_more_tables_are_measured_than_are_needed(monkeypatch):
    monkeypatch.setattr(sensor_normal, "MAX_CASES", 2)
    known = SensorNormal()
    for i in range(4):
        known.add(Sensor(np.full((20, 1), float(i)), TIMES, ("load",), ("A",), None), "")
    known.finish()
    assert known.ranges["", "load"].size == 2
    assert known.ranges["", "load"]["value"][2] <= 1.0


def test_a_look_at_a_picture_keeps_its_three_hottest_regions():
    layout = Layout("grid", (3, 5))
    scores = np.array([5, 1, 9, 1, 1, 1, 1, 1, 1, 1, 7, 1, 3.5, 1, 1])
    part = SimpleNamespace(layout=layout, token_scores=scores, scale=(1.0, 3.0))
    cells, regions = image.look(part, np.zeros((30, 100, 3)))
    assert cells.tolist() == ((scores - 1) / 2).reshape(3, 5).tolist()
    assert [r.peak for r in regions] == [4.0, 3.0, 2.0]  # 1.25 is the fourth
    assert regions[1].box == (0, 20, 20, 30)
    part = SimpleNamespace(layout=Layout("vector"), token_scores=np.zeros(1), scale=(1.0, 3.0))
    assert image.look(part, np.zeros((30, 100, 3))) == (None, [])


def test_the_facts_of_a_region_and_of_a_picture_without_one():
    mask = np.zeros((4, 5), bool)
    mask[0, 3:] = True
    (draft,) = image.evidence(np.zeros((4, 5)), [Region((60, 0, 100, 12), 0.125, 2.5, mask)], np.zeros((40, 100, 3)))
    assert draft.caption == (
        "A region of 40 px by 12 px stands out at upper right (12.5 % of the picture, from x 60 px, y 0 px)."
    )
    assert facts(draft) == {
        "place": ("upper right", ""), "left": (60, "px"), "top": (0, "px"), "right": (100, "px"), "bottom": (12, "px"),
        "width": (40, "px"), "height": (12, "px"), "share of the picture": (12.5, "%"),
        "peak on the map scale": (2.5, ""),
    }  # fmt: skip
    assert (draft.kind, draft.part) == ("region", "image")
    cells = np.zeros((4, 5))
    cells[3, 0] = 0.75
    (draft,) = image.evidence(cells, [], np.zeros((40, 100, 3)))
    assert facts(draft) == {"place": ("lower left", ""), "peak on the map scale": (0.75, "")}
    assert (draft.kind, draft.part) == ("region", "image")


def test_a_count_that_was_left_out_of_normal_tables_is_neither_drawn_nor_told():
    known, values = SensorNormal(), np.stack([np.sin(np.arange(20.0)), np.full(20, 3.0)], axis=1)
    for _ in range(2):
        known.add(Sensor(values[:, :1], TIMES, ("load",), ("A",), counts=("cycle",)), "A")
    known.add(Sensor(values, TIMES, ("load", "cycle"), ("A", "")), "A")
    known.finish()
    assert {name for _, name in known.ranges} == {"load"}
    own = Layout("steps", (2,), where=WINDOWS, channels=("load", "load"))
    assert [v.name for v in look(values, [1, 3], own, known, ("load", "cycle"))] == ["load"]

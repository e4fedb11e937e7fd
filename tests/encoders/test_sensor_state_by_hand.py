"""The sensor encoder's arguments, its window, its stride, the scale of its channels, and the states that it takes."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.encoders import sensor as module
from mmdmad.encoders.sensor import Windows
from mmdmad.errors import ConfigError, DataError, ModelError, PartError
from mmdmad.parts import Sensor

NAN = float("nan")


def table(seed: int, rows: int = 40, channels: int = 2, start: float = 0.0) -> Sensor:
    values = np.random.default_rng(seed).normal(size=(rows, channels))
    names = tuple(f"c{i}" for i in range(channels))
    return Sensor(values, start + np.arange(rows), names, ("V",) * channels)


def test_arguments_and_their_least_values() -> None:
    assert Windows().params() == {"periods": 4.0, "length": None, "stride": None, "max_tokens": 16384}
    least = {"length": 4, "stride": 1, "max_tokens": 256}
    made = Windows(0.5, **least)
    assert made.params() == {"periods": 0.5, **least}
    for name, value in least.items():
        with pytest.raises(ConfigError, match=f"{name}={value - 1} was given; allowed is {value} or more"):
            Windows(**{name: value - 1})
    for periods in (0, -1.0, NAN):
        with pytest.raises(ConfigError, match=f"periods={periods} was given; allowed is a number above 0"):
            Windows(periods=periods)
    assert (Windows.name, Windows.modality, Windows.version) == ("windows", "sensor", "3")


def window_of(monkeypatch, lengths: list[int], period: int | None, **how) -> tuple[int, int]:
    monkeypatch.setattr(module, "dominant_period", lambda tables: period)
    monkeypatch.setattr(module, "_memory", lambda tables: 11)
    return Windows(**how)._window([np.zeros((n, 1)) for n in lengths])


def test_the_window_is_so_many_periods_and_at_most_half_a_table(monkeypatch) -> None:
    window = lambda *given, **how: window_of(monkeypatch, *given, **how)  # noqa: E731
    assert window([200] * 3, 20) == (20, 80)
    assert window([200] * 3, None) == (11, 44)
    assert window([200] * 3, 40) == (40, 100)
    assert window([200] * 3, 20, periods=1.53) == (20, 31)
    assert window([100, 200, 900], 40) == (40, 100)  # the typical table is the median
    assert window([24] * 3, 20) == (20, 16)  # no less than 16 rows where there are as many
    assert window([34] * 3, 20) == (20, 17)
    assert window([10] * 3, 20) == (20, 10)
    assert window([200] * 3, 20, periods=0.1) == (20, 4)
    assert window([200] * 3, 20, length=150) == (20, 150)
    assert window([200] * 3, 20, length=250) == (20, 200)
    assert window([4], 3, length=8) == (3, 4)
    with pytest.raises(DataError, match="the training tables have 3 rows in the median; at least 4 are needed"):
        window([3, 3, 9], 3)


def test_periods_are_looked_for_in_the_first_tables_of_typical_length(monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(module, "dominant_period", seen.append)
    monkeypatch.setattr(module, "_memory", lambda tables: seen.append(tables) or 8)
    tables = [np.full((20 + 10 * (i % 2 == 0), 1), i) for i in range(200)]
    Windows()._window([*tables, np.zeros((30, 1))])
    assert [one[0, 0] for one in seen[0]] == [2 * i for i in range(64)]
    assert [one[0, 0] for one in seen[1]] == [2 * i for i in range(64)]


def test_series_without_a_period_have_a_memory(monkeypatch) -> None:
    asked = []

    def memory(shape: list[float], lengths: list[int]) -> int:
        def given(one, lags):
            asked.append(lags)
            return np.array([*shape, *[shape[-1]] * lags])[:lags]

        monkeypatch.setattr(module, "autocorrelation", given)
        return module._memory([np.zeros((n, 1)) for n in lengths])

    assert memory([1.0, 0.8, 0.5, 0.4, 0.31, 0.3, 0.299], [100, 90]) == 12
    assert asked[-1] == 45
    assert memory([1.0, 0.9, 0.2], [300]) == 8
    assert asked[-1] == 126
    assert memory([1.0], [300]) == 125
    assert memory([1.0], [124]) == 124
    assert memory([1.0], [3, 50]) == 8
    assert asked[-1] == 2
    assert memory([*[1.0] * 62, 0.1], [300]) == 124
    assert memory([*[1.0] * 63, 0.1], [300]) == 125


@pytest.mark.parametrize(
    ("length", "rows", "channels", "stride", "tokens", "expected"),
    [
        (16, 20, 2, None, 16384, 1),
        (31, 40, 2, None, 16384, 1),
        (32, 40, 2, None, 16384, 2),
        (8, 20, 2, None, 16384, 1),
        (80, 200, 2, 7, 16384, 7),
        (10, 29, 127, None, 256, 10),  # 20 places, two windows
        (10, 30, 127, None, 256, 11),
        (10, 28, 127, None, 256, 10),
        (10, 29, 126, None, 256, 10),
        (10, 29, 84, None, 256, 7),  # three windows
        (10, 29, 255, None, 256, 20),
        (10, 29, 300, None, 256, 20),  # one window is always there
        (10, 29, 127, 30, 256, 30),
    ],
)
def test_the_stride_grows_with_the_table(length, rows, channels, stride, tokens, expected) -> None:
    state = SimpleNamespace(length=length, channels=tuple(range(channels)))
    assert Windows(stride=stride, max_tokens=tokens)._stride(rows, state) == expected


@pytest.mark.parametrize(
    ("given", "length", "blocks", "segments"),
    [(4, 4, 4, 1), (7, 7, 7, 1), (8, 8, 8, 2), (31, 31, 31, 7), (32, 32, 32, 8), (64, 64, 64, 8), (65, 64, 32, 8),
     (100, 100, 50, 8), (131, 129, 43, 8), (192, 192, 64, 8)],
)  # fmt: skip
def test_blocks_divide_the_window(given: int, length: int, blocks: int, segments: int) -> None:
    state = Windows(length=given).fit([table(0, 200, 1), table(1, 200, 1)]).fitted_
    assert (state.length, state.blocks, state.segments) == (length, blocks, segments)


def test_channels_are_standardised_by_all_tables() -> None:
    every = np.array([[NAN, 7.0, 0.0, NAN], [1.0, 7.0, 0.0, NAN], [5.0, NAN, 0.0, NAN]])
    center, scale = module._center_scale(every)
    assert center.tolist() == [3.0, 7.0, 0.0, 0.0]
    assert scale == pytest.approx([2.0, 7e-6, 1e-12, 1.0])  # what stands still: a millionth of its level
    large = 1e9 + np.array([[0.0], [2e-7], [0.0]])  # moves by no more than rounding does
    assert module._center_scale(large)[1] == pytest.approx([1e3])
    z = module._standard(np.array([[5.0, NAN], [-1e9, 1e9]]), np.array([3.0, 1.0]), np.array([4.0, 1.0]))
    assert z.tolist() == [[0.5, 0.0], [-100.0, 100.0]]


def test_readings_that_are_gaps_or_wild_have_no_say_in_the_scale(caplog) -> None:
    tables = [table(i) for i in range(3)]
    tables[1].values[4, 0], tables[2].values[5, 1] = NAN, 1e9
    state = Windows(length=8).fit(tables).fitted_
    every = np.concatenate([t.values for t in tables])
    every[every == 1e9] = NAN
    assert state.center == pytest.approx(np.nanmean(every, axis=0))
    assert state.scale == pytest.approx(np.nanstd(every, axis=0))
    assert "training table 3: channel 'c1' is 1e+09 in row 6, far outside all its other readings" in caplog.text
    assert caplog.text.count("training table") == 1


def test_odd_tables_are_told_with_their_place() -> None:
    tables = [table(0), table(1, channels=3), table(2)]
    assert Windows().odd([]) == {}
    assert Windows().odd(tables) == {1: "the table has other channels: unknown c2"}
    with pytest.raises(DataError, match=r"training table 1: .*; leave it out \(`odd` lists all such tables\)"):
        Windows().fit(tables)


def test_columns_are_put_in_the_order_of_the_model() -> None:
    given = Sensor(np.array([[1, 2, 3]], np.float32), np.zeros(1), ("a", "b", "c"), ("",) * 3)
    for order, values in ((("a", "b", "c"), [1, 2, 3]), (("c", "a", "b"), [3, 1, 2]), (("b",), [2])):
        found = module._columns(given, order)
        assert found.tolist() == [values]
        assert found.dtype == np.float64


def test_what_is_said_of_it() -> None:
    encoder = Windows(length=8)
    assert encoder.describe() == "sensor windows, not fitted"
    assert encoder._token_width() is None
    assert encoder.state() == ({}, {})
    encoder.fit([dataclasses.replace(table(0), times=0.25 * np.arange(40)), table(1)])
    assert encoder.describe() == "sensor windows of 8 rows (5 s), 2 channels"
    assert encoder._token_width() == encoder.encode(table(2)).values.shape[1] == 8 + 4 * 2
    arrays, values = encoder.state()
    assert values["channels"] == ["c0", "c1"]
    assert values["units"] == ["V", "V"]
    assert (values["length"], values["interval"]) == (8, 0.625)
    assert set(arrays) | set(values) == {f.name for f in dataclasses.fields(module.SensorState)}
    untouched = Windows()
    untouched.set_state({}, {})
    assert not hasattr(untouched, "fitted_")
    with pytest.raises(PartError, match="channel c1 is in A"):
        encoder.encode(dataclasses.replace(table(3), units=("V", "A")))
    with pytest.raises(dataclasses.FrozenInstanceError):
        encoder.fitted_.length = 3


STATE = {
    "channels": [("a", 3), ("a", "a"), ("a",), ()],
    "units": [("V", 3), ("V",), ()],
    "interval": [0.0, -1.0, 1, "1", NAN],
    "period": [4.0, True, "4"],
    "length": [8.0, 3, 0, -8, 10_000_001, 9],
    "blocks": [8.0, 0, -4, 3, 16, 128],
    "segments": [2.0, 0, -1, 9],
    "center": [np.zeros(3), np.zeros((2, 1)), np.array([0, 1])],
    "scale": [np.array([1.0, 0.0]), np.array([1.0, -1.0]), np.ones(3)],
    "quiet": [np.array([0.0, 1.0]), np.ones(3)],
    "local": [np.ones((2, 2, 3)), np.array([[[0.0, 0], [1, 0]], [[0, 0], [1, 1]]])],
    "relation_mean": [np.zeros(3)],
    "relation_precision": [np.diag([1.0, 1, 1, 0]), np.diag([1.0, 1, -1, 1]), np.eye(3)],
    "relation_scale": [np.array([1.0, 1, 1, 0]), np.ones(3)],
    "joint_mean": [np.zeros(15)],
    "joint_directions": [np.zeros((15, 2))],
    "joint_scale": [np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.ones(3)],
}


@pytest.mark.parametrize("name", STATE)
def test_states_that_cannot_have_been_learned_are_refused(name: str) -> None:
    arrays, values = Windows(length=8).fit([table(0), table(1)]).state()
    assert values["blocks"] == 8
    for wrong in STATE[name]:
        changed = {n: wrong if n == name else v for n, v in (arrays | values).items()}
        of_arrays = {n: v for n, v in changed.items() if n in arrays}
        with pytest.raises(ModelError):
            Windows().set_state(
                of_arrays, {n: list(v) if isinstance(v, tuple) else v for n, v in changed.items() if n in values}
            )


@pytest.mark.parametrize(
    "change",
    [{"blocks": 4}, {"segments": 1}, {"segments": 8}, {"period": 1}, {"units": ["", ""]}, {"length": 10_000_000},
     {"length": 4, "blocks": 4}, {"interval": 1e-9}, {"length": 64, "blocks": 64, "few": 16}, {"blocks": 1, "few": 2}],
)  # fmt: skip
def test_states_at_the_ends_of_their_ranges_are_taken(change: dict) -> None:
    arrays, values = Windows(length=8).fit([table(0), table(1)]).state()
    few = change.pop("few", change.get("blocks", 8)) * 2
    arrays |= {"joint_mean": np.zeros(few), "joint_directions": np.zeros((few, 1))}
    encoder = Windows()
    encoder.set_state(arrays, values | change)
    for name, value in change.items():
        assert list(np.atleast_1d(getattr(encoder.fitted_, name))) == list(np.atleast_1d(value))


def test_a_table_of_which_rows_would_stay_unread_is_refused() -> None:
    rng = np.random.default_rng(0)

    def table(rows: int) -> Sensor:
        return Sensor(rng.normal(size=(rows, 1)), np.arange(rows) * 1.0, ("a",), ("",))

    encoder = Windows(length=16, max_tokens=256).fit([table(100) for _ in range(3)])
    assert encoder.encode(table(128 * 16 + 15)).layout.shape[0] == 129  # the last window ends with the table
    with pytest.raises(PartError, match=r"2064 rows; in one case 2048 are looked at.*--window auto"):
        encoder.encode(table(2064))
    sparse = Windows(length=16, stride=40, max_tokens=256).fit([table(100) for _ in range(3)])
    assert sparse.encode(table(2064)).layout.shape[0] == 53  # chosen by whoever set the stride


def test_marks_of_a_logger_spoil_a_table_where_few_have_one() -> None:
    def marked(seed: int, mark: float = -9999.0) -> Sensor:
        one = table(seed)
        one.values[7, 1] = mark
        return one

    few = Windows().fit([*(table(i) for i in range(9)), marked(9)])
    assert few.spoilt(table(0)) == ""
    assert few.spoilt(marked(20, 1e30)) == "channel 'c1' is 1e+30 in row 8, far outside all its other readings"
    assert few.spoilt(table(1, channels=1)) == ""  # other channels are refused where they are encoded
    many = Windows().fit([*(table(i) for i in range(7)), marked(9)])
    assert many.spoilt(marked(20)) == ""  # one in eight: it is what the channel is like

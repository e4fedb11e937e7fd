"""What most sensor tables have in common, and the border of each reason for which a table is odd."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.encoders import sensor_usual
from mmdmad.encoders.sensor_usual import GAPS, LARGEST, Usual, other_channels, other_unit, states_of, usual, with_states
from mmdmad.parts import Sensor


def table(channels: str = "ab", units: str = "", rows: int = 5, step: float = 1.0, **more) -> Sensor:
    names = tuple(channels)
    given = tuple("" if u == "-" else u for u in units) or ("",) * len(names)
    return Sensor(np.ones((rows, len(names))), step * np.arange(rows), names, given, **more)


def test_the_majority_decides() -> None:
    found = usual([table("ab", "VA", step=2.0), table("ba", "AV"), table("ab", "V-"), table("abc"), table("a")])
    assert (found.channels, found.units, found.interval) == (("a", "b"), ("V", "A"), 1.0)
    assert found.odd == {
        3: "the table has other channels: unknown c", 4: "the table has other channels: missing b",
    }  # fmt: skip
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.channels = ()
    assert Usual((), (), 1.0, {}) == Usual((), (), 1.0, {})


def test_of_equally_many_the_smallest() -> None:
    assert usual([table("b"), table("a")]).channels == ("a",)
    assert usual([table("ba"), table("ab")]).channels == ("a", "b")
    assert usual([table("a", "V"), table("a", "A")]).units == ("A",)
    assert usual([table("a", "V"), table("a", "-"), table("a", "-")]).units == ("V",)
    assert usual([table("a", "V"), table("a", "V"), table("a", "A")]).odd == {
        2: "channel a is in A, the training tables in V"
    }


def test_the_interval_is_the_median_of_those_of_the_usual_tables() -> None:
    steps = [table(step=1.0), table(step=2.0), table(step=4.0), table("abc", step=100.0)]
    assert usual(steps).interval == 2.0
    assert usual([table(rows=1), table(rows=1)]).interval == 1.0
    assert usual([table(rows=1), table(rows=1), table(rows=2, step=3.0)]).interval == 3.0


@pytest.mark.parametrize("value", [1e100, -1e100, np.inf, np.nan])
def test_numbers_up_to_the_largest_are_learned(value: float) -> None:
    one = table()
    one.values[2, 1] = value
    assert LARGEST == 1e100
    assert usual([one, table()]).odd == {}


@pytest.mark.parametrize("value", [1.001e100, -1e200])
def test_larger_numbers_are_odd(value: float) -> None:
    one = table()
    one.values[2, 1], one.values[3, 0] = value, 1e300
    told = f"channel b is {value:g} in row 3, too large to learn from"
    assert usual([one, table()]).odd == {0: told}


def gaps(*shares: float) -> dict[int, str]:
    """Of tables of five rows over so many rows of time each."""
    tables = {}
    for i, share in enumerate(shares):
        times = np.array([0.0, 1.0, 2.0, 3.0, 5 * share - 1])
        tables[7 + i] = SimpleNamespace(times=times)
    return sensor_usual._gaps(tables, 1.0)


def test_tables_that_are_nearly_all_gap() -> None:
    assert GAPS == 10.0
    assert gaps(1.0, 1.0, 10.0) == {}
    assert gaps(1.0, 1.0, 10.2) == {
        9: "the table has 5 rows in 50 s, nearly all of it gaps: most tables have a row every 1 s"
    }
    assert list(gaps(1.0, 1.8, 11.0)) == [9]
    assert gaps(1.0, 2.0, 11.0) == {}  # where most tables have gaps, a gap is nothing odd
    assert gaps(1.0, 11.0) == {}
    assert list(gaps(1.0, 1e9)) == [8]
    assert "spans" in gaps(1.0, 1e9)[8]
    assert sensor_usual._gaps({}, 1.0) == {}


def test_other_channels_in_any_order() -> None:
    assert other_channels("ab", "ba") == ""
    assert other_channels("ab", "abdc") == "the table has other channels: missing c, d"
    assert other_channels("axyb", "ab") == "the table has other channels: unknown x, y"
    assert other_channels("ax", "ab") == "the table has other channels: missing b; unknown x"


def test_a_unit_that_is_not_given_fits() -> None:
    known = (("a", "b"), ("V", ""))
    for units in ("V-", "--", "VA", "-A"):
        assert other_unit(table("ab", units), *known) == ""
    assert other_unit(table("ba", "VA"), *known) == "channel a is in A, the training tables in V"
    assert other_unit(table("ab", "AV"), *known) == "channel a is in A, the training tables in V"


def valve(names: tuple[str, ...], values: np.ndarray, units: tuple[str, ...] | None = None) -> Sensor:
    times = np.arange(len(values), dtype=float)
    return Sensor(values, times, names, units or ("",) * len(names), states=("valve", "mode"))


def test_states_of_all_tables_are_known() -> None:
    one = valve(("x", "valve=OPEN", "mode=1"), np.zeros((2, 3)))
    two = valve(("valve=SHUT", "valvetrain=3"), np.zeros((2, 2)))
    assert states_of([one, two, table()]) == ("mode=1", "valve=OPEN", "valve=SHUT")
    assert states_of([table()]) == ()
    assert states_of([SimpleNamespace(channels=("valve=OPEN",))]) == ()


def test_a_state_that_never_is_gets_a_channel_and_an_unknown_one_loses_its_own() -> None:
    nan = np.nan
    values = np.array([[5.0, 1.0, 0.0, 1.0], [6.0, 0.0, 1.0, 1.0], [7.0, nan, nan, 0.0]])
    one = valve(("x", "valve=OPEN", "valve=BROKEN", "mode=1"), values, ("V", "", "", ""))
    found = with_states(one, ["valve=SHUT", "valve=OPEN", "valve=AJAR", "mode=1", "mode=2", "other=3"])
    assert found.channels == ("x", "valve=OPEN", "mode=1", "valve=AJAR", "valve=SHUT", "mode=2")
    assert found.units == ("V", "", "", "", "", "")
    np.testing.assert_array_equal(found.values, [[5, 1, 1, 0, 0, 0], [6, 0, 1, 0, 0, 0], [7, nan, 0, nan, nan, 0]])
    plain = table()
    assert with_states(plain, ["valve=OPEN"]) is plain
    nothing = with_states(valve(("valve=OPEN", "mode=1"), np.ones((2, 2))), [])
    assert (nothing.channels, nothing.units, nothing.values.shape) == ((), (), (2, 0))

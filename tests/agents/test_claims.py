"""Numbers as written mean what they mean in their unit."""

import pytest
from mmdmad.agents.claims import SCALES, numbers


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1.2 bar", "120 kPa"),
        ("1.2 bar", "0.12 MPa"),
        ("90 min", "1.5 h"),
        ("1.5 days", "36 h"),
        ("3 h 24 min 10 s", "12250 s"),
        ("2 days, 30 min", "174600 s"),
        ("1500 ms", "1.5 s"),
        ("0.05 min", "3 s"),
        ("2.5 kHz", "2500 Hz"),
        ("4290 mA", "4.29 A"),
        ("0.5 kA", "500 A"),
        ("230 mV", "0.23 V"),
        ("1.5 kV", "1500 V"),
        ("2 kW", "2000 W"),
        ("3 cm", "30 mm"),
        ("250 µm", "0.25 mm"),
        ("41 %", "0.41"),
    ],
)
def test_units_of_one_kind_are_compared_in_one_base(text: str, same: str) -> None:
    (value, unit), (other, other_unit) = numbers(text)[0].base(), numbers(same)[0].base()
    assert value == pytest.approx(other)
    assert unit == other_unit


def test_every_scaled_unit_is_compared_above() -> None:
    tested = {"bar", "kPa", "MPa", "min", "h", "d", "ms", "kHz", "mA", "kA", "mV", "kV", "kW", "cm", "µm", "%"}
    assert set(SCALES) == tested


def test_a_range_shares_unit_and_role() -> None:
    low, high = numbers("its normal range of 1.2 to 1.8 s")
    assert (low.unit, high.unit) == ("s", "s")
    assert (low.role, high.role) == ("normal", "normal")

"""Numbers that loggers write for no reading are missing where they lie far outside all other readings."""

from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.parts.sensor import Sensor, read_sensor

TEMPERATURE = 3 + 4 * np.sin(np.arange(300) / 20)


def read(tmp_path: Path, values: np.ndarray, start: int | None = None, stop: int | None = None) -> Sensor:
    path = tmp_path / "station.csv"
    path.write_text("time,x\n" + "\n".join(f"{i},{value:.1f}" for i, value in enumerate(values)))
    return read_sensor(Part("sensor", path=path, start=start, stop=stop))


@pytest.mark.parametrize("mark", [-999, -9999, 9999, 999.9, -99.9, 32767])
@pytest.mark.parametrize("rows", [1, 30])
def test_a_mark_far_outside_is_missing_and_counted(tmp_path: Path, mark: float, rows: int) -> None:
    values = TEMPERATURE.copy()
    values[100 : 100 + rows] = mark
    table = read(tmp_path, values)
    assert np.flatnonzero(np.isnan(table.values[:, 0])).tolist() == list(range(100, 100 + rows))
    told = f"column 'x': {mark:g}, far outside its other readings, is taken for no reading ({rows} rows)"
    assert [note for note in table.notes if "reading" in note] == [told]


def test_the_whole_file_says_it_for_a_window_of_nothing_else(tmp_path: Path) -> None:
    values = TEMPERATURE.copy()
    values[100:140] = -999
    window = read(tmp_path, values, 95, 142)
    assert np.isnan(window.values[:, 0]).sum() == 40


@pytest.mark.parametrize(
    "values",
    [
        990 + np.arange(20.0),  # 999 among others
        np.where(np.arange(300) == 7, 999.0, 400 + 30 * TEMPERATURE),  # a peak of what goes up and down so
        np.where(np.arange(300) == 7, -998.0, TEMPERATURE),  # no mark anybody uses
        np.where(np.arange(300) % 2 == 0, 0.0, 9999.0),  # a flag of a kind
    ],
)
def test_any_other_number_stays_a_reading(tmp_path: Path, values: np.ndarray) -> None:
    assert not np.isnan(read(tmp_path, values).values).any()

"""Columns of a manifest that are known by what they hold: files under any name, times, dates with slashes."""

from datetime import datetime
from pathlib import Path

import pytest

from mmdmad.cases import Cases
from mmdmad.errors import ManifestError
from mmdmad.manifest import read_cases


def read(folder: Path, header: str, rows: list[str], name: str = "liste.csv") -> Cases:
    (folder / name).write_text("\n".join([header, *rows, ""]))
    return read_cases(folder / name)


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "Fotos").mkdir()
    for i in range(12):
        (tmp_path / "Fotos" / f"DSC_{i}.JPG").write_text("x")
    return tmp_path


@pytest.mark.parametrize("name", ["Foto", "Bild", "Aufnahme", "photo", "Picture", "Anlage 3"])
def test_a_column_of_pictures_is_the_image_whatever_its_name_and_a_line_of_sums_is_named(
    plant: Path, name: str
) -> None:
    rows = [f"{4711 + i};14.03.2026 08:{i:02};Fotos/DSC_{i}.JPG;Naht {i};i.O." for i in range(12)]
    made = read(plant, f"Teil-Nr.;Prüfdatum;{name};Bemerkung;Ergebnis", [*rows, "Summe;;12;;"])
    assert [set(case.parts) for case in made] == [{"image", "text"}] * 12
    assert made[3].time == datetime(2026, 3, 14, 8, 3)
    said = " | ".join(made.extra["notes"])
    assert f"column {name!r} is read as 'image'" in said
    assert "column 'Prüfdatum' is read as 'time'" in said
    assert [(one.case_id, one.part, one.reason) for one in made.refused] == [("Summe", "image", "no such file: 12")]


def test_a_list_with_ids_and_texts_keeps_its_pictures(plant: Path) -> None:
    made = read(plant, "id;text;what", [f"a{i};Naht {i};Fotos/DSC_{i}.JPG" for i in range(6)])
    assert [set(case.parts) for case in made] == [{"image", "text"}] * 6


def test_pictures_that_do_not_exist_are_refused_by_name(plant: Path) -> None:
    made = read(plant, "Nr;Beleg", [f"{i};Fotos/DSC_{i + 9}.JPG" for i in range(6)])
    assert [case.id for case in made] == ["0", "1", "2"]
    assert [one.reason for one in made.refused] == [f"no such file: Fotos/DSC_{i}.JPG" for i in (12, 13, 14)]


def test_two_columns_of_pictures_are_a_question_unless_one_alone_exists(plant: Path) -> None:
    rows = [f"{i};Fotos/DSC_{i}.JPG;Fotos/DSC_{i + 6}.JPG" for i in range(6)]
    with pytest.raises(ManifestError, match="'oben', 'unten' may be meant; call one 'image'"):
        read(plant, "Nr;oben;unten", rows)
    made = read(plant, "Nr;oben;unten", [f"{i};Fotos/DSC_{i}.JPG;archiv/{i}.png" for i in range(6)])
    assert made[2].parts["image"].path == plant / "Fotos" / "DSC_2.JPG"
    made = read(plant, "Nr;oben;mask", rows)
    assert made[2].parts["image"].path == plant / "Fotos" / "DSC_2.JPG"


def test_a_date_of_something_else_is_no_time(plant: Path) -> None:
    made = read(plant, "Nr;Bild;Geburtsdatum", [f"{i};Fotos/DSC_{i}.JPG;2026-05-0{i + 1}" for i in range(6)])
    assert {case.time for case in made} == {None}


@pytest.mark.parametrize(
    ("header", "cells", "times"),
    [
        ("time", ["03/04/2026", "14/04/2026 08:05"], ["2026-04-03T00:00", "2026-04-14T08:05"]),
        ("time", ["03/04/2026 8:05 PM", "04/14/2026 12:00 am"], ["2026-03-04T20:05", "2026-04-14T00:00"]),
        ("time [DD/MM/YYYY]", ["03/04/2026", "04/04/2026"], ["2026-04-03T00:00", "2026-04-04T00:00"]),
        ("Time (MM/DD/YYYY)", ["03/04/2026", "04/04/2026"], ["2026-03-04T00:00", "2026-04-04T00:00"]),
        ("time", ["3/14/2026 08:00:01.5", "3/4/2026 08:00Z"], ["2026-03-14T08:00:01.500", None]),
    ],
)
def test_the_order_of_dates_with_slashes_is_decided_over_the_column(
    plant: Path, header: str, cells: list[str], times: list[str | None]
) -> None:
    made = read(plant, f"id;image;{header}", [f"{i};Fotos/DSC_{i}.JPG;{cell}" for i, cell in enumerate(cells)])
    if times[-1] is None:  # a zone beside none: those without are left out, as in any other form
        assert made[0].time is None
        assert made[1].time == datetime.fromisoformat("2026-03-04T08:00+00:00")
        return
    assert [case.time for case in made] == [datetime.fromisoformat(time) for time in times if time]
    assert any("times with slashes in their dates are read with the" in note for note in made.extra["notes"])


def test_an_order_that_nothing_decides_or_that_changes_is_refused_with_the_option(plant: Path) -> None:
    for cells, why in ((["03/04/2026", "05/04/2026"], "nothing says"), (["14/04/2026", "04/14/2026"], "some begin")):
        made = read(plant, "id;image;time", [f"{i};Fotos/DSC_{i}.JPG;{cell}" for i, cell in enumerate(cells)])
        assert len(made) == 2
        assert {case.time for case in made} == {None}
        assert all(why in one.reason and "'time [DD/MM/YYYY]'" in one.reason for one in made.refused)
        assert len(made.refused) == 2
    made = read(plant, "id;image;time [DD/MM/YYYY]", ["0;Fotos/DSC_0.JPG;03/14/2026", "1;Fotos/DSC_1.JPG;03/04/2026"])
    assert made[1].time == datetime(2026, 4, 3)
    assert "'03/14/2026' cannot be, with the day first" in made.refused[0].reason

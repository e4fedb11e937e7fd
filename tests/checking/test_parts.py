"""What a look at pictures, tables, texts and clips finds."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdmad.checking import check_path, lines_of
from mmdmad.parts import Video
from tests.checking.samples import cases_of, look, said, scene, table


def test_odd_sizes_colours_rates_lengths_and_channels_are_named() -> None:
    tables = [table(i) for i in range(20)]
    tables[3] = table(3, times=np.arange(120) / 5)
    tables[7] = table(7, rows=90)
    tables[9] = table(9, units=("g", "cm"))
    tables[11] = table(11, start=datetime(2026, 5, 1, tzinfo=UTC))
    report = look(cases_of("sensor", tables))
    assert {t: said(report, t).cases for t in ("step", "length", "channels", "time")} == {
        "step": ("c03",),
        "length": ("c07",),
        "channels": ("c09",),
        "time": ("c11",),
    }
    assert said(report, "step").said == "1 of 20 sensor tables have another step than most (0.1 s): 0.2 s (1)"
    assert report.parts[0].traits["time"] == {"no time column, counted from 0": 19, "no time column, dated, UTC": 1}
    pictures = [scene(i) for i in range(12)]
    pictures[2] = pictures[2][:48]
    pictures[5] = np.dstack([pictures[5][..., 0], pictures[5][..., 1], 255 - pictures[5][..., 2]])
    report = look(cases_of("image", pictures))
    assert (said(report, "size").cases, said(report, "colour").cases) == (("c02",), ("c05",))


def test_channels_are_told_with_their_units_kinds_and_ends() -> None:
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.integers(0, 2, 120))
    values = np.column_stack(
        [rng.normal(size=120), np.full(120, 3.0), rng.random(120) > 0.5, steps, np.full(120, np.nan)]
    )
    names = ("vib", "const", "valve", "pieces", "dead")
    tables = [
        table(i, values=values + np.array([i, 0, 0, 0, 0]), channels=names, units=("g", "", "", "", ""))
        for i in range(9)
    ]
    report = look(cases_of("sensor", tables))
    kinds = {c.name: (c.units, c.kinds, c.tables) for c in report.parts[0].channels}
    assert kinds == {
        "vib": ({"g": 9}, {"number": 9}, 9),
        "const": ({"": 9}, {"constant": 9}, 9),
        "valve": ({"": 9}, {"flag": 9}, 9),
        "pieces": ({"": 9}, {"counter": 9}, 9),
        "dead": ({"": 9}, {"empty": 9}, 9),
    }
    remarks = [note.said for note in report.notes if note.topic == "readings"]
    assert remarks == [
        "sensor: channel 'const' never changes (3) (alike in 9 cases)",
        "sensor: channel 'dead' has no reading at all (alike in 9 cases)",
    ]
    assert said(report, "flags").said.startswith("1 channel of 0 and 1 alone: 'valve'")
    json.loads(report.model_dump_json())


def test_gaps_and_wild_readings_are_told_with_their_place() -> None:
    tables = [table(i) for i in range(9)]
    tables[2].times[60:] += 30
    tables[5].values[7, 1] = -9999
    notes = {note.cases: note.said for note in look(cases_of("sensor", tables)).notes if note.topic == "readings"}
    assert notes == {
        ("c02",): "sensor: no row between 5.9 s and 36 s (row 61)",
        ("c05",): "sensor: channel 'level' is -9999 in row 8, far outside all its other readings",
    }


def test_flat_pictures_odd_texts_and_clips_are_told() -> None:
    pictures = [scene(i) for i in range(9)]
    pictures[1], pictures[2] = np.full((96, 96, 3), 7, np.uint8), (pictures[2] // 8).astype(np.uint8)
    notes = {note.cases: note.said for note in look(cases_of("image", pictures)).notes if note.topic == "readings"}
    assert notes[("c01",)] == "image: every pixel has the same grey level, 7"
    assert "of 256 grey levels" in notes[("c02",)]
    report = look(cases_of("text", ["all is well"] * 3 + ["x", "a\x07b is well"]))
    assert [note.said for note in report.notes if note.topic == "readings"] == [
        "text: the whole text is 'x'",
        "text: 1 of its 11 characters are not printable",
    ]
    clips = [Video.from_array(np.stack([scene(10 * i + k)[:40, :40] for k in range(6)]), 10.0) for i in range(9)]
    clips[4] = Video.from_array(np.stack([scene(k)[:40, :40] for k in range(6)]), 5.0)
    report = look(cases_of("video", clips))
    assert said(report, "rate").cases == ("c04",)


def test_deep_pictures_are_told_with_their_levels(tmp_path: Path) -> None:
    for i in range(9):
        Image.fromarray(scene(i)[..., 0].astype(np.uint16) * 16).save(tmp_path / f"{i}.png")
    (report,) = check_path([tmp_path], estimate=False)
    assert said(report, "levels").said == "image: pixels are 16-bit numbers; 0 is shown black and 4095 white"


@pytest.mark.parametrize(
    ("header", "cell", "said"),
    [
        ("time", "{i}", "column time, counted from 0"),
        ("x [bar]", "{i}.5", "no time column, counted from 0"),
        ("Zeitstempel", "15837500{i:02d}000", "column Zeitstempel, dated, UTC"),
        ("date,clock", "2026-05-01,12:00:{i:02d}", "column date and clock, dated, without a zone"),
        ("ts", "2026-05-01T12:00:{i:02d}+02:00", "column ts, dated, UTC"),
    ],
)
def test_the_time_column_is_named_with_its_zone(tmp_path: Path, header: str, cell: str, said: str) -> None:
    rows = [f"{cell.format(i=i)},{i * i % 7}" for i in range(30)]
    (tmp_path / "pump.csv").write_text(f"{header},y\n" + "\n".join(rows) + "\n")
    (report,) = check_path([tmp_path / "pump.csv"], estimate=False)
    assert report.parts[0].traits["time"] == {said: 1}
    assert report.parts[0].traits["step"] == {"1 s": 1}


def test_tables_that_call_their_own_rows_faulty_are_told_where_they_would_be_learned(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i, (name, sound, faulty) in enumerate((("anomaly", 0, 1), ("is_good", 1, 0), ("status", "ok", "nok"))):
        for k in range(2):
            marks = [faulty if k and 10 <= row < 17 else sound for row in range(30)]
            lines = [f"{row},{rng.normal()},{mark}" for row, mark in enumerate(marks)]
            (tmp_path / f"{i}{k}.csv").write_text(f"time,x,{name}\n" + "\n".join(lines) + "\n")
    (report,) = check_path([tmp_path], estimate=False)
    assert said(report, "marked rows").cases == ("01", "11", "21")
    told = [note.said for note in report.notes if "it calls 7 of 30 rows faulty" in note.said]
    assert len(told) == 3
    assert {c.name for c in report.parts[0].channels} == {"x"}


def test_a_channel_that_is_no_flag_in_one_table_or_never_moves_in_another(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tables = []
    for i in range(9):
        valve = np.zeros(120) if i == 0 else (rng.random(120) > 0.5).astype(float)
        level = np.arange(120.0) if i == 0 else (rng.random(120) > 0.5).astype(float)
        tables.append(table(i, values=np.column_stack([valve, level]), channels=("valve", "level"), units=("", "")))
    note = said(look(cases_of("sensor", tables)), "flags")
    assert note.said.startswith("1 channel of 0 and 1 alone: 'valve'")
    assert note.count == 8


def test_levels_are_those_of_the_cases_to_learn_from(tmp_path: Path) -> None:
    for i in range(9):
        Image.fromarray(scene(i)[..., 0].astype(np.uint16) * 4).save(tmp_path / f"{i}.png")
    Image.fromarray(scene(9)[..., 0].astype(np.uint16) * 200).save(tmp_path / "9.png")
    rows = [f"{i},{i}.png,{'test' if i == 9 else 'train'}" for i in range(10)]
    (tmp_path / "manifest.csv").write_text("id,image,split\n" + "\n".join(rows) + "\n")
    (report,) = check_path([tmp_path], estimate=False)
    assert said(report, "levels").said.endswith("0 is shown black and 1023 white")


def test_a_wild_reading_is_told_once(tmp_path: Path) -> None:
    cells = [f"{i},{i % 7}" for i in range(40)]
    cells[20] = "20,-9998"
    (tmp_path / "pump.csv").write_text("time,x\n" + "\n".join(cells) + "\n")
    (report,) = check_path([tmp_path / "pump.csv"], estimate=False)
    assert [note.level for note in report.notes if "-9998" in note.said] == ["warn"]


def folders_of_notes(tmp_path: Path, *names: str) -> list[Path]:
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        for i in range(12):
            (tmp_path / name / f"{i}.txt").write_text(f"seal {i} of {name} was replaced")
    return [tmp_path / name for name in names]


def test_of_several_folders_to_learn_from_each_is_looked_at_by_itself_and_that_is_said(tmp_path: Path) -> None:
    paths = folders_of_notes(tmp_path, "good", "new")
    for report in check_path(paths, estimate=False):
        (found,) = [note for note in report.notes if note.topic == "sources"]
        assert found.level == "info"
        assert "2 sources to learn from were given, and each is looked at by itself" in found.said
        assert report.learned == 12
    (report,) = check_path(paths[:1], estimate=False)
    assert not any(note.topic == "sources" for note in report.notes)


def test_a_folder_called_test_beside_one_to_learn_from_is_looked_at_as_what_is_judged(tmp_path: Path) -> None:
    learn, test, bad = folders_of_notes(tmp_path, "line", "test/shift", "Ausschuss")
    first, second, third = check_path([learn, test.parent, bad], estimate=False, normal=["."])
    assert (first.judged, first.learned) == (False, 12)
    assert not any(note.topic == "sources" for note in first.notes)
    for report in (second, third):
        assert (report.judged, report.cases, report.learned, report.stops) == (True, 12, 0, ())
        assert (report.support, report.oddest, report.left) == ((), (), {})
        assert not any(note.topic == "recordings" for note in report.notes)
        assert list(lines_of(report))[-1] == (
            "to judge, by a model of what else was given: 12 cases; none is learned from"
        )


def test_of_folders_that_are_all_called_test_each_is_looked_at_as_one_to_learn_from(tmp_path: Path) -> None:
    for names in (("a/test", "b/test"), ("test/one", "test/two")):
        reports = check_path(folders_of_notes(tmp_path, *names), estimate=False)
        assert [report.judged for report in reports] == [False, False]

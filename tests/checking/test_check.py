"""What a look at cases says before anything is learned."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdmad.cases import Case, Cases, Part
from mmdmad.checking import Report, check, check_path, lines_of
from mmdmad.checking.advice import estimate
from mmdmad.checking.before_fit import before_fit
from mmdmad.checking.copies import Copies, overlaps, recordings
from mmdmad.checking.report import Note
from mmdmad.cli import app
from mmdmad.manifest import read_cases
from mmdmad.parts import Sensor, Video
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.splits import split

SMALL = {"parts": {"sensor": {"encoder": "windows", "detector": "gaussian-diffusion"}}, "false_alarm_rate": 0.1}


def scene(seed: int, shift: float = 0.0, gain: float = 1.0) -> np.ndarray:
    """A grey picture of one piece: the design that all share, its own texture, its light."""
    rng = np.random.default_rng(seed)
    design = 40 * np.sin(np.arange(96) / 5)[:, None] + 30 * np.cos(np.arange(96) / 9)[None]
    light = gain * (120 + design + rng.normal(0, 12, (96, 96))) + shift
    return np.repeat(light.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def table(seed: int, rows: int = 120, **changes: object) -> Sensor:
    rng = np.random.default_rng(seed)
    times = np.arange(rows) / 10
    values = np.column_stack([np.sin(times + seed) + rng.normal(0, 0.1, rows), rng.normal(5, 1, rows)])
    made = {"channels": ("vib", "level"), "units": ("g", "mm"), "start": None}
    return Sensor(**{"values": values, "times": times, **made, **changes})


def cases_of(modality: str, values: list, split: str | None = "train", **more: object) -> Cases:
    made = (Case(f"c{i:02d}", {modality: Part(modality, value=v)}, split=split, **more) for i, v in enumerate(values))
    return Cases(tuple(made))


def look(cases: Cases, **more: object) -> Report:
    return check(cases, estimate=False, **more)


def said(report: Report, topic: str) -> Note:
    (found,) = [note for note in report.notes if note.topic == topic]
    return found


def topics(report: Report) -> set[str]:
    return {note.topic for note in report.notes}


def test_near_copies_are_found_through_another_light_and_proposed_as_one_recording() -> None:
    pictures = [scene(i) for i in range(12)] + [scene(3, 20, 0.8), scene(3, -10), scene(5, 15)]
    report = look(cases_of("image", pictures))
    note = said(report, "near copies")
    assert (note.count, note.cases) == (5, ("c03", "c12", "c13", "c05", "c14"))
    assert report.proposed == {"c03": "c03", "c12": "c03", "c13": "c03", "c05": "c05", "c14": "c05"}
    assert (report.learned, report.recordings) == (15, 12)
    assert "at most 12 independent recordings" in said(report, "recordings").said


@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_one_design_are_no_near_copies(seed: int) -> None:
    report = look(cases_of("image", [scene(100 * seed + i) for i in range(20)]))
    assert (report.recordings, report.proposed, "near copies" in topics(report)) == (20, {}, False)


def test_a_disturbed_copy_of_a_table_is_near_and_another_run_is_not() -> None:
    tables = [table(i) for i in range(12)]
    tables.append(table(4, values=np.round(table(4).values, 2)))
    report = look(cases_of("sensor", tables))
    assert report.proposed == {"c04": "c04", "c12": "c04"}
    assert not look(cases_of("sensor", tables, recording="one day")).proposed
    in_phase = [np.sin(np.arange(200) / 10) + rng.normal(0, 0.1, 200) for rng in map(np.random.default_rng, range(20))]
    alike = [Sensor(v[:, None], np.arange(200) / 10, ("vib",), ("g",), None) for v in in_phase]
    assert not look(cases_of("sensor", alike)).proposed


def test_exact_copies_are_one_recording_and_those_in_test_are_told() -> None:
    values = [scene(i) for i in range(10)]
    learned = cases_of("image", [*values, values[2]])
    judged = Case("judged", {"image": Part("image", value=values[7])}, split="test")
    report = look(Cases((*learned, judged)))
    assert said(report, "copies").cases == ("c02", "c10", "c07", "judged")
    assert report.recordings == 10
    assert (said(report, "leak").cases, said(report, "leak").level) == (("judged",), "warn")


def test_slices_that_overlap_are_told_and_are_one_recording(tmp_path: Path) -> None:
    rows = [f"{i / 10},{v}" for i, v in enumerate(np.random.default_rng(0).normal(size=200))]
    (tmp_path / "a.csv").write_text("time,x\n" + "\n".join(rows) + "\n")
    cuts = ["0:50", "40:90", "90:140", "140:"]
    lines = [f"w{i},a.csv#{cut},train,day {i}" for i, cut in enumerate(cuts)]
    (tmp_path / "m.csv").write_text("id,sensor,split,recording\n" + "\n".join(lines) + "\n")
    (report,) = check_path([tmp_path / "m.csv"], estimate=False)
    assert said(report, "overlaps").cases == ("w0", "w1")
    assert report.recordings == 3
    assert said(report, "overlaps").said == "1 pair of slices of one file overlap, such as w0 and w1 of a.csv"
    spans = [("long", 0, 100), ("in", 10, 20), ("late", 50, 60), ("apart", 100, 120)]
    made = [Case(n, {"sensor": Part("sensor", tmp_path / "a.csv", start=a, stop=b)}) for n, a, b in spans]
    assert overlaps(made) == [("long", "in", "a.csv"), ("long", "late", "a.csv")]


def test_a_chain_of_copies_and_recordings_is_one_recording() -> None:
    cases = [Case(i, {}, recording=r) for i, r in (("a", "1"), ("b", "1"), ("c", None), ("d", None), ("e", "case a"))]
    found = recordings(cases, Copies((("b", "c"),), {"image": (("c", "x", "d"),)}, (), {}))
    assert len({found[i] for i in "abcd"}) == 1
    assert found["e"] != found["a"]


def test_the_split_and_the_floor_are_those_of_a_fit() -> None:
    cases = cases_of("sensor", [table(i) for i in range(41)])
    rows = split(cases.items, PipelineConfig().shares, 0)
    report = look(cases)
    assert report.splits_made == {"fit": len(rows.fit), "reference": len(rows.reference),
                                  "calibration": len(rows.calibration)}  # fmt: skip
    (one,) = report.support
    assert (one.calibration, one.floor, one.flags, one.needed) == (
        len(rows.calibration),
        round(1 / (len(rows.calibration) + 1), 4),
        False,
        330,
    )
    assert any("at 1 % nothing can be flagged, it takes 330 cases" in line for line in lines_of(report))


def test_what_can_be_promised_goes_by_the_parts_that_a_case_has() -> None:
    parts = [
        {"text": Part("text", value=f"run {i} ended"), "sensor": Part("sensor", value=table(i))} for i in range(60)
    ]
    made = [Case(str(i), one if i % 2 else {"text": one["text"]}, split="train") for i, one in enumerate(parts)]
    both, text = look(Cases(tuple(made))).support
    assert (both.parts, text.parts) == (("text", "sensor"), ("text",))
    assert both.calibration < text.calibration
    assert (both.needed, text.needed) == (660, 330)


def test_too_few_cases_stop(tmp_path: Path) -> None:
    report = look(cases_of("sensor", [table(i) for i in range(20)]))
    assert "8 are needed to learn sensor" in report.stops[0].said
    assert not look(cases_of("sensor", [table(i) for i in range(60)])).stops


def test_the_oddest_normal_comes_first() -> None:
    tables = [table(i) for i in range(40)]
    tables[17].values[30:60, 1] += 30
    report = look(cases_of("sensor", tables))
    assert len(report.oddest) == 10
    assert report.oddest[0].case == "c17"
    assert report.oddest[0].times > 3 > report.oddest[1].times
    pictures = [scene(i) for i in range(30)]
    pictures[4] = 255 - pictures[4] // 2
    assert look(cases_of("image", pictures)).oddest[0].case == "c04"


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


def test_what_cannot_be_read_and_what_is_missing_is_told(tmp_path: Path) -> None:
    for i in range(9):
        Image.fromarray(scene(i)).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.txt").write_text("all is well")
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "4.txt").unlink()
    (report,) = check_path([tmp_path], estimate=False)
    assert said(report, "refused").cases == ("3",)
    assert said(report, "missing parts").cases == ("4",)
    assert (report.refused, report.parts[0].unreadable) == (1, 1)
    assert report.patterns == {"image + text": 8, "image": 1}


def test_an_open_question_stops_and_ends_with_1(tmp_path: Path) -> None:
    for name in ("good/a.txt", "hook/b.txt", "ground_truth/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"the words of {name}")
    result = CliRunner().invoke(app, ["check", str(tmp_path), "--no-estimate"])
    assert result.exit_code == 1
    assert "STOP  the folders 'hook' (1 case) do not say whether they are normal" in result.output
    assert "to learn from: 0 cases" in result.output
    assert "hook               1  its name says nothing: not learned" in result.output
    result = CliRunner().invoke(app, ["check", str(tmp_path), "--no-estimate", "--json", "--normal", "good"])
    (report,) = json.loads(result.output)
    assert (report["learned"], report["left"]) == (1, {"they do not lie below good": 1})
    assert {f["folder"]: (f["role"], f["learned"]) for f in report["folders"]} == {
        "good": ("normal", 1),
        "ground_truth": ("mask", 0),
        "hook": ("?", 0),
    }


def test_bare_files_are_looked_at_and_manifests_are_known_by_their_id(tmp_path: Path) -> None:
    (tmp_path / "pump.csv").write_text("time,x [bar]\n" + "".join(f"{i},{i % 7}\n" for i in range(30)))
    (tmp_path / "app.log").write_text("started\nstopped\n")
    (tmp_path / "m.csv").write_text("id,text,split\na,words,train\n")
    bare, manifest = sorted(
        check_path([tmp_path / n for n in ("pump.csv", "m.csv", "app.log")], estimate=False), key=lambda r: -r.cases
    )
    assert (bare.source, bare.patterns) == ("2 files", {"sensor": 1, "text": 1})
    assert manifest.splits == {"train": 1}
    assert [c.units for k in bare.parts for c in k.channels] == [{"bar": 1}]
    result = CliRunner().invoke(app, ["check", str(tmp_path / "none.csv")])
    assert "there is no file or folder" in str(result.exception)


@pytest.mark.parametrize(
    ("modality", "values", "preset"),
    [
        ("image", [scene(i) for i in range(3)], "pipelines/pictures"),
        ("text", ["a short line"] * 3, "pipelines/logs"),
        ("text", ["a long letter " * 100] * 3, "pipelines/inspection"),
        ("sensor", [table(i) for i in range(3)], "pipelines/inspection"),
    ],
)
def test_the_preset_fits_what_is_there(modality: str, values: list, preset: str) -> None:
    assert look(cases_of(modality, values)).preset == preset


def test_the_estimate_is_measured_on_what_the_configuration_names() -> None:
    tables = cases_of("sensor", [table(i) for i in range(40)])
    settings = PipelineConfig.model_validate(SMALL)
    found = estimate(tables.items, settings)
    assert found is not None
    assert (found.measured, found.seconds_a_case > 0, found.tokens > 0) == (3, True, True)
    assert found.seconds == pytest.approx(40 * found.seconds_a_case, abs=0.1)
    assert estimate(cases_of("text", ["a"]).items, settings) is None


def test_nothing_from_a_file_moves_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("id,text,split\na,x\x1b[31m,tr\x1b[31m\n")
    result = CliRunner().invoke(app, ["check", str(tmp_path / "m.csv"), "--no-estimate"])
    assert "\x1b" not in result.output


def test_windows_are_cut_before_they_are_looked_at(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [f"{i / 10:.1f},{np.sin(i / 10) + rng.normal(0, 0.1):.4f}" for i in range(1200)]
    (tmp_path / "long.csv").write_text("time,vib\n" + "\n".join(rows) + "\n")
    result = CliRunner().invoke(app, ["check", str(tmp_path / "long.csv"), "--window", "2s", "--no-estimate", "--json"])
    (report,) = json.loads(result.output)
    assert (report["cases"], report["learned"], report["recordings"], report["proposed"]) == (60, 60, 1, {})


def test_a_fit_says_before_it_begins_what_cannot_be_promised(tmp_path: Path) -> None:
    rows = [f"{i / 10},{v}" for i, v in enumerate(np.random.default_rng(0).normal(size=700))]
    (tmp_path / "a.csv").write_text("time,x\n" + "\n".join(rows) + "\n")
    lines = [f"w{i:02d},a.csv#{10 * i}:{10 * i + 15}" for i in range(60)]
    (tmp_path / "m.csv").write_text("id,sensor\n" + "\n".join(lines) + "\n")
    said = before_fit(read_cases(tmp_path / "m.csv"), PipelineConfig.model_validate(SMALL))
    assert said == [
        "59 pairs of slices of one file overlap, such as w00 and w01 of a.csv",
        "the 60 cases to learn from are at most 1 independent recording; where these differ as wholes, p rests on "
        "about 1 of them (1 in 2), and false alarms may exceed the rate",
    ]
    (promised,) = before_fit(cases_of("sensor", [table(i) for i in range(60)]), PipelineConfig())
    assert promised.startswith("sensor: ranked among 18 calibration cases")
    copied = before_fit(cases_of("text", [f"job {i % 50} is done" for i in range(60)]), PipelineConfig())
    assert "at most 50 independent recordings" in copied[-1]


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


def test_the_same_is_said_once_and_other_columns_apart(tmp_path: Path) -> None:
    rows = ["a,x.png,words", "b,y.png,words", "c,,words"]
    (tmp_path / "m.csv").write_text("id,image,text\n" + "\n".join(rows) + "\n")
    (report,) = check_path([tmp_path / "m.csv"], estimate=False)
    assert (said(report, "refused").said, said(report, "refused").count) == (
        "image: no such file: x.png (alike in 2 cases)",
        2,
    )

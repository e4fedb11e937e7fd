"""Which cases are one recording, which normals are odd, and what so many can promise."""

from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Case, Cases, Part
from mmdmad.checking import check_path, lines_of
from mmdmad.checking.before_fit import before_fit, far_out
from mmdmad.checking.copies import Copies, overlaps, recordings
from mmdmad.checking.oddest import distances
from mmdmad.checking.support import supports
from mmdmad.manifest import read_cases
from mmdmad.parts import Sensor
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.plan import plan
from mmdmad.pipeline.splits import split
from tests.checking.samples import SMALL, cases_of, look, said, scene, table, topics


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
    report = look(cases)
    assert (report.splits_made, report.folds) == ({"fit": 24, "reference": 8, "calibration": 9}, 5)
    (one,) = report.support
    assert (one.calibration, one.floor, one.flags, one.needed) == (41, round(1 / 42, 4), True, 19)
    assert any("p is 0.0238 or more: cases can be flagged at 5 %" in line for line in lines_of(report))
    assert any("24 fit, 8 reference, 9 calibration in the first of 5 folds" in line for line in lines_of(report))
    rows = split(cases.items, PipelineConfig(false_alarm_rate=0.01).shares, 0)
    planned = plan(cases.items, PipelineConfig(calibration="split"))
    (once,) = supports(planned, PipelineConfig(false_alarm_rate=0.01))
    assert planned.first.keys == rows.keys
    assert (once.calibration, once.needed) == (len(rows.calibration), 330)


def test_what_can_be_promised_goes_by_the_parts_that_a_case_has() -> None:
    parts = [
        {"text": Part("text", value=f"run {i} ended"), "sensor": Part("sensor", value=table(i))} for i in range(60)
    ]
    made = [Case(str(i), one if i % 2 else {"text": one["text"]}, split="train") for i, one in enumerate(parts)]
    both, text = look(Cases(tuple(made))).support
    assert (both.parts, text.parts) == (("text", "sensor"), ("text",))
    assert both.calibration < text.calibration
    assert (both.rate, both.needed, text.needed) == (0.1, 60, 30)  # a joint network is trained once


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
    many = [table(i) for i in range(80)]
    for one in many[10:17]:
        one.values[30:60, 1] += 30
    found = look(cases_of("sensor", many)).oddest
    assert {odd.case for odd in found[:7]} == {f"c{i}" for i in range(10, 17)}
    pictures = [scene(i) for i in range(30)]
    pictures[4] = 255 - pictures[4] // 2
    assert look(cases_of("image", pictures)).oddest[0].case == "c04"


def test_a_fit_says_before_it_begins_what_cannot_be_promised(tmp_path: Path) -> None:
    rows = [f"{i / 10},{v}" for i, v in enumerate(np.random.default_rng(0).normal(size=700))]
    (tmp_path / "a.csv").write_text("time,x\n" + "\n".join(rows) + "\n")
    lines = [f"w{i:02d},a.csv#{10 * i}:{10 * i + 15}" for i in range(60)]
    (tmp_path / "m.csv").write_text("id,sensor\n" + "\n".join(lines) + "\n")
    said = before_fit(read_cases(tmp_path / "m.csv"), PipelineConfig.model_validate(SMALL))
    assert said == [
        "59 pairs of slices of one file overlap, such as w00 and w01 of a.csv",
        "the cases to learn from are windows of few recordings, divided in blocks: the rate is promised for more "
        "of these recordings, not for others",
    ]
    (promised,) = before_fit(cases_of("sensor", [table(i) for i in range(60)]), PipelineConfig(false_alarm_rate=0.01))
    assert promised.startswith("sensor: ranked among 60 calibration cases")
    spoiled = [table(i) for i in range(80)]
    assert not far_out(cases_of("sensor", spoiled))
    for one in spoiled[10:13]:
        one.values[30:60, 1] += 30
    line, power = far_out(cases_of("sensor", spoiled))
    assert power.startswith("faults among the normal cases cost power, not the rate")
    assert line.startswith("3 cases to learn from far out of the others (c1")
    copied = before_fit(
        cases_of("text", [f"job {i % 50} is done" for i in range(60)]), PipelineConfig(false_alarm_rate=0.01)
    )
    assert "at most 50 independent recordings" in copied[-1]


def test_distances_are_in_robust_deviations_and_constant_columns_count_by_their_own_spread() -> None:
    rng = np.random.default_rng(0)
    seen = np.column_stack([rng.normal(0, 1, 50), rng.normal(0, 1e-3, 50), np.zeros(50)])
    seen[0], seen[1, 1], seen[2, 2] = (0, 1e6, 0), 0.05, 1.0
    assert set(np.argsort(distances(seen))[-3:]) == {0, 1, 2}
    assert distances(np.ones((30, 4))).tolist() == [0] * 30

"""Readings that are missing otherwise than in the cases learned from: said, and never ranked as if they were alike."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import ModelError
from mmdmad.parts import Sensor
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.masked import outside_of
from mmdmad.pipeline.model_manifest import write_manifest
from mmdmad.pipeline.readings import Outside, Readings, learned_readings, shares

ROWS = 16
CHANNELS = ("pressure", "heat", "spans")


def table(seed: int, seen: int, rows: int = ROWS) -> Sensor:
    """Normal readings, of "spans" only the last `seen`."""
    values = np.random.default_rng(seed).normal(size=(rows, 3))
    values[: rows - seen, 2] = np.nan
    return Sensor(values, np.arange(rows, dtype=float), CHANNELS, ("", "", ""))


def case(seed: int, seen: int) -> Case:
    return Case(f"{seen}-{seed}", {"sensor": Part("sensor", value=table(seed, seen))}, split="train")


@pytest.fixture(scope="module")
def rarely() -> JointDetector:
    """Learned from windows in which one channel is read in 2 of 16 rows."""
    config = {"parts": {"sensor": {"detector": "gaussian-diffusion"}}, "false_alarm_rate": 0.1}
    return JointDetector.from_config(config).fit(Cases(tuple(case(seed, 2) for seed in range(80))))


def test_rows_that_the_clock_has_room_for_count_as_missing() -> None:
    whole = table(0, ROWS)
    keep = np.r_[0:4, 8:16]
    found, expected = shares(Sensor(whole.values[keep], whole.times[keep], CHANNELS, ("", "", "")))
    assert expected == ROWS
    assert found == dict.fromkeys(CHANNELS, 12 / 16)
    one = Sensor(whole.values[:1], whole.times[:1], CHANNELS, ("", "", ""))
    assert shares(one) == (dict.fromkeys(CHANNELS, 1.0), 1)


@pytest.mark.parametrize(
    ("least", "most", "seen", "said"),
    [
        (100, 100, 96, ""),  # a twentieth of the rows proves nothing
        (100, 100, 94, "fewer"),
        (2, 2, 2, ""),
        (2, 2, 3, "more"),  # half as many again, though it is one row in a hundred
        (2, 2, 0, "fewer"),
        (40, 60, 65, ""),
        (40, 60, 66, "more"),
        (40, 60, 35, ""),
        (40, 60, 34, "fewer"),
        (0, 100, 0, ""),
    ],
)
def test_what_lies_outside(least: int, most: int, seen: int, said: str) -> None:
    known = learned_readings([table(0, least, 100), table(1, most, 100)])
    assert known == Readings(CHANNELS, (1.0, 1.0, least / 100), (1.0, 1.0, most / 100))
    found = known.outside("sensor", table(2, seen, 100))
    assert (bool(found.fewer), bool(found.more)) == (said == "fewer", said == "more")
    if said == "more":
        assert str(found) == f"'spans' has readings in {seen} of 100 rows (normal ones: at most {most} %)"


def test_one_lost_row_of_a_short_table_proves_nothing() -> None:
    known = learned_readings([table(0, 8, 8)])
    assert not known.outside("sensor", table(1, 7, 8))
    assert known.outside("sensor", table(1, 6, 8)).fewer


def test_more_readings_than_learned_get_no_verdict_and_a_reason(rarely: JointDetector) -> None:
    for seen in (3, 8, 16):
        found = [rarely.judge(case(1000 + seed, seen)) for seed in range(10)]
        assert {one.verdict for one in found} == {"no verdict"}
        assert not any(one.guarantee.valid for one in found)
        assert f"'spans' has readings in {seen} of 16 rows" in found[0].guarantee.note
        assert "so there is no verdict" in found[0].guarantee.note
    finding = rarely.finding(case(5, 16))
    assert finding.verdict == "no verdict"
    assert "'spans' has readings in 16 of 16 rows" in finding.evidence[0].caption


def test_as_many_readings_as_learned_keep_verdict_and_promise(rarely: JointDetector) -> None:
    found = [rarely.judge(case(2000 + seed, 2)) for seed in range(60)]
    assert all(one.guarantee.valid and not one.guarantee.note for one in found)
    assert sum(one.verdict == "anomalous" for one in found) <= 13  # 60 at 10 %: .999 of the binomial


def test_fewer_readings_in_no_class_keep_a_verdict_without_a_promise(rarely: JointDetector) -> None:
    once = rarely.judge(case(7, 1))
    assert once.verdict in ("anomalous", "normal")
    assert (once.guarantee.valid, once.guarantee.missing) == (False, "")
    assert "'spans' has readings in 1 of 16 rows" in once.guarantee.note
    assert "which alone can make it unusual (normal ones have 'spans' only here and there)" in once.guarantee.note


def test_a_silent_channel_is_promised_among_normal_cases_without_it(rarely: JointDetector) -> None:
    silent = rarely.judge(case(7, 0))
    assert (silent.guarantee.valid, silent.guarantee.missing, silent.guarantee.size) == (True, "'spans'", 80)
    assert "'spans' has readings in 0 of 16 rows" in silent.guarantee.note
    assert "masked to lack the same" in silent.guarantee.note


def test_a_held_out_case_outside_is_refused_by_name_not_ranked_with() -> None:
    config = {"parts": {"sensor": {"detector": "gaussian-diffusion"}}, "calibration": "split"}
    plain = [case(seed, 2) for seed in range(100)]
    model = JointDetector.from_config(config).fit(Cases((*plain, case(500, 16))))  # 500 is not in the fit split
    assert [(r.case_id, r.part) for r in model.refused_] == [("16-500", "sensor")]
    assert model.refused_[0].reason == (
        "'spans' has readings in 16 of 16 rows (normal ones: at most 12.5 %): it cannot be ranked with"
    )
    learned = JointDetector.from_config(config).fit(Cases((*plain, case(502, 16))))  # and 502 is
    assert learned.refused_ == ()
    assert learned.judge(case(8, 9)).guarantee.valid


def test_more_readings_in_any_part_or_fold_decide_over_fewer_in_another() -> None:
    fewer, more = Outside(fewer="'a' is silent"), Outside(more="'b' speaks")
    for first, second in ((fewer, more), (more, fewer)):
        parts = [SimpleNamespace(outside=lambda signal, said=said: said) for said in (first, second, Outside())]
        folds = [SimpleNamespace(parts={"sensor": part}) for part in parts]
        assert outside_of(folds, {"sensor": None}, ["sensor"]) == more
    assert not outside_of(folds[2:], {"sensor": None}, ["sensor"])


def test_it_is_kept_with_the_model_and_checked(rarely: JointDetector, tmp_path: Path) -> None:
    rarely.save(tmp_path)
    again = JointDetector.load(tmp_path)
    assert again.parts_["sensor"].readings == rarely.parts_["sensor"].readings
    file = tmp_path / "folds" / "0" / "sensor" / "part.json"
    about = json.loads(file.read_text())
    assert about["readings"]["most"] == [1.0, 1.0, 0.125]
    for wrong in ({"least": [1.0, 1.0, 0.5]}, {"most": [1.0, 1.0]}, {"most": [1.0, 1.0, 2.0]}):
        file.write_text(json.dumps(about | {"readings": about["readings"] | wrong}))
        write_manifest(tmp_path)
        with pytest.raises(ModelError, match="readings"):
            JointDetector.load(tmp_path)
    file.write_text(json.dumps({key: value for key, value in about.items() if key != "readings"}))
    write_manifest(tmp_path)
    older = JointDetector.load(tmp_path).parts_["sensor"]  # the first fold's
    assert older.readings is None
    assert older.outside(table(0, 16)) == Outside()

"""The coverage suite: its arithmetic by hand, what a division may hold, its readers, and a run on made-up cases."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from mmdmad.bench import coverage, run_suite
from mmdmad.bench.bands import clustered_share, expected_flags, flags_band
from mmdmad.bench.coverage import at, by_cluster, deciding, promises
from mmdmad.bench.coverage_sets import SENSOR, Division, Normals, divide, every_set
from mmdmad.bench.tokens import sensor
from mmdmad.calibration.conformal import false_alarm_range
from mmdmad.calibration.promise import Ranked, promise
from mmdmad.cases import Case, Part
from mmdmad.errors import DataError
from mmdmad.guarantees import ByRecording
from tests.bench.trees import make_trees


def test_the_band_of_one_split_is_that_of_the_theorem_and_that_of_several_the_sum():
    for size, cases, rate in ((199, 100, 0.05), (99, 80, 0.1), (300, 200, 0.01)):
        assert flags_band([{size: cases}], rate) == false_alarm_range(rate, size, cases)
    drawn = np.random.default_rng(0)
    shares = drawn.beta(10, 190, (20_000, 20))
    counts = drawn.binomial(100, shares).sum(axis=1)
    low, high = flags_band([{199: 100}] * 20, 0.05)
    assert abs(low - np.quantile(counts, 0.025)) <= 1
    assert abs(high - np.quantile(counts, 0.975)) <= 1
    assert flags_band([{18: 100}, {199: 0}], 0.05) == (0, 0)  # nothing can be flagged
    assert expected_flags([{18: 100, 19: 40}, {199: 100}], 0.05) == 0 + 2 + 5


def test_the_interval_knows_that_cases_of_a_cluster_are_alike():
    share, low, high = clustered_share([0, 10], [100, 100])
    assert share == 0.05
    # by hand: residuals -5 and 5, variance 2 / 1 * 50 / 200^2, one degree of freedom
    assert high - share == pytest.approx(stats.t.ppf(0.975, 1) * np.sqrt(2 * 50) / 200)
    assert low == 0.0
    even = clustered_share([5, 5, 5, 5], [100] * 4)
    assert even[1] == even[2] == pytest.approx(0.05)
    assert clustered_share([1], [20]) == (0.05, 0.0, 1.0)
    hits, cases = [2, 0, 9, 1, 3], [40, 60, 80, 50, 70]
    plain = sum(hits) / sum(cases)
    assert clustered_share(hits, cases)[0] == pytest.approx(plain)
    for wrong in (([1, 2], [3]), ([1], [0]), ([], [])):
        with pytest.raises(DataError, match="no empty cluster"):
            clustered_share(*wrong)
    clusters = np.array(["a"] * 100 + ["b"] * 100)
    assert by_cluster(clusters, np.arange(200) >= 190) == pytest.approx((low, high))


def cases_of(count: int, units: int = 0, seed: int = 0) -> tuple[Case, ...]:
    rng = np.random.default_rng(seed)
    return tuple(
        Case(
            f"c{i:03d}", {"sensor": Part("sensor", value=sensor(rng.normal(size=(40, 2))))}, label=0,
            recording=f"r{i % units}" if units else None,
        )
        for i in range(count)
    )  # fmt: skip


def ids(found: Division) -> tuple[list[str], list[str]]:
    return [c.id for c in found.train], [c.id for c in found.test]


def test_divisions_share_no_case_and_no_recording():
    cases = cases_of(60, 6)
    one = Normals("made", SENSOR, cases, ("drawn", "new recordings", "later"), tuple(str(c.recording) for c in cases))
    for way in one.ways:
        found = divide(one, way, 1, 30, 20)
        learned, judged = ({c.id for c in some} for some in (found.train, found.test))
        assert len(learned) <= 30
        assert 0 < len(judged) <= 20
        assert not learned & judged
        assert ids(divide(one, way, 1, 30, 20)) == ids(found)
        assert (ids(divide(one, way, 2, 30, 20)) == ids(found)) is (way == "later")
    drawn, new, later = (divide(one, way, 1, 30, 20) for way in one.ways)
    assert {c.recording for c in (*drawn.train, *drawn.test)} == {None}
    assert len(set(drawn.clusters)) > 3
    assert not {c.recording for c in new.train} & set(new.clusters)
    assert set(new.clusters) == {c.recording for c in new.test}
    assert max(c.id for c in later.train) < min(c.id for c in later.test)
    assert [c.id for c in later.test] == sorted(c.id for c in later.test)
    sides = replace(one, units=(), sides=tuple(i % 2 for i in range(60)))
    halves = divide(sides, "new recordings", 0, 30, 20)
    assert {int(c.id[1:]) % 2 for c in halves.train} == {0}
    assert {int(c.id[1:]) % 2 for c in halves.test} == {1}


def judged(p, sizes, *, unit="case", units=50, by_recording=()):
    said = [promise(("sensor",), 0.05, [Ranked(n, n, n if unit == "case" else units, 1)], unit) for n in sizes]
    cases = tuple(Case(f"c{i}", {}) for i in range(len(p)))
    return SimpleNamespace(
        p_value=np.array(p), calibration=np.array(sizes, float), guarantees=tuple(said), cases=cases,
        by_recording=tuple(by_recording),
    )  # fmt: skip


def division(clusters):
    return Division((), tuple(Case(f"c{i}", {}) for i in range(len(clusters))), tuple(clusters))


def test_figures_at_a_rate_are_those_of_the_p_values():
    one, other = judged([0.01, 0.2, 0.05, 0.9], [99] * 4), judged([0.04, 0.6], [99, 18])
    figures, interval = at([division("abcd"), division("ab")], [one, other], "drawn", 0.05)
    assert figures["flagged"] == 3 / 6
    assert figures["expected"] == pytest.approx(5 * 0.05 / 6)
    assert figures["promised"] == 5 / 6  # 18 calibration cases promise no 5 %
    low, high = flags_band([Counter({99: 4}), Counter({99: 1, 18: 1})], 0.05)
    assert (figures["band_low"], figures["band_high"], figures["in_band"]) == (low / 6, high / 6, float(high >= 3))
    assert interval == clustered_share([2, 1], [4, 2])[1:]
    assert at([division("abcd")], [one], "later", 0.05)[1] is None


def test_windows_of_new_recordings_go_by_the_p_value_that_decides():
    ranks = [ByRecording(p_value=0.2, whole=0.3, count=30), ByRecording(p_value=0.02, whole=0.3, count=30), None]
    one = judged([0.01, 0.5, 0.01], [199] * 3, unit="recording", by_recording=ranks)
    p_value, among = deciding(one, 0.05)
    assert (p_value.tolist(), among.tolist()) == ([0.2, 0.02, 0.01], [30, 30, 199])
    p_value, among = deciding(one, 0.02)  # takes 49 recordings
    assert (p_value.tolist(), among.tolist()) == ([0.01, 0.5, 0.01], [199] * 3)
    figures, _ = at([division("abc")], [one], "drawn", 0.05)
    assert figures["flagged"] == 2 / 3


def test_new_recordings_keep_a_promise_or_have_none():
    p = [0.01] * 10 + [0.5] * 10
    broken = judged(p, [199] * 20, unit="recording", units=40)
    unpromised = judged(p, [199] * 20, unit="recording", units=5)
    clusters = [f"r{i}" for i in range(20)]
    assert promises(broken, 0.05).all()
    assert not promises(broken, 0.01).any()
    assert not promises(unpromised, 0.05).any()
    kept = {}
    for name, one in (("broken", broken), ("unpromised", unpromised)):
        kept[name], interval = at([division(clusters)], [one], "new recordings", 0.05)
        assert interval[0] > 0.05
    assert (kept["broken"]["kept"], kept["broken"]["promised"]) == (0.0, 1.0)
    assert (kept["unpromised"]["kept"], kept["unpromised"]["promised"]) == (1.0, 0.0)
    good = judged([0.01] + [0.5] * 19, [199] * 20, unit="recording", units=40)
    assert at([division(clusters)], [good], "new recordings", 0.05)[0]["kept"] == 1.0


def test_every_set_is_read_without_its_odd_cases(tmp_path):
    data = make_trees(tmp_path / "data")
    found = {one.name.split()[0]: one for one in every_set(data, tmp_path / "home")}
    assert set(found) >= {"mtd", "sms-spam", "bgl", "uca", "skab", "nezha", "joint-composed"}
    for one in found.values():
        assert len({case.id for case in one.cases}) == len(one.cases) > 5
        assert not any(case.label for case in one.cases)
        assert "drawn" in one.ways
        assert ("new recordings" not in one.ways) or one.units or one.sides
    assert len(set(found["skab"].units)) > 1
    times = [case.time for case in found["nezha"].cases]
    assert times == sorted(times)


def test_the_suite_on_made_up_cases(tmp_path, monkeypatch):
    cases = cases_of(150, 10, seed=3)
    one = Normals("made", SENSOR, cases, ("drawn", "new recordings", "later"), tuple(str(c.recording) for c in cases))
    few = Normals("few", SENSOR, cases[:12], ("drawn",))
    monkeypatch.setattr(coverage, "every_set", lambda data, home: [few, one])
    result = run_suite("coverage", tmp_path, seeds=2, sample=100)
    rows = {row["dataset"]: row for row in result["rows"]}
    assert "few, drawn" in result["refused"]
    assert "cases" in result["refused"]["few, drawn"]
    assert set(rows) == {"made, drawn", "made, new recordings", "made, later"}
    drawn = rows["made, drawn"]["metrics"]
    assert (drawn["splits"], drawn["cases"]) == (2, 80)
    assert drawn["promised_at_0.05"] == 1.0
    assert drawn["promised_at_0.01"] == 0.0  # 60 cases promise no 1 %
    assert drawn["flagged_at_0.01"] == drawn["expected_at_0.01"] == 0.0
    assert drawn["in_band_at_0.1"] == 1.0
    assert set(rows["made, drawn"]["intervals"]) == {f"flagged_at_{r:g}" for r in coverage.RATES}
    assert rows["made, new recordings"]["metrics"]["kept_at_0.05"] == 1.0
    assert rows["made, new recordings"]["metrics"]["promised_at_0.05"] == 0.0  # five recordings promise no 5 %
    assert rows["made, later"]["metrics"]["lapse_said_at"] == 0.0
    assert rows["made, later"]["metrics"]["splits"] == 1

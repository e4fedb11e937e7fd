"""Where nobody declares a rate, verdicts have the smallest usual one that the calibration cases support."""

import numpy as np
import pytest

from mmdmad.calibration.conformal import attained_level, is_attainable
from mmdmad.calibration.rates import USUAL_RATES, of_usual_pattern, supported_rate
from mmdmad.cases import Case, Cases, Part
from mmdmad.checking.support import declared, supports
from mmdmad.errors import RunError
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.plan import plan
from mmdmad.store.run import Run

pytestmark = pytest.mark.usefixtures("tiny")
TEXTS = {"parts": {"text": {"encoder": "tiny-text", "detector": "knn"}}, "min_parts": 5}


def lines(count, seed, recording=None):
    rng = np.random.default_rng(seed)
    words = [f"{' '.join(rng.choice(['amber', 'cobalt', 'green'], 3))} {i}" for i in range(count)]
    return [Case(f"{recording}{seed}-{i}", {"text": Part("text", value=w)}, recording=recording)
            for i, w in enumerate(words)]  # fmt: skip


def test_the_threshold_rests_on_two_calibration_scores_and_on_enough_recordings():
    for size in range(2, 400):
        rate = supported_rate(size)
        smaller = [r for r in USUAL_RATES if r < rate]
        assert rate == 0.1 or attained_level(size, rate) * (size + 1) > 1.5
        assert all(attained_level(size, r) * (size + 1) < 1.5 for r in smaller)
        promised = supported_rate(1000, size)
        assert is_attainable(size, promised) == (size >= 9)
        assert size < 9 or not any(is_attainable(size, r) for r in USUAL_RATES if r < promised)
    assert of_usual_pattern([(5, 1, 50, 7), (5, 2, 20, 3), (4, 3, 4, 1)]) == (20, 3)


@pytest.mark.parametrize(
    ("cases", "rate"),
    [
        (lines(30, 0), 0.1),
        (lines(60, 0), 0.05),
        (lines(120, 0), 0.02),
        ([case for r in range(30) for case in lines(10, r, f"run {r}")], 0.05),
    ],
    ids=["30", "60", "120", "300 windows of 30 recordings"],
)
def test_a_fit_declares_what_it_supports_and_check_says_the_same(cases, rate, tmp_path):
    config = PipelineConfig.load(TEXTS)
    planned = plan(cases, config)
    assert declared(planned, config) == rate
    assert {one.rate for one in supports(planned, config)} == {rate}
    run = Run.create(tmp_path / "run", TEXTS)
    assert run.rate == USUAL_RATES[0]
    run.fit(Cases(tuple(cases)))
    assert run.model.rate == run.rate == rate
    assert run.model.judge(lines(1, 99)[0]).guarantee.rate == rate
    run.score(Cases(tuple(lines(3, 99))))
    assert run.false_alarm_rate == rate
    assert JointDetector.load(run.path / "model").rate == rate
    assert run.model.judge(lines(1, 99)[0], 0.2).guarantee.rate == 0.2


def test_a_declared_rate_is_the_rate():
    config = PipelineConfig.load({**TEXTS, "false_alarm_rate": 0.03})
    cases = lines(60, 0)
    assert declared(plan(cases, config), config) == 0.03
    assert JointDetector(config).fit(Cases(tuple(cases))).rate == 0.03


def test_a_run_has_one_rate_and_with_all_its_cases_it_can_be_another(tmp_path, monkeypatch):
    run = Run.create(tmp_path / "run", TEXTS).fit(Cases(tuple(lines(60, 0))))
    five = Cases(tuple(lines(5, 99)))
    run.score(five)
    before = {f.case_id: (f.p_value, f.score) for f in run.findings()}
    with pytest.raises(
        RunError,
        match=r"was scored at .* 0\.05, not 0\.2; .* read it at 0\.2 with --rate 0\.2 .* give all its cases",
    ):
        run.score(five, false_alarm_rate=0.2)
    with pytest.raises(RunError, match="a run has one rate, and 2 of its judged cases"):
        run.score(Cases(five.items[:3]), false_alarm_rate=0.2, replace=True)
    with pytest.raises(RunError, match="allowed is a rate from"):
        run.score(five, false_alarm_rate=0.9, replace=True)

    finding, calls = run.model.finding, []

    def stopping(case, *given, **named):
        calls.append(case.id)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return finding(case, *given, **named)

    monkeypatch.setattr(run.model, "finding", stopping)
    with pytest.raises(KeyboardInterrupt):
        run.score(five, false_alarm_rate=0.2, replace=True)
    assert run.false_alarm_rate == 0.05
    monkeypatch.undo()
    assert run.score(five, false_alarm_rate=0.2, replace=True).done == 5
    assert run.false_alarm_rate == run.rate == 0.2
    assert {f.guarantee.rate for f in run.findings()} == {0.2}
    assert {f.case_id: (f.p_value, f.score) for f in run.findings()} == before
    assert all((f.verdict == "anomalous") == (f.p_value <= 0.2) for f in run.findings())
    again = run.score(five, false_alarm_rate=0.2, replace=True)
    assert (again.done, again.skipped) == (0, 5)

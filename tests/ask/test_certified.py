"""What may be certified of a run, and what may not, in words that name the reason."""

from collections import Counter

import pytest

from mmdmad.ask.base import Scope, ask
from mmdmad.ask.certified import Threshold
from mmdmad.bench.synthetic_run import synthetic_findings
from mmdmad.calibration.certified import certified_band, certified_rank


def same(findings, **changed):
    """The findings of the most common pattern, all on one calibration set."""
    most = Counter(f.guarantee.pattern for f in findings).most_common(1)[0][0]
    here = [f for f in findings if f.guarantee.pattern == most]
    return [f.model_copy(update={"guarantee": f.guarantee.model_copy(update=changed)}) for f in here]


def captions(result):
    return [one.evidence.caption for one in result.evidence]


@pytest.fixture
def alike():
    return same(list(synthetic_findings(120, seed=5)), size=240, valid=True, attained=0.05, method="split", unit="case")


def test_one_rate_named_beforehand(alike, tmp_path, a_run):
    k = certified_rank(240, 0.05)
    alike = [alike[0].model_copy(update={"p_value": k / 241, "verdict": "anomalous"}), *alike[1:]]  # one at it
    run = a_run(tmp_path / "run", alike)
    found = ask(Scope(run), "certified", rate=0.05)
    flagged = sum(f.p_value <= k / 241 + 1e-12 for f in alike)
    assert 0 < flagged < len(alike)
    assert found.thresholds == (
        Threshold(
            pattern=alike[0].guarantee.pattern, size=240, rank=k, p_value=k / 241, rate=0.05, judged=len(alike),
            flagged=flagged,
        ),
    )  # fmt: skip
    assert f"at most 5 % of normal cases have a p-value of {k / 241:.3g} or less" in captions(found)[0]
    strict = ask(Scope(run), "certified", rate=0.05, confidence=0.999)
    assert strict.thresholds[0].rank == certified_rank(240, 0.05, 0.999) < k
    run.close()


def test_every_threshold_at_once(alike, tmp_path, a_run):
    run = a_run(tmp_path / "run", alike)
    found = ask(Scope(run), "certified", afterwards=True)
    assert [one.rank for one in found.thresholds] == [1, 2, 5, 10, 20, 50, 100]
    assert [one.rate for one in found.thresholds] == [certified_band(240)[k - 1] for k in (1, 2, 5, 10, 20, 50, 100)]
    assert "All these bounds hold together" in captions(found)[-1]
    run.close()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"size": 58}, "there are 58 calibration cases, and it takes 59"),
        ({"method": "cross"}, "crossed in folds, each with a model of its own"),
        ({"unit": "recording"}, "windows of recordings, which are not independent"),
        (
            {"valid": False, "note": "the guarantee has lapsed since noon"},
            "the rate is not promised (the guarantee has",
        ),
    ],
)
def test_what_is_not_certified_says_why(changed, said, alike, tmp_path, a_run):
    run = a_run(tmp_path / "run", same(alike, **changed))
    found = ask(Scope(run), "certified", rate=0.05)
    assert found.thresholds == ()
    assert said in captions(found)[0]
    run.close()


def test_a_run_without_cases_has_nothing_to_certify(tmp_path, a_run):
    run = a_run(tmp_path / "run", [])
    assert captions(ask(Scope(run), "certified")) == ["No case was judged, so there is nothing to certify."]
    run.close()

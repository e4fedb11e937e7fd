"""Labelled faults given with a fit: judged, never learned from, told with an interval, and no threshold by them."""

import importlib.util
from pathlib import Path

import pytest

from mmdmad.ask.base import Scope, ask
from mmdmad.cases import Case, Cases
from mmdmad.encoders import base as encoder_registry
from mmdmad.errors import RefusalWarning, RunError
from mmdmad.guarantees import ByRecording
from mmdmad.report import write_report
from mmdmad.store.caught import MOST, Caught, faults, measure
from mmdmad.store.run import Run


@pytest.fixture(scope="module")
def tiny():
    """The tiny pipeline, for as long as these tests run: other tests register their own."""
    before = encoder_registry.encoders()
    spec = importlib.util.spec_from_file_location("tiny_caught", Path(__file__).parents[1] / "tiny_pipeline.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in set(encoder_registry.encoders()) - set(before):
        encoder_registry._REGISTRY.remove(name)


def test_caught_by_hand():
    ranks = ByRecording(p_value=0.2, whole=0.3, count=30), None, ByRecording(p_value=0.04, whole=0.3, count=30)
    windows = Caught(p_values=(0.01, 0.02, 0.3), given=3, unusable=0, drawn=ranks)
    assert [windows.at(rate) for rate in (0.01, 0.02, 0.05)] == [1, 2, 2]  # 30 recordings reach 5 %, not 2 %
    found = Caught(p_values=(0.01, 0.02, 0.3, 1.0), given=5, unusable=1)
    assert [found.at(rate) for rate in (0.005, 0.01, 0.05, 0.3)] == [0, 1, 2, 3]
    assert found.interval(0.05) == pytest.approx((0.0676, 0.9324), abs=1e-4)  # Clopper and Pearson, 2 of 4
    assert found.words(0.05).startswith(
        "of 4 labelled faults given with the fit (4 of 5 were judged) 2 are caught at 5 % (95 %: 6.76 to 93.2 % of"
    )
    assert (
        Caught(p_values=(), given=2, unusable=2).words(0.05)
        == "none of 2 labelled faults given with the fit can be judged"
    )


def test_faults_are_those_labelled_and_not_set_aside():
    given = [Case("a", {}, label=1), Case("b", {}, label=0), Case("c", {}, label=1, split="test"),
             Case("d", {}, label=1, split="train"), Case("e", {})]  # fmt: skip
    assert [case.id for case in faults(given)] == ["a", "d"]


def test_a_fit_says_what_is_caught_and_learns_the_same(tiny, tmp_path):
    settings = tiny.tiny_config(false_alarm_rate=0.1).model_dump(mode="json")
    settings["parts"] = {"sensor": settings["parts"]["sensor"]}
    normal = [Case(c.id, {"sensor": c.parts["sensor"]}) for c in tiny.tiny_cases(80, 1)]
    spoiled = [tiny.tiny_case(2, i, spoil="sensor").parts["sensor"] for i in range(6)]
    odd = [Case(f"odd-{i}", {"sensor": part}, label=1) for i, part in enumerate(spoiled)]
    odd.append(Case("usual", dict(normal[0].parts), label=1))  # labelled, and like the normal ones
    with_faults, without = Run.create(tmp_path / "with", settings), Run.create(tmp_path / "without", settings)
    with pytest.warns(RefusalWarning, match="faulty"):
        with_faults.fit(Cases((*normal, *odd)))
    without.fit(Cases(tuple(normal)))
    assert without.caught is None
    assert with_faults.model.calibration_.state() == without.model.calibration_.state()
    assert with_faults.rate == without.rate == 0.1
    assert (with_faults.caught.given, with_faults.caught.at(0.1)) == (7, 6)
    said = "Of 7 labelled faults given with the fit 6 are caught at 10 % (95 %: 42.1 to 99.6 % of faults like these)"
    for run, there in ((with_faults, True), (without, False)):
        captions = [one.evidence.caption for one in ask(Scope(run), "overview").evidence]
        assert any(caption.startswith(said) for caption in captions) is there
        assert ("Labelled faults given with the fit" in write_report(run, tmp_path / "r.md").read_text()) is there
    found = ask(Scope(with_faults), "labelled_faults")
    assert (found.faults, found.caught) == (7, 6)
    many = [Case(f"m{i}", dict(odd[0].parts), label=1) for i in range(MOST + 50)]
    assert len(measure(with_faults._engine, with_faults.levels, many, 0.1).p_values) == 125
    with with_faults._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '{\"p_values\": [2]}' WHERE key = 'caught'")
    with pytest.raises(RunError, match="labelled faults is damaged"):
        _ = with_faults.caught
    with_faults.close()
    without.close()

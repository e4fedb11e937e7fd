"""Every condition on cases against the same said in Python over the findings, and its words in the answer."""

import itertools

import numpy as np
import pytest

from mmdmad import reasons
from mmdmad.ask.base import Scope, ask
from mmdmad.ask.filters import Filter
from mmdmad.errors import ConfigError
from mmdmad.findings import Finding
from mmdmad.modalities.base import modalities
from mmdmad.store.bounds import Bounds

PAIRS = list(itertools.combinations(modalities(), 2))


@pytest.fixture(scope="module")
def labelled(findings):
    """The made-up findings with labels, other p-values of their parts, and some parts left out."""
    rng = np.random.default_rng(3)
    found = []
    for i, f in enumerate(findings):
        parts = tuple(p for p in f.parts if rng.random() < 0.8) or f.parts[:1]
        odd = [p.model_copy(update={"p_value": float(rng.choice([0.01, 0.1, 0.25, 0.6]))}) for p in parts]
        found.append(f.model_copy(update={"label": (None, 0, 1)[i % 3], "parts": tuple(odd)}))
    return found


@pytest.fixture
def scope(a_run, labelled, tmp_path):
    return Scope(a_run(tmp_path / "run", labelled))


def own(f: Finding, part: str) -> float:
    found = f.part(part)
    return 2.0 if found is None else found.p_value


def conditions():
    """A filter, and the same of one finding."""
    for a, b in PAIRS:
        yield {"unusual": [a, b]}, lambda f, a=a, b=b: {a, b} <= set(reasons.unusual(f))
        yield {"unusual": [a, b], "either": True}, lambda f, a=a, b=b: bool({a, b} & set(reasons.unusual(f)))
        yield {"missing": [a, b]}, lambda f, a=a, b=b: not {a, b} & set(f.pattern)
        yield {"missing": [a, b], "either": True}, lambda f, a=a, b=b: not {a, b} <= set(f.pattern)
        yield {"present": [a, b]}, lambda f, a=a, b=b: {a, b} <= set(f.pattern)
    for part in modalities():
        yield {"unusual": part, "alone": True}, lambda f, p=part: reasons.unusual(f) == [p]
        yield {"present": part, "verdict": "anomalous"}, lambda f, p=part: p in f.pattern and f.verdict == "anomalous"
        yield {"p_value": {"below": 0.3}, "p_of": part}, lambda f, p=part: own(f, p) < 0.3
    yield {"complete": True}, lambda f: set(f.pattern) == set(modalities())
    yield {"complete": False}, lambda f: set(f.pattern) != set(modalities())
    yield {"p_value": {"above": 0.2, "at_most": 0.6}}, lambda f: 0.2 < f.p_value <= 0.6
    yield {"score": {"at_least": 5}}, lambda f: f.score >= 5
    yield {"label": "normal"}, lambda f: f.label == 0
    yield {"label": "anomalous", "verdict": "anomalous"}, lambda f: f.label == 1 and f.verdict == "anomalous"


@pytest.mark.parametrize(("given", "holds"), list(conditions()), ids=lambda v: str(v) if isinstance(v, dict) else "")
def test_a_condition_finds_what_python_finds(scope, labelled, given, holds):
    expected = sorted(f.case_id for f in labelled if holds(f))
    found = ask(scope, "find_cases", **given, limit=100)
    assert found.total == ask(scope, "count_cases", **given).total == len(expected)
    assert sorted(found.cases)[:100] == expected if len(expected) <= 100 else set(found.cases) <= set(expected)


def test_some_conditions_hold_for_some_and_not_for_all(labelled):
    shares = [sum(holds(f) for f in labelled) / len(labelled) for _, holds in conditions()]
    assert sum(0 < share < 1 for share in shares) > 0.8 * len(shares)


def test_several_groups_are_any_of_them(scope, labelled):
    groups = sorted({f.group for f in labelled if f.group})[:2]
    found = ask(scope, "count_cases", group=groups)
    assert found.total == sum(f.group in groups for f in labelled)
    assert f"of {groups[0]} or {groups[1]}" in found.evidence[0].evidence.caption
    with pytest.raises(ConfigError, match="'nowhere' was given"):
        ask(scope, "count_cases", group=[groups[0], "nowhere"], p_value={"below": 0.0001})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"unusual": ["image", "text"]}, "cases in which the image and the text are unusual by themselves"),
        ({"unusual": ["image", "text"], "either": True}, "cases in which the image or the text is unusual by itself"),
        ({"unusual": "text", "alone": True}, "cases in which only the text is unusual by itself"),
        ({"missing": ["image", "text"], "either": True}, "cases without image or text"),
        ({"complete": True, "verdict": "anomalous"}, "flagged cases that have every part"),
        ({"p_value": {"below": 0.05}, "verdict": "normal"}, "cases judged normal with a p-value below 0.05"),
        ({"p_value": {"at_most": 0.05}, "p_of": "image"}, "cases with an image p-value of at most 0.05"),
        ({"score": {"above": 20}, "label": "normal"}, "cases with label normal with a joint score above 20"),
    ],
)
def test_an_answer_says_its_condition(scope, given, words):
    assert Filter(**given).words() == words
    assert (
        words.removeprefix("cases ")
        in ask(scope, "count_cases", **given)
        .evidence[0]
        .evidence.caption.replace(
            "case in which the image and the text are", "cases in which the image and the text are"
        )
        or ask(scope, "count_cases", **given).total == 1
    )


def test_a_range_without_an_end_is_refused():
    with pytest.raises(ValueError, match="filters nothing"):
        Bounds()
    with pytest.raises(ConfigError, match="p_value"):
        ask(Scope(run=None), "count_cases", p_value={"under": 0.1})


def test_findings_of_a_run_take_the_same_conditions(scope, labelled):
    found = scope.run.findings(part=("image", "text"), either=True, p_value=Bounds(below=0.5))
    expected = {f.case_id for f in labelled if {"image", "text"} & set(reasons.unusual(f)) and f.p_value < 0.5}
    assert {f.case_id for f in found} == expected

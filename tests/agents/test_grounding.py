# ruff: noqa: E501  (captions read better on one line)
"""The grounding check: planted lies of many kinds are caught, true sentences in other words pass."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mmdmad.agents.explainer import explain
from mmdmad.agents.grounding import check

from mmdmad.bench.exam.lies import LIARS
from mmdmad.bench.exam.paraphrases import paraphrases
from mmdmad.findings import Evidence, Fact


@pytest.fixture(scope="module")
def findings():
    spec = importlib.util.spec_from_file_location("agents_conftest", Path(__file__).parent / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("agents_conftest", module)
    spec.loader.exec_module(module)
    return module.make_findings(45, seed=3)


def test_every_kind_of_lie_is_caught(findings):
    rng, told, caught, missed = np.random.default_rng(0), Counter(), Counter(), []
    for finding in findings:
        for sentence in explain(finding).sentences:
            for kind, lie in LIARS.items():
                planted = lie(sentence.text, sentence.cites, finding.evidence, rng)
                if planted is None or planted == (sentence.text, sentence.cites):
                    continue
                told[kind] += 1
                if check(*planted, finding.evidence):
                    caught[kind] += 1
                else:
                    missed.append((kind, planted[0]))
    assert sum(n > 1 for n in told.values()) >= 15
    assert missed == []


def test_true_sentences_in_other_words_pass(findings):
    refused, total = [], 0
    for finding in findings:
        for text, cites in paraphrases(finding):
            total += 1
            problems = check(text, cites, finding.evidence)
            if problems:
                refused.append((text, problems))
    assert total > 300
    assert len(refused) <= 0.02 * total, refused[:5]


SHEET = Evidence(
    id="E2", kind="channel", part="sensor",
    caption="Motor_current shifts up by 1.96 A to a mean of 4.29 A from 1.35 s to 2.59 s; normal levels lie between 2.19 A and 3.49 A.",
    facts=tuple(
        Fact(name=n, value=v, unit=u)
        for n, v, u in (
            ("channel", "motor_current", ""), ("event", "level shift", ""), ("start", 1.35, "s"), ("stop", 2.59, "s"),
            ("mean", 4.29, "A"), ("direction", "up", ""), ("normal low", 2.19, "A"), ("normal high", 3.49, "A"), ("shift", 1.96, "A"),
        )
    ),
)  # fmt: skip
OTHER = Evidence(
    id="E3", kind="channel", part="sensor", caption="Oil_pressure drifts down by 0.4 bar from 0.5 s to 3.9 s, to 1.2 bar.",
    facts=(Fact(name="channel", value="oil_pressure"), Fact(name="rise", value=0.4, unit="bar"), Fact(name="last value", value=1.2, unit="bar")),
)  # fmt: skip


@pytest.mark.parametrize(
    "sentence",
    [
        "The motor current averages 4.3 A.",
        "motor_current is at 4290 mA, above its normal 2.2 to 3.5 A.",
        "The motor current averages about 4.1 A.",
        "It lasts 1.24 s.",
        "From 1.35 s to 2.59 s the motor current is higher than normal.",
        "This is consistent with a level shift.",
    ],
)
def test_true(sentence):
    assert check(sentence, ["E2"], [SHEET, OTHER]) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "The oil pressure drifts from 0.5 s to 4 s.",
        "The motor current shifts from 1.35 s to 2.59 s, and the oil pressure drifts from 0.5 s to 3.9 s.",
    ],
)
def test_true_of_two_channels(sentence):
    assert check(sentence, ["E2", "E3"], [SHEET, OTHER]) == []


@pytest.mark.parametrize(
    ("sentence", "cites", "problem"),
    [
        ("The motor current averages 4.4 A.", ["E2"], "number"),
        ("The motor current averages 4.29 V.", ["E2"], "number"),
        ("The motor current averages about 4.0 A.", ["E2"], "number"),  # a hedge is worth 5 %
        ("The oil pressure drifts from 1 s on.", ["E3"], "number"),  # rounds 0.5, but is twice as much
        ("The event lasts from 1.35 s to 3.9 s.", ["E2", "E3"], "mixes numbers"),
        ("The motor current averages 4 A, about 35 % too much.", ["E2"], "number"),
        ("The motor current falls to 4.29 A.", ["E2"], "direction"),
        ("The motor current is at 4.29 A, below its normal range.", ["E2"], "direction"),
        ("motor_current is at 2.19 A, its normal range begins at 4.29 A.", ["E2"], "normal"),
        ("The oil pressure averages 4.29 A.", ["E2"], "oil pressure"),
        ("The oil pressure shifts by 1.96 A and the motor current by 0.4 bar.", ["E2", "E3"], "number"),
        ("The motor current does not shift.", ["E2"], "denied"),
        ("The motor current is 4.29 A in the upper left.", ["E2"], "place"),
        ("A worn bearing raises the motor current.", ["E2"], "bearing"),
        ("The motor current shifts up because of the load.", ["E2"], "cause"),
        ("The motor current will rise further.", ["E2"], "forecast"),
        ("The picture is unusual.", ["E2"], "image"),
        ("All channels shift.", ["E2"], "all"),
        ("The motor current shifts most.", ["E2"], "most"),
        ("Three channels shift.", ["E2"], "number"),
        ("The motor current shifts at 09:15.", ["E2"], "time"),
        ("The motor current shifts, as E3 shows.", ["E2"], "E3"),
        ("The motor current shifts.", [], "no evidence"),
        ("The motor current shifts.", ["E9"], "E9"),
        ("The log says “stop”: the motor current shifts.", ["E2"], "quoted"),
        ("See ![plot](data:image/png;base64,AAAA).", ["E2"], "pictures"),
    ],
)  # fmt: skip
def test_lie(sentence, cites, problem):
    problems = check(sentence, cites, [SHEET, OTHER])
    assert any(problem in p for p in problems), problems


SPIKE = Evidence(
    id="E4", kind="channel", part="sensor",
    caption="Channel vibration_y spikes down by 2.2 mm/s to -2.53 mm/s at 3.8 s; normal cases jump by at most 1.42 mm/s.",
    facts=tuple(
        Fact(name=n, value=v, unit=u)
        for n, v, u in (
            ("channel", "vibration_y", ""), ("event", "spike", ""), ("time", 3.8, "s"), ("value", -2.53, "mm/s"),
            ("jump", 2.2, "mm/s"), ("direction", "down", ""), ("largest normal jump", 1.42, "mm/s"),
        )
    ),
)  # fmt: skip
CLASH = Evidence(
    id="E9", kind="contradiction", part="video", caption="The video part does not fit the text part.", facts=()
)


def test_a_spike_down_is_not_a_spike_up():
    assert check(SPIKE.caption, ("E4",), (SPIKE,)) == []
    lie = SPIKE.caption.replace("spikes down", "spikes up")
    assert check(lie, ("E4",), (SPIKE,)) == ['direction "up" is not in the cited evidence (E4 says down)']


def test_a_part_that_stands_out_needs_evidence_of_its_own():
    said = "That text and video stand out in the same case is consistent with one disturbance seen by each."
    assert check(said, ("E9",), (CLASH, SPIKE)) == [
        "no cited evidence is about the text part, which is said to stand out"
    ]


def test_a_movement_to_the_right_may_be_faster():
    said = "Things move faster than usual in the video: 44 px/s right, where normal clips have 0 px/s to 37.8 px/s."
    facts = (
        ("direction", "right", ""),
        ("speed", 44.0, "px/s"),
        ("normal low", 0.0, "px/s"),
        ("normal high", 37.8, "px/s"),
    )
    motion = Evidence(
        id="E7",
        kind="frames",
        part="video",
        caption=said,
        facts=tuple(Fact(name=n, value=v, unit=u) for n, v, u in facts),
    )
    assert check(said, ("E7",), (motion,)) == []

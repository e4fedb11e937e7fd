"""What drives a finding: each rule on findings written by hand, exactly at its border and just beside it."""

import pytest

from mmdmad import reasons
from mmdmad.findings import Contradiction, Evidence, Fact, Finding, Guarantee, PartFinding

RATE = 0.05


def part(name: str, share: float, p: float = 0.5) -> PartFinding:
    return PartFinding(modality=name, score=share, p_value=p, share=share, encoder="e", detector="d")


def clash(name: str, share: float, p: float) -> Contradiction:
    return Contradiction(part=name, given=("video",), score=share, p_value=p, share=share)


def finding(parts, contradictions=(), evidence=(), **known) -> Finding:
    pattern = tuple(p.modality for p in parts)
    guarantee = Guarantee(rate=RATE, size=99, interval=(0.0, 0.1), pattern=pattern)
    score = sum(p.share for p in parts) + sum(c.share for c in contradictions)
    return Finding(
        case_id="c", verdict="normal", score=score, p_value=0.5, guarantee=guarantee, parts=tuple(parts),
        contradictions=tuple(contradictions), evidence=tuple(evidence), **known,
    )  # fmt: skip


def test_a_part_contradicts_and_is_unusual_up_to_the_declared_rate_and_not_beyond():
    parts = [part("text", 1.0, RATE), part("image", 2.0, RATE + 1e-9), part("sensor", 1.0, RATE / 2)]
    links = [clash("text", 0.1, RATE), clash("image", 3.0, RATE + 1e-9), clash("sensor", 0.2, 0.01)]
    judged = finding(parts, links)
    assert reasons.unusual(judged) == ["text", "sensor"]
    assert reasons.contradicted(judged) == ["sensor", "text"]  # by share, though the text's stands first


def test_of_equal_shares_the_smaller_p_value_goes_first():
    links = [clash("text", 0.5, 0.04), clash("image", 0.5, 0.01)]
    assert reasons.contradicted(finding([part("text", 1.0)], links)) == ["image", "text"]


@pytest.mark.parametrize(
    ("links", "reason"),
    [([0.6, 0.5], reasons.CONTRADICTION), ([0.5, 0.5], "image"), ([0.9], "image"), ([], "image")],
)
def test_contradictions_are_one_reason_together_and_the_part_goes_first_at_equal_shares(links, reason):
    judged = finding([part("text", 0.4), part("image", 1.0)], [clash("text", share, 0.5) for share in links])
    assert (reasons.main_reason(judged), reasons.main_part(judged)) == (reason, "image")


def test_nothing_judged_has_no_reason():
    assert (reasons.main_reason(finding([])), reasons.main_part(finding([]))) == (None, None)


def test_what_is_missing_is_what_the_model_knows_or_else_every_modality_that_was_not_judged():
    assert reasons.missing(finding([part("text", 1.0)], lacks=("video",))) == ["video"]
    assert reasons.missing(finding([part("text", 1.0)], lacks=())) == []
    assert reasons.missing(finding([part("text", 1.0)])) == ["image", "sensor", "video"]


def test_channels_are_those_of_channel_and_span_evidence_once_each_in_order():
    def said(number: int, kind: str, channel: str) -> Evidence:
        return Evidence(id=f"E{number}", kind=kind, caption=channel, facts=(Fact(name="channel", value=channel),))

    evidence = [
        said(1, "span", "load"),
        said(2, "channel", "current"),
        said(3, "span", "load"),
        said(4, "region", "x"),
    ]
    assert reasons.channels(finding([part("sensor", 1.0)], evidence=evidence)) == ["load", "current"]

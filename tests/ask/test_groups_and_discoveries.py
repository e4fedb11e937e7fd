"""What is expected of normal cases, group by group, and which cases to report at a share of false ones."""

import math
from collections import defaultdict

import pytest
from scipy import stats

from mmdmad.ask.base import Scope, ask
from mmdmad.ask.expected import Expected, expected
from mmdmad.bench.synthetic_run import RATE, synthetic_findings
from mmdmad.calibration import attained_level, false_alarm_range
from mmdmad.commands.common import flagged_in, list_discoveries
from mmdmad.report.model import build


def captions(result):
    return [one.evidence.caption for one in result.evidence]


def test_how_many_false_alarms_a_calibration_set_explains():
    for rate, size, cases in ((0.05, 240, 100), (0.05, 60, 30), (0.01, 99, 400), (0.1, 9, 50)):
        k = math.floor(rate * (size + 1))
        hits = stats.betabinom(cases, k, size + 1 - k)
        assert false_alarm_range(rate, size, cases) == (hits.ppf(0.025), hits.ppf(0.975))
        assert attained_level(size, rate) == pytest.approx(k / (size + 1))
        assert attained_level(size, rate) * cases == pytest.approx(hits.mean())
    assert false_alarm_range(0.01, 98, 1000) == (0, 0)
    assert attained_level(98, 0.01) == 0.0
    assert false_alarm_range(0.05, 200, 0) == (0, 0)
    assert false_alarm_range(0.9, 0, 7) == (0, 0)
    assert false_alarm_range(0.6, 1, 7) == tuple(stats.betabinom(7, 1, 1).ppf([0.025, 0.975]))


def test_what_is_expected_adds_up_over_sizes():
    assert expected([], 0.05) == Expected(cases=0, mean=0.0, low=0, high=0)
    one, other = expected([(240, 100)], 0.05), expected([(60, 30)], 0.05)
    both = expected([(240, 100), (60, 30), (15, 0)], 0.05)
    assert (both.cases, both.low, both.high) == (130, one.low + other.low, one.high + other.high)
    assert both.mean == pytest.approx(one.mean + other.mean, abs=1e-6)
    said = Expected(cases=1, mean=0.05, low=0, high=1).words(0.05)
    assert said == "If the one case were normal, 0.05 of them (95 %: 0 to 1) would be flagged at the declared 5 %."


def test_each_group_is_counted_beside_what_is_expected(asked, findings):
    found = ask(asked, "by_group")
    mine = defaultdict(list)
    for f in findings:
        mine[f.group or "without a group"].append(f)
    assert {g.name for g in found.groups} == set(mine)
    for g in found.groups:
        every = mine[g.name]
        decided = [f for f in every if f.verdict != "no verdict"]
        normal = [f for f in decided if f.label == 0]
        assert (g.judged, g.decided) == (len(every), len(decided))
        assert g.flagged == sum(f.verdict == "anomalous" for f in every)
        assert (g.normal, g.normal_flagged) == (len(normal), sum(f.verdict == "anomalous" for f in normal))
        sizes = defaultdict(int)
        for f in decided:
            sizes[f.guarantee.size] += 1
        assert g.expected == expected(sorted(sizes.items()), RATE)
    shares = [g.flagged / max(g.decided, 1) for g in found.groups]
    assert shares == sorted(shares, reverse=True)
    assert found.line == f"all cases: {len(mine)} groups of 120 cases"
    first = found.groups[0]
    said = f"{first.name}: {first.flagged} of {first.judged} cases flagged; expected false alarms at 5 %: "
    assert captions(found)[0].startswith(f"{said}{first.expected.low} to {first.expected.high} of {first.decided}; by")


def test_a_group_whose_normal_cases_are_flagged_too_often_is_said_to_be_another(tmp_path, a_run):
    some = [f for f in synthetic_findings(400, seed=3) if f.verdict == "normal" and f.guarantee.size == 240][:60]
    made = []
    for i, f in enumerate(some):
        odd = i < 15
        p = 1 / 241 if odd else f.p_value
        update_ = {"verdict": "anomalous" if odd else "normal", "p_value": p, "label": 0, "group": "AB"[i >= 30]}
        made.append(f.model_copy(update=update_))
    run = a_run(tmp_path / "run", made)
    found = ask(Scope(run=run, folder=tmp_path), "by_group")
    assert [(g.name, g.too_many, g.beyond) for g in found.groups] == [("A", True, True), ("B", False, False)]
    assert "this group is not like the normal cases learned from" in captions(found)[0]
    assert "not like" not in captions(found)[1]
    assert "A quarter and more is flagged: either something is wrong with that many" in build(run).promise
    assert flagged_in(run).endswith(". " + build(run).expected.far_above(15))
    assert build(run).groups == found.groups
    assert not [s for s in build(run).sections if s.title == "Group by group"]  # it is a table


def test_one_group_makes_no_table(tmp_path, a_run):
    made = [f.model_copy(update={"group": None}) for f in synthetic_findings(10)]
    found = ask(Scope(run=a_run(tmp_path / "run", made), folder=tmp_path), "by_group")
    assert captions(found) == ["All cases are of one group."]
    assert found.idle
    assert "Group by group" not in [s.title for s in build(a_run(tmp_path / "again", made)).sections]


def by_hand(findings, share):
    """Benjamini and Hochberg as they wrote it: the largest k with p_(k) <= k q / m."""
    decided = sorted((f for f in findings if f.verdict != "no verdict"), key=lambda f: f.p_value)
    k = max((i for i, f in enumerate(decided, 1) if f.p_value <= i * share / len(decided)), default=0)
    return {f.case_id for f in decided[:k]}


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.3])
def test_reported_are_those_of_benjamini_and_hochberg(asked, findings, share):
    found = ask(asked, "discoveries", false_share=share)
    decided = [f for f in findings if f.verdict != "no verdict"]
    assert set(found.reported) == by_hand(findings, share)
    assert found.judged == len(decided)
    assert found.needed == max(1, math.ceil(len(decided) / 241 / share))
    assert found.at_floor == sum(f.p_value <= 1 / 241 + 1e-12 for f in findings)
    assert not found.proved
    assert "not proved" in captions(found)[2]
    assert captions(found)[0].startswith(f"{len(found.reported)} of {len(decided)} cases with a verdict ")
    assert len(found.evidence) == 3 + min(20, len(found.reported))


def test_some_are_reported_at_all(asked):
    assert ask(asked, "discoveries", false_share=0.3).reported


def test_the_bound_is_proved_where_all_cases_share_one_calibration_set(tmp_path, a_run):
    made = [f for f in synthetic_findings(200, seed=2) if f.guarantee.size == 240]
    found = ask(Scope(run=a_run(tmp_path / "run", made), folder=tmp_path), "discoveries")
    assert found.proved
    assert "is proved" in captions(found)[2]


def test_of_cases_without_a_verdict_it_is_said_that_none_could_be_flagged(tmp_path, a_run):
    made = [f for f in synthetic_findings(2000, seed=2) if f.verdict == "no verdict"][:5]
    run = a_run(tmp_path / "run", made)
    assert build(run).headline == "None of 5 cases could be flagged"
    assert build(run).promise.startswith("5 of 5 cases could get no verdict; ")
    assert flagged_in(run) == (
        "none of the 5 in the run could be flagged at a declared 5 % "
        "(15 calibration cases cannot support a rate of 0.05)"
    )
    found = ask(Scope(run=run, folder=tmp_path), "discoveries")
    assert captions(found) == ["No case has a verdict, so none can be reported."]
    (one,) = ask(Scope(run=run, folder=tmp_path), "by_group").groups[:1]
    assert (one.decided, one.expected.cases) == (0, 0)


def test_the_report_holds_flagged_cases_against_what_is_expected(made, findings):
    report = build(made)
    open_ = sum(f.verdict == "no verdict" for f in findings)
    assert report.expected.cases == 120 - open_
    assert report.promise.startswith(f"If all {120 - open_} cases were normal, ")
    assert f"{open_} of 120 cases could get no verdict" in report.promise
    flagged = sum(f.verdict == "anomalous" for f in findings)
    assert flagged_in(made).startswith(
        f"{flagged} of the 120 in the run are flagged as anomalous at a declared 5 %, {open_}"
    )
    (said,) = [c for c in captions(ask(Scope(run=made), "guarantees")) if c.startswith("If all")]
    assert said == report.expected.words(RATE)


def test_a_run_in_which_all_have_a_verdict_says_no_more_than_that(tmp_path, a_run):
    made = [f for f in synthetic_findings(50, seed=2) if f.verdict != "no verdict"]
    run = a_run(tmp_path / "run", made)
    flagged = sum(f.verdict == "anomalous" for f in made)
    assert flagged_in(run) == f"{flagged} of the {len(made)} in the run are flagged as anomalous at a declared 5 %"
    assert "no verdict" not in build(run).promise


def test_the_command_line_lists_what_to_report(made, capsys):
    list_discoveries(made, 0.3)
    said = capsys.readouterr().out.splitlines()
    found = ask(Scope(run=made), "discoveries", false_share=0.3)
    assert said[:3] == captions(found)[:3]
    assert [line.split(":")[0] for line in said[3:]] == list(found.reported)


def test_a_rate_that_is_not_promised_is_said_beside_the_count(tmp_path, a_run):
    made = [f for f in synthetic_findings(40, seed=2) if f.guarantee.size == 240]
    note = "holds only if new recordings are like these"
    kept = made[0].guarantee.model_copy(update={"valid": False, "attained": 12 / 241, "note": note})
    assert (kept.decides, made[0].guarantee.decides) == (True, True)
    assert not kept.model_copy(update={"attained": 0.0}).decides
    run = a_run(tmp_path / "run", [f.model_copy(update={"guarantee": kept}) for f in made])
    flagged = sum(f.verdict == "anomalous" for f in made)
    assert flagged_in(run) == (
        f"{flagged} of the {len(made)} in the run are flagged as anomalous at a declared 5 %; "
        f"the rate is not promised: {note}"
    )
    assert build(run).promise.endswith(f"The rate is not promised: {note}.")

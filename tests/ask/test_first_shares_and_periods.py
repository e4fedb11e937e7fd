"""First and last, shares, ranks, before and after, two periods, another rate: against the findings themselves."""

from datetime import timedelta

import pytest

from mmdmad.ask.base import ask


@pytest.fixture(scope="module")
def timed(findings):
    return sorted((f for f in findings if f.time is not None), key=lambda f: (f.time, f.case_id))


def captions(result):
    return [one.evidence.caption for one in result.evidence]


def test_the_first_and_the_last(asked, timed):
    flagged = [f for f in timed if f.verdict == "anomalous"]
    found = ask(asked, "first_and_last", verdict="anomalous")
    assert (found.first, found.last, found.total) == (flagged[0].case_id, flagged[-1].case_id, len(flagged))
    assert captions(found)[0].startswith(f"The first of {len(flagged)} flagged cases is {flagged[0].case_id}: ")
    only = ask(asked, "first_and_last", which="last", group=flagged[0].group)
    assert (only.first, only.last) == (None, [f for f in timed if f.group == flagged[0].group][-1].case_id)
    assert "no" in captions(ask(asked, "first_and_last", p_value={"below": 0.0001}))[0]


def test_a_share_is_of_the_cases_that_are_meant(asked, findings):
    group = findings[0].group
    found = ask(asked, "share_of_cases", cases={"verdict": "anomalous"}, among={"group": group})
    of = [f for f in findings if f.group == group]
    assert (found.part, found.of) == (sum(f.verdict == "anomalous" for f in of), len(of))
    assert captions(found)[0].startswith(f"{found.part} of {found.of} cases of {group} are flagged cases: ")
    empty = ask(asked, "share_of_cases", among={"p_value": {"below": 0.0001}})
    assert empty.of == 0
    assert "no share" in captions(empty)[0]


@pytest.mark.parametrize("least", [True, False])
def test_groups_by_their_share(asked, findings, least):
    groups = {f.group for f in findings if f.group}
    share = {g: sum(f.group == g and f.verdict == "anomalous" for f in findings) for g in groups}
    share = {g: n / sum(f.group == g for f in findings) for g, n in share.items()}
    found = ask(asked, "rank_groups", least=least)
    best = (min if least else max)(share.values())
    assert set(found.first) == {g for g in groups if share[g] == best}
    assert {g: n / m for g, (n, m) in found.shares.items()} == share
    assert ("smallest" if least else "largest") in captions(found)[0]


def test_before_and_after_a_case(asked, timed):
    first = next(i for i, f in enumerate(timed) if f.verdict == "anomalous")
    at = next(i for i, f in enumerate(timed) if i > first + 1 and timed[i - 1].verdict == "normal")
    found = ask(asked, "around_case", case_id=timed[at].case_id)
    assert (found.before, found.after) == (timed[at - 1].case_id, timed[at + 1].case_id)
    assert found.flagged_before == [f for f in timed[:at] if f.verdict == "anomalous"][-1].case_id
    first = ask(asked, "around_case", case_id=timed[0].case_id)
    assert first.before is None
    assert captions(first)[0] == f"No case came before {timed[0].case_id}."


def test_two_periods(asked, timed):
    middle = timed[len(timed) // 2].time
    text = middle.isoformat()
    found = ask(asked, "compare_periods", first={"until": text}, second={"since": text})
    early, late = [f for f in timed if f.time < middle], [f for f in timed if f.time >= middle]
    assert found.first == (sum(f.verdict == "anomalous" for f in early), len(early))
    assert found.second == (sum(f.verdict == "anomalous" for f in late), len(late))
    none = ask(asked, "compare_periods", first={"until": (timed[0].time - timedelta(days=1)).isoformat()})
    assert none.first == (0, 0)
    assert "%" not in captions(none)[0]


def test_one_case_at_another_rate(asked, findings):
    case = next(f for f in findings if f.verdict == "normal" and 0.06 < f.p_value < 0.4)
    found = ask(asked, "case_at_rate", case_id=case.case_id, rate=0.45)
    assert found.at == "anomalous"
    assert captions(found)[0].startswith(f"At 45 %, {case.case_id} would be flagged")
    assert ask(asked, "case_at_rate", case_id=case.case_id, rate=case.guarantee.smallest_p_value / 2).at == "no verdict"
    assert ask(asked, "case_at_rate", case_id=case.case_id).at == "normal"


@pytest.mark.parametrize("topic", ["share that is wrong", "so many flagged"])
def test_what_a_rate_means_has_the_numbers_of_the_run(asked, findings, topic):
    flagged = sum(f.verdict == "anomalous" for f in findings)
    said = " ".join(captions(ask(asked, "rate_meaning", topic=topic)))
    assert f"{flagged} of {len(findings)} cases" in said or f"the {flagged} flagged cases" in said
    assert "of normal cases are flagged" in said

"""Normal cases are divided into three disjoint sets, the same for any order of the cases."""

import numpy as np
import pytest

from mmdmad.cases import Case, Part
from mmdmad.pipeline.config import Shares
from mmdmad.pipeline.splits import split


def cases(n):
    return [Case(f"c{i}", {"text": Part("text", value=f"line {i}")}) for i in range(n)]


@pytest.mark.parametrize("n", [2, 7, 100, 333])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_three_sets_are_disjoint_and_hold_every_case(n, seed):
    made = split(cases(n), Shares(), seed)
    sets = [{made.cases[i].id for i in rows} for rows in (made.fit, made.reference, made.calibration)]
    assert sum(map(len, sets)) == n == len(set.union(*sets))
    assert not sets[0] & sets[1]
    assert not sets[0] & sets[2]
    assert not sets[1] & sets[2]
    assert set(made.held_out) == set(made.reference) | set(made.calibration)
    assert not set(made.held_out) & set(made.fit)


def test_shares_are_kept_and_neither_order_nor_luck_decides():
    given = cases(400)
    made = split(given, Shares(), 0)
    assert [len(r) for r in (made.fit, made.reference, made.calibration)] == [200, 80, 120]
    shuffled = [given[i] for i in np.random.default_rng(0).permutation(400)]
    assert [c.id for c in split(shuffled, Shares(), 0).cases] == [c.id for c in made.cases]
    other = split(given, Shares(), 1)
    assert {c.id for c in made.cases[:200]} != {c.id for c in other.cases[:200]}

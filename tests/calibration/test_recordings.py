"""p-values of windows of new recordings, and of whole ones: by hand, and whether they keep their rate."""

import numpy as np
import pytest

from mmdmad.bench import recordings as suite
from mmdmad.calibration.conformal import conformal_p_values
from mmdmad.calibration.recordings import one_draw_p_values, whole_p_value, window_p_values
from mmdmad.errors import DataError

SCORES = np.array([1.0, 5.0, 2.0, 2.0, 9.0, 0.0])
NAMES = np.array(["b", "a", "b", "c", "a", "c"])


def test_a_window_counts_the_share_of_each_recording():
    # a: 5, 9; b: 1, 2; c: 0, 2
    by_hand = {10.0: 0, 9.0: 1 / 2, 5.5: 1 / 2, 2.0: 1 + 1 / 2 + 1 / 2, -1.0: 3}
    found = window_p_values(list(by_hand), SCORES, NAMES)
    assert found == pytest.approx([(1 + shares) / 4 for shares in by_hand.values()])
    repeated = np.repeat(SCORES, 3), np.repeat(NAMES, 3)  # longer recordings have no more say
    assert window_p_values(list(by_hand), *repeated) == pytest.approx(found)
    longer = np.append(SCORES, [9.0] * 10), np.append(NAMES, ["a"] * 10)
    assert window_p_values([6.0], *longer) == pytest.approx([(1 + 11 / 12) / 4])
    alone = window_p_values(SCORES, SCORES, np.arange(6))
    assert alone == pytest.approx(conformal_p_values(SCORES, SCORES, [0.999] * 6))


def test_one_window_of_each_recording_is_drawn_by_seed():
    seen = set()
    for seed in range(40):
        p = one_draw_p_values([1.5], SCORES, NAMES, [0.0], seed)[0]
        assert p == one_draw_p_values([1.5], SCORES, NAMES, [0.0], seed)[0]
        seen.add(round(4 * p))
    assert seen == {2, 3, 4}  # a is above always, b and c by the draw
    assert one_draw_p_values([99.0], SCORES, NAMES, [0.0], 0)[0] == 1 / 4


def test_a_whole_recording_is_ranked_by_its_most_odd_window():
    assert whole_p_value([0.0, 9.5], SCORES, NAMES, 0.0) == 1 / 4
    assert whole_p_value([3.0, 0.0, 1.0], SCORES, NAMES, 0.0) == 2 / 4
    assert whole_p_value([-1.0], SCORES, NAMES, 0.0) == 1.0


@pytest.mark.parametrize(
    ("scores", "calibration", "names"),
    [([np.nan], SCORES, NAMES), ([1.0], [np.inf], ["a"]), ([1.0], [1.0, 2.0], ["a"])],
)
def test_what_cannot_be_ranked_is_refused(scores, calibration, names):
    with pytest.raises(DataError, match="finite"):
        window_p_values(scores, calibration, names)


def test_an_empty_recording_is_refused():
    with pytest.raises(DataError, match="without a window"):
        whole_p_value([], SCORES, NAMES, 0.0)


def test_each_keeps_its_rate_and_a_rank_of_windows_is_none_of_a_recording():
    rng = np.random.default_rng(0)
    hits: dict[tuple[str, str], int] = {}
    for draw in range(150):
        for key, p_values in suite.judged(rng, 20, 1.0, draw).items():
            hits[key] = hits.get(key, 0) + int((p_values <= 0.05).sum())
    share = {key: count / (150 * suite.NEW) for key, count in hits.items()}
    assert 0.0 < share["hierarchical", "false_alarms"] < 0.05
    assert 0.03 < share["one draw", "false_alarms"] < 0.07
    assert 0.03 < share["whole", "false_alarms"] < 0.07
    assert share["windows", "any_window"] > 0.3  # of many windows one is odd
    assert share["hierarchical", "caught"] < share["windows", "caught"]

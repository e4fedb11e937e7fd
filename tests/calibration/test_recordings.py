"""p-values of windows of new recordings, and of whole ones: by hand, and whether they keep their rate."""

import numpy as np
import pytest

from mmdmad.bench import recordings as suite
from mmdmad.calibration.conformal import conformal_p_values
from mmdmad.calibration.folds import judge_in_folds
from mmdmad.calibration.patterns import JointCalibration, Measures
from mmdmad.calibration.recordings import PerRecording, one_draw_p_values, whole_p_value, window_p_values
from mmdmad.errors import DataError, ModelError
from mmdmad.guarantees import ByRecording

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


def test_a_window_of_each_recording_is_drawn_by_content_whatever_the_order():
    rng = np.random.default_rng(1)
    scores, names = rng.normal(size=60), [f"r{i % 6}" for i in range(60)]
    keys = [f"k{i // 2}" for i in range(60)]  # copies: two windows of one content, in other recordings
    made, mixed = PerRecording.of(scores, names, keys, 0), rng.permutation(60)
    again = PerRecording.of(scores[mixed], [names[i] for i in mixed], [keys[i] for i in mixed], 0)
    assert (again.drawn == made.drawn).all()
    assert (again.most == made.most).all()
    assert (made.most == np.sort([scores[np.array(names) == f"r{r}"].max() for r in range(6)])).all()
    assert all(score in scores for score in made.drawn)
    assert any((PerRecording.of(scores, names, keys, seed).drawn != made.drawn).any() for seed in (1, 2))


def test_each_window_is_drawn_as_often_copies_too():
    names, keys = ["a"] * 4, ["one", "one", "one", "other"]
    drawn = [PerRecording.of([1.0, 1.0, 1.0, 2.0], names, keys, seed).drawn[0] for seed in range(800)]
    assert 0.2 < np.mean(np.array(drawn) == 2.0) < 0.3  # a quarter of the windows, half of the contents


def test_a_window_ranks_among_those_drawn_and_its_recording_among_the_most_odd():
    made = PerRecording(np.array([1.0, 2.0, 2.0, 3.0]), np.array([2.0, 4.0, 5.0, 6.0]))
    assert made.rank(2.5, 0.0) == ByRecording(p_value=2 / 5, whole=4 / 5, count=4)
    assert made.rank(9.0, 0.9) == ByRecording(p_value=1 / 5, whole=1 / 5, count=4)
    assert [made.rank(2.0, u).p_value for u in (0.0, 0.4, 0.99)] == [2 / 5, 3 / 5, 4 / 5]
    assert [made.rank(4.0, u).whole for u in (0.0, 0.99)] == [4 / 5, 4 / 5]  # who ties is no odder
    thrice = made.rank(9.0, 0.0).times(3)
    assert (thrice.p_value, thrice.whole, thrice.count) == (pytest.approx(3 / 5), pytest.approx(3 / 5), 4)
    assert made.rank(0.0, 0.0).times(3).whole == 1.0


def test_what_no_fit_can_have_drawn_is_refused():
    state = PerRecording(np.array([1.0, 2.0]), np.array([2.0, 3.0])).state()
    assert PerRecording.from_state("x", state).state() == state
    for wrong in (
        [[1.0], [1.0, 2.0]],
        [[2.0, 1.0], [2.0, 3.0]],
        [[1.0, 9.0], [2.0, 3.0]],
        [[1.0, 2.0]],
        [[np.nan], [1.0]],
    ):
        with pytest.raises(ModelError):
            PerRecording.from_state("x", wrong)
    with pytest.raises(DataError, match="one each is needed"):
        PerRecording.of([1.0, 2.0], ["a"], ["k"], 0)


def measured(rng, recordings, each, spread):
    """Scores of windows, recording by recording, with a level of its own each."""
    return (spread * rng.normal(size=(recordings, 1)) + rng.normal(size=(recordings, each))).ravel()


def test_windows_of_new_recordings_and_wholes_keep_the_rate_over_folds():
    rng, hits, whole, windows = np.random.default_rng(4), 0, 0, 0
    for draw in range(200):
        folds = []
        for fold in range(4):  # each fold on a scale of its own: only ranks within one may count
            scores = 10.0**fold * measured(rng, 5, 6, 1.0)
            names = np.repeat([f"{draw} {fold} {r}" for r in range(5)], 6).tolist()
            keys = [f"{draw} {fold} {i}" for i in range(30)]
            reference = Measures({"text": 10.0**fold * measured(rng, 5, 6, 1.0)}, {})
            folds.append(
                JointCalibration(7, "recording").fit(reference, Measures({"text": scores}, {}), names, None, keys)
            )
        new = measured(rng, 1, 6, 1.0)
        said = [
            judge_in_folds(folds, f"{draw} {i}", [{"text": 10.0**k * x} for k in range(4)], [{}] * 4, 0.05)
            for i, x in enumerate(new)
        ]
        ranks = [one.by_recording for one in said]
        assert {(one.guarantee.among, one.by_recording.count) for one in said} == {("recordings", 20)}
        hits += said[0].guarantee.verdict(said[0].guarantee.deciding(said[0].p_value, ranks[0])) == "anomalous"
        whole += min(one.whole for one in ranks) <= 0.1
        windows += min(one.p_value for one in ranks) <= 0.1
    assert 0.01 < hits / 200 < 0.1  # 1 / 21 attained
    assert 0.03 < whole / 200 < 0.17
    assert windows / 200 > 0.2  # of six windows one is odd more often than each is


def test_a_window_learned_from_is_not_ranked_as_a_new_one():
    rng = np.random.default_rng(0)
    made = JointCalibration(0, "recording").fit(
        Measures({"text": rng.normal(size=40)}, {}), Measures({"text": rng.normal(size=100)}, {}),
        [str(i // 4) for i in range(100)],
    )  # fmt: skip
    known, new = (made.judge("k", {"text": 9.0}, {}, 0.05, learned=x) for x in (True, False))
    assert (known.by_recording, known.guarantee.among) == (None, "cases")
    assert (new.by_recording.p_value, new.guarantee.among) == (1 / 26, "recordings")
    assert known.p_value == new.p_value == 1 / 101
    cases = JointCalibration(0).fit(
        Measures({"text": rng.normal(size=40)}, {}), Measures({"text": rng.normal(size=99)}, {})
    )
    assert cases.judge("k", {"text": 9.0}, {}, 0.05).by_recording is None
    assert "recordings" not in cases.state()
    assert JointCalibration.from_state(made.state()).state() == made.state()
    for wrong in ({"joint:text": [[1.0], [2.0]]}, {"joint:other": [[1.0], [2.0]]}):
        with pytest.raises(ModelError):
            JointCalibration.from_state({**made.state(), "recordings": wrong})

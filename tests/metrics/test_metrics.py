"""Metrics against known answers and against slow versions written straight from the definitions."""

import numpy as np
import pytest
from scipy import ndimage

from mmdmad import metrics as m
from mmdmad.errors import DataError
from mmdmad.metrics.pixels import area_until, region_weights
from mmdmad.metrics.series import soft_labels


def test_ranking_known_answers():
    labels, scores = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    assert m.auroc(labels, scores) == 0.75
    assert m.average_precision(labels, scores) == pytest.approx(5 / 6)
    assert m.f1_max(labels, scores) == pytest.approx(0.8)
    assert m.auroc([0, 1], [1.0, 1.0]) == 0.5
    assert m.f1_at([0, 1, 1], [0, 0, 0]) == {"f1": 0.0, "precision": 0.0, "recall": 0.0}
    assert m.f1_at([0, 1, 1], [1, 1, 0]) == {"f1": 0.5, "precision": 0.5, "recall": 0.5}


@pytest.mark.parametrize(
    ("labels", "scores", "says"),
    [([0, 0], [1, 2], "both 0 and 1"), ([0, 1], [1], "one score a label"), ([0, 1], [1, np.nan], "NaN")],
)
def test_ranking_refuses(labels, scores, says):
    with pytest.raises(DataError, match=says):
        m.auroc(labels, scores)


def slow_pixel_metrics(maps, masks, limit):
    """One threshold after the other, one region after the other."""
    scores = np.concatenate([a.ravel() for a in maps])
    truth = np.concatenate([a.ravel() for a in masks]) > 0
    fpr, pro, tpr, precision = [0.0], [0.0], [0.0], []
    for cut in np.unique(scores)[::-1]:
        overlaps = []
        for a, mask in zip(maps, masks):
            regions, n = ndimage.label(mask > 0, structure=np.ones((3, 3)))
            overlaps += [np.mean(a[regions == k] >= cut) for k in range(1, n + 1)]
        pro.append(np.mean(overlaps))
        fpr.append(np.mean(scores[~truth] >= cut))
        tpr.append(np.mean(scores[truth] >= cut))
        precision.append(np.mean(truth[scores >= cut]))
    grid = np.linspace(0, limit, 200_001)
    return {
        "aupro": np.trapezoid(np.interp(grid, fpr, pro), grid) / limit,
        "pixel_auroc": np.trapezoid(tpr, fpr),
        "pixel_ap": np.sum(np.diff(tpr) * precision),
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("decimals", [1, 6])
def test_pixel_metrics_equal_brute_force(seed, decimals):
    rng = np.random.default_rng(seed)
    masks = [(ndimage.gaussian_filter(rng.normal(size=shape), 1) > 0.45).astype(int) for shape in ((9, 12), (14, 7))]
    masks.append(np.zeros((8, 8), int))
    maps = [np.round(rng.normal(size=k.shape) + k, decimals) for k in masks]
    fast, slow = m.pixel_metrics(maps, masks, 0.3), slow_pixel_metrics(maps, masks, 0.3)
    for name, value in slow.items():
        assert fast[name] == pytest.approx(value, abs=2e-4), name


def test_pixel_metrics_edges():
    mask = np.zeros((6, 6))
    mask[1, 1] = mask[2, 2] = 1  # touching at a corner: one region
    assert region_weights([mask])[1] == 1
    assert m.aupro([mask], [mask]) == 1.0
    assert m.aupro([np.zeros((6, 6))], [mask]) == pytest.approx(0.15)  # one tie: the diagonal up to 0.3
    assert area_until(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]), 0.3) == 1.0
    with pytest.raises(DataError, match="no mask"):
        m.aupro([mask], [mask * 0])
    with pytest.raises(DataError, match="same shapes"):
        m.aupro([mask], [mask[:3]])
    with pytest.raises(DataError, match="normal pixels"):
        m.aupro([mask], [mask * 0 + 1])


def test_small_regions_count_as_much_as_large_ones():
    mask = np.zeros((20, 20))
    mask[0, 0] = mask[10:18, 10:18] = 1
    only_large = mask.copy()
    only_large[0, 0] = 0
    assert m.pixel_metrics([only_large], [mask])["aupro"] < 0.6
    assert m.pixel_metrics([only_large], [mask])["pixel_auroc"] > 0.98


def slow_vus(labels, scores, window, thresholds=250):
    """The definition, with loops over buffers, thresholds and rows."""
    n, out_pr, out_roc = len(labels), [], []
    cuts = np.sort(scores)[::-1][np.linspace(0, n - 1, thresholds).astype(int)]
    stretches = m.segments(labels)
    for w in range(window + 1):
        soft = soft_labels(labels, w)
        groups = [list(stretches[0])]
        for first, last in stretches[1:]:
            if groups[-1][1] + w // 2 < first - w // 2:
                groups.append([first, last])
            else:
                groups[-1][1] = last
        recall, rate, precision = [0.0], [0.0], []
        for cut in cuts:
            flagged = scores >= cut
            hits = sum(soft[i] for i in range(n) if flagged[i])
            mass = labels.sum() + 0.5 * sum(soft[i] for i in range(n) if flagged[i] and not labels[i])
            found = np.mean([flagged[max(a - w // 2, 0) : b + w // 2 + 1].any() for a, b in groups])
            recall.append(min(hits / mass, 1) * found)
            rate.append((flagged.sum() - hits) / (n - mass))
            precision.append(hits / flagged.sum())
        out_pr.append(np.sum(np.diff(recall) * precision))
        out_roc.append(np.trapezoid([*recall, 1], [*rate, 1]))
    return {"vus_pr": np.mean(out_pr), "vus_roc": np.mean(out_roc)}


@pytest.mark.parametrize("seed", range(5))
def test_vus_equals_brute_force(seed):
    rng = np.random.default_rng(seed)
    labels = np.zeros(120, int)
    for start in rng.integers(0, 110, 3):
        labels[start : start + rng.integers(1, 9)] = 1
    scores = rng.normal(size=120) + labels
    scores = np.round(scores, 1) if seed % 2 else scores
    fast, slow = m.vus(labels, scores, 7), slow_vus(labels, scores, 7)
    assert fast == pytest.approx(slow, abs=1e-9)


def test_vus_agrees_with_the_published_program():
    """Values printed by the evaluation code of TSB-AD 1.5 for this series (buffer 20, 250 thresholds)."""
    t = np.arange(400)
    labels = ((t >= 100) & (t < 130) | (t >= 300) & (t < 310)).astype(int)
    scores = np.sin(t / 7.0) + 1.5 * ((t >= 105) & (t < 135)) + 0.8 * ((t >= 295) & (t < 305))
    assert m.vus(labels, scores, 20) == pytest.approx(
        {"vus_pr": 0.3730652575299092, "vus_roc": 0.7696262606942211}, abs=1e-9
    )


def test_vus_refuses_and_window():
    with pytest.raises(DataError, match="both kinds"):
        m.vus_pr(np.zeros(10), np.arange(10), 3)
    with pytest.raises(DataError, match="one finite score"):
        m.vus_pr(np.eye(10)[3], np.full(10, np.nan), 3)
    assert m.buffer_window(np.sin(2 * np.pi * np.arange(1000) / 40)[:, None]) == 40
    assert m.buffer_window(np.zeros(100)) == 125


def test_intervals():
    assert m.clopper_pearson(0, 10) == pytest.approx((0.0, 0.3085), abs=1e-4)  # 1 - 0.025 ** (1 / 10)
    assert m.clopper_pearson(10, 10) == pytest.approx((0.6915, 1.0), abs=1e-4)
    assert m.clopper_pearson(5, 100) == pytest.approx((0.0164, 0.1128), abs=1e-4)
    with pytest.raises(DataError):
        m.clopper_pearson(5, 4)
    low, high = m.bootstrap_mean(np.random.default_rng(0).normal(size=400))
    assert low < 0 < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 100)
    scores = rng.normal(size=200) + labels
    low, high = m.bootstrap_metric(m.auroc, labels, scores)
    assert low < m.auroc(labels, scores) < high
    assert (low, high) == m.bootstrap_metric(m.auroc, labels, scores)
    wide = m.bootstrap_metric(m.auroc, labels, scores, groups=np.arange(200) // 20)
    assert wide[0] < wide[1]
    with pytest.raises(DataError, match="both labels"):
        m.bootstrap_metric(m.auroc, np.ones(4), scores[:4], groups=np.zeros(4))


def test_reliability_of_p_values():
    valid = m.calibration_error(np.random.default_rng(0).uniform(size=5000))
    assert valid["largest"] < 0.03
    cheating = m.calibration_error(np.random.default_rng(0).uniform(size=5000) ** 2)
    assert cheating["optimism"] == pytest.approx(0.25, abs=0.02)  # sqrt(a) - a is largest at a = 1/4
    alarms = m.false_alarms(np.array([0.01, 0.05, 0.2, 0.9]), 0.05)
    assert alarms["hits"] == 2
    assert alarms["low"] < 0.5 < alarms["high"]
    with pytest.raises(DataError):
        m.calibration_error(np.array([1.2]))

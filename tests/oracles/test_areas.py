"""VUS and AUPRO by loops over buffers, thresholds, rows, regions and pixels, from their definitions."""

import math

import numpy as np
import pytest

from mmdmad.metrics.pixels import pixel_metrics
from mmdmad.metrics.series import vus


def stretches_of(labels):
    """First and last row of each anomalous stretch."""
    found = []
    for row, label in enumerate(labels):
        if label and found and found[-1][1] == row - 1:
            found[-1][1] = row
        elif label:
            found.append([row, row])
    return found


def soft(labels, w):
    """Labels with borders of half a buffer: sqrt(1 - distance / w), borders that overlap add up to at most 1."""
    out = [float(label) for label in labels]
    for first, last in stretches_of(labels):
        for row in range(len(labels)):
            gap = first - row if row < first else row - last
            if 0 < gap <= w // 2:
                out[row] += math.sqrt(1 - gap / w)
    return [min(value, 1.0) for value in out]


def widened(labels, w):
    """Sets of rows: each stretch with half a buffer on both sides, those that touch or overlap being one."""
    sets, previous = [], -len(labels)
    for first, last in stretches_of(labels):
        rows = set(range(max(0, first - w // 2), min(len(labels), last + w // 2 + 1)))
        if first - w // 2 <= previous + w // 2:
            sets[-1] |= rows
        else:
            sets.append(rows)
        previous = last
    return sets


def slow_vus(labels, scores, window, thresholds=250):
    n, pr, roc = len(labels), [], []
    falling = sorted(scores, reverse=True)
    cuts = [falling[int(position)] for position in np.linspace(0, n - 1, thresholds)]
    for w in range(window + 1):
        weight, groups = soft(labels, w), widened(labels, w)
        area_pr = area_roc = last_recall = last_rate = 0.0
        for cut in cuts:
            flagged = [row for row in range(n) if scores[row] >= cut]
            hits = sum(weight[row] for row in flagged)
            mass = sum(labels) + sum(weight[row] for row in flagged if not labels[row]) / 2
            existence = sum(any(row in group for row in flagged) for group in groups) / len(groups)
            recall, rate = min(hits / mass, 1.0) * existence, (len(flagged) - hits) / (n - mass)
            area_pr += (recall - last_recall) * hits / len(flagged)
            area_roc += (rate - last_rate) * (recall + last_recall) / 2
            last_recall, last_rate = recall, rate
        pr.append(area_pr)
        roc.append(area_roc + (1 - last_rate) * (1 + last_recall) / 2)
    return {"vus_pr": sum(pr) / len(pr), "vus_roc": sum(roc) / len(roc)}


@pytest.mark.parametrize("seed", range(4))
def test_vus_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    labels = np.zeros(90, int)
    for start in rng.integers(0, 80, 3):
        labels[start : start + rng.integers(1, 8)] = 1
    labels[: 3 * (seed % 2)] = 1  # also a stretch at the very beginning
    scores = np.round(rng.normal(size=90) + labels, 1 if seed % 2 else 6)
    assert vus(labels, scores, 8) == pytest.approx(slow_vus(labels.tolist(), scores.tolist(), 8), abs=1e-9)


def regions_of(mask):
    """Connected sets of defect pixels, corners touching, by flood filling."""
    left = {(int(r), int(c)) for r, c in zip(*np.nonzero(mask))}
    found = []
    while left:
        edge, region = [left.pop()], set()
        while edge:
            r, c = edge.pop()
            region.add((r, c))
            near = {(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            edge += near
        found.append(region)
    return found


def slow_aupro(maps, masks, limit):
    """Mean overlap of the regions against the false positive rate, by trapezoids up to the limit, over the limit."""
    cuts = sorted({float(value) for one in maps for value in one.ravel()}, reverse=True)
    good = [float(v) for one, mask in zip(maps, masks) for v, k in zip(one.ravel(), mask.ravel()) if not k]
    area, last_rate, last_overlap = 0.0, 0.0, 0.0
    for cut in cuts:
        rate = sum(value >= cut for value in good) / len(good)
        shares = [
            sum(one[pixel] >= cut for pixel in region) / len(region)
            for one, mask in zip(maps, masks)
            for region in regions_of(mask)
        ]
        overlap = sum(shares) / len(shares)
        if rate >= limit:
            at = last_overlap + (overlap - last_overlap) * (limit - last_rate) / (rate - last_rate)
            return (area + (limit - last_rate) * (last_overlap + at) / 2) / limit
        area += (rate - last_rate) * (last_overlap + overlap) / 2
        last_rate, last_overlap = rate, overlap
    raise AssertionError("the lowest cut flags every pixel")


@pytest.mark.parametrize("limit", [0.3, 0.05, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_aupro_is_its_definition(seed, limit):
    rng = np.random.default_rng(seed)
    masks = [np.zeros((9, 11), int), np.zeros((7, 8), int), np.zeros((6, 6), int)]
    masks[0][1:3, 1:4] = masks[0][3, 4] = masks[0][6:, 7:10] = 1  # two regions, one joined at a corner
    masks[1][2, 2] = masks[1][5, 1:7] = 1
    maps = [np.round(rng.normal(size=mask.shape) + mask, 1 if seed else 5).astype(np.float32) for mask in masks]
    found = pixel_metrics(maps, masks, limit)["aupro"]
    assert found == pytest.approx(slow_aupro(maps, masks, limit), abs=1e-6)

"""Scores of a part that lacks readings, brought to the level that they have where nothing is missing.

A gap or a silent channel is unusual in every part that is masked so, and by the same amount: its tokens would be the
most unusual of each, and what is left of the part would have no say. So token scores are moved and scaled to those of
the same tokens in whole parts, apart for every position and every share of a token's readings that is lost:

    s' = m0 + (s - m) d0 / max(d, LEAST d0)

with m the median and d the distance to the 90 % quantile over masked reference parts, m0 and d0 the same of these parts
as they are. Reference parts are neither learned from by the detector nor ranked with, so for a mask this is one fixed
function, and ranks stay exchangeable. The scores of a part as a whole are moved in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmdmad.parts.timeline import usual_step
from mmdmad.pipeline.masks import THERE, Mask, places
from mmdmad.pipeline.part_model import Measured, PartModel, finite
from mmdmad.tokens import Layout

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75)
"""Ends of the shares of its readings that tokens of one level lack."""
FEWEST = 20
"""Tokens from which a position has a level of its own; with fewer it shares one with the other positions."""
LEAST = 0.1
"""Least spread beside that of whole parts: where scores hardly vary, as those of a silent channel, they say nothing."""
Level = tuple[float, float]


@dataclass(frozen=True)
class Levelling:
    """For each kind of token its level masked and whole, (m, d, m0, d0); the same for each further score of a part.

    A kind is a position (-1: any) and a number for the shares that are lost.
    """

    mask: Mask
    tokens: dict[tuple[int, int], tuple[float, float, float, float]]
    views: tuple[tuple[float, float, float, float], ...]

    def of(self, model: PartModel, measured: Measured, signal: Any) -> Measured:
        """What the model says of a part with this mask (`signal` decoded), at the level of whole parts."""
        scores = measured.token_scores.astype(np.float64)
        kinds = kinds_lost(self.mask, measured.layout, signal)
        positions = measured.layout.positions()
        for position, kind in set(zip(positions.tolist(), kinds.tolist(), strict=True)):
            known = self.tokens.get((position, kind), self.tokens.get((-1, kind)))
            if known is not None:
                here = (positions == position) & (kinds == kind)
                scores[here] = levelled(scores[here], *known)
        score = finite(model.detector._pool(scores))
        others = (float(levelled(v, *known)) for v, known in zip(measured.views[1:], self.views, strict=True))
        return replace(measured, score=score, views=(score, *others), token_scores=scores)


def levelling(mask: Mask, masked: Sequence[tuple[Measured, Any]], whole: Sequence[Measured]) -> Levelling:
    """From what the model says of reference parts, masked (with their decoded signals) and whole."""
    positions = np.concatenate([one.layout.positions() for one, _ in masked])
    kinds = np.concatenate([kinds_lost(mask, one.layout, signal) for one, signal in masked])
    scores = np.concatenate([one.token_scores for one, _ in masked])
    usual_positions = np.concatenate([one.layout.positions() for one in whole])
    usual = np.concatenate([one.token_scores for one in whole])
    found = {}
    for kind in np.unique(kinds).tolist():
        here = kinds == kind
        found[-1, kind] = (*level_of(scores[here]), *level_of(usual))
        for position in np.unique(positions[here]).tolist():
            mine, same = scores[here & (positions == position)], usual[usual_positions == position]
            if min(len(mine), len(same)) >= FEWEST:
                found[position, kind] = (*level_of(mine), *level_of(same))
    further = [np.array([one.views[1:] for one, _ in masked]), np.array([one.views[1:] for one in whole])]
    views = tuple((*level_of(a), *level_of(b)) for a, b in zip(further[0].T, further[1].T, strict=True))
    return Levelling(mask, found, views)


def level_of(scores: np.ndarray) -> Level:
    """Median and distance from it to the 90 % quantile.

    >>> level_of(np.arange(11.0))
    (5.0, 4.0)
    """
    middle, high = np.quantile(scores, [0.5, 0.9])
    return float(middle), float(high - middle)


def levelled(scores: Any, middle: float, spread: float, usual: float, usual_spread: float) -> Any:
    """Scores moved and scaled from one level to another.

    >>> levelled(np.array([7.0, 9.0]), 5.0, 4.0, 1.0, 2.0).tolist(), levelled(5.5, 5.0, 0.0, 1.0, 2.0)
    ([2.0, 3.0], 6.0)
    """
    least = max(spread, LEAST * usual_spread)
    return usual + (scores - middle) * (usual_spread / least if least > 0 else 0.0)


def kinds_lost(mask: Mask, layout: Layout, signal: Any) -> np.ndarray:
    """A number for the shares of its readings that each token (L,) lacks: of its own channel, and of all of them."""
    own, every = shares_lost(mask, layout, signal)
    return np.digitize(own, SHARES, right=True) * (len(SHARES) + 1) + np.digitize(every, SHARES, right=True)


def shares_lost(mask: Mask, layout: Layout, signal: Any) -> tuple[np.ndarray, np.ndarray]:
    """The share of a token's own channel that is lost in its span (L,), and the mean over all channels (L,)."""
    rows = np.frombuffer(mask.rows, np.uint8) != THERE
    channels = tuple(getattr(signal, "channels", ("",)))
    read = dict(mask.readings)
    lost = {name: rows | (np.frombuffer(read[name], np.uint8) == 0) if name in read else rows for name in channels}
    room, begin, end = len(rows), np.zeros(len(layout), np.int64), np.full(len(layout), len(rows), np.int64)
    if layout.where is not None:
        step = usual_step(np.asarray(signal.times, np.float64)) or 1.0
        at = np.asarray(layout.where, np.float64) / step * (room / places(signal)[1])
        begin = np.clip(np.floor(at[:, 0] + 1e-6).astype(np.int64), 0, room - 1)
        end = np.maximum(np.clip(np.ceil(at[:, 1] - 1e-6).astype(np.int64), 0, room), begin + 1)
    sums = {name: np.concatenate([[0], np.cumsum(gone)]) for name, gone in lost.items()}
    share = {name: (total[end] - total[begin]) / (end - begin) for name, total in sums.items()}
    every = np.mean(list(share.values()), axis=0)
    if layout.channels is None:
        return every, every
    own = np.array([share[name][i] if name in share else every[i] for i, name in enumerate(layout.channels)])
    return own, every

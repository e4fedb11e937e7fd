"""Surprise, joint score and p-values for every pattern of present parts, from normal cases only.

The joint score is a fixed function once the reference tails are fitted, so split-conformal calibration on other normal
cases makes its p-value valid. Different patterns have different joint scores, so each has its own calibration
scores: every calibration case that has at least the pattern's parts, judged as if it had only these.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from mmdmad.calibration import kept
from mmdmad.calibration.budget import Order, Track
from mmdmad.calibration.conformal import case_uniform, conformal_p_value
from mmdmad.calibration.fusion import TAIL_FEWEST, Fused, Tail, fuse, together
from mmdmad.calibration.promise import Ranked, promise
from mmdmad.calibration.recordings import PerRecording
from mmdmad.cases import Modality
from mmdmad.guarantees import ByRecording, Guarantee, Ranks, Unit
from mmdmad.saved import require

Pattern = tuple[Modality, ...]
Link = tuple[Modality, Pattern]
FEWEST = 8
"""Reference cases from which a contradiction, or all parts together, become a term; a part alone needs TAIL_FEWEST."""
STEEPEST = 1.0
"""Least scale of a contradiction's tail. In nats a contradiction c were minus the pointwise mutual information, whose
exponential has mean one or less on normal cases, so P(c >= x) <= exp(-x) (Markov). As it is read, large ones only come
out smaller (joint/denoising_error.py), so that steep is what can be relied on. Where normal contradictions hardly vary
(few product types), a fitted tail would call half a unit of network error a wonder."""


def patterns(modalities: Sequence[Modality]) -> list[Pattern]:
    """Every non-empty subset, in the order of `modalities`.

    >>> patterns(("image", "text"))
    [('image',), ('text',), ('image', 'text')]
    """
    return [c for size in range(1, len(modalities) + 1) for c in combinations(modalities, size)]


def links(pattern: Pattern) -> list[Link]:
    """Each part with the other parts of the pattern: the contradictions that a case of this pattern can have.

    >>> links(("image", "text"))
    [('image', ('text',)), ('text', ('image',))]
    """
    return [(m, tuple(o for o in pattern if o != m)) for m in pattern] if len(pattern) > 1 else []


@dataclass(frozen=True, eq=False)
class Measures:
    """Raw scores of N cases: each part's detector score (N,) and each link's contradiction (N,), NaN where missing."""

    parts: Mapping[Modality, np.ndarray]
    links: Mapping[Link, np.ndarray]

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    def having(self, pattern: Pattern) -> np.ndarray:
        """Rows whose parts include the pattern, with all its contradictions known."""
        known = [self.parts[m] for m in pattern] + [self.links[k] for k in links(pattern) if k in self.links]
        return np.flatnonzero(np.isfinite(known).all(axis=0))

    def only(self, rows: Sequence[int]) -> "Measures":
        """The scores of these rows."""
        here = list(rows)
        return Measures({m: s[here] for m, s in self.parts.items()}, {k: s[here] for k, s in self.links.items()})

    def row(self, i: int, pattern: Pattern) -> tuple[dict[Modality, float], dict[Link, float]]:
        """Scores of one case, masked to a pattern."""
        of_links = {k: float(self.links[k][i]) for k in links(pattern) if k in self.links}
        return {m: float(self.parts[m][i]) for m in pattern}, of_links


@dataclass(frozen=True)
class Calibrated:
    """A case's scores with their p-values; `single` is its joint score in one of several folds, None with one.

    `by_recording` is how a window of a new recording ranks among calibration recordings; None for other cases.
    `beside` are the p-values that do not decide where cases are ranked by group: those over all groups, or those of the
    case's own; None where it has none.
    """

    fused: Fused
    p_value: float
    parts: dict[Modality, float]
    links: dict[Link, float]
    guarantee: Guarantee
    single: float | None = None
    by_recording: ByRecording | None = None
    beside: "Calibrated | None" = None

    @property
    def ranks(self) -> Ranks:
        """Its p-values alone."""
        return Ranks(
            p_value=self.p_value, size=self.guarantee.size, parts=self.parts, by_recording=self.by_recording,
            contradictions=tuple(self.links.values()),
        )  # fmt: skip


class JointCalibration:
    """Tails fitted on reference cases, and the sorted scores of the calibration cases for every pattern.

    `track_` are the calibration cases in their order, None where they have none or in models of earlier versions;
    `recordings_` has, where units are recordings, what windows of new ones are ranked among. `groups_` has the
    calibration of each group, with the same tails, where cases are ranked by group.
    """

    track_: Track | None = None

    def __init__(self, seed: int = 0, unit: Unit = "case") -> None:
        self.seed, self.unit = seed, unit
        self.recordings_: dict[str, PerRecording] = {}
        self.groups_: dict[str | None, JointCalibration] = {}

    def fit(
        self,
        reference: Measures,
        calibration: Measures,
        units: Sequence[str] | None = None,
        order: Order | None = None,
        contents: Sequence[str] | None = None,
        groups: Sequence[str | None] | None = None,
    ) -> "JointCalibration":
        """Learn from two disjoint sets of normal cases that no detector was fitted on.

        `units` names the unit that each calibration case belongs to; without it each is its own. `order` says where
        each lies beside the others, `contents` are the keys of what they hold (without them each is another).
        `groups` is the group of each, where cases are to be ranked within theirs.
        """
        rows = [str(i) for i in range(len(calibration))]
        own, keys = rows if units is None else list(units), rows if contents is None else list(contents)
        self.tails_: dict[str, Tail] = {}
        self.scores_: dict[str, np.ndarray] = {}
        self.natural_: dict[str, int] = {}
        self.units_: dict[str, tuple[int, int]] = {}
        p_values = np.full(len(calibration), np.nan)
        for m in reference.parts:
            self._fit_term(_key((m,)), reference.parts[m], calibration.parts[m], fewest=TAIL_FEWEST)
        for link in reference.links:
            self._fit_term(_link_key(link), reference.links[link], calibration.links[link], STEEPEST)
        for pattern in patterns(tuple(reference.parts)):
            if all(_key((m,)) in self.tails_ for m in pattern):
                self._fit_pattern(pattern, reference, calibration, own, keys, p_values)
        self.track_ = None if order is None else Track.of(order, own, p_values)
        self._by_group(calibration, own, keys, groups)
        return self

    def _by_group(
        self, calibration: Measures, units: Sequence[str], contents: Sequence[str], groups: Sequence[str | None] | None
    ) -> None:
        """The calibration of each group that the cases are of."""
        rows: dict[str | None, list[int]] = {}
        for row, group in enumerate(groups or ()):
            rows.setdefault(group, []).append(row)
        self.groups_ = {
            group: self.on(calibration.only(mine), [units[i] for i in mine], self.unit, [contents[i] for i in mine])
            for group, mine in rows.items()
        }

    def of_group(self, group: str | None) -> "JointCalibration":
        """The calibration of one group; of no case where this fold ranks with none of it."""
        known = self.groups_.get(group)
        if known is not None:
            return known
        made = JointCalibration(self.seed, self.unit)
        made.tails_, made.scores_ = self.tails_, {key: np.empty(0) for key in self.scores_}
        made.natural_ = dict.fromkeys(self.natural_, 0)
        made.units_ = dict.fromkeys(self.units_, (0, 1))
        made.recordings_ = {key: PerRecording.of([], [], [], self.seed) for key in self.recordings_}
        return made

    def _fit_term(
        self,
        key: str,
        reference: np.ndarray,
        calibration: np.ndarray,
        least_scale: float = 0.0,
        *,
        fewest: int = FEWEST,
    ) -> None:
        seen = reference[np.isfinite(reference)]
        if len(seen) >= fewest:
            self.tails_[key] = Tail.fit(seen, least_scale=least_scale)
            self.scores_[key] = np.sort(calibration[np.isfinite(calibration)])

    def _fit_pattern(
        self,
        pattern: Pattern,
        reference: Measures,
        calibration: Measures,
        units: Sequence[str],
        contents: Sequence[str],
        p_values: np.ndarray,
    ) -> None:
        """Tail and scores of a pattern; for `p_values` see `_rank_among`."""
        rows = reference.having(pattern)
        if len(pattern) > 1 and len(rows) >= FEWEST:
            sums = [together(self._part_surprises(reference.row(i, pattern)[0])) for i in rows]
            self.tails_[_joint_key(pattern)] = Tail.fit(sums)
        self._rank_among(pattern, calibration, units, contents, p_values)

    def _rank_among(
        self,
        pattern: Pattern,
        calibration: Measures,
        units: Sequence[str],
        contents: Sequence[str],
        p_values: np.ndarray,
    ) -> None:
        """Scores of a pattern; `p_values` (n,) gets those of the cases that have exactly its parts."""
        rows = calibration.having(pattern)
        fused_of = {i: self.fuse(*calibration.row(i, pattern)).score for i in rows}
        self.scores_[_joint_key(pattern)] = np.sort(np.array(list(fused_of.values()), np.float64))
        others = [calibration.parts[m] for m in calibration.parts if m not in pattern]
        exact = [i for i in rows if not any(np.isfinite(other[i]) for other in others)]
        self.natural_[_joint_key(pattern)] = len(exact)
        place = {
            row: rank for rank, row in enumerate(sorted(rows, key=lambda i: self._place(i, fused_of[i], units)), 1)
        }
        for i in exact:
            p_values[i] = place[i] / (len(rows) + 1)
        counts = Counter(units[i] for i in rows)
        self.units_[_joint_key(pattern)] = len(counts), min(counts.values(), default=1)
        if self.unit == "recording":
            mine = [units[i] for i in rows], [contents[i] for i in rows]
            self.recordings_[_joint_key(pattern)] = PerRecording.of(list(fused_of.values()), *mine, self.seed)

    def _place(self, row: int, score: float, units: Sequence[str]) -> tuple[float, float]:
        """Where a calibration case stands among the others, the highest score first; ties fall as they may."""
        return -score, case_uniform(units[row], "order", row, self.seed)

    def on(
        self,
        calibration: Measures,
        units: Sequence[str],
        unit: Unit = "case",
        contents: Sequence[str] | None = None,
        groups: Sequence[str | None] | None = None,
    ) -> "JointCalibration":
        """The same tails, and so the same joint score, ranked among other calibration cases, of these units."""
        keys = [str(i) for i in range(len(units))] if contents is None else list(contents)
        made = JointCalibration(self.seed, unit)
        made.tails_, made.scores_, made.natural_, made.units_ = dict(self.tails_), {}, {}, {}
        for m, scores in calibration.parts.items():
            if (key := _key((m,))) in self.tails_:
                made.scores_[key] = np.sort(scores[np.isfinite(scores)])
        for link, scores in calibration.links.items():
            if (key := _link_key(link)) in self.tails_:
                made.scores_[key] = np.sort(scores[np.isfinite(scores)])
        for pattern in self.joint_scores():
            made._rank_among(pattern, calibration, units, keys, np.full(len(units), np.nan))
        made._by_group(calibration, units, keys, groups)
        return made

    def fuse(self, parts: Mapping[Modality, float], contradictions: Mapping[Link, float]) -> Fused:
        """The joint score of raw part scores and contradictions, with its shares (contradictions by part)."""
        surprises = self._part_surprises(parts)
        odd: dict[str, float] = {
            link[0]: self.tails_[_link_key(link)].surprise(score)
            for link, score in contradictions.items()
            if _link_key(link) in self.tails_
        }
        whole = self.tails_.get(_joint_key(tuple(parts))) if len(parts) > 1 else None
        return fuse(surprises, odd, None if whole is None else whole.surprise(together(surprises)))

    def judge(
        self,
        key: str,
        parts: Mapping[Modality, float],
        contradictions: Mapping[Link, float],
        rate: float,
        *,
        learned: bool = False,
    ) -> Calibrated:
        """Joint score, shares and all p-values of one case; ties are broken by `key`, that of its content.

        `learned`: the case is of a recording that was learned from.
        """
        pattern = tuple(parts)
        fused, term = self.fuse(parts, contradictions), _joint_key(pattern)
        among = None if learned else self.recordings_.get(term)
        return Calibrated(
            fused,
            self._p_value(key, term, fused.score),
            {m: self._p_value(key, _key((m,)), score) for m, score in parts.items()},
            {k: self._p_value(key, _link_key(k), s) for k, s in contradictions.items() if _link_key(k) in self.tails_},
            self.guarantee(pattern, rate, learned=learned),
            by_recording=None if among is None else among.rank(fused.score, case_uniform(key, term, self.seed)),
        )

    def joint_scores(self) -> dict[Pattern, np.ndarray]:
        """The joint scores of the calibration cases, sorted, for each pattern of present parts."""
        begin = _joint_key(())
        return {tuple(k[len(begin) :].split("+")): s for k, s in self.scores_.items() if k.startswith(begin)}

    def ranked(self, pattern: Pattern) -> Ranked:
        """How many cases and units a case with these parts is ranked among."""
        key = _joint_key(pattern)
        size = len(self.scores_.get(key, ()))
        units, smallest = self.units_.get(key, (size, 1))
        return Ranked(size, self.natural_.get(key, 0), units, smallest)

    def size(self, term: Modality | Link) -> int:
        """How many calibration scores a part (its modality) or a contradiction (its link) is ranked among."""
        key = _key((term,)) if isinstance(term, str) else _link_key(term)
        return len(self.scores_.get(key, ()))

    def guarantee(self, pattern: Pattern, rate: float, *, learned: bool = False) -> Guarantee:
        """What stands behind a verdict on a case with these parts at this rate; see `promise`."""
        return promise(pattern, rate, [self.ranked(pattern)], self.unit, learned=learned, drawn=self.drawn(pattern))

    def ranked_among(self, pattern: Pattern, *, by_recording: bool = False) -> np.ndarray:
        """The joint scores, sorted, that a case with these parts ranks among: of cases, or of windows drawn."""
        key = _joint_key(pattern)
        return self.recordings_[key].drawn if by_recording else self.scores_.get(key, np.empty(0))

    def drawn(self, pattern: Pattern) -> bool:
        """Whether windows with these parts have a p-value among recordings."""
        return _joint_key(pattern) in self.recordings_

    def state(self) -> dict[str, Any]:
        """Everything learned, as JSON values (floats survive JSON exactly)."""
        return kept.state(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "JointCalibration":
        """The calibration that `state` described; ModelError where no fit can have written it."""
        return kept.restored(cls, state)

    def check(self, modalities: Sequence[Modality], joint: bool) -> None:
        """ModelError unless this belongs to these modalities: a tail and scores for each, links where `joint` is."""
        for own in self.groups_.values():
            own.check(modalities, joint)
        every = patterns(tuple(modalities))
        terms = {_key((m,)) for m in modalities}
        clashes = {_link_key(link) for p in every for link in links(p)} if joint else set()
        allowed = terms | clashes | {_joint_key(p) for p in every}
        for name, found in (("tails", self.tails_), ("scores", self.scores_)):
            missing, other = sorted(terms - found.keys()), sorted(found.keys() - allowed)
            require(not missing, f"the {name} lack {', '.join(missing)}")
            require(not other, f"the {name} have {', '.join(other)[:100]}, which belongs to other parts")
        whole = {_joint_key(p) for p in every}
        require(self.natural_.keys() == whole & self.scores_.keys(), "natural and scores are of different patterns")
        require(self.units_.keys() <= self.natural_.keys(), "units and scores are of different patterns")

    def _part_surprises(self, parts: Mapping[Modality, float]) -> dict[str, float]:
        return {m: self.tails_[_key((m,))].surprise(score) for m, score in parts.items()}

    def _p_value(self, key: str, term: str, score: float) -> float:
        uniform = case_uniform(key, term, self.seed)
        return conformal_p_value(score, self.scores_.get(term, np.empty(0)), uniform)


def _key(pattern: Pattern) -> str:
    return "part:" + "+".join(pattern)


def _joint_key(pattern: Pattern) -> str:
    return "joint:" + "+".join(pattern)


def _link_key(link: Link) -> str:
    return f"link:{link[0]}|{'+'.join(link[1])}"

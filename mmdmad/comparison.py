"""Two detectors on the same cases: scores, ranks, flags, where they differ and how far they agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdmad.errors import DataError
from mmdmad.findings import Findings
from mmdmad.markup import table, text
from mmdmad.plain import plain

if TYPE_CHECKING:
    import pandas as pd

    from mmdmad.plots import Drawing

ROWS = 10
"""Cases that a notebook shows."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far two detectors agree: counts of cases by who flags them, and the rank correlation `kendall` (-1 to 1).

    `kendall` is Kendall's tau-b of the two orders (Biometrika 33, 1945), NaN where one of them has no order at all.
    """

    both: int
    first_only: int
    second_only: int
    neither: int
    kendall: float


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What two detectors, called `names`, say of the same N cases.

    `scores` float64 (N, 2), each on its own scale; `ranks` float64 (N, 2), 1 = most anomalous, ties share their mean;
    `flagged` bool (N, 2). `left_out` are cases that only one of them judged.
    """

    names: tuple[str, str]
    ids: tuple[str, ...]
    scores: np.ndarray
    ranks: np.ndarray
    flagged: np.ndarray
    left_out: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Comparison({self.names[0]!r}, {self.names[1]!r}, {len(self.ids)} cases, {self.agreement})"

    @property
    def agreement(self) -> Agreement:
        """Counts by who flags what, and the rank correlation."""
        from scipy.stats import kendalltau

        first, second = self.flagged.T
        tau = kendalltau(*self.ranks.T).statistic if len(self.ids) > 1 else float("nan")
        return Agreement(
            both=int((first & second).sum()),
            first_only=int((first & ~second).sum()),
            second_only=int((~first & second).sum()),
            neither=int((~first & ~second).sum()),
            kendall=float(tau),
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per case: scores, ranks and flags of both, and `apart`, how many ranks lie between them."""
        import pandas as pd

        values: dict[str, Any] = {"case_id": list(self.ids)}
        for what, array in (("score", self.scores), ("rank", self.ranks), ("flagged", self.flagged)):
            values |= {f"{name}_{what}": array[:, i] for i, name in enumerate(self.names)}
        return pd.DataFrame({**values, "apart": np.abs(self.ranks[:, 0] - self.ranks[:, 1])})

    def differing(self) -> "pd.DataFrame":
        """The cases that only one of them flags, those farthest apart in rank first."""
        rows = self.to_dataframe()[self.flagged[:, 0] != self.flagged[:, 1]]
        return rows.sort_values(["apart", "case_id"], ascending=[False, True], ignore_index=True)

    def plot(self) -> "Drawing":
        """Rank by rank, a mark a case, cases that only one of them flags in colour; a matplotlib figure."""
        from mmdmad.plots import ranks

        return ranks(self.ids, self.ranks, self.flagged, self.names)

    def _repr_html_(self) -> str:
        """The agreement and the cases that differ, for notebooks; all escaped."""
        a, (first, second) = self.agreement, map(text, self.names)
        head = ("case", f"rank, {first}", f"rank, {second}", "flagged by")
        rows = [
            (text(row.case_id), f"{row[f'{self.names[0]}_rank']:g}", f"{row[f'{self.names[1]}_rank']:g}",
             first if row[f"{self.names[0]}_flagged"] else second)
            for _, row in self.differing().head(ROWS).iterrows()
        ]  # fmt: skip
        differ = a.first_only + a.second_only
        more = f"<p>… and {differ - ROWS} more; <code>differing()</code> has all</p>" if differ > ROWS else ""
        left = f"; {len(self.left_out)} judged by one of them alone are left out" if self.left_out else ""
        return (
            f"<p><b>{first} and {second} on {len(self.ids)} cases</b>: both flag {a.both}, {first} alone "
            f"{a.first_only}, {second} alone {a.second_only}, neither {a.neither}; Kendall's tau of their orders "
            f"{a.kendall:.3f}{left}</p>{table(head, rows) if rows else ''}{more}"
        )


def compare(first: Any, second: Any, on: Any = None, *, names: tuple[str, str] = ("first", "second")) -> Comparison:
    """What two detectors say of the same cases.

    Given are two Findings; or two fitted JointDetectors and the cases `on` which they are compared; or two fitted
    detectors of `mmdmad.detectors` (or PyOD) and the rows X. Findings stand in the order in which they are told
    (`order_key`), rows in that of their scores. DataError where nothing was judged by both, or the two are not alike.

    >>> import numpy as np
    >>> from mmdmad.detectors.base import make_detector
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> found = compare(make_detector("knn").fit(X), make_detector("dte-np").fit(X), X[:5], names=("knn", "dte"))
    >>> found.ids, found.agreement.neither
    (('0', '1', '2', '3', '4'), 5)
    """
    if names[0] == names[1]:
        raise DataError(f"both detectors are called {names[0]!r}; give two names")
    if isinstance(first, Findings) and isinstance(second, Findings):
        return _of_findings(first, second, names)
    if on is None:
        raise DataError("give two Findings, or two fitted detectors and what they are compared on: compare(a, b, X)")
    if all(hasattr(one, "decision_function") for one in (first, second)):
        return _of_rows(first, second, on, names)
    if all(hasattr(one, "judge") for one in (first, second)):
        return _of_findings(first.score(on), second.score(on), names)
    given = " and ".join(type(one).__name__ for one in (first, second))
    raise DataError(f"{given} were given; give two Findings, two JointDetectors, or two detectors of rows")


def _of_findings(first: Findings, second: Findings, names: tuple[str, str]) -> Comparison:
    of_first, of_second = ({f.case_id: f for f in findings} for findings in (first, second))
    ids = tuple(one for one in of_first if one in of_second)
    if not ids:
        some = [plain(next(iter(known), "nothing")) for known in (of_first, of_second)]
        raise DataError(f"no case was judged by both ({some[0]!r} by the first, {some[1]!r} by the second)")
    pairs = [(of_first[one], of_second[one]) for one in ids]
    ranks = np.empty((len(ids), 2))
    for column in range(2):
        order = sorted(range(len(ids)), key=lambda i: pairs[i][column].order_key)
        ranks[order, column] = np.arange(1, len(ids) + 1)
    return Comparison(
        names,
        ids,
        np.array([[f.score for f in pair] for pair in pairs], np.float64),
        ranks,
        np.array([[f.verdict == "anomalous" for f in pair] for pair in pairs]),
        tuple(sorted(of_first.keys() ^ of_second.keys())),
    )


def _of_rows(first: Any, second: Any, X: Any, names: tuple[str, str]) -> Comparison:
    from scipy.stats import rankdata

    scores = np.column_stack([np.asarray(one.decision_function(X), np.float64) for one in (first, second)])
    flagged = np.column_stack([np.asarray(one.predict(X)) == 1 for one in (first, second)])
    index: Sequence[Any] = getattr(X, "index", range(len(scores)))
    return Comparison(names, tuple(str(one) for one in index), scores, rankdata(-scores, axis=0), flagged)

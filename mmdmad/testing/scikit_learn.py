"""scikit-learn's own checks of estimators over a detector, with what does not hold for one and why."""

from collections import Counter
from typing import Any

EXEMPT = {
    "check_outliers_train": "asks for -1 and +1; detectors have PyOD's 1 and 0 (the adapter passes this check)",
    "check_outliers_fit_predict": "asks for -1 and +1; detectors have PyOD's 1 and 0 (the adapter passes this check)",
}


def sklearn_checks(estimator: Any, exempt: dict[str, str] | None = None) -> dict[str, list[str]]:
    """Run every check of `sklearn.utils.estimator_checks` on a detector or an adapter, not fitted.

    Returns the names of the checks by how they ended: "passed", "exempt", "skipped", "failed" (with the reason in the
    last two). exempt: checks that may fail, with the reason; `EXEMPT` for detectors, none for adapters.

    >>> from mmdmad.detectors import KNN
    >>> found = sklearn_checks(KNN())
    >>> len(found["passed"]) > 35, found["failed"]
    (True, [])
    """
    from sklearn.utils.estimator_checks import check_estimator

    from mmdmad.detectors.base import Detector

    reasons = (EXEMPT if isinstance(estimator, Detector) else {}) if exempt is None else exempt
    found: dict[str, list[str]] = {"passed": [], "exempt": [], "skipped": [], "failed": []}
    for one in check_estimator(estimator, expected_failed_checks=reasons, on_skip=None, on_fail=None):
        kind = {"xfail": "exempt"}.get(one["status"], one["status"])
        why = "" if kind in ("passed", "exempt") else f": {' '.join(str(one['exception']).split())[:300]}"
        found[kind].append(one["check_name"] + why)
    return found


def count(found: dict[str, list[str]]) -> dict[str, int]:
    """How many different checks ended in each way."""
    return {kind: len(Counter(names)) for kind, names in found.items()}

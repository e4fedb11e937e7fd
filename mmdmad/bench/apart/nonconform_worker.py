"""nonconform's p-values of test rows, by three of its strategies: `python nonconform_worker.py IN.npz OUT.npz`.

It needs Python 3.12, so it runs in an environment of its own. IN holds train (N, D), test (M, D) and seed; OUT gets an
array (M,) for each strategy.
"""

import sys
from importlib import import_module

import numpy as np


def main(given: str, out: str) -> None:
    """Fit, judge and write."""
    nonconform = import_module("nonconform")
    detector_of = import_module("three").MeanOfThree  # beside this file, which is run as a script
    with np.load(given, allow_pickle=False) as stored:
        train, test, seed = stored["train"], stored["test"], int(stored["seed"])
    strategies = {
        "Split": nonconform.Split(n_calib=0.3),
        "CV5": nonconform.CrossValidation(k=5),
        "JaB": nonconform.JackknifeBootstrap(n_bootstraps=20),
    }
    found = {}
    for name, strategy in strategies.items():
        detector = nonconform.ConformalDetector(
            detector=detector_of(seed), strategy=strategy, score_polarity="higher_is_anomalous", seed=seed
        )
        detector.fit(train)
        found[name] = np.asarray(detector.compute_p_values(test), np.float64)
    np.savez(out, Split=found["Split"], CV5=found["CV5"], JaB=found["JaB"])


if __name__ == "__main__":
    main(*sys.argv[1:])

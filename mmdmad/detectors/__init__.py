"""Every detector by its class name, loaded when first asked for.

>>> from mmdmad.detectors import DiffusionTime
>>> import numpy as np
>>> X = np.random.default_rng(0).normal(size=(50, 2))
>>> int(DiffusionTime().fit(X).decision_function(np.array([[0.0, 0.0], [9.0, 9.0]])).argmax())
1
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name[:1].isupper():  # modules and dunders are lower case: looking them up must not load every detector
        from mmdmad.detectors.base import detectors

        known = {cls.__name__: cls for cls in detectors().values()}
        if name in known:
            return known[name]
        raise AttributeError(f"no detector class is called {name!r}; there are {', '.join(sorted(known))}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from mmdmad.detectors.base import detectors

    return sorted({*globals(), *(cls.__name__ for cls in detectors().values())})

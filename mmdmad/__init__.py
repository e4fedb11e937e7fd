"""Multimodal diffusion models for anomaly detection: what is normal in images, text, sensor data and video, jointly.

>>> import mmdmad as mm
>>> mm.__version__
'0.1.0'

Names below are loaded when first used, so that `import mmdmad` stays quick.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
# What the library logs is for whoever sets up logging; without that nothing of it is shown.
logging.getLogger("mmdmad").addHandler(logging.NullHandler())

_LAZY = {
    "Case": "mmdmad.cases",
    "Cases": "mmdmad.cases",
    "Part": "mmdmad.cases",
    "cases_from": "mmdmad.intake",
    "compare": "mmdmad.comparison",
    "read_cases": "mmdmad.manifest",
    "Evidence": "mmdmad.findings",
    "Finding": "mmdmad.findings",
    "Findings": "mmdmad.findings",
    "JointDetector": "mmdmad.pipeline.detector",
    "MmdmadError": "mmdmad.errors",
    "Run": "mmdmad.store.run",
    "Tokens": "mmdmad.tokens",
}

__all__ = [
    "Case",
    "Cases",
    "Evidence",
    "Finding",
    "Findings",
    "JointDetector",
    "MmdmadError",
    "Part",
    "Run",
    "Tokens",
    "__version__",
    "cases_from",
    "compare",
    "read_cases",
]

if TYPE_CHECKING:
    from mmdmad.cases import Case, Cases, Part
    from mmdmad.comparison import compare
    from mmdmad.errors import MmdmadError
    from mmdmad.findings import Evidence, Finding, Findings
    from mmdmad.intake import cases_from
    from mmdmad.manifest import read_cases
    from mmdmad.pipeline.detector import JointDetector
    from mmdmad.store.run import Run
    from mmdmad.tokens import Tokens


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'mmdmad' has no attribute {name!r}; it has {', '.join(_LAZY)}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

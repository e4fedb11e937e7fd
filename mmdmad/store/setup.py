"""What a run remembers of how it was made, and how two configurations are compared."""

import json
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

PACKAGES = (
    "mmdmad",
    "torch",
    "torchvision",
    "transformers",
    "open-clip-torch",
    "diffusers",
    "timm",
    "numpy",
    "scikit-learn",
)

T = TypeVar("T")


def versions() -> dict[str, str]:
    """Versions of Python, mmdmad and the installed packages that numbers depend on; nothing is imported."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Where two configurations differ, one line each ("parts.image.detector: 'knn' there, 'dte-np' given")."""
    a, b = dict(_flat(json.loads(json.dumps(ours)))), dict(_flat(json.loads(json.dumps(theirs))))
    return [f"{k}: {a.get(k)!r} there, {b.get(k)!r} given" for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k)]


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value

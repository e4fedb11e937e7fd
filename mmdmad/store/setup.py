"""What a run remembers of how it was made, and how two configurations are compared."""

import json
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mmdmad.errors import RunError
from mmdmad.files import parsed

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

MAX_BYTES = 4 * 2**20
"""Bytes of a run's config.json."""
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


class _Settings(BaseModel):
    """What `config.json` of a run holds; `format` is looked at by `store.format`."""

    config: dict[str, Any]
    versions: dict[str, str]
    created: str
    format: Any = None


def read_settings(file: Path) -> dict[str, Any]:
    """The content of a run's `config.json`; RunError where it cannot be read or is none."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        settings = parsed(file.read_text(encoding="utf-8"))
        _Settings.model_validate(settings)
    except (OSError, ValueError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else getattr(error, "strerror", error)
        raise RunError(f"{file} cannot be read ({reason}); restore it from a copy, or start a new run") from error
    found: dict[str, Any] = settings
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

"""Data classes hold still, and what holds arrays is compared by identity: `==` of arrays has no yes or no."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest

PACKAGES = ("calibration", "encoders", "explain", "joint", "pipeline", "store")
CHANGES = {"mmdmad.explain.normal.Normal", "mmdmad.explain.log_templates.Template"}
"""Fitted state, which is made step by step."""
BY_IDENTITY = {"mmdmad.explain.base.Seen", "mmdmad.explain.base.Look", "mmdmad.pipeline.splits.Split"}
"""They hold cases, whose parts may hold arrays."""


def declared(package: str) -> Iterator[type]:
    root = importlib.import_module(f"mmdmad.{package}")
    for found in pkgutil.walk_packages(root.__path__, f"mmdmad.{package}."):
        module = importlib.import_module(found.name)
        for one in vars(module).values():
            if inspect.isclass(one) and one.__module__ == found.name and dataclasses.is_dataclass(one):
                yield one


@pytest.mark.parametrize("package", PACKAGES)
def test_data_classes_hold_still_and_those_of_arrays_are_compared_by_identity(package: str) -> None:
    seen = list(declared(package))
    assert seen
    for one in seen:
        name = f"{one.__module__}.{one.__qualname__}"
        how = one.__dataclass_params__  # type: ignore[attr-defined]
        arrays = any(re.search("ndarray|Tensor", str(field.type)) for field in dataclasses.fields(one))
        assert how.frozen is (name not in CHANGES), name
        assert how.eq is not (arrays or name in BY_IDENTITY), name

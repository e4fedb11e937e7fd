"""Detectors by class name, as scikit-learn users import them."""

import pytest

import mmdmad.detectors as package
from mmdmad.detectors.base import detectors


def test_every_detector_is_an_attribute_of_the_package():
    for cls in detectors().values():
        assert getattr(package, cls.__name__) is cls
        assert cls.__name__ in dir(package)


def test_unknown_names_say_what_there_is():
    with pytest.raises(AttributeError, match=r"'DifusionTime'; there are .*DiffusionTime"):
        _ = package.DifusionTime
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = package.nothing

"""Every registered detector keeps the promises of `mmdmad.testing`, and is documented."""

import functools
import inspect
from pathlib import Path

import mmdmad.configs
import pytest
import yaml

from mmdmad.detectors.base import Detector, detectors, make_detector
from mmdmad.detectors.kit.grids import GridDetector
from mmdmad.errors import ConfigError
from mmdmad.testing import PROMISES, Trial, try_promise
from mmdmad.testing.samples import vectors

NAMES = list(detectors())
TINY = {
    "steps": 100,
    "batch": 32,
    "hidden": (32, 32),
    "learning_rate": 3e-3,
    "dropout": 0.0,
    "evaluations": 6,
    "widths": (8,),
    "inner": 16,
    "depth": 1,
}
TINY |= {"autoencoder_widths": (8,)}
TINY |= {"neighbourhood": 1}  # a mean over 3 x 3 cells would make one of the 2 x 3 that pictures have here
PRESETS = Path(next(iter(mmdmad.configs.__path__))) / "detectors"


def tiny(name: str, **params: object) -> Detector:
    """The detector with a training short enough for a test."""
    accepted = inspect.signature(detectors()[name].__init__).parameters
    given = {k: v for k, v in TINY.items() if k in accepted} | ({"steps": 300} if name == "dte-c" else {})
    given |= {"steps": 60, "batch": 16} if on_grids(name) else {}
    return make_detector(name, **given, **params)


def on_grids(name: str) -> bool:
    return issubclass(detectors()[name], GridDetector)


@functools.cache
def trial(name: str) -> Trial:
    return Trial(tiny(name))


@pytest.mark.parametrize("name", NAMES)
class TestContract:
    @pytest.mark.parametrize("promise", PROMISES)
    def test_promise(self, name, promise):
        try_promise(promise, trial(name))

    def test_training_lowers_the_loss(self, name):
        fitted = trial(name).on_vectors
        if "steps" not in fitted.get_params():
            pytest.skip("no training")
        longer = (
            tiny(name, false_alarm_rate=None).set_params(steps=200 if name == "transfusion" else 400).fit(vectors())
        )
        assert longer.history_.losses[-1] < longer.history_.losses[0]

    def test_registry_preset_and_documentation(self, name):
        cls = detectors()[name]
        assert cls.__doc__
        assert ">>>" in cls.__doc__
        assert cls.about.name == name
        assert any(char.isdigit() for char in cls.about.paper)
        preset = PRESETS / f"{name}.yaml"
        assert preset.read_text().startswith("# ")
        loaded = yaml.safe_load(preset.read_text())
        assert loaded["name"] == name
        made = make_detector(name, **loaded["params"])
        defaults = make_detector(name).get_params()
        for key, value in made.get_params().items():
            default = defaults[key]
            assert value == (list(default) if isinstance(default, tuple) else default) or value == default, key


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="dte-np"):
        make_detector("nonsense")


def test_every_preset_belongs_to_a_detector():
    assert {path.stem for path in PRESETS.glob("*.yaml")} == set(NAMES)

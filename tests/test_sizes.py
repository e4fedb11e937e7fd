"""Numbers that memory and time grow with are bounded where things are made, whoever names them."""

import inspect

import numpy as np
import pytest

from mmdmad.detectors.base import detectors, make_detector
from mmdmad.encoders.base import encoders, make_encoder
from mmdmad.errors import ConfigError
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.part_model import PartModel
from mmdmad.sizes import MOST, bounded_networks, check_sizes, parameters_at_most

GIANT = {"steps", "widths", "hidden", "depth", "components", "neighbours", "levels", "window", "trees", "batch"}


@pytest.mark.parametrize("name", sorted(detectors()))
def test_every_detector_refuses_giant_numbers_before_it_learns(name: str) -> None:
    cls = detectors()[name]
    check_sizes(name, cls.defaults())
    for param in sorted(set(cls.defaults()) & GIANT):
        value = (10**9,) if isinstance(cls.defaults()[param], tuple) else 10**9
        with pytest.raises(ConfigError, match=f"{param}=.*allowed is at most {MOST[param]}"):
            make_detector(name, **{param: value}).fit(np.zeros((20, 3)))


def test_every_encoder_refuses_giant_numbers() -> None:
    for name, cls in encoders().items():
        for param, known in inspect.signature(cls.__init__).parameters.items():
            if param in MOST and not isinstance(known.default, tuple):
                with pytest.raises(ConfigError, match=param):
                    make_encoder(name, **{param: 10**9})


def test_a_configuration_is_refused_before_anything_is_read() -> None:
    for params in ({"hidden": [10**6]}, {"hidden": [64] * 65}, {"steps": 10**9}, {"learning_rate": float("inf")}):
        detector = make_detector("ddae", **params)
        with pytest.raises(ConfigError):
            detector._check_params()
    part = PipelineConfig.load({"parts": {"sensor": {"detector": "ddae", "detector_params": {"steps": 999_999_999}}}})
    with pytest.raises(ConfigError, match="steps"):
        PartModel.unfitted("sensor", part.parts["sensor"], 0)


def test_a_network_of_bounded_layers_is_bounded_as_a_whole() -> None:
    with pytest.raises(ConfigError, match=r"more than \d+ parameters"):
        make_detector("ddae", hidden=(8192,) * 8).fit(np.random.default_rng(0).normal(size=(80, 3)))
    from torch import nn

    with parameters_at_most(10), pytest.raises(ConfigError, match="more than 10 parameters"), bounded_networks():
        nn.Linear(5, 5)
    nn.Linear(5, 5)  # the watch ends with its block


def test_names_that_stand_twice_are_refused(tmp_path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("parts:\n  text: {detector: knn}\nseed: 1\nseed: 2\n")
    with pytest.raises(ConfigError, match="'seed' stands twice, again in line 4"):
        PipelineConfig.load(file)

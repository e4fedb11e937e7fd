"""Detectors of other distributions: what they say of themselves is checked, and what they break is named."""

import json

import numpy as np
import pytest

from mmdmad.detectors import KNN
from mmdmad.detectors.base import About, load_detector, make_detector
from mmdmad.detectors.docs.page import write_page
from mmdmad.errors import ConfigError, ModelError
from mmdmad.testing import BrokenPromiseError, check_detector


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"family": "baselines"}, "family='baselines'.*'zero-shot', 'baseline'"),
        ({"cost": "cheap"}, "cost='cheap'.*'instant', 'seconds', 'minutes'"),
        ({"fidelity": "exact"}, "fidelity='exact'.*'equal', 'reduced', 'idea', None"),
        ({"fidelity": "reduced"}, "fidelity='reduced' was given without differs"),
        ({"fidelity": "idea", "differs": " "}, "fidelity='idea' was given without differs"),
    ],
)
def test_what_a_detector_says_of_itself_is_one_of_the_allowed_words(given, said):
    with pytest.raises(ConfigError, match=said):
        About(**{"name": "mine", "family": "baseline", "paper": "none", "cost": "instant", **given})


def test_the_page_leaves_out_detectors_of_other_distributions(tmp_path):
    theirs = type("Theirs", (KNN,), {"about": About("theirs", "baseline", "none", "instant"), "__module__": "acme.far"})
    write_page(tmp_path, {"knn": KNN, "theirs": theirs})
    page, picture = ((tmp_path / name).read_text() for name in ("detectors.md", "taxonomy.svg"))
    assert "theirs" not in page + picture
    assert "The 1 registered detectors" in page


def test_a_constructor_that_demands_an_argument_breaks_a_promise():
    class Demanding(KNN):
        def __init__(self, width, contamination=0.0):
            super().__init__(contamination=contamination)

    with pytest.raises(BrokenPromiseError, match=r"constructor_stores_its_arguments: Demanding .* 'width'.* default"):
        check_detector(Demanding)


def test_a_model_of_a_detector_that_is_not_there_names_the_cure_and_no_half_a_name(tmp_path):
    make_detector("knn").fit(np.eye(20)).save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert "distribution" not in config, "mmdmad's own need none"
    (tmp_path / "config.json").write_text(json.dumps(config | {"detector": "ray"}))
    with pytest.raises(
        ModelError, match=r"detector 'ray' is not registered; .* not installed; install that distribution"
    ):
        load_detector(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config | {"detector": "ray", "distribution": "acme-anomaly"}))
    with pytest.raises(ModelError, match="'ray' is not registered; the distribution acme-anomaly brought it"):
        load_detector(tmp_path)


def test_an_unknown_name_says_that_another_distribution_may_bring_it():
    with pytest.raises(ConfigError, match=r"'ray'; there are .*knn.*; if another distribution brings it, install that"):
        make_detector("ray")


def test_a_long_reason_ends_with_a_whole_word():
    words = [f"word{i}" for i in range(100)]
    reason = ModelError(" ".join(words)).reason
    assert len(reason) <= 300
    assert reason.endswith(" …")
    assert set(reason.split()[:-1]) <= set(words)

import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mmdmad.errors import DataError
from mmdmad.joint.cca import CcaResidual
from mmdmad.joint.pair_classifier import ShuffledPairs


def draw(n, seed, nonlinear=False):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, 4))
    link = np.abs(a) if nonlinear else a
    return {"image": a, "text": link + 0.3 * rng.normal(size=(n, 4)), "sensor": rng.normal(size=(n, 3))}


def auroc(model, nonlinear=False):
    test, others = draw(150, 1, nonlinear), draw(150, 2, nonlinear)
    link = ("text", ("image", "sensor"))
    rows = [{m: v[i] for m, v in test.items()} for i in range(150)]
    swapped = [row | {"text": others["text"][i]} for i, row in enumerate(rows)]
    scores = [model.contradictions(row, [link])[link] for row in rows + swapped]
    return roc_auc_score(np.repeat([0, 1], 150), scores)


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Mm]aximum.*")
        yield


def test_cca_finds_linear_and_misses_symmetric_links():
    assert auroc(CcaResidual().fit(draw(300, 0))) > 0.95
    assert auroc(CcaResidual().fit(draw(300, 0, nonlinear=True)), nonlinear=True) < 0.7


def test_pair_classifier_finds_both():
    assert auroc(ShuffledPairs().fit(draw(300, 0))) > 0.9
    assert auroc(ShuffledPairs().fit(draw(300, 0, nonlinear=True)), nonlinear=True) > 0.8


@pytest.mark.parametrize("baseline", [CcaResidual, ShuffledPairs])
def test_baselines_take_missing_parts_and_are_reproducible(baseline):
    data = draw(120, 3)
    data["text"][::4] = np.nan
    row = {m: v[1] for m, v in data.items()}
    links = [("image", ("text", "sensor")), ("sensor", ("image",))]
    first, second = (baseline().fit(data).contradictions(row, links) for _ in range(2))
    assert first == second
    assert set(first) == set(links)
    with pytest.raises(DataError, match="two"):
        baseline().fit({"image": data["image"]})

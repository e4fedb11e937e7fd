"""Detectors over grids: noise, guidance and targets against direct computation, reconstruction of a known manifold."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from mmdmad.detectors.base import make_detector
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.grids import canvas, known_mean, planes_of
from mmdmad.detectors.kit.segmentation import focal
from mmdmad.detectors.kit.synthetic import Mover, synthesise
from mmdmad.diffusion.guidance import guide, guided_walk, one_step
from mmdmad.diffusion.noise import add_noise, alphas_bar
from mmdmad.diffusion.steppers import walk
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens

RNG = np.random.default_rng
SIDE = 12


def waves(count, seed=0):
    """Pictures of one family: a wave of any phase and height over a fixed ground, with a little noise."""
    rng = RNG(seed)
    across = np.linspace(0, 2 * np.pi, SIDE)
    layout = Layout("grid", (SIDE, SIDE), size=(SIDE, SIDE), position=np.arange(SIDE**2))
    made = []
    for _ in range(count):
        wave = rng.uniform(0.5, 1.0) * np.sin(across + rng.uniform(0, 2 * np.pi))
        picture = np.stack([wave[None] * np.ones((SIDE, 1)), wave[:, None] * np.ones((1, SIDE))], axis=2)
        made.append(Tokens((picture + 0.05 * rng.normal(size=picture.shape)).reshape(-1, 2), layout))
    return made


def with_block(item, height=1.0):
    """The picture with a square that breaks the wave, values still in the normal range; where it is."""
    picture, inside = item.values.reshape(SIDE, SIDE, 2).copy(), np.zeros((SIDE, SIDE), bool)
    inside[4:8, 5:9] = True
    picture[inside] = np.where(picture[inside] > 0, -0.7, 0.7) * height
    return Tokens(picture.reshape(-1, 2), item.layout), inside.ravel()


def still(made, items):
    """The detector with a network that always answers 0."""
    fitted = made.set_params(steps=1).fit(items)
    with torch.no_grad():
        for value in fitted.net_.parameters():
            value.zero_()
    return fitted


def test_layouts_become_planes_and_padding_does_not_count():
    assert planes_of(Layout("steps", (3, 2))) == (1, 1, 6)
    rng = RNG(0)
    parts = [rng.normal(size=(1, 2, 1, n)).astype(np.float32) for n in (2, 5)]
    planes, known, _ = canvas(parts)
    assert torch.equal(known_mean(planes**2, known), torch.tensor([(part**2).mean() for part in parts]))


@pytest.mark.parametrize("noise", ["gaussian", "simplex"])
def test_anoddpm_brings_back_the_manifold_and_finds_what_is_off_it(noise):
    fitted = make_detector("anoddpm", noise=noise, steps=160, widths=(16, 16), batch=16).fit(waves(60))
    good = waves(8, seed=1)
    bad = [with_block(item) for item in good]
    assert fitted.decision_function([b for b, _ in bad]).min() > fitted.decision_function(good).max()
    for item, inside in bad:
        scores = fitted.token_scores([item])[0]
        assert scores[inside].mean() > 3 * scores[~inside].mean()


def test_anoddpm_without_a_network_is_a_shrunk_copy():
    items = waves(10)
    fitted = still(make_detector("anoddpm", noise="gaussian", walk=1, repeats=1), items)
    planes = torch.from_numpy(fitted._planes(items[0]))
    a, end = (float(alphas_bar("linear", 1000)[step]) for step in (250, 0))
    noise = torch.randn(planes.shape, generator=torch.Generator().manual_seed(0))
    noisy = a**0.5 * planes + (1 - a) ** 0.5 * noise
    back = end**0.5 * a**0.5 * noisy + (1 - end) ** 0.5 * (1 - a) ** 0.5 * noisy  # v = 0
    expected = ((back - planes) ** 2).mean(dim=1).ravel()
    np.testing.assert_allclose(fitted.token_scores(items[:1])[0], expected, rtol=1e-4)


def gaussian_eps(noisy, a):
    """The exact noise predictor of unit Gaussian data: E[e | x_t] = sqrt(1 - a) x_t."""
    return (1 - a) ** 0.5 * noisy


def test_guidance_of_weight_0_is_plain_ddim_and_of_full_weight_lands_on_the_target():
    generator = torch.Generator().manual_seed(0)
    start, towards = torch.randn((2, 3, 4, 5, 5), generator=generator, dtype=torch.float64)
    path = [0.3, 0.5, 0.8, 0.99]
    assert torch.equal(guided_walk(gaussian_eps, start, towards, path, 0.0), walk(gaussian_eps, start, path))
    moved = guide(gaussian_eps(start, 0.3), start, towards, 0.3, weight=1 / 0.7)
    torch.testing.assert_close((start - 0.7**0.5 * moved) / 0.3**0.5, towards)
    distance = [float((guided_walk(gaussian_eps, start, towards, path, w) - towards).norm()) for w in (0, 0.5, 1)]
    assert distance == sorted(distance, reverse=True)


def test_norm_guided_estimate_lies_between_the_two_levels():
    clean, noise = torch.randn((2, 1, 3, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    near, far = 0.8, 0.3
    alone = [a**0.5 * add_noise(clean, noise, a) for a in (near, far)]  # E[x_0 | x_t] of a unit Gaussian
    torch.testing.assert_close(one_step(gaussian_eps, clean, noise, near, far, 0.0), alone[0])
    expected = alone[0] + (1 - near) * (alone[1] - alone[0])
    torch.testing.assert_close(one_step(gaussian_eps, clean, noise, near, far, 1.0), expected)


def test_ddad_with_weight_0_is_the_change_that_plain_ddim_makes():
    items = waves(10)
    fitted = still(make_detector("ddad", weight=0.0, eta=0.0, walk=3), items)
    planes = torch.from_numpy(fitted._planes(items[0]))
    path = [float(alphas_bar("linear", 1000)[step]) for step in (250, 167, 83, 0)]
    noise = torch.randn(planes.shape, generator=torch.Generator().manual_seed(0))
    back = walk(gaussian_eps, add_noise(planes, noise, path[0]), path)
    expected = fitted.ratio_ * (back - planes).abs().mean(dim=1).ravel()
    np.testing.assert_allclose(fitted.token_scores(items[:1])[0], expected, rtol=1e-3)


def wide(items):
    """The same pictures as 20 features a token, some of them functions of the others."""
    mixing = RNG(4).normal(size=(2, 20))
    return [Tokens(5.0 + item.values @ mixing + 0.3 * (item.values**2) @ mixing, item.layout) for item in items]


def test_ddad_compares_features_where_tokens_have_many():
    fitted = make_detector("ddad", steps=120, widths=(16, 16), components=6).fit(wide(waves(60)))
    planes = torch.from_numpy(fitted._planes(wide(waves(1, seed=3))[0]))
    with torch.no_grad():
        features, values = fitted._distances(planes)
    assert features.min() >= 0
    assert 0 < float(features.max()) < 1
    found, expected = fitted.token_scores(wide(waves(1, seed=3)))[0], (features + fitted.ratio_ * values).ravel()
    # One minus a cosine in float32 is known to 1e-7 only, whatever is left of it.
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    bad, inside = with_block(waves(1, seed=3)[0])
    scores = fitted.token_scores(wide([bad]))[0]
    assert scores[inside].mean() > 1.5 * scores[~inside].mean()


def ramps(count, width, seed=0):
    """Grids of 4 x 5 cells whose means and scales differ from cell to cell."""
    rng, cells = RNG(seed), RNG(1)
    means, scales = cells.normal(size=(20, width)), cells.uniform(0.5, 2.0, size=(20, width))
    layout = Layout("grid", (4, 5), position=np.arange(20))
    return [Tokens(means + scales * rng.normal(size=(20, width)), layout) for _ in range(count)]


@pytest.mark.parametrize("components", [6, 3])  # all axes; some left out
def test_a_moved_token_is_what_it_would_be_at_the_other_place(components):
    items = ramps(200, 6)
    fitted = make_detector("ddad", components=components, steps=1, widths=(8,)).fit(items[:20])
    space = FeatureSpace.fit(items, components)
    fitted.space_ = space
    mover, here, there = Mover.of(space), torch.arange(20), torch.arange(20).flip(0)
    swapped = Tokens(items[3].values[::-1].copy(), items[3].layout)
    tokens, expected = (
        torch.from_numpy(fitted._planes(item)[0].reshape(-1, 20).T.copy()) for item in (items[3], swapped)
    )
    moved = mover(tokens, here, there).flip(0)
    if components == 6:
        torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-4)
    else:  # what was left out is only known by its length
        agree = F.cosine_similarity(moved[:, :-1], expected[:, :-1], dim=1)
        assert float(agree.median()) > 0.8


def test_anomalies_lie_in_their_masks_and_are_no_shorter_than_normal_tokens():
    generator = torch.Generator().manual_seed(0)
    planes, known = torch.randn((400, 4, 8, 8), generator=generator), torch.ones(400, 1, 8, 8)
    known[:, :, :, 6:] = 0.0
    planes = planes * known
    space = FeatureSpace(*(np.ones((1, 4), np.float32),) * 3, np.zeros((4, 0), np.float32), np.ones(4), 0.0)
    changed, mask = synthesise(planes, known, torch.zeros_like(known), Mover.of(space), generator)
    inside = mask.expand_as(planes) > 0
    assert torch.equal(changed[~inside], planes[~inside])
    assert not bool(mask[known == 0].any())
    assert 0.4 < float((mask.amax(dim=(1, 2, 3)) > 0).float().mean()) < 0.6
    length = changed.square().mean(dim=1, keepdim=True)[mask > 0].mean()
    assert float(length) > 0.9 * float(planes.square().mean(dim=1, keepdim=True)[known > 0].mean())
    assert not torch.equal(changed[inside], planes[inside])


def test_focal_loss_of_gamma_0_is_half_the_cross_entropy_and_fades_where_right():
    logits, mask = torch.randn(50, generator=torch.Generator().manual_seed(0)), (torch.arange(50) % 3 == 0).float()
    entropy = F.binary_cross_entropy_with_logits(logits, mask, reduction="none")
    torch.testing.assert_close(focal(logits, mask, gamma=0.0), 0.5 * entropy)
    sure = focal(torch.tensor([6.0, -6.0]), torch.tensor([1.0, 1.0]))
    assert float(sure[0]) < 1e-6
    assert float(sure[1]) > 2.9


@pytest.mark.parametrize("features", [False, True])
def test_diffusionad_finds_what_it_never_saw(features):
    made = wide if features else list
    params = {"steps": 100, "widths": (16,), "head_width": 16, "head_depth": 2, "components": 6}
    fitted = make_detector("diffusionad", false_alarm_rate=None, **params)
    fitted.fit(made(waves(40)))
    good = waves(6, seed=1)
    bad = [with_block(item) for item in good]
    assert fitted.decision_function(made([b for b, _ in bad])).min() > fitted.decision_function(made(good)).max()
    scores = fitted.token_scores(made([item for item, _ in bad]))
    assert [len(cells) for cells in scores] == [SIDE**2] * 6
    assert np.mean([roc_auc_score(inside, cells) for (_, inside), cells in zip(bad, scores)]) > 0.7


def test_wrong_settings_are_refused():
    for name, wrong in (
        ("anoddpm", {"noise": "pink"}),
        ("anoddpm", {"start": 1000}),
        ("anoddpm", {"widths": (12,)}),
        ("ddad", {"weight": -1.0}),
    ):
        with pytest.raises(ConfigError, match="allowed"):
            make_detector(name, **wrong).fit(waves(4))

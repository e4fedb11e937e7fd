"""Hybrid detectors over grids: what their processes undo exactly, and targets against direct computation."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from torch import nn

from mmdmad.detectors.base import load_detector, make_detector
from mmdmad.diffusion.deviation import anomaly_oriented, deviation, patches
from mmdmad.diffusion.noise import add_noise
from mmdmad.diffusion.transparency import fade_in, fade_out_step
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens

RNG = np.random.default_rng
SIDE = 12


def textures(count, seed=0, width=3):
    """Pictures of one family: a fixed ground, a slope of any direction, a little noise."""
    rng, cells = RNG(seed), np.linspace(-1, 1, SIDE)
    ground = RNG(5).normal(size=(SIDE, SIDE, width)) * 0.3
    layout = Layout("grid", (SIDE, SIDE), size=(SIDE, SIDE), position=np.arange(SIDE**2))
    made = []
    for _ in range(count):
        a, b = rng.uniform(-0.5, 0.5, size=(2, width))
        picture = ground + cells[:, None, None] * a + cells[None, :, None] * b
        made.append(Tokens((picture + 0.05 * rng.normal(size=picture.shape)).reshape(-1, width), layout))
    return made


def scratched(item):
    """The picture with a line across it, and where it is."""
    picture, inside = item.values.reshape(SIDE, SIDE, -1).copy(), np.zeros((SIDE, SIDE), bool)
    inside[5, 2:10] = True
    picture[inside] += 1.2
    return Tokens(picture.reshape(SIDE**2, -1), item.layout), inside.ravel()


def planes(count, generator, seed_shape=(2, 5, 5)):
    return [torch.randn((count, *seed_shape), generator=generator, dtype=torch.float64) for _ in range(2)]


def test_no_opacity_gives_the_input_back_and_full_opacity_the_anomaly():
    generator = torch.Generator().manual_seed(0)
    clean, odd = planes(3, generator)
    mask = (torch.rand((3, 1, 5, 5), generator=generator) < 0.4).double()
    assert torch.equal(fade_in(clean, odd, mask, 0.0), clean)
    torch.testing.assert_close(fade_in(clean, odd, mask, 1.0), torch.where(mask > 0, odd, clean))


def test_with_true_estimates_transparency_uncovers_the_normal_plane():
    generator = torch.Generator().manual_seed(1)
    clean, odd = planes(3, generator)
    mask = (torch.rand((3, 1, 5, 5), generator=generator) < 0.4).double()
    here = fade_in(clean, odd, mask, 1.0)
    for level in range(19, 0, -1):
        high, low = level / 19, (level - 1) / 19
        here = fade_out_step(here, high * odd, clean, mask, high, low)
        torch.testing.assert_close(here, fade_in(clean, odd, mask, low))
    torch.testing.assert_close(here, clean)


def test_transfusion_changes_nothing_where_the_mask_is_empty():
    fitted = make_detector("transfusion", steps=1, widths=(8,)).fit(textures(6))

    class Blind(nn.Module):
        def forward(self, here, mask, opacity):
            assert not bool(mask.any())
            assert torch.equal(here, kept)
            return here + 1.0, here - 1.0, torch.full_like(here[:, :1], -3.0)

    kept = torch.from_numpy(fitted._planes(textures(1, seed=4)[0]))
    fitted.net_ = Blind()
    odds, change = fitted._parts(kept)
    torch.testing.assert_close(odds, torch.full_like(odds, -3.0))
    torch.testing.assert_close(change, torch.zeros_like(change), atol=2e-3, rtol=0)  # log of mean (x - (x - 1))^2


def test_true_deviations_are_taken_off_exactly():
    generator = torch.Generator().manual_seed(2)
    clean, other = planes(2, generator)
    kept = (torch.rand((2, 1, 5, 5), generator=generator) < 0.5).double()
    fitted = make_detector("deco-diff", steps=1, widths=(8,)).fit(textures(6))
    a = fitted._levels()[5].expand(2)
    here, away = deviation(clean, other, kept, a)
    torch.testing.assert_close(torch.where(kept > 0, here, 0), torch.where(kept > 0, clean, 0))
    torch.testing.assert_close(
        torch.where(kept > 0, 0, here), torch.where(kept > 0, 0, add_noise(clean, other, a)), rtol=1e-6, atol=1e-6
    )
    fitted._deviation = lambda net, here, level: away
    torch.testing.assert_close(fitted._corrected(here), clean, rtol=1e-6, atol=1e-6)


def test_patches_cover_the_asked_share():
    generator = torch.Generator().manual_seed(3)
    for share in (0.0, 0.3, 1.0):
        covered = torch.stack([patches(16, 16, share, 3, generator) for _ in range(200)]).float().mean()
        assert float(covered) == pytest.approx(share, abs=0.05)


def test_anomaly_oriented_target_leads_to_the_normal_plane():
    generator = torch.Generator().manual_seed(4)
    normal, odd = planes(3, generator)
    noise = torch.randn(normal.shape, generator=generator, dtype=torch.float64)
    a, share = torch.tensor([0.9, 0.5, 0.1], dtype=torch.float64), torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    noisy, target = anomaly_oriented(normal, odd, noise, a, share)
    a = a[:, None, None, None]
    torch.testing.assert_close((noisy - (1 - a).sqrt() * target) / a.sqrt(), normal)
    same, plain = anomaly_oriented(normal, normal, noise, a[:, 0, 0, 0], share)
    torch.testing.assert_close(plain, noise)
    torch.testing.assert_close(same, add_noise(normal, noise, a))


def test_glad_cuts_the_way_short_for_odd_grids_and_keeps_normal_places():
    fitted = make_detector("glad", steps=120, widths=(16, 16), start=500, least=200).fit(textures(60))
    good = textures(8, seed=1)
    bad = [scratched(item) for item in good]

    def cut(items):
        stacked = torch.from_numpy(np.concatenate([fitted._planes(item) for item in items]))
        with torch.no_grad():
            return fitted._reconstruct(stacked)[1].double().mean()

    assert float(cut([b for b, _ in bad])) < float(cut(good))  # a lower number is an earlier, noisier step
    assert fitted._judging()[0] == 0
    assert fitted._steps()[fitted._judging()[-1]] >= 200


@pytest.mark.parametrize("name", ["transfusion", "deco-diff", "glad", "latent"])
def test_a_scratch_is_found_and_placed(name):
    sizes = {"widths": (16, 16)} | ({"autoencoder_widths": (16, 16)} if name == "latent" else {})
    fitted = make_detector(name, steps=120, **sizes).fit(textures(60))
    good = textures(8, seed=1)
    bad = [scratched(item) for item in good]
    assert fitted.decision_function([b for b, _ in bad]).min() > fitted.decision_function(good).max()
    for item, inside in bad[:3]:
        scores = fitted.token_scores([item])[0]
        assert scores[inside].mean() > scores[~inside].mean() + scores[~inside].std()


def test_latent_with_a_given_autoencoder(tmp_path):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoencoderKL(block_out_channels=(8,), norm_num_groups=1, latent_channels=2).save_pretrained(tmp_path / "vae")
    fitted = make_detector("latent", checkpoint=str(tmp_path / "vae"), steps=5, widths=(8,)).fit(textures(12))
    given = AutoencoderKL.from_pretrained(tmp_path / "vae", local_files_only=True)
    for one, two in zip(fitted.net_.autoencoder.state_dict().values(), given.state_dict().values()):
        assert torch.equal(one, two)
    item = textures(1, seed=2)[0]
    np.testing.assert_array_equal(fitted._planes(item)[0].reshape(3, -1).T, item.values)  # not standardised
    fitted.save(tmp_path / "saved")
    (tmp_path / "vae" / "config.json").unlink()
    loaded = load_detector(tmp_path / "saved")
    assert np.array_equal(loaded.token_scores([item])[0], fitted.token_scores([item])[0])
    with pytest.raises(ConfigError, match="diffusers config"):
        make_detector("latent", checkpoint=str(tmp_path / "vae")).fit(textures(4))


def test_wrong_settings_are_refused(tmp_path):
    AutoencoderKL(block_out_channels=(8,), norm_num_groups=1).save_pretrained(tmp_path)
    for name, wrong in (
        ("transfusion", {"opacities": 1}),
        ("transfusion", {"neighbourhood": 2}),
        ("deco-diff", {"corrections": 10}),
        ("deco-diff", {"neighbourhood": 0}),
        ("glad", {"least": 600}),
        ("latent", {"starts": ()}),
        ("latent", {"latent_channels": 0}),
    ):
        with pytest.raises(ConfigError, match="given"):
            make_detector(name, **wrong).fit(textures(4))
    with pytest.raises(ConfigError, match="takes 3 channels"):
        make_detector("latent", checkpoint=str(tmp_path)).fit(textures(4, width=5))

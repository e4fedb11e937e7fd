import numpy as np
import pytest
import torch

from mmdmad.calibration.whitening import Whitener, part_vector
from mmdmad.errors import DataError
from mmdmad.joint.denoising_error import contradiction, denoising_error, noise_bank
from mmdmad.joint.joint_model import JointModel
from mmdmad.joint.model import JointDenoiser, Shape, alpha_sigma, denoising_loss, draw_levels, stack
from mmdmad.joint.settings import JointSettings
from mmdmad.tokens import Layout, Tokens

SMALL = JointSettings(dims=4, width=48, steps=500, batch=128, levels=12, draws=4, learning_rate=3e-3)


def linked(n, seed, rho=0.95):
    """Three parts of 3 numbers: a and b share a factor (correlation rho), c is on its own."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 3))
    mix = lambda: rho**0.5 * shared + (1 - rho) ** 0.5 * rng.normal(size=(n, 3))  # noqa: E731
    return {"image": mix(), "text": mix(), "sensor": rng.normal(size=(n, 3))}


@pytest.fixture(scope="module")
def model():
    return JointModel(SMALL).fit(linked(400, 0))


def test_levels_have_the_declared_shares():
    level = draw_levels(20000, 4, torch.Generator().manual_seed(0))
    assert (level == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert (level == 1).float().mean().item() == pytest.approx(0.25, abs=0.01)
    between = level[(level > 0) & (level < 1)]
    assert between.mean().item() == pytest.approx(0.5, abs=0.01)


def test_schedule_preserves_variance_and_bank_lies_on_it():
    bank = noise_bank(5, levels=6, draws=4, seed=1)
    alpha, sigma = alpha_sigma(bank.level)
    assert torch.allclose(alpha**2 + sigma**2, torch.ones(()))
    step = (2.0 - -5.0) / 6
    assert torch.allclose(bank.weight * 4 / step, (alpha / sigma) ** 2, rtol=1e-4)
    assert torch.allclose(bank.noise.reshape(6, 4, 5).sum(dim=1), torch.zeros(6, 5), atol=1e-5)


def test_missing_parts_are_not_seen_at_all():
    network = JointDenoiser(Shape((2, 3), width=16), seed=0).eval()
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    other = x.clone()
    other[:, 2:] = 99.0
    level = torch.tensor([[0.4, 1.0]]).expand(4, 2)
    assert torch.equal(network(x, level), network(other, level))


def test_a_network_is_made_from_its_seed_and_leaves_global_state_alone():
    before = torch.random.get_rng_state()
    one, same, other = (JointDenoiser(Shape((2, 2), width=8), seed) for seed in (1, 1, 2))
    assert torch.equal(one.enter.weight, same.enter.weight)
    assert not torch.equal(one.enter.weight, other.enter.weight)
    assert torch.equal(before, torch.random.get_rng_state())


def test_absent_and_given_parts_do_not_count_in_the_loss():
    network = JointDenoiser(Shape((2, 2), width=8), 0).eval()
    clean = torch.ones(64, 4)
    present = torch.tensor([[True, False]]).expand(64, 2)
    loss = denoising_loss(network, clean, present, torch.Generator().manual_seed(0))
    clean[:, 2:] = 1e3
    assert torch.equal(loss, denoising_loss(network, clean, present, torch.Generator().manual_seed(0)))


def test_untrained_preconditioning_gives_the_gaussian_error_in_closed_form():
    # With F = 0 the estimate is alpha x_t, the best one for a standard normal part: error alpha-weighted sigma^2.
    network = JointDenoiser(Shape((3, 3), width=8), 0).eval()
    with torch.no_grad():
        network.leave.weight.zero_()
    bank = noise_bank(6, levels=40, draws=200, seed=0)
    rng = np.random.default_rng(0)
    errors = [
        denoising_error(network, bank, torch.from_numpy(rng.normal(size=6).astype(np.float32)), [0], [])
        for _ in range(200)
    ]
    snr = (bank.level * np.pi / 2).tan().double() ** -2
    expected = 0.5 * float((bank.weight.double() * 3 / (1 + snr)).sum())
    assert np.mean(errors) == pytest.approx(expected, rel=0.03)


def test_contradiction_estimates_minus_the_pointwise_mutual_information(model):
    rho = 0.95
    test = linked(60, 1, rho)
    estimate, truth = [], []
    for i in range(60):
        found = model.contradictions({m: v[i] for m, v in test.items()}, [("image", ("text",))])
        estimate.append(found["image", ("text",)])
        a, b = test["image"][i], test["text"][i]
        information = -1.5 * np.log(1 - rho**2) - (rho**2 * (a**2 + b**2) - 2 * rho * a * b).sum() / 2 / (1 - rho**2)
        truth.append(-information)
    assert np.mean(estimate) < 0
    assert np.corrcoef(estimate, truth)[0, 1] > 0.5


def test_swapped_parts_contradict_and_unrelated_ones_do_not(model):
    from sklearn.metrics import roc_auc_score

    test, others = linked(80, 2), linked(80, 3)
    truth = np.repeat([0, 1], 80)

    def scores(part, link):
        rows = [{m: v[i] for m, v in test.items()} for i in range(80)]
        swapped = [row | {part: others[part][i]} for i, row in enumerate(rows)]
        return [model.contradictions(row, [link])[link] for row in rows + swapped]

    assert roc_auc_score(truth, scores("text", ("text", ("image", "sensor")))) > 0.9
    assert roc_auc_score(truth, scores("text", ("text", ("image",)))) > 0.9
    assert 0.3 < roc_auc_score(truth, scores("sensor", ("sensor", ("image", "text")))) < 0.7


def test_joint_error_of_a_mismatch_is_higher(model):
    test, others = linked(40, 4), linked(40, 5)
    true = [model.joint_error({m: v[i] for m, v in test.items()}) for i in range(40)]
    false = [model.joint_error({"image": test["image"][i], "text": others["text"][i]}) for i in range(40)]
    pairs = [model.joint_error({"image": test["image"][i], "text": test["text"][i]}) for i in range(40)]
    assert np.mean(false) > np.mean(pairs)
    assert np.isfinite(true).all()


def test_both_errors_use_the_same_noise(model):
    x = torch.from_numpy(model._whiten({m: v[0] for m, v in linked(1, 6).items()}))
    alone = denoising_error(model.network_, model.bank_, x, [0], [])
    assert contradiction(model.network_, model.bank_, x, 0, []) == 0.0
    assert contradiction(model.network_, model.bank_, x, 0, [1], alone) == contradiction(
        model.network_, model.bank_, x, 0, [1]
    )


def test_missing_parts_in_training_and_save_load(tmp_path):
    vectors = linked(120, 7)
    vectors["text"][::3] = np.nan
    settings = SMALL.model_copy(update={"steps": 40})
    model = JointModel(settings).fit(vectors)
    model.save(tmp_path)
    again = JointModel.load(tmp_path)
    row, wanted = {m: v[1] for m, v in vectors.items()}, [("image", ("text", "sensor")), ("sensor", ("image",))]
    assert model.contradictions(row, wanted) == again.contradictions(row, wanted)


def test_interrupted_training_ends_bit_equal(tmp_path):
    vectors = linked(100, 8)
    settings = SMALL.model_copy(update={"steps": 60, "checkpoint_seconds": 0.0})
    whole = JointModel(settings).fit(vectors)

    class Killed(Exception):
        pass

    def stop(step):
        if step == 23:
            raise Killed

    file = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Killed):
        JointModel(settings).fit(vectors, file, stop)
    assert file.is_file()
    resumed = JointModel(settings).fit(vectors, file)
    for a, b in zip(whole.network_.state_dict().values(), resumed.network_.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_one_modality_is_refused():
    with pytest.raises(DataError, match="two"):
        JointModel(SMALL).fit({"image": np.zeros((5, 2))})


def test_whitened_rows_do_not_depend_on_the_batch_and_keep_nan():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6))
    w = Whitener(dims=4).fit(x)
    z = w.transform(x)
    assert np.allclose(np.cov(z.T), np.eye(4), atol=1e-3)
    assert np.array_equal(z[7:8], w.transform(x[7:8]))
    x[3] = np.nan
    assert np.isnan(w.transform(x)[3]).all()
    assert np.abs(w.transform(1e6 * np.ones((1, 6)))).max() == 6.0
    with pytest.raises(DataError, match="width"):
        w.transform(np.zeros((1, 5)))


def test_constant_features_do_not_break_whitening():
    assert np.isfinite(Whitener().fit(np.ones((10, 4))).transform(np.zeros((2, 4)))).all()


def test_part_vector_keeps_channels_apart():
    values = np.array([[0.0], [1.0], [2.0], [3.0]])
    layout = Layout("steps", (2, 2), position=np.array([0, 1, 0, 1]))
    assert part_vector(Tokens(values, layout)).tolist() == [1.5, 1.0, 1.0, 2.0, 1.0]


def test_stack_marks_missing_rows():
    clean, present = stack([torch.tensor([[1.0], [float("nan")]]), torch.tensor([[2.0], [3.0]])])
    assert present.tolist() == [[True, True], [False, True]]
    assert clean.tolist() == [[1.0, 2.0], [0.0, 3.0]]

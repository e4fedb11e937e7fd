"""What the joint model hands to its pieces: rows, whiteners, sizes, the plan of its training, what it saves."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmdmad.errors import DataError, ModelError
from mmdmad.joint import joint_model, training
from mmdmad.joint.joint_model import JointModel
from mmdmad.joint.model import JointDenoiser, Shape
from mmdmad.joint.settings import JointSettings
from mmdmad.joint.training import train_joint

SETTINGS = JointSettings(components=5, dims=2, width=8, blocks=1, levels=3, draws=2, steps=3, batch=4)


def vectors(n: int = 30) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(n, 2))
    a, b = rng.normal(size=(n, 6)), rng.normal(size=(n, 7))
    a[:, :2] += 3 * shared
    b[:, 3:5] += 3 * shared
    a[4], b[7] = np.nan, np.nan
    a[9], b[9] = np.nan, np.nan
    b[11, 3] = np.nan
    return {"image": a, "text": b}


@pytest.fixture
def fitted(monkeypatch):
    """A model whose network is not trained, and what the training and the search for directions were given."""
    seen = SimpleNamespace(trained=[], shared=[])
    real = joint_model.shared_directions

    def train(clean, present, dims, settings, seed, checkpoint, tick):
        seen.trained.append((clean, present, dims, settings, seed, checkpoint, tick))
        return JointDenoiser(Shape(dims, settings.width, settings.blocks, settings.dropout), seed).eval()

    def shared(own, others, most, seed):
        seen.shared.append((own, others, most, seed))
        return real(own, others, most, seed)

    monkeypatch.setattr(joint_model, "train_joint", train)
    monkeypatch.setattr(joint_model, "shared_directions", shared)
    tick = print
    seen.model = JointModel(SETTINGS, seed=3).fit(vectors(), "checkpoint", tick)
    return seen


def test_each_part_looks_where_the_others_are(fitted):
    (own, others, most, seed), (own_2, others_2, *_) = fitted.shared
    assert (most, seed, len(others), len(others_2)) == (2, 3, 1, 1)
    assert own.shape == own_2.shape == (30, 5)
    np.testing.assert_array_equal(own, others_2[0])
    np.testing.assert_array_equal(own_2, others[0])
    assert sorted(np.flatnonzero(~np.isfinite(own).all(axis=1))) == [4, 9]
    assert sorted(np.flatnonzero(~np.isfinite(own_2).all(axis=1))) == [7, 9, 11]


def test_the_network_learns_from_every_case_that_has_a_part(fitted):
    ((clean, present, dims, settings, seed, checkpoint, tick),) = fitted.trained
    assert clean.shape == (29, 4)
    assert dims == (2, 2)
    assert (settings, seed, checkpoint, tick) == (SETTINGS, 3, "checkpoint", print)
    assert present.sum(dim=1).tolist() == [1 if i in (4, 7, 11) else 2 for i in range(30) if i != 9]
    assert clean[4].tolist()[:2] == [0.0, 0.0]
    white = fitted.model.whiteners_["text"].transform(vectors()["text"])
    np.testing.assert_array_equal(clean[:4, 2:].numpy(), white[:4])
    np.testing.assert_allclose(np.nanstd(white, axis=0), 1.0, rtol=0.05)
    assert fitted.model.bank_.noise.shape == (6, 4)
    assert torch.equal(fitted.model.bank_.noise, joint_model.noise_bank(4, 3, 2, 3).noise)


def test_links_to_parts_that_were_not_learned_are_left_out(fitted):
    case = {m: v[0] for m, v in vectors().items()}
    wanted = [("image", ("text",)), ("image", ("sensor",)), ("video", ("image",)), ("text", ("image",))]
    found = fitted.model.contradictions(case, wanted)
    assert list(found) == [wanted[0], wanted[3]]
    assert found[wanted[0]] != found[wanted[3]]
    assert all(isinstance(value, float) for value in found.values())


def test_a_part_that_a_case_lacks_is_zeros_and_no_part_of_the_joint_error(fitted, monkeypatch):
    model, case = fitted.model, {m: v[0] for m, v in vectors().items()}
    whole = model._whiten(case)
    assert whole[:2] == pytest.approx(model.whiteners_["image"].transform(vectors()["image"])[0])
    only = model._whiten({"text": case["text"]})
    assert (only[:2].tolist(), only.dtype) == ([0.0, 0.0], np.float32)
    assert only[2:].tolist() == whole[2:].tolist()
    asked = []
    monkeypatch.setattr(
        joint_model, "denoising_error", lambda network, bank, x, noisy, given: asked.append((noisy, given))
    )
    model.joint_error(case)
    model.joint_error({"text": case["text"]})
    assert asked == [([0, 1], []), ([1], [])]


def test_two_modalities_are_enough_and_one_is_not(fitted):
    with pytest.raises(DataError, match="1 modalities were given; a joint model needs at least two"):
        JointModel(SETTINGS).fit({"image": vectors()["image"]})
    assert JointModel().settings == JointSettings()
    assert JointModel().seed == 0


def test_what_is_saved_comes_back_and_what_was_changed_is_refused(fitted, tmp_path):
    model = fitted.model
    model.save(tmp_path / "joint")
    about = json.loads((tmp_path / "joint" / "joint.json").read_text())
    assert about == {
        "modalities": ["image", "text"], "dims": [2, 2], "settings": SETTINGS.model_dump(), "seed": 3,
    }  # fmt: skip
    again = JointModel.load(tmp_path / "joint")
    assert not again.network_.training
    assert (again.settings, again.seed, again.modalities_) == (SETTINGS, 3, ("image", "text"))
    case = {m: v[0] for m, v in vectors().items()}
    assert again.joint_error(case) == model.joint_error(case)
    for change in (
        {"modalities": ["image"]}, {"dims": [2, 3]}, {"dims": [2, 0]}, {"dims": [2]}, {"seed": -1}, {"more": 1},
        {"settings": {**about["settings"], "width": 16}}, {"settings": {**about["settings"], "blocks": 2}},
    ):  # fmt: skip
        (tmp_path / "joint" / "joint.json").write_text(json.dumps({**about, **change}))
        with pytest.raises(ModelError):
            JointModel.load(tmp_path / "joint")
    (tmp_path / "joint" / "joint.json").write_text(json.dumps({**about, "seed": 0}))
    assert JointModel.load(tmp_path / "joint").seed == 0


def test_the_plan_of_the_training_is_that_of_the_settings(monkeypatch):
    seen = []

    def train(model, tensors, loss, plan, checkpoint):
        model.train()
        generator = torch.Generator().manual_seed(0)
        first = loss(model, [t[:2] for t in tensors], generator)
        model.eval()
        loss(model, [t[:2] for t in tensors], generator)  # a look at held-out cases is no step
        model.train()
        loss(model, [t[:2] for t in tensors], generator)
        seen.append((tensors, plan, checkpoint, first))

    monkeypatch.setattr(training, "train", train)
    settings = JointSettings(
        width=8, blocks=3, dropout=0.2, steps=7, batch=5, learning_rate=0.02, weight_decay=0.3, held_out=0.25, ema=0.5,
        checkpoint_seconds=4.0,
    )  # fmt: skip
    ticks: list[int] = []
    clean, present = torch.zeros(6, 3), torch.ones(6, 2, dtype=torch.bool)
    network = train_joint(clean, present, (2, 1), settings, 11, "file", ticks.append)
    ((tensors, plan, checkpoint, loss),) = seen
    assert tensors == [clean, present]
    assert checkpoint == "file"
    assert (plan.steps, plan.batch, plan.learning_rate, plan.weight_decay) == (7, 5, 0.02, 0.3)
    assert (plan.ema, plan.held_out, plan.checkpoint_every) == (0.5, 0.25, 4.0)
    assert (plan.mixed_precision, plan.seed) == ("no", 11)
    assert ticks == [1, 2]
    assert loss.shape == (2,)
    assert network.shape == Shape((2, 1), 8, 3, 0.2)
    assert not network.training
    assert torch.equal(network.enter.weight, JointDenoiser(network.shape, 11).enter.weight)
    train_joint(clean, present, (2, 1), settings, 11)
    assert seen[1][2] is None

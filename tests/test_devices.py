"""Networks run on any device: checked without an accelerator, by tensors that claim to be on one."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from mmdmad.detectors.base import Detector, detectors, load_detector, make_detector
from mmdmad.detectors.kit.grids import GridDetector
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.detectors.kit.sequence import SequenceDetector
from mmdmad.device import chosen_device
from mmdmad.diffusion import training
from mmdmad.diffusion.training import Plan, train
from mmdmad.doctor import examine
from mmdmad.encoders import encoders, make_encoder
from mmdmad.encoders.clip_weights import VARIABLE, load_clip
from mmdmad.encoders.lite0 import load_lite0
from mmdmad.encoders.minilm import load_minilm
from mmdmad.joint.joint_model import JointModel
from mmdmad.joint.model import JointDenoiser, Shape, denoising_loss
from mmdmad.joint.settings import JointSettings
from mmdmad.tokens import Layout, Tokens
from tests.pretend import DEVICE, accelerator
from tests.samples import signals
from tests.tiny_clip import write_tiny_clip

pytestmark = [
    pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter"),
    pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True to a scalar"),
]
TINY: dict[str, Any] = {"steps": 2, "batch": 8, "widths": (8,), "inner": 8, "depth": 1, "components": 4}
TINY |= {"autoencoder_widths": (8,), "evaluations": 3, "walk": 2, "levels": 4, "voting": 1, "corrections": 2}
TINY |= {"opacities": 3, "starts": (200,), "generations": 2, "repeats": 1, "trees": 10}
OTHERWISE: list[tuple[str, dict[str, Any]]] = [
    ("dte-c", {"compat": True}),
    ("partial-noise", {"compat": True, "start": 3}),
    ("elbo", {"weight": "elbo"}),
    ("pf-ode", {"exact": 1}),
    ("imdiffusion", {"observed": "diffad", "conditional": True}),
    ("clip-conditioned", {"guidance": 2.0}),
    ("clip-conditioned", {"rule": "difference"}),
    ("mocodad", {"aggregate": "median"}),
    ("anoddpm", {"noise": "gaussian", "eta": 1.0}),
    ("latent", {"checkpoint": "a folder"}),
    ("cascade", {"costly": "tccm", "costly_params": {"steps": 2}, "band": (0.0, 1.0)}),
]
OURS = {name: cls for name, cls in detectors().items() if cls.__module__.startswith("mmdmad.")}
EVERY = [*((name, {}) for name in OURS), *OTHERWISE]
KINDS = NeuralDetector | GridDetector | SequenceDetector
NETWORKS = [name for name, cls in OURS.items() if issubclass(cls, KINDS)]
ENCODERS = [name for name, cls in encoders().items() if cls.__module__.startswith("mmdmad.")]


def tiny(name: str, **params: Any) -> Detector:
    accepted = inspect.signature(detectors()[name].__init__).parameters
    return make_detector(name, **{key: value for key, value in TINY.items() if key in accepted} | params)


def items(name: str, width: int = 6, count: int = 16, seed: int = 0) -> list[Tokens]:
    """Aligned pictures of 2 x 3 cells; for networks along time series of 6 steps and 2 channels."""
    rng, timed = np.random.default_rng(seed), issubclass(detectors()[name], SequenceDetector)
    layout = Layout("steps", (6, 2), position=np.tile([0, 1], 6)) if timed else Layout("grid", (2, 3))
    return [Tokens(rng.normal(size=(len(layout), width)), layout) for _ in range(count)]


def networks(fitted: object) -> list[nn.Module]:
    """The networks that a detector holds, and those of the detectors within it."""
    found: list[nn.Module] = []
    for value in vars(fitted).values():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            found += [one] if isinstance(one, nn.Module) else networks(one) if isinstance(one, Detector) else []
    return found


def places(fitted: object) -> set[str]:
    return {value.device.type for net in networks(fitted) for value in net.state_dict().values()}


@pytest.fixture(autouse=True)
def _same_attention() -> Iterator[None]:
    """Torch's fused attention exists for devices that it knows, and rounds in its own way."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(before)


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    from diffusers import AutoencoderKL

    folder = tmp_path_factory.mktemp("autoencoder")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoencoderKL(block_out_channels=(8,), norm_num_groups=1, latent_channels=2).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(("name", "params"), EVERY, ids=lambda value: str(value))
def test_fit_score_save_and_load(name, params, tmp_path, autoencoder):
    params = params | ({"checkpoint": autoencoder} if "checkpoint" in params else {})
    width = 3 if "checkpoint" in params else 6
    data, test = items(name, width), items(name, width, 3, seed=1)
    here = tiny(name, **params).fit(data)
    expected = np.concatenate(here.token_scores(test))
    here.save(tmp_path / "here")
    with accelerator() as log:
        there = tiny(name, **params).fit(data)
        assert places(there) == ({DEVICE.type} if networks(here) else set())
        scores = np.concatenate(there.token_scores(test))
        there.save(tmp_path / "there")
        moved = load_detector(tmp_path / "here")
        assert places(moved) == places(there)
        moved_scores = np.concatenate(moved.token_scores(test))
    assert not log.left_behind
    assert np.allclose(scores, expected, rtol=1e-3, atol=1e-4)
    assert np.allclose(moved_scores, expected, rtol=1e-3, atol=1e-4)
    back = load_detector(tmp_path / "there")
    assert places(back) == ({"cpu"} if networks(here) else set())
    assert np.allclose(np.concatenate(back.token_scores(test)), expected, rtol=1e-3, atol=1e-4)
    assert bool(log.seeds) == bool(networks(here))


@pytest.mark.parametrize("name", NETWORKS)
def test_losses_under_autocast(name, monkeypatch):
    """What a fit does on CUDA, on the CPU; what is learned and scored stays in single precision."""
    monkeypatch.setattr(training, "_precision", lambda plan, device: torch.autocast("cpu", torch.bfloat16))
    made = tiny(name).fit(items(name))
    assert np.isfinite(made.history_.losses).all()
    assert {value.dtype for value in made.net_.parameters()} == {torch.float32}
    scores = made.token_scores(items(name))
    monkeypatch.undo()
    assert all(np.array_equal(a, b) for a, b in zip(made.token_scores(items(name)), scores))


def test_precisions_may_follow_each_other_and_leave_no_trace():
    rows, net = [torch.ones(40, 3)], nn.Linear(3, 3)
    kinds = []

    def loss(model, batch, generator):
        kinds.append(model(batch[0]).dtype)
        return model(batch[0]).float().square().mean(dim=1)

    for precision, kind in (("bf16", torch.bfloat16), ("no", torch.float32), ("auto", torch.float32)):
        kinds.clear()
        train(net, rows, loss, Plan(steps=1, held_out=0.0, mixed_precision=precision))
        assert kinds == [kind]
        assert net(torch.ones(1, 3)).dtype == torch.float32
        assert "forward" not in vars(net)


def pairs(count: int = 60) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(count, 3))
    made = {part: shared + 0.3 * rng.normal(size=(count, 3)) for part in ("image", "text", "sensor")}
    made["text"][::7] = np.nan
    return made


def test_the_joint_model(tmp_path):
    vectors = pairs()
    row = {part: vector[1] for part, vector in vectors.items()}
    wanted = [("text", ("image", "sensor")), ("image", ("text",))]
    settings = JointSettings(dims=3, width=16, steps=12, batch=16, levels=4, draws=2, checkpoint_seconds=0.0)
    here = JointModel(settings).fit(vectors)
    here.save(tmp_path / "here")

    def all_of(model: JointModel) -> list[float]:
        return [*model.contradictions(row, wanted).values(), model.joint_error(row)]

    expected = pytest.approx(all_of(here), rel=1e-4)

    class Killed(Exception):
        pass

    def stop(step: int) -> None:
        if step == 7:
            raise Killed

    with accelerator() as log:
        there = JointModel(settings).fit(vectors)
        assert places(there) == {DEVICE.type}
        with pytest.raises(Killed):
            JointModel(settings).fit(vectors, tmp_path / "checkpoint.safetensors", stop)
        resumed = JointModel(settings).fit(vectors, tmp_path / "checkpoint.safetensors")
        scores = all_of(there)
        assert all_of(resumed) == scores
        there.save(tmp_path / "there")
        loaded = JointModel.load(tmp_path / "here")
        assert places(loaded) == {DEVICE.type}
        assert all_of(loaded) == expected
    assert not log.left_behind
    assert scores == expected
    assert all_of(JointModel.load(tmp_path / "there")) == expected


def test_the_joint_loss_runs_on_fake_cuda():
    model = JointDenoiser(Shape((3, 5)), 0)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        for module in model.modules():
            for store in (module._parameters, module._buffers):
                for name, value in list(store.items()):
                    fake = mode.from_tensor(value.detach()).to("cuda")
                    store[name] = nn.Parameter(fake, requires_grad=False) if store is module._parameters else fake
        clean = mode.from_tensor(torch.zeros(8, 8)).to("cuda")
        present = mode.from_tensor(torch.ones(8, 2, dtype=torch.bool)).to("cuda")
        loss = denoising_loss(model, clean, present, torch.Generator().manual_seed(0))
    assert loss.device.type == "cuda"
    assert loss.shape == (8,)


@pytest.fixture
def _loaded_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Networks of encoders are kept for the process: load them again where another device is pretended."""
    monkeypatch.setenv(VARIABLE, str(write_tiny_clip(tmp_path)))
    yield
    forget()


def forget() -> None:
    for load in (load_lite0, load_minilm, load_clip):
        load.cache_clear()


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.usefixtures("_loaded_anew")
def test_encoders(name):
    data = [signals(seed)[encoders()[name].modality] for seed in range(2)]
    forget()
    expected = make_encoder(name).fit(data).encode(data[0])
    forget()
    with accelerator() as log:
        found = make_encoder(name).fit(data).encode(data[0])
    assert not log.left_behind
    assert np.allclose(found.values, expected.values, rtol=1e-3, atol=1e-3)
    assert np.allclose(found.embedding(), expected.embedding(), rtol=1e-3, atol=1e-3)


def _devices_found() -> dict[str, tuple[str, str]]:
    return {row.name: (row.state, row.detail) for row in examine() if row.name.startswith("device")}


@pytest.mark.usefixtures("_loaded_anew")
def test_the_doctor_tries_the_device(monkeypatch):
    forget()
    with accelerator() as log:
        found = _devices_found()
        assert set(found) == {"device, fit", "device, score", "device, encoders"}
        assert {state for state, _ in found.values()} == {"ok"}
        assert all(detail.startswith("meta, which accelerate finds") for _, detail in found.values())
        assert not log.left_behind
        # noise that stays on the CPU is what once ended every fit, while the doctor said "ok"
        monkeypatch.setattr("mmdmad.joint.model.normal_like", lambda like, generator: torch.zeros(like.shape))
        found = _devices_found()
    assert found["device, fit"][0] == "fault"
    assert "one device" in found["device, fit"][1]
    assert "ACCELERATE_USE_CPU=1" in found["device, fit"][1]
    assert found["device, score"][0] == "ok"


def test_the_switch_of_accelerate_is_heard(monkeypatch):
    """On a machine with an accelerator ACCELERATE_USE_CPU=1 keeps it out of use."""
    asked = []
    monkeypatch.setattr("accelerate.PartialState", lambda cpu: asked.append(cpu) or type("", (), {"device": None}))
    for value, cpu in (("1", True), ("0", False), (None, False)):
        monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
        if value is not None:
            monkeypatch.setenv("ACCELERATE_USE_CPU", value)
        chosen_device()
        assert asked.pop() is cpu


def test_what_is_pretended_is_as_strict_as_a_device():
    with accelerator() as log:
        there = torch.ones(3).to(DEVICE)
        assert there.device == DEVICE
        assert (there + 1.0).sum().item() == 6.0
        with pytest.raises(RuntimeError, match="one device"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError, match="one device"):
            torch.where(there > 0, there, torch.ones(3))
        with pytest.raises(RuntimeError, match="float64"):
            there.double()
        with pytest.raises(RuntimeError, match="generator"):
            torch.randn(3, generator=torch.Generator(), device=DEVICE)
        with pytest.raises((TypeError, RuntimeError)):
            there.numpy()
        nn.Linear(2, 2)(torch.ones(1, 2))
    assert log.left_behind == {"aten::addmm"}

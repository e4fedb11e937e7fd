import pytest
import torch
from safetensors import safe_open
from torch import nn

from mmdmad.diffusion import training
from mmdmad.diffusion.denoisers import MLP, build
from mmdmad.diffusion.noise import add_noise
from mmdmad.diffusion.training import Plan, train
from mmdmad.errors import RunError

ROWS = torch.randn(120, 3, generator=torch.Generator().manual_seed(0))
PLAN = Plan(steps=60, batch=16, evaluate_every=10, patience=100, checkpoint_every=0.0)


def network(dropout=0.1):
    return build(lambda: MLP(3, (16, 16), time_width=8, dropout=dropout), seed=1)


def loss(model, batch, generator):
    clean = batch[0]
    time = torch.rand(len(clean), generator=generator)
    noise = torch.randn(clean.shape, generator=generator)
    return ((model(add_noise(clean, noise, 1 - time), time) - clean) ** 2).mean(dim=1)


class Killed(Exception):
    pass


def killed_after(steps):
    """A loss that dies in the middle of a training."""
    left = [steps]

    def dying(model, batch, generator):
        if model.training:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return loss(model, batch, generator)

    return dying


def test_training_lowers_the_loss_and_leaves_eval_mode():
    model = network(0.0)
    history = train(model, [ROWS], loss, Plan(steps=400, batch=32, evaluate_every=50))
    assert history.losses[-1] < 0.8 * history.losses[0]
    assert not model.training


@pytest.mark.parametrize("moment", [1, 7, 33, 59])
def test_a_killed_training_resumes_bit_equal(tmp_path, moment):
    whole = network()
    expected = train(whole, [ROWS], loss, PLAN)
    file = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Killed):
        train(network(), [ROWS], killed_after(moment), PLAN, checkpoint=file)
    torch.manual_seed(999)  # a new process has another global state
    resumed = network()
    history = train(resumed, [ROWS], loss, PLAN, checkpoint=file)
    assert history == expected
    for (name, a), b in zip(whole.state_dict().items(), resumed.state_dict().values()):
        assert torch.equal(a, b), name


def test_a_finished_training_is_not_repeated(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    first = network()
    expected = train(first, [ROWS], loss, PLAN, checkpoint=file)
    again = network()
    assert train(again, [ROWS], killed_after(0), PLAN, checkpoint=file) == expected
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters()))


def test_a_checkpoint_is_safetensors_with_optimiser_state(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    train(network(), [ROWS], loss, PLAN, checkpoint=file)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    with safe_open(file, "pt") as opened:
        names = set(opened.keys())
    assert {"optimizer.0.exp_avg", "optimizer.0.exp_avg_sq", "model.layers.0.weight"} <= names


def test_a_foreign_or_broken_checkpoint_is_refused(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    train(network(), [ROWS], loss, PLAN, checkpoint=file)
    with pytest.raises(RunError, match="other data or settings"):
        train(network(), [ROWS + 1], loss, PLAN, checkpoint=file)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(RunError, match="cannot be read"):
        train(network(), [ROWS], loss, PLAN, checkpoint=file)


def test_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(network(), [ROWS], loss, PLAN)
    assert torch.equal(torch.rand(3), expected)


def test_averaged_weights_follow_their_formula():
    model = nn.Linear(1, 1)
    average = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    with torch.no_grad():
        model.weight.fill_(1.0)
    expected = 0.0
    for step in range(5):
        training._average(average, model, 0.5, step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay)
    assert float(average["weight"]) == pytest.approx(expected, abs=1e-6)


def test_early_stop_keeps_the_best_weights():
    plan = Plan(steps=400, batch=16, evaluate_every=10, patience=2, learning_rate=0.3)
    history = train(network(), [ROWS], loss, plan)
    assert history.steps < 400
    assert history.best_step == 10 * (1 + history.held_out.index(min(history.held_out)))


def test_owners_are_held_out_whole():
    owner = torch.arange(120) // 4
    learn, hold = training._split(120, owner, Plan(held_out=0.2))
    assert len(hold) == 24
    assert not set(owner[learn].tolist()) & set(owner[hold].tolist())
    assert len(training._split(10, None, Plan())[1]) == 0


def test_progress_is_shown_when_asked_for_and_changes_nothing(capsys):
    quiet, loud = network(), network()
    expected = train(quiet, [ROWS], loss, PLAN)
    assert capsys.readouterr().out == ""
    assert train(loud, [ROWS], loss, PLAN, progress=True, title="my network") == expected
    shown = capsys.readouterr().out
    assert "my network" in shown
    assert "60/60" in shown

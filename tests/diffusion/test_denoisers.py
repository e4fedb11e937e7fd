import pytest
import torch

from mmdmad.diffusion.denoisers import MLP, Transformer, build, drop_condition, guided, time_embedding
from mmdmad.diffusion.unets import ImageUNet, SeriesUNet


def test_embeddings_tell_times_apart():
    codes = time_embedding(torch.linspace(0, 1, 200), 32)
    assert codes.shape == (200, 32)
    assert float(torch.cdist(codes, codes).add(torch.eye(200) * 9).min()) > 0.01
    assert time_embedding(torch.zeros(1), 5).shape == (1, 5)


def test_mlp_uses_time_and_position():
    net = build(lambda: MLP(4, (8,), positions=3), seed=0)
    x, t = torch.ones(2, 4), torch.tensor([0.1, 0.9])
    out = net(x, t, torch.tensor([0, 0]))
    assert out.shape == (2, 4)
    assert not torch.equal(out[0], out[1])
    assert not torch.equal(out, net(x, t, torch.tensor([2, 2])))


def test_weights_depend_on_the_seed_only():
    torch.manual_seed(0)
    first = build(lambda: MLP(4, (8,)), seed=7)
    torch.manual_seed(1)
    second = build(lambda: MLP(4, (8,)), seed=7)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))


def trained_a_step(net):
    """adaLN-zero starts as the identity; random weights show what the network can use."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(0.2 * torch.randn(p.shape, generator=generator))
    return net.eval()


def test_transformer_starts_at_zero_and_mixes_tokens():
    net = Transformer(6, inner=16, depth=2, heads=2, positions=5)
    x, t, place = torch.randn(2, 5, 6), torch.tensor([0.2, 0.8]), torch.arange(5).expand(2, 5)
    assert not net(x, t, place).detach().any()
    net = trained_a_step(net)
    changed = x.clone()
    changed[:, 4] += 1
    assert float((net(x, t, place) - net(changed, t, place))[:, 0].abs().max()) > 1e-4
    assert not torch.equal(net(x, t, place), net(x, t + 0.1, place))


def test_transformer_sees_order_where_it_has_slots():
    x, t = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(0)), torch.tensor([0.4])
    plain, ordered = (trained_a_step(Transformer(6, inner=16, depth=1, heads=2, slots=slots)) for slots in (0, 8))
    torch.testing.assert_close(plain(x.flip(1), t).flip(1), plain(x, t))
    assert not torch.allclose(ordered(x.flip(1), t).flip(1), ordered(x, t), atol=1e-3)


def test_transformer_condition_can_be_dropped():
    net = trained_a_step(Transformer(6, inner=16, depth=2, heads=2, condition_width=3))
    x, t, condition = torch.randn(2, 5, 6), torch.tensor([0.2, 0.8]), torch.randn(2, 1, 3)
    free = net(x, t)
    some = net(x, t, condition=condition, dropped=torch.tensor([True, False]))
    torch.testing.assert_close(some[0], free[0])
    assert not torch.allclose(some[1], free[1])


def test_transformer_ignores_padding():
    net = trained_a_step(Transformer(6, inner=16, depth=2, heads=2))
    x, t = torch.randn(1, 5, 6), torch.tensor([0.4])
    ignore = torch.tensor([[False, False, False, True, True]])
    other = x.clone()
    other[:, 3:] = 9.0
    torch.testing.assert_close(net(x, t, ignore=ignore)[:, :3], net(other, t, ignore=ignore)[:, :3])


def test_guidance_and_dropping():
    c, u = torch.tensor([3.0]), torch.tensor([1.0])
    assert float(guided(c, u, 1.0)) == 3.0
    assert float(guided(c, u, 0.0)) == 1.0
    share = drop_condition(10_000, 0.1, torch.Generator().manual_seed(0)).float().mean()
    assert float(share) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("length", [16, 21])
def test_series_unet_takes_any_length(length):
    net = build(lambda: SeriesUNet(3, widths=(16, 32)), seed=0)
    x = torch.randn(2, 3, length, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        out, later = net(x, torch.tensor([0.1, 0.1])), net(x, torch.tensor([0.9, 0.9]))
    assert out.shape == x.shape
    assert not torch.equal(out, later)


def test_image_unet_takes_any_size():
    net = build(lambda: ImageUNet(3, widths=(16, 32)), seed=0)
    x = torch.randn(1, 3, 18, 15, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert net(x, torch.tensor([0.3])).shape == x.shape

"""Networks run on any device: checked without an accelerator, by tensors that only claim to be on one."""

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmdmad.joint.model import JointDenoiser, Shape, denoising_loss


def test_the_joint_loss_runs_on_fake_cuda():
    model = JointDenoiser(Shape((3, 5)), 0)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        for module in model.modules():
            for store in (module._parameters, module._buffers):
                for name, value in list(store.items()):
                    fake = mode.from_tensor(value.detach()).to("cuda")
                    store[name] = torch.nn.Parameter(fake, requires_grad=False) if store is module._parameters else fake
        clean = mode.from_tensor(torch.zeros(8, 8)).to("cuda")
        present = mode.from_tensor(torch.ones(8, 2, dtype=torch.bool)).to("cuda")
        loss = denoising_loss(model, clean, present, torch.Generator().manual_seed(0))
    assert loss.device.type == "cuda"
    assert loss.shape == (8,)

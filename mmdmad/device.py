"""Which device networks run on, and how random numbers come there: the one owner of both.

Random numbers are drawn on the CPU, from a generator on the CPU, and moved: a seed then means the same draws on every
device, and results on the CPU do not depend on whether there is another. What torch draws by itself inside a network
(dropout) is the exception: it comes from the device's own generator, seeded for every step of a training.

Numbers in double precision stay on the CPU: MPS has none.
"""

import torch
from torch import Tensor


def chosen_device() -> torch.device:
    """The device of every network, in fit, score and encoders: what accelerate finds (CUDA, MPS), else the CPU.

    accelerate's own switch holds: with ACCELERATE_USE_CPU=1 in the environment it is the CPU.

    >>> chosen_device().type in ("cpu", "cuda", "mps")
    True
    """
    from accelerate import PartialState  # heavy: only where a network is made

    device: torch.device = PartialState(cpu=_cpu_wanted()).device
    return device


def why_device() -> str:
    """The chosen device, and why it is that one, in a line.

    >>> why_device().split()[0] == chosen_device().type
    True
    """
    device = chosen_device()
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)}), which accelerate finds"
    if device.type != "cpu":
        return f"{device.type}, which accelerate finds"
    if _cpu_wanted():
        return "cpu, for ACCELERATE_USE_CPU is set"
    return f"cpu with {torch.get_num_threads()} threads, for accelerate finds neither CUDA nor MPS"


def _cpu_wanted() -> bool:
    from accelerate.utils import parse_flag_from_env

    return bool(parse_flag_from_env("ACCELERATE_USE_CPU"))


def normal_like(values: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise of the shape of `values`, float32, drawn on the CPU, on the device of `values`.

    >>> normal_like(torch.zeros(2, 3), torch.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """
    return torch.randn(values.shape, generator=generator).to(values.device)


def uniform_like(values: Tensor, generator: torch.Generator) -> Tensor:
    """One number a row of `values` (B, ...), uniform in [0, 1), float32 (B,), drawn on the CPU, on its device.

    >>> uniform_like(torch.zeros(2, 3), torch.Generator().manual_seed(0)).shape
    torch.Size([2])
    """
    return torch.rand(values.shape[0], generator=generator).to(values.device)

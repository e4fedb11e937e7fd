"""An accelerator that is not there: tensors that claim another device and hold their values on the CPU.

`accelerator()` makes torch's device "meta" one that computes, and as strict as CUDA and MPS together: operations
between devices fail there, and so do a generator of the CPU, numpy, and double precision. Fits and scores run on it
whole, steps that depend on values and backward passes too, and give what the CPU gives; fake tensors hold no values
and cannot do that. "meta" is taken because torch's autograd needs no driver for it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

DEVICE = torch.device("meta")
NETWORK = {
    *("aten::convolution", "aten::addmm", "aten::native_layer_norm", "aten::native_group_norm", "aten::embedding"),
    *("aten::_native_batch_norm_legit_no_training", "aten::native_batch_norm"),
}
"""What networks are made of, and nothing else here."""
MOVES = {"aten::_has_compatible_shallow_copy_type", "aten::_to_copy", "aten::copy_", "aten::_foreach_copy_"}
INDEXING = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}


class Pretended(torch.Tensor):
    """A tensor that says it is on `DEVICE`; `held` is where its values are."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "Pretended":
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.size(), held.stride(), held.storage_offset(), dtype=held.dtype, device=DEVICE
        )
        made.held = held
        return made

    def __repr__(self) -> str:
        return f"Pretended({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(function, args, kwargs or {})


@dataclass
class Log:
    """Seeds given to the device's own generator; the parts of networks that ran on the CPU, which should be none."""

    seeds: list[int] = field(default_factory=list)
    left_behind: set[str] = field(default_factory=set)


class _Everywhere(TorchDispatchMode):
    """Also catches operations that make or move tensors, which have no pretended one among their arguments."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self.log = log

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function._schema.name in NETWORK and not any(isinstance(t, Pretended) for t in _tensors(args)):
            self.log.left_behind.add(function._schema.name)
        return _run(function, args, kwargs or {})


class _Making(TorchFunctionMode):
    """torch makes a "meta" tensor from data without looking at the data; here they are wanted."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = dict(kwargs or {})
        if function not in (torch.tensor, torch.as_tensor) or torch.device(given.get("device") or "cpu") != DEVICE:
            return function(*args, **given)
        del given["device"]
        return function(*args, **given).to(DEVICE)


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = function._schema.name
    tensors = [*_tensors(args), *_tensors(tuple(kwargs.values()))]
    there = any(isinstance(t, Pretended) for t in tensors)
    if any(t.device == DEVICE and not isinstance(t, Pretended) for t in tensors):
        raise RuntimeError(f"{name}: torch made a tensor without values, as it does on its own {DEVICE} from lists")
    if there and name not in MOVES:
        _one_device(name, args, tensors)
    wanted = kwargs.get("device")
    goes_there = there if wanted is None else torch.device(wanted) == DEVICE
    if goes_there and kwargs.get("generator") is not None:
        raise RuntimeError(f"{name}: a generator of the CPU cannot draw on {DEVICE}")
    given = {key: torch.device("cpu") if key == "device" and value else _held(value) for key, value in kwargs.items()}
    found = function(*_held(args), **given)
    if not goes_there:
        return found
    if function._schema.is_mutable:  # in place: the first argument is also the result
        return args[0] if isinstance(args[0], torch.Tensor) else found
    return _wrapped(name, found)


def _tensors(values: Any) -> list[torch.Tensor]:
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors(value)
    return found


def _held(value: Any) -> Any:
    if isinstance(value, Pretended):
        return value.held
    return type(value)(_held(one) for one in value) if type(value) in (list, tuple) else value


def _wrapped(name: str, value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return type(value)(_wrapped(name, one) for one in value) if isinstance(value, (list, tuple)) else value
    if value.dtype == torch.float64:
        raise RuntimeError(f"{name}: MPS has no float64")
    return Pretended(value)


def _one_device(name: str, args: Any, tensors: list[torch.Tensor]) -> None:
    """As CUDA: numbers (tensors without dimensions) may come from the CPU, and so may indices."""
    if name in INDEXING and isinstance(args[0], Pretended):
        tensors = _tensors(args[2:3])
    for tensor in tensors:
        if tensor.ndim and not isinstance(tensor, Pretended):
            raise RuntimeError(f"{name}: all tensors must be on one device, found {DEVICE} and {tensor.shape} on cpu")


class _Generator:
    """What torch looks up once as the device's module: dropout draws from the CPU's global generator here.

    That is seeded alike, so a training equals the CPU's.
    """

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def manual_seed(self, seed: int) -> None:
        self.seeds.append(seed)

    def get_rng_state(self) -> None: ...

    def set_rng_state(self, state: None) -> None: ...


_GENERATOR = _Generator()


@contextmanager
def accelerator() -> Iterator[Log]:
    """As if accelerate had found `DEVICE`."""
    log = Log(_GENERATOR.seeds)
    log.seeds.clear()
    found = SimpleNamespace(device=DEVICE)
    overwrite = torch.__future__.get_overwrite_module_params_on_conversion()
    optimizers = sys.modules[torch.optim.Optimizer.__module__]
    fused = optimizers._get_fused_kernels_supported_devices()
    with pytest.MonkeyPatch.context() as patch, _Making(), _Everywhere(log):
        patch.setattr("accelerate.PartialState", lambda **_: found)
        patch.setattr(torch, DEVICE.type, _GENERATOR, raising=False)
        patch.setattr(optimizers, "_get_fused_kernels_supported_devices", lambda: [*fused, DEVICE.type])
        patch.setattr(torch, "inference_mode", torch.no_grad)  # wrapped tensors have version counters
        # torch's forward derivatives take the shapes of zeros from its own "meta": two backward ones say the same.
        patch.setattr(torch.func, "jvp", torch.autograd.functional.jvp)
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        try:
            yield log
        finally:
            torch.__future__.set_overwrite_module_params_on_conversion(overwrite)

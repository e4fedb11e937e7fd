"""Latent reconstruction: the diffusion runs in the latent space of an autoencoder, errors are measured in both.

Graham et al., "Denoising diffusion models for out-of-distribution detection", CVPR workshops 2023, on latents as in
Rombach et al., CVPR 2022. An autoencoder z = E(x) (diffusers' AutoencoderKL) is trained on the normal grids, or read
from collections.abc import Sequence
from a folder; a UNet learns to denoise z. At test z is noised to several steps and brought back; for each step

    e_t = log mean |x - D(z^_t)|^2 + log mean |z - z^_t|^2

per cell, standardised by what it is on training grids and averaged over the steps: what one noise level copies another
removes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.items import some
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.grids import STEPS, GridDenoiser, canvas, known_mean
from mmdmad.detectors.kit.segmentation import PartScores, log_length
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.device import normal_like
from mmdmad.diffusion.denoisers import build
from mmdmad.diffusion.noise import Schedule, noise_bank, spaced_steps
from mmdmad.diffusion.steppers import reconstruct
from mmdmad.diffusion.training import History
from mmdmad.diffusion.unets import ImageUNet
from mmdmad.errors import ConfigError
from mmdmad.tokens import Tokens

DIVERGENCE = 1e-4  # weight of the divergence from a unit Gaussian, which keeps the latent space without holes


class Latent(nn.Module):
    """An autoencoder and a UNet over its latents, which `scale` brings to unit variance."""

    def __init__(self, autoencoder: nn.Module, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        config: Any = autoencoder.config
        self.multiple = 2 ** (len(config.block_out_channels) - 1)
        self.unet = ImageUNet(config.latent_channels, widths, groups=1)
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(()))

    def encode(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents, padded to what can be halved: (B, c, h', w') each."""
        height, width = planes.shape[-2:]
        padded = F.pad(planes, (0, -width % self.multiple, 0, -height % self.multiple), mode="replicate")
        found = self.autoencoder.encode(padded).latent_dist  # type: ignore[operator]
        return found.mean, found.logvar

    def decode(self, latents: Tensor, shape: tuple[int, int]) -> Tensor:
        """Planes (B, k, h, w) of latents that are not scaled."""
        made: Tensor = self.autoencoder.decode(latents).sample  # type: ignore[operator]
        return made[..., : shape[0], : shape[1]]


@detector(
    About(
        "latent",
        "reconstruction",
        "Graham et al., CVPRW 2023; Rombach et al., CVPR 2022",
        "minutes",
        needs="diffusers",
        branch="latent",
        formula="mean over steps of log |x - D(z_back)|^2 + log |z - z_back|^2, each against normal",
        use="Pictures or large grids for which a UNet in their own space is too costly.",
        avoid="Small anomalies, which the autoencoder smooths away; few training items: two networks must learn.",
        fidelity="reduced",
        differs="Three noise levels, three steps back from each, squared errors of tokens and latents alone, and "
        "an autoencoder trained here on the same items unless one is given.",
    )
)
class LatentReconstruction(PartScores, GridDenoiser):
    """Error of grids and latents that are noised in the latent space and brought back, over several noise levels.

    starts: steps of 1000 to which latents are noised; walk: network calls back from each. latent_channels and
    autoencoder_widths: of the autoencoder that is trained here, half the resolution for each width but the first.
    checkpoint: folder of a diffusers AutoencoderKL for pictures in [-1, 1]; tokens must then be its input channels
    (encoder "pixels") and are not standardised. steps: optimiser steps of each network.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> made = LatentReconstruction(steps=60, widths=(8,), autoencoder_widths=(8,)).fit(X)
    >>> scores = made.decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    net_: Latent

    def __init__(
        self,
        starts: tuple[int, ...] = (100, 250, 400),
        walk: int = 3,
        latent_channels: int = 8,
        autoencoder_widths: tuple[int, ...] = (32, 64),
        checkpoint: str | None = None,
        schedule: Schedule = "linear",
        widths: tuple[int, ...] = (32, 64),
        steps: int = 600,
        batch: int = 16,
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.starts, self.walk, self.latent_channels = starts, walk, latent_channels
        self.autoencoder_widths, self.checkpoint = autoencoder_widths, checkpoint
        self.schedule, self.widths = schedule, widths
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not self.starts or not all(1 <= start < STEPS for start in self.starts) or self.walk < 1:
            raise ConfigError(
                f"starts={tuple(self.starts)}, walk={self.walk} were given; allowed are steps from 1 to {STEPS - 1} "
                "and walk >= 1"
            )
        if self.latent_channels < 1 or not self.autoencoder_widths or any(w < 1 for w in self.autoencoder_widths):
            raise ConfigError(
                f"latent_channels={self.latent_channels}, autoencoder_widths={tuple(self.autoencoder_widths)} were "
                "given; all must be positive"
            )

    def _fit(self, items: Sequence[Tokens]) -> None:
        if self.checkpoint is None:
            self.config_: dict[str, Any] = {}
            super()._fit(items)
        else:
            self._fit_given(items, self.checkpoint)

    def _fit_given(self, items: Sequence[Tokens], folder: str) -> None:
        """Take the autoencoder of a folder and train the UNet on its latents."""
        from diffusers import AutoencoderKL

        if not (Path(folder) / "config.json").is_file():  # asked here: what was fitted is loaded without the folder
            raise ConfigError(f"checkpoint={folder!r} is not a folder with a diffusers config.json")
        with torch.random.fork_rng(devices=[]):
            given = AutoencoderKL.from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False)
        channels = int(given.config.in_channels)
        if channels != self.n_features_in_:
            raise ConfigError(
                f"checkpoint={folder!r} takes {channels} channels; the tokens have {self.n_features_in_} "
                '(the encoder "pixels" gives pictures of 3)'
            )
        still = np.zeros((1, channels), np.float32)
        self.space_ = FeatureSpace(
            np.zeros(0, np.int64), still, still + 1.0, np.zeros((channels, 0), np.float32), np.ones(channels), 0.0
        )
        self.config_ = {key: value for key, value in given.config.items() if not key.startswith("_")}
        net = build(lambda: Latent(given, tuple(self.widths)), self.seed)
        assert isinstance(net, Latent)
        self.net_ = net
        items = some(items, unsuspicious(items, self.contamination, self.top, self.seed))
        planes, known, owner = canvas([self._planes(item) for item in items])
        self.shape_ = (planes.shape[2], planes.shape[3])
        self.history_ = self._learn_latents([planes, known], owner)

    def _build(self, axes: int) -> nn.Module:
        from diffusers import AutoencoderKL

        self.config_ = self.config_ or self._own_config(axes)
        return Latent(AutoencoderKL.from_config(self.config_), tuple(self.widths))

    def _own_config(self, axes: int) -> dict[str, Any]:
        """A small autoencoder for planes of `axes` channels."""
        levels = len(self.autoencoder_widths)
        return {
            "in_channels": axes,
            "out_channels": axes,
            "down_block_types": ["DownEncoderBlock2D"] * levels,
            "up_block_types": ["UpDecoderBlock2D"] * levels,
            "block_out_channels": list(self.autoencoder_widths),
            "layers_per_block": 1,
            "latent_channels": self.latent_channels,
            "norm_num_groups": 1,
        }

    def _learn(self, rows: list[Tensor], owner: Tensor) -> None:
        self.history_ = self._train(self.net_, self._autoencoder_loss, rows[:2], owner)
        self.latent_history_ = self._learn_latents(rows[:2], owner)

    def _autoencoder_loss(self, net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
        assert isinstance(net, Latent)
        planes, known = batch
        mean, log_variance = net.encode(planes)
        draw = normal_like(mean, generator)
        back = net.decode(mean + (0.5 * log_variance).exp() * draw, (planes.shape[2], planes.shape[3]))
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean(dim=(1, 2, 3))
        return known_mean((back - planes).square(), known) + DIVERGENCE * divergence

    def _learn_latents(self, rows: list[Tensor], owner: Tensor) -> History:
        """Train the UNet on the latents of all planes, then learn the usual errors."""
        net, device = self.net_, next(self.net_.parameters()).device
        net.eval()
        with torch.no_grad():
            latents = torch.cat([net.encode(chunk.to(device))[0].cpu() for chunk in rows[0].split(64)])
            net.scale.copy_(latents.std(correction=0).clamp(min=1e-6))
        whole = torch.ones_like(latents[:, :1])
        history = self._train(net.unet, self._loss, [latents / net.scale.cpu(), whole], owner, "-latents")
        self._standardise(*rows)
        return history

    def _weights(self) -> tuple[float, ...]:
        return (1.0 / len(self.starts),) * len(self.starts)

    def _parts(self, planes: Tensor) -> tuple[Tensor, ...]:
        height, width = planes.shape[2:]
        latents = self.net_.encode(planes)[0] / self.net_.scale
        noise = noise_bank(1, latents.shape[1:], self.seed).to(planes.device).expand_as(latents)
        parts = []
        for start in self.starts:
            path = self._path(spaced_steps(start, self.walk + 1)[::-1])
            back = reconstruct(self._eps(self.net_.unet), latents, path, noise)
            decoded = self.net_.decode(back * self.net_.scale, (height, width))
            inside = F.interpolate(log_length(latents - back), scale_factor=float(self.net_.multiple))
            parts.append(log_length(planes - decoded) + inside[..., :height, :width])
        return tuple(parts)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return arrays, {**values, "autoencoder": self.config_}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.config_ = values["autoencoder"]
        super()._set_state(arrays, values)

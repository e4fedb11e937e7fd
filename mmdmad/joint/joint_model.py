"""The joint model as a fitted whole: whitened part vectors, the network, and the noise its errors are measured on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.calibration.patterns import Link
from mmdmad.calibration.whitening import Whitener
from mmdmad.cases import Modality
from mmdmad.device import chosen_device
from mmdmad.errors import DataError
from mmdmad.files import make_folder
from mmdmad.joint.denoising_error import contradictions, denoising_error, noise_bank
from mmdmad.joint.model import JointDenoiser, Shape, stack
from mmdmad.joint.settings import JointSettings
from mmdmad.joint.shared import shared_directions
from mmdmad.joint.training import train_joint
from mmdmad.saved import read_arrays, read_model, reading, require, write_arrays, write_values
from mmdmad.sizes import bounded_networks, parameters_at_most
from mmdmad.threads import one_thread


class _About(BaseModel):
    """What `joint.json` holds."""

    model_config = ConfigDict(extra="forbid")

    modalities: tuple[Modality, ...] = Field(min_length=2)
    dims: tuple[Annotated[int, Field(ge=1)], ...]
    settings: JointSettings
    seed: int = Field(ge=0)


class JointModel:
    """Learns how the parts of normal cases go together, and says how far a part contradicts the others.

    >>> rng = np.random.default_rng(0); a = rng.normal(size=(80, 3)); b = a + 0.1 * rng.normal(size=(80, 3))
    >>> model = JointModel(JointSettings(width=32, steps=300, batch=64)).fit({"image": a, "text": b})
    >>> link = ("text", ("image",)); fits, clashes = {"image": a[0], "text": b[0]}, {"image": a[0], "text": -b[0]}
    >>> model.contradictions(clashes, [link])[link] > model.contradictions(fits, [link])[link]
    True
    """

    def __init__(self, settings: JointSettings | None = None, seed: int = 0) -> None:
        self.settings = settings or JointSettings()
        self.seed = seed

    def fit(
        self,
        vectors: Mapping[Modality, np.ndarray],
        checkpoint: Path | None = None,
        tick: Callable[[int], None] | None = None,
    ) -> "JointModel":
        """Learn from normal cases: one array (N, E_m) a modality, rows of NaN where a case lacks the part."""
        if len(vectors) < 2:
            raise DataError(f"{len(vectors)} modalities were given; a joint model needs at least two")
        self.modalities_ = tuple(vectors)
        seen = {m: np.isfinite(v).all(axis=1) for m, v in vectors.items()}
        self.whiteners_ = {
            m: Whitener(self.settings.components, self.settings.floor).fit(v[seen[m]]) for m, v in vectors.items()
        }
        whole = {m: self.whiteners_[m].transform(v) for m, v in vectors.items()}
        with one_thread():
            for m, own in whole.items():
                others = [w for o, w in whole.items() if o != m]
                self.whiteners_[m].rotate(shared_directions(own, others, self.settings.dims, self.seed))
        white = [torch.from_numpy(self.whiteners_[m].transform(v)) for m, v in vectors.items()]
        clean, present = stack(white)
        dims = tuple(w.shape[1] for w in white)
        kept = present.sum(dim=1) > 0
        with one_thread():
            self.network_ = train_joint(clean[kept], present[kept], dims, self.settings, self.seed, checkpoint, tick)
        self._prepare()
        return self

    def contradictions(self, vectors: Mapping[Modality, np.ndarray], wanted: Sequence[Link]) -> dict[Link, float]:
        """Contradiction score of each wanted (part, given parts) of one case with part vectors (E_m,)."""
        known = [link for link in wanted if {link[0], *link[1]} <= set(self.modalities_)]
        index = {m: i for i, m in enumerate(self.modalities_)}
        pairs = [(index[part], tuple(index[g] for g in given)) for part, given in known]
        with one_thread():
            values = contradictions(self.network_, self.bank_, self._whiten(vectors), pairs)
        return {link: float(value) for link, value in zip(known, values, strict=True)}

    def joint_error(self, vectors: Mapping[Modality, np.ndarray]) -> float:
        """Half the snr-weighted denoising error of all given parts together: high where they are unlikely together."""
        parts = [i for i, m in enumerate(self.modalities_) if m in vectors]
        return denoising_error(self.network_, self.bank_, torch.from_numpy(self._whiten(vectors)), parts, [])

    def save(self, folder: Path) -> None:
        """Write `joint.json` and `joint.safetensors`."""
        make_folder(folder)
        arrays = {f"network.{k}": v.cpu().numpy() for k, v in self.network_.state_dict().items()}
        for m, whitener in self.whiteners_.items():
            arrays |= {f"{m}.{k}": v for k, v in whitener.state().items()}
        write_arrays(folder / "joint.safetensors", arrays)
        about = {
            "modalities": self.modalities_,
            "dims": self.network_.shape.dims,
            "settings": self.settings.model_dump(),
            "seed": self.seed,
        }
        write_values(folder / "joint.json", about)

    @classmethod
    def load(cls, folder: Path) -> "JointModel":
        """The model that `save` wrote; ModelError where the files do not make one."""
        about = read_model(folder / "joint.json", _About)
        file = folder / "joint.safetensors"
        arrays = read_arrays(file)
        made = cls(about.settings, about.seed)
        made.modalities_ = about.modalities
        with reading(file):
            made.whiteners_ = {
                m: Whitener(made.settings.dims, made.settings.floor).set_state(
                    {k: arrays[f"{m}.{k}"] for k in ("mean", "scale", "components")}
                )
                for m in made.modalities_
            }
            widths = tuple(len(w.components_) for w in made.whiteners_.values())
            require(widths == about.dims, f"its vectors are {widths} wide, joint.json says {about.dims}")
            shape = Shape(about.dims, about.settings.width, about.settings.blocks, about.settings.dropout)
            weights = {
                k.removeprefix("network."): torch.from_numpy(v) for k, v in arrays.items() if k.startswith("network.")
            }
            with parameters_at_most(sum(w.numel() for w in weights.values())), bounded_networks():
                made.network_ = JointDenoiser(shape, made.seed).eval()
            made.network_.load_state_dict(weights)
        made.network_.to(chosen_device())
        made._prepare()
        return made

    def _prepare(self) -> None:
        total = sum(self.network_.shape.dims)
        self.bank_ = noise_bank(total, self.settings.levels, self.settings.draws, self.seed)

    def _whiten(self, vectors: Mapping[Modality, np.ndarray]) -> np.ndarray:
        dims = self.network_.shape.dims
        pieces = [
            self.whiteners_[m].transform(vectors[m][None])[0] if m in vectors else np.zeros(d, np.float32)
            for m, d in zip(self.modalities_, dims, strict=True)
        ]
        return np.concatenate(pieces)

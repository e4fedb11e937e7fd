"""Sizes of the joint model: its embeddings, its network, their training and the noise its errors are measured on."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

LARGEST_BANK = 65_536  # draws over all levels: with the widest vectors 100 MB


class Settings(BaseModel):
    """What a configuration is made of: unchangeable, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class JointSettings(Settings):
    """The joint model: size of the whitened embeddings, of the network, of its training and of the noise bank."""

    components: int = Field(default=64, ge=1, le=256, description="principal components of a part's vector looked at")
    dims: int = Field(default=12, ge=1, le=64, description="directions of these, most shared with other parts, kept")
    floor: float = Field(default=0.001, ge=0, lt=1, description="least variance kept, as a share of the largest")
    width: int = Field(default=192, ge=8, le=16_384)
    blocks: int = Field(default=2, ge=1, le=256)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    steps: int = Field(default=2000, ge=1, le=100_000_000)
    batch: int = Field(default=256, ge=1, le=1_000_000)
    learning_rate: float = Field(default=1e-3, gt=0, le=10)
    weight_decay: float = Field(default=0.02, ge=0, le=10)
    held_out: float = Field(default=0.1, ge=0, lt=0.5, description="share of cases that decide when to stop (0: none)")
    ema: float = Field(default=0.995, ge=0, lt=1)
    levels: int = Field(default=16, ge=2, le=4096, description="noise levels of the bank on which errors are compared")
    draws: int = Field(default=4, ge=2, le=4096, description="noise draws a level, in antithetic pairs")
    checkpoint_seconds: float = Field(default=10.0, ge=0, le=1e9)

    @model_validator(mode="after")
    def _small_bank(self) -> "JointSettings":
        if self.levels * self.draws > LARGEST_BANK:
            raise ValueError(f"levels times draws is {self.levels * self.draws}; at most {LARGEST_BANK} is allowed")
        return self

"""A batch of windows of tokens, as networks over sequences see it."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Windows:
    """A batch of windows: `values` (B, W, k) standardised, zero where there is no token; `row` (B, W) of the position;
    `present` (B, W) bool; `extra` (B, E), what a method needs besides.
    """

    values: Tensor
    row: Tensor
    present: Tensor
    extra: Tensor

    @property
    def ignore(self) -> Tensor:
        """Padding (B, W) bool for attention; windows without any token ignore nothing, for a softmax needs one."""
        return ~self.present & self.present.any(dim=1, keepdim=True)

    def take(self, start: int, stop: int | None = None) -> "Windows":
        """The tokens from `start` to `stop` of each window."""
        part = slice(start, stop)
        return Windows(self.values[:, part], self.row[:, part], self.present[:, part], self.extra)

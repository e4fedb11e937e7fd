"""`mmdmad score --masks`: maps of the judged pictures held against ground-truth masks."""

from typing import TYPE_CHECKING

from mmdmad.commands.common import list_refused
from mmdmad.plain import say

if TYPE_CHECKING:
    from mmdmad.cases import Cases
    from mmdmad.store.run import Run


def say_masks(run: "Run", cases: "Cases") -> None:
    """Print the pixel figures of the cases that a run has judged, and which of them are left out."""
    from mmdmad.metrics.masks import mask_figures

    found = mask_figures(run.model, cases)
    figures = found.figures
    some = "" if found.every == 1 else f", every {found.every}th row and column of pixels"
    say(
        f"pixels of {found.pictures} pictures, {found.masked} with a defect in their masks{some}: "
        f"AUROC {figures['pixel_auroc']:.3f}, AP {figures['pixel_ap']:.3f}, AUPRO {figures['aupro']:.3f} "
        "(up to 0.3 of the normal pixels)"
    )
    if found.left:
        list_refused(found.left)

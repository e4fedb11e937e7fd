"""A look at a clip: a few of its frames, its rate, size and length."""

from typing import Any

import numpy as np

from mmdmad.survey.base import Survey
from mmdmad.survey.pictures import of_picture

PLACES = (0.0, 0.5, 0.95)
"""Where the frames that are looked at lie, as shares of the clip's duration."""


def of_clip(clip: Any) -> Survey:
    """What a `mmdmad.parts.Video` is like; PartError where one of the frames cannot be read."""
    frames = [clip.frame_at(share * clip.duration) for share in PLACES]
    looks = [of_picture(frame) for frame in frames]
    steps = np.diff(clip.times)
    remarks = [f"its first frame: {remark}" for remark in looks[0].remarks]
    if len(steps) > 2 and steps.max() > 5 * np.median(steps):
        at = int(steps.argmax())
        remarks.append(f"no frame for {steps[at]:.3g} s from {clip.times[at]:.6g} s on")
    traits = {
        **looks[0].traits,
        "rate": f"{clip.fps:.4g} frames a second",
        "length": f"{clip.n_frames} frames",
    }
    coarse = np.concatenate([look.coarse for look in looks if look.coarse is not None])
    fine = np.concatenate([look.fine for look in looks if look.fine is not None])
    return Survey(traits, tuple(remarks), clip.notes, coarse=coarse, fine=fine)

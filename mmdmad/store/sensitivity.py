"""What a run keeps of the damage that was planted after its fit: which sizes of it would have been caught."""

from typing import TYPE_CHECKING

from pydantic import ValidationError
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mmdmad.errors import RunError
from mmdmad.pipeline.sensitivity import Sensitivity
from mmdmad.store.db import MetaRow

if TYPE_CHECKING:
    from mmdmad.pipeline.detector import JointDetector

KEY = "sensitivity"


def measure(engine: Engine, model: "JointDetector", rate: float, seconds: float) -> Sensitivity:
    """Measure what the model would have caught, in at most about `seconds`, and keep it in the run."""
    from mmdmad.pipeline.planting import sensitivity  # loads torch

    made = sensitivity(model, model.held_out_, rate, seconds)
    with Session(engine) as session, session.begin():
        session.merge(MetaRow(key=KEY, value=made.model_dump_json()))
    return made


def kept(engine: Engine) -> Sensitivity | None:
    """What is kept; None where nothing was measured. RunError where it is damaged."""
    with Session(engine) as session:
        stored = session.scalar(select(MetaRow.value).where(MetaRow.key == KEY))
    try:
        return None if stored is None else Sensitivity.model_validate_json(stored)
    except ValidationError as why:
        raise RunError(
            f"what the run keeps of planted damage is damaged ({why.errors()[0]['msg']}); restore cases.sqlite from a "
            "copy"
        ) from why

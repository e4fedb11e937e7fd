"""Fitting a run's model: what went wrong is put on record, and the model appears whole in its folder or not at all."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mmdmad.cases import Cases
from mmdmad.errors import MmdmadError, ModelError, RefusedError
from mmdmad.files import filing, within
from mmdmad.store import attempt, scoring

if TYPE_CHECKING:
    from mmdmad.pipeline.detector import JointDetector


def fit_into(
    path: Path, engine: Engine, config: dict[str, Any], cases: Cases, *, progress: bool = False
) -> "JointDetector":
    """The model of these cases, kept in `path`/model; a fit that fails leaves the run free for another."""
    from mmdmad.pipeline.detector import JointDetector, PipelineConfig

    try:
        detector = JointDetector.from_config(PipelineConfig.model_validate(config))
        model = detector.fit(cases, work=within(path, "work"), progress=progress)
    except ModelError as error:
        stages = path / "work" / "stages"
        raise ModelError(error.reason, error.file, f"delete {stages} and go on with `mmdmad fit --resume`") from error
    except MmdmadError as error:
        if isinstance(error, RefusedError):
            scoring.put_refusals(engine, "fit", (*cases.refused, *error.refused))
        with Session(engine) as session, session.begin():
            attempt.fail(session)
        raise
    scoring.put_refusals(engine, "fit", (*cases.refused, *model.refused_))
    unfinished = within(path, "model.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save(unfinished)
    with filing(path / "model"):
        os.replace(unfinished, path / "model")
    return model

"""The fitted model of a run, as it is loaded to judge."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdmad.errors import RunError
from mmdmad.files import within
from mmdmad.store.setup import differences

if TYPE_CHECKING:
    from mmdmad.pipeline.detector import JointDetector


def loaded(path: Path, config: dict[str, Any]) -> "JointDetector":
    """The model in this run folder; RunError where it is of another configuration than the run."""
    from mmdmad.pipeline.config import PipelineConfig
    from mmdmad.pipeline.detector import JointDetector

    model = JointDetector.load(within(path, "model"))
    complete = PipelineConfig.load(config).model_dump(mode="json")  # every default filled in, as a model has it
    differing = differences(model.config.model_dump(mode="json"), complete)
    if differing:
        raise RunError(
            f"{path / 'config.json'} was changed since the fit ({'; '.join(differing[:3])}); "
            f"put it back, or fit again into another folder"
        )
    return model

"""What runs of older formats hold, made into what today's programs read; `format.STEPS` says which step does what."""

import logging
import os
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from mmdmad.errors import ModelError
from mmdmad.files import within
from mmdmad.pipeline.model_manifest import listed, relist, verify
from mmdmad.saved import read_values, reading, write_values

log = logging.getLogger(__name__)


def reference_to_normal(folder: Path, connection: Connection) -> None:
    """Format 4: `model/reference`, what normal looks like in one table of four modalities, becomes `model/normal`.

    Nothing is changed before the whole model has been found sound, and the manifest is changed last, so that a stop at
    any moment leaves what can be taken up again. A damaged model is left as it is, and so refused when it is loaded.
    """
    model, made, aside = (within(folder, name) for name in ("model", "model-normal.part", "model-reference.old"))
    try:
        if any(name.startswith("reference/") for name in listed(model)):
            if aside.is_dir():  # stopped half-way, the manifest not yet changed: begin again
                shutil.rmtree(model / "reference", ignore_errors=True)
                os.replace(aside, model / "reference")
            shutil.rmtree(model / "normal", ignore_errors=True)
            verify(model)
            _convert(model / "reference", made)
            os.replace(model / "reference", aside)
            os.replace(made, model / "normal")
            relist(model, "reference", "normal")
    except (ModelError, OSError) as why:
        log.warning("%s; the findings can still be read, the model cannot be used", why)
        return
    shutil.rmtree(aside, ignore_errors=True)


def _convert(old: Path, new: Path) -> None:
    """Write the folder `new`: the arrays keep their names, each value goes to the modality that it belongs to."""
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    shutil.copyfile(old / "reference.safetensors", new / "normal.safetensors")
    with reading(old / "reference.json"):
        write_values(new / "normal.json", _by_modality(read_values(old / "reference.json")))


def _by_modality(values: dict[str, Any]) -> dict[str, Any]:
    learned: dict[str, Any] = {}
    if values["sensor"]:
        learned["sensor"] = {"ranges": values["sensor"], "units": values["units"]}
    if values["video"]:
        learned["video"] = {"ranges": values["video"]}
    if values["n_texts"]:
        learned["text"] = {name: values[name] for name in ("words", "templates", "n_texts")}
    return {name: values[name] for name in ("ids", "groups", "n_cases")} | {"learned": learned}

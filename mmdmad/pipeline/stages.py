"""Stages of a fit as folders that are there whole or not at all, so that a killed fit goes on where it stopped."""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mmdmad.files import filing, make_folder
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.splits import Split

log = logging.getLogger(__name__)


def stage(folder: Path, make: Callable[[Path], None]) -> Path:
    """The finished stage `folder`; if it is not there, `make` fills a folder beside it, which is then renamed."""
    if folder.is_dir():
        log.info("stage %s is there already", folder.name)
    else:
        unfinished = folder.with_name(folder.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        make(make_folder(unfinished))
        with filing(folder):
            os.replace(unfinished, folder)
        log.info("stage %s is finished", folder.name)
    return folder


@contextmanager
def workspace(work: Path | None) -> Iterator[Path]:
    """The given working folder, or a temporary one that vanishes."""
    if work is not None:
        yield make_folder(Path(work))
        return
    with TemporaryDirectory(prefix="mmdmad-fit-") as folder:
        yield Path(folder)


def fingerprint(config: PipelineConfig, rows: Split) -> str:
    """SHA-256 of everything that decides a fit: configuration, case ids and groups, and the contents of their parts."""
    digest = hashlib.sha256(json.dumps(config.model_dump(mode="json"), sort_keys=True).encode())
    for case, key in zip(rows.cases, rows.keys, strict=True):
        digest.update(f"\x1e{case.id}\x1f{case.group}\x1f{key}".encode())
    return digest.hexdigest()

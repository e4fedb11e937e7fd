"""Stages of a fit as folders that are there whole or not at all, so that a killed fit goes on where it stopped."""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mmdmad.cases import Case
from mmdmad.errors import PartError
from mmdmad.files import filing, make_folder
from mmdmad.parts import content_key
from mmdmad.pipeline.config import PipelineConfig

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


def fingerprint(config: PipelineConfig, cases: Iterable[Case]) -> str:
    """SHA-256 of everything that decides a fit: configuration, case ids and the contents of their parts."""
    digest = hashlib.sha256(json.dumps(config.model_dump(mode="json"), sort_keys=True).encode())
    for case in cases:
        digest.update(f"\x1e{case.id}\x1f{case.group}".encode())
        for modality, part in sorted(case.parts.items()):
            try:
                digest.update(f"\x1f{modality}={content_key(part)}".encode())
            except PartError as error:
                digest.update(f"\x1f{modality}!{error.reason}".encode())
    return digest.hexdigest()

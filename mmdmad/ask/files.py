"""New files, judged as one case with the fitted model; nothing is stored."""

from pathlib import Path

from pydantic import Field

from mmdmad.ask.base import Arguments, Scope, query
from mmdmad.ask.case import About, about
from mmdmad.cases import Case, Modality, Part
from mmdmad.errors import ConfigError, RunError
from mmdmad.files import within
from mmdmad.modalities.base import modalities, modality_of
from mmdmad.store.stream import lapsed


class NewFiles(Arguments):
    """Which files are judged together."""

    files: dict[Modality, str] = Field(description="a path for each part, relative to the folder of the chat")


@query("score_files")
def score_files(scope: Scope, asked: NewFiles) -> About:
    """Judge new files (relative paths, by modality) as one case with the fitted model; nothing is stored."""
    if not asked.files:
        raise ConfigError(f"no file was given; name at least one of {', '.join(modalities())}")
    parts = {m: Part(m, path=_inside(scope.folder, m, name), case_id="new") for m, name in asked.files.items()}
    found, lapse = scope.run.levels.finding(Case("new", parts), scope.run.rate, None), scope.run.watch.lapse
    return about(found if lapse is None else lapsed(found, lapse))  # what is asked for now is after the lapse


def _inside(folder: Path, modality: str, name: str) -> Path:
    """A visible file below `folder` with an ending of its modality; what a question names may be any path at all."""
    try:
        path = within(folder, name)
    except RunError as error:
        raise RunError(f"{error}; only files below {folder} can be scored from the chat") from None
    known = modality_of(modality)
    if any(piece.startswith(".") for piece in path.relative_to(folder.resolve()).parts):
        raise RunError(f"{name!r} is hidden or lies in a hidden folder; such files are not scored from the chat")
    if path.suffix.lower() not in known.suffixes and not (known.folders and path.is_dir()):
        raise RunError(f"{name!r} is no {known.noun}; allowed endings are {', '.join(known.suffixes)}")
    if not path.exists():
        raise RunError(f"there is no file {name!r} in {folder}")
    if any((inner / "cases.sqlite").exists() and (inner / "config.json").exists() for inner in (path, *path.parents)):
        raise RunError(f"{name!r} belongs to a run folder; such files are not scored from the chat")
    return path

"""The errors a user can meet: each message says what was given, what is allowed and what to run.

>>> raise MissingExtraError("the chat page", "gradio", "chat")
Traceback (most recent call last):
...
mmdmad.errors.MissingExtraError: the chat page needs gradio, which is not installed; run: pip install "mmdmad[chat]"
"""

from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from mmdmad.plain import plain

if TYPE_CHECKING:
    from mmdmad.cases import Refusal


class MmdmadError(Exception):
    """Root of every error that mmdmad raises on purpose; the command line prints it in one line and exits with 1."""


class ManifestError(MmdmadError):
    """The manifest as a whole cannot be read: no such file, a misspelt column, two cases with one id."""


class PartError(MmdmadError):
    """One part of one case is refused; the other cases go on.

    `row` is the manifest's data row (first = 1) or None for a case made in memory. Where a whole case is refused
    (part "case"), `refused` says so of each of its parts.
    """

    def __init__(
        self,
        reason: str,
        *,
        part: str,
        case_id: str | None = None,
        row: int | None = None,
        refused: "tuple[Refusal, ...]" = (),
    ) -> None:
        reason = plain(" ".join(reason.split()))  # names of files and messages of decoders may hold anything
        self.reason, self.part, self.case_id, self.row, self.refused = reason, part, case_id, row, refused
        where = ", ".join(
            word
            for word in (f"row {row}" if row is not None else "", f"case {case_id}" if case_id else "", part)
            if word
        )
        super().__init__(f"{where}: {reason}")


class ConfigError(MmdmadError, ValueError):
    """A configuration file or value is wrong."""


class UnknownNameError(ConfigError):
    """No detector, encoder, query or modality (`kind`) is registered under a name.

    What a run was made with may have been brought by another distribution that is not installed here.
    """

    def __init__(self, message: str, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(message)


class DataError(MmdmadError, ValueError):
    """Arrays or tokens handed to a detector have the wrong shape, type or values."""


class DataTypeError(DataError, TypeError):
    """What was handed to a detector is of a kind that no detector takes: text, objects, a sparse matrix."""


class RefusedError(DataError):
    """Every part of a kind was refused where it is needed: nothing can be learned, or the demo lacks a kind.

    The command line ends with 3. `refused` lists the parts.
    """

    def __init__(self, reason: str, refused: "tuple[Refusal, ...]" = ()) -> None:
        self.refused = refused
        super().__init__(reason)


class RefusalWarning(UserWarning):
    """Every part of a kind that was given was refused: seldom the fault of so many files. The rest went on."""


class NotFittedError(MmdmadError, ValueError, AttributeError):
    """Something was asked of a detector that has not been fitted.

    Whoever catches scikit-learn's error of this name catches this one: what is raised is a subclass of both, made when
    the first one is raised, for importing mmdmad must not import scikit-learn.
    """

    def __new__(cls, *args: object) -> "NotFittedError":
        """An instance of the class that is also scikit-learn's."""
        return super().__new__(_not_fitted_of_both() if cls is NotFittedError else cls, *args)

    def __reduce__(self) -> tuple[type["NotFittedError"], tuple[object, ...]]:
        return NotFittedError, self.args  # the class of both has no name that pickle could find


@cache
def _not_fitted_of_both() -> type[NotFittedError]:
    from sklearn.exceptions import NotFittedError as Theirs

    return type("NotFittedError", (NotFittedError, Theirs), {"__module__": __name__, "__doc__": NotFittedError.__doc__})


class ExportError(MmdmadError):
    """A detector cannot be written in the format that was asked for."""


class WeightsError(MmdmadError):
    """Pretrained weights are missing or are not the file they should be."""


class RunError(MmdmadError):
    """A run directory is missing, unfinished or from another configuration."""


class FileError(MmdmadError):
    """A file or folder cannot be written or read: a full or read-only disk, no permission, something in its place."""


class ModelError(RunError):
    """A file of a fitted model is missing, damaged, or holds what no fit writes.

    `file` is the file where it is known, `cure` what to do.
    """

    CURE = "restore it from a copy, or fit again with `mmdmad fit`"

    def __init__(self, reason: str, file: Path | None = None, cure: str = CURE) -> None:
        self.reason, self.file, self.cure = shorten(reason, 300, placeholder=" …"), file, cure
        super().__init__(self.reason if file is None else f"{file}: {self.reason}; {cure}")


class MissingExtraError(MmdmadError):
    """A feature needs an optional package."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(f'{feature} needs {package}, which is not installed; run: pip install "mmdmad[{extra}]"')

"""Whatever a reader of another distribution raises is the part's fault, unless it is a fault of the program."""

import struct

import pytest

from mmdmad.cases import Part
from mmdmad.errors import DataError, MissingExtraError, PartError
from mmdmad.modalities import base
from mmdmad.parts import read


@pytest.fixture
def raising():
    """A modality whose reader raises what the part holds."""
    base.modalities()

    class Smell(base.BaseModality):
        name, noun, words, suffixes, encoder = "smell", "smell", ("smell",), (".smell",), "none"

        def read(self, part):
            raise part.value

    base.modality(Smell)
    yield
    base._REGISTRY.remove("smell")


@pytest.mark.parametrize(
    "error",
    [ValueError("no RIFF id"), struct.error("needs 4 bytes"), KeyError("data"), EOFError(), OSError(5, "I/O error"),
     DataError("too short"), MemoryError(), RuntimeError("gone"), AssertionError("odd")],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
def test_a_part_is_refused_by_case_row_and_kind_of_error(raising, error):
    with pytest.raises(PartError) as refused:
        read(Part("smell", value=error, case_id="c-7", row=9))
    why = refused.value
    assert (why.case_id, why.row, why.part) == ("c-7", 9, "smell")
    assert why.reason == f"it cannot be read: {type(error).__name__}: {error}".rstrip(": ")


@pytest.mark.parametrize("error", [NameError("x"), ImportError("y"), TypeError("unexpected keyword argument"),
                                   AttributeError("no such"), MissingExtraError("smells", "nose", "smell")],
                         ids=lambda e: type(e).__name__)  # fmt: skip
def test_a_fault_of_the_program_or_its_installation_goes_on(raising, error):
    with pytest.raises(type(error)):
        read(Part("smell", value=error, case_id="c-7", row=9))

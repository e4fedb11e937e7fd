"""Small files that unpack to gigabytes are refused before they are unpacked."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import read


def bomb(file: Path, names: list[str], shape: tuple[int, ...], dtype: str) -> None:
    """An NPZ file of zeros, written without ever holding them."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                header = io.BytesIO()
                np.lib.format.write_array_header_1_0(header, {"descr": dtype, "fortran_order": False, "shape": shape})
                stream.write(header.getvalue())
                left = int(np.prod(shape)) * np.dtype(dtype).itemsize
                while left > 0:
                    stream.write(bytes(min(left, 2**22)))
                    left -= 2**22


@pytest.mark.parametrize(
    ("names", "shape", "dtype", "word"),
    [
        (["a", "b", "c"], (50_000_000,), "<f8", "unpacks to"),
        (["channels", "values"], (1,), "S600000000", "unpacks to"),
        (["a", "b", "c", "d"], (20_000_000,), "u1", "cells"),
    ],
)
def test_npz_files_that_unpack_to_gigabytes_are_refused_unread(tmp_path, names, shape, dtype, word):
    bomb(tmp_path / "a.npz", names, shape, dtype)
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mmdmad.cases import Part\n"
        "from mmdmad.errors import PartError\n"
        "from mmdmad.parts import read\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read(Part('sensor', Path(sys.argv[1])))\n"
        "except PartError as why:\n"
        "    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, why.reason)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.npz")], capture_output=True, text=True, check=True
    )
    grown, reason = out.stdout.split(" ", 1)
    assert word in reason
    assert int(grown) < 200


def test_what_a_parquet_file_says_it_unpacks_to_is_looked_at_first(tmp_path, monkeypatch):
    import pandas as pd

    pd.DataFrame({"a": np.arange(5000.0), "b": np.arange(5000.0)}).to_parquet(tmp_path / "a.parquet")
    part = Part("sensor", tmp_path / "a.parquet")
    assert len(read(part).values) == 5000
    monkeypatch.setattr("mmdmad.parts.limits.MAX_DECODED", 10_000)
    with pytest.raises(PartError, match="unpacks to"):
        read(part)

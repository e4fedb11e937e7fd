"""Importing mmdmad and asking for help must stay light."""

import subprocess
import sys

import pytest

import mmdmad

HEAVY = (
    "torch",
    "transformers",
    "langchain",
    "langchain_core",
    "diffusers",
    "open_clip",
    "pandas",
    "sklearn",
    "matplotlib",
)


@pytest.mark.parametrize(
    "code", ["import mmdmad", "import mmdmad.cli", "import mmdmad.store.run", "import mmdmad.report"]
)
def test_imports_stay_light(code: str) -> None:
    check = f"{code}; import sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    allowed = "['pandas']" if "store" in code or "report" in code else "[]"
    out = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.strip()
    assert out in ("[]", allowed)


def test_help_loads_no_torch() -> None:
    code = (
        "import sys; sys.argv = ['mmdmad', '--help']\n"
        "from mmdmad.cli import main\n"
        "try:\n    main()\nexcept SystemExit as e:\n    print(e.code, 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("0 False")
    for command in ("demo", "fit", "score", "explain", "chat", "report", "bench", "detectors", "doctor"):
        assert f"\n  {command} " in out


def test_lazy_names_are_the_real_ones() -> None:
    assert set(mmdmad.__all__) - {"__version__"} == set(mmdmad._LAZY)
    assert mmdmad.read_cases is __import__("mmdmad.manifest", fromlist=["x"]).read_cases
    with pytest.raises(AttributeError, match="JointDetector"):
        _ = mmdmad.no_such_name

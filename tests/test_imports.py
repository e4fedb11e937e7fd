"""Importing mmdmad and asking for help must stay light, and arrows between packages must run one way."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mmdmad

ROOT = Path(mmdmad.__file__).parent
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
# From what knows nothing to what knows all; a name stands for everything below it that has no place of its own.
LAYERS = (
    ("errors", "tokens", "threads", "device", "files", "saved", "progress", "prompts", "packaged"),
    ("fence", "registry", "plain"),
    ("modalities.base",),
    ("cases", "manifest", "manifest_rows"),
    ("parts", "findings", "reasons"),
    ("encoders",),
    ("diffusion",),
    ("detectors",),
    ("joint", "calibration", "judgement"),
    ("explain",),
    ("modalities",),
    ("pipeline",),
    ("store",),
    ("ask",),
    ("report",),
    ("datasets", "metrics"),
    ("bench", "demo", "doctor", "endings"),
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


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only type checkers see."""
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        for node in tree.orelse:
            yield from _nodes(node)
        return
    yield tree
    for node in ast.iter_child_nodes(tree):
        yield from _nodes(node)


def _imports(path: Path) -> set[str]:
    """What a file imports of mmdmad, inside functions too: names without "mmdmad."."""
    names = set()
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
    return {n.removeprefix("mmdmad.") for n in names if n.startswith("mmdmad.") and n != "mmdmad.__version__"}


def _place(name: str) -> str:
    """The longest of a module's names that has a place in LAYERS: "modalities.base", "parts" for "parts.image"."""
    known = {name for layer in LAYERS for name in layer}
    pieces = name.split(".")
    return next((p for i in range(len(pieces), 0, -1) if (p := ".".join(pieces[:i])) in known), pieces[0])


def test_arrows_run_one_way() -> None:
    rank = {name: i for i, layer in enumerate(LAYERS) for name in layer}
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        own = _place(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if own in ("__init__", "cli"):
            continue
        assert own in rank, f"{path} is in no layer"
        wrong += [
            f"{path.relative_to(ROOT)} imports mmdmad.{m}"
            for m in _imports(path)
            if rank.get(_place(m), 99) > rank[own]
        ]
    # The benchmark suites that measure the agents are the agents' own; they may import them, inside functions.
    assert [w for w in wrong if not w.startswith("bench/")] == []


def test_only_the_command_line_and_agent_suites_know_agents() -> None:
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT).as_posix()
        if inside != "cli.py" and inside not in ("bench/investigate.py", "bench/faithfulness.py"):
            assert not any(m.split(".")[0] == "agents" for m in _imports(path)), inside

"""Arrows between the parts of the house run one way, and no module is part of a circle, lazy imports counted."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import mmdmad.agents
import mmdmad.configs
import mmdmad.prompts
import pytest

import mmdmad

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "mmdmad": Path(mmdmad.__file__).parent,
    **{p.__name__: Path(str(p.__file__)).parent for p in (mmdmad.agents, mmdmad.configs, mmdmad.prompts)},
}
# From what knows nothing to what knows all; a name stands for everything below it that has no place of its own.
LAYERS = (
    ("plain",),
    (
        "errors",
        "tokens",
        "threads",
        "device",
        "files",
        "saved",
        "sizes",
        "progress",
        "prompts",
        "packaged",
        "yaml_files",
    ),
    ("fence", "markup", "registry", "stopping", "roles"),
    ("modalities.base",),
    (
        *(
            "cases",
            "case_reader",
            "case_table",
            "folder",
            "folder_boxes",
            "folder_masks",
            "folder_clips",
            "folder_names",
            "folder_described",
            "folder_sheets",
            "folder_tree",
            "grouping",
            "labels",
            "learning",
            "log_pieces",
        ),
        *("manifest", "manifest_columns", "manifest_listed", "manifest_paths", "manifest_rows", "manifest_times"),
    ),
    (
        "parts",
        "guarantees",
        "findings",
        "cards",
        "finding_table",
        "plots",
        "comparison",
        "reasons",
        "stretches",
        "survey",
        "events",
        "event_table",
    ),
    ("encoders",),
    ("one_clock", "pairs", "windows", "recordings", "intake"),
    ("diffusion",),
    ("calibration",),
    ("detectors",),
    ("testing",),
    ("joint", "judgement"),
    ("explain",),
    ("claims",),
    ("modalities",),
    ("pipeline",),
    ("checking",),
    ("store",),
    ("ask",),
    ("report",),
    ("datasets", "metrics"),
    ("categories",),
    ("bench", "demo", "doctor", "endings"),
    ("agents",),
    ("commands",),
    ("cli",),
)
# The benchmark suites that measure the agents import them, inside functions.
MEASURE_AGENTS = ("bench.investigate", "bench.faithfulness", "bench.scale_worker")


def modules() -> dict[str, Path]:
    """Every module of the house by its full name."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            inside = path.relative_to(folder).with_suffix("").parts
            found[".".join((package, *(inside[:-1] if inside[-1] == "__init__" else inside)))] = path
    return found


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of a module but those that only type checkers see."""
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        for node in tree.orelse:
            yield from nodes(node)
        return
    yield tree
    for node in ast.iter_child_nodes(tree):
        yield from nodes(node)


def imports(module: str, source: str, known: set[str]) -> set[str]:
    """The modules of `known` that a module imports anywhere in it."""
    names = set()
    for node in nodes(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relative to itself"
            names |= {str(node.module), *(f"{node.module}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
    return names & known - {module}


def around(module: str, imported: set[str]) -> set[str]:
    """What is imported, with the packages that are loaded before it, but for those around the module itself."""
    run = {".".join(name.split(".")[:i]) for name in imported for i in range(1, name.count(".") + 2)}
    return {name for name in run if not f"{module}.".startswith(f"{name}.")}


def graph() -> dict[str, set[str]]:
    """What each module of the house imports of it."""
    files = modules()
    return {name: imports(name, path.read_text(encoding="utf-8"), set(files)) for name, path in files.items()}


def place(module: str) -> str:
    """The longest name around a module that has a place in LAYERS: "parts" for "mmdmad.parts.image"; "" for none."""
    known = {name for layer in LAYERS for name in layer}
    pieces = module.split(".")[1:]
    return next((p for i in range(len(pieces), 0, -1) if (p := ".".join(pieces[:i])) in known), "")


def test_no_module_is_part_of_a_circle() -> None:
    whole = {module: around(module, imported) for module, imported in graph().items()}
    assert len(whole) > 200
    try:
        TopologicalSorter(whole).prepare()
    except CycleError as error:
        pytest.fail("a circle: " + " imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from mmdmad.parts import read", {"mmdmad.parts"}),
        ("def f():\n    from mmdmad.parts.image import read_image", {"mmdmad.parts.image"}),
        ("import mmdmad.parts.image as i", {"mmdmad.parts.image"}),
        ("from mmdmad import parts", {"mmdmad", "mmdmad.parts"}),
        ("if TYPE_CHECKING:\n    from mmdmad.parts import read\nelse:\n    import mmdmad.cases", {"mmdmad.cases"}),
        ("import numpy", set()),
    ],
)
def test_imports_are_read_wherever_they_stand(code: str, found: set[str]) -> None:
    assert imports("mmdmad.explain.image", code, set(modules())) == found


def test_loading_a_module_loads_the_packages_around_it() -> None:
    assert around("mmdmad.explain.image", {"mmdmad.parts.image"}) == {"mmdmad.parts", "mmdmad.parts.image"}
    assert around("mmdmad.parts.sensor", {"mmdmad.parts.image"}) == {"mmdmad.parts.image"}
    assert around("mmdmad.parts", {"mmdmad.parts.image"}) == {"mmdmad.parts.image"}


def test_arrows_run_one_way() -> None:
    rank = {name: i for i, layer in enumerate(LAYERS) for name in layer}
    wrong = []
    for module, imported in graph().items():
        own = place(module)
        if module in ("mmdmad", "mmdmad.configs"):
            assert not imported
            continue
        assert own in rank, f"{module} is in no layer"
        wrong += [f"{module} imports {name}" for name in imported if name != "mmdmad" and rank[place(name)] > rank[own]]
    assert [w for w in wrong if not any(suite in w for suite in MEASURE_AGENTS)] == []


def test_only_the_command_line_and_agent_suites_know_agents() -> None:
    allowed = {"mmdmad.cli", "mmdmad.commands.prompts", *(f"mmdmad.{suite}" for suite in MEASURE_AGENTS)}
    knowing = {module for module, imported in graph().items() if any(m.startswith("mmdmad.agents") for m in imported)}
    assert {m for m in knowing if not m.startswith("mmdmad.agents")} <= allowed


def test_the_table_in_the_documentation_is_the_tested_one() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("## Who may import whom")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert [tuple(name.strip(" `") for name in row.split(",")) for row in rows] == [*map(tuple, LAYERS)]

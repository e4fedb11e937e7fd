"""The list of what is public: docs/api.md says the names and signatures that are there, and a change of one is noticed.

After a change that is meant, `python tests/test_api.py` writes the page anew; it belongs into the same commit, and
into CHANGELOG.md where a user has to act.
"""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
ABOUT = """# What is public

These names and signatures change only with a line in CHANGELOG.md; everything else may change at any time. Beside them
stand the command line (`mmdmad --help`), the columns of a manifest, the format of a run folder (`store/format.py`
brings older ones up to date), and the entry points `mmdmad.detectors`, `mmdmad.encoders`, `mmdmad.modalities`,
`mmdmad.queries`, `mmdmad.chat_models` and `mmdmad.writers`. Detector classes stand in [detectors.md](detectors.md).

Written by `python tests/test_api.py`; a test compares names and signatures with the code.
"""
PUBLIC = {
    "mmdmad": (
        *(
            "read_cases",
            "cases_from",
            "compare",
            "Case",
            "Cases",
            "Part",
            "JointDetector",
            "Run",
            "Finding",
            "Findings",
            "Evidence",
            "Tokens",
        ),
        "MmdmadError",
    ),
    "mmdmad.parts": ("read", "content_key", "case_key", "Image", "Text", "Sensor", "Video"),
    "mmdmad.comparison": ("Comparison", "Agreement"),
    "mmdmad.events": ("Event", "AlarmRule"),
    "mmdmad.store.events": ("Events",),
    "mmdmad.plots": ("Drawing",),
    "mmdmad.intake": ("cases_from", "cases_of"),
    "mmdmad.windows": ("Windows", "cut"),
    "mmdmad.recordings": ("recordings", "write_cases"),
    "mmdmad.parts.timeline": ("Timeline",),
    "mmdmad.parts.limits": ("plain_file", "decoding", "refuse"),
    "mmdmad.modalities.base": ("BaseModality", "modality", "modalities", "modality_of"),
    "mmdmad.explain.base": ("Seen", "Look", "Learned"),
    "mmdmad.judgement": ("PartJudgement",),
    "mmdmad.explain.words": ("draft", "fact"),
    "mmdmad.explain.maps": ("curves", "hot_spans", "on_scale"),
    "mmdmad.encoders": ("Encoder", "encoder", "encoders", "make_encoder", "resolve_encoder"),
    "mmdmad.tokens": ("Tokens", "Layout"),
    "mmdmad.detectors.base": ("Detector", "About", "detector", "detectors", "make_detector", "load_detector"),
    "mmdmad.detectors.items": ("as_rows", "Rows"),
    "mmdmad.testing": ("check_detector", "detector_checks", "BrokenPromiseError"),
    "mmdmad.pipeline.detector": ("PipelineConfig", "load_config"),
    "mmdmad.ask.base": ("Query", "Arguments", "Result", "Cited", "Scope", "query", "queries", "ask", "told"),
    "mmdmad.ask.filters": ("Filter",),
    "mmdmad.store.tally": ("Tally",),
    "mmdmad.report": ("write_report",),
    "mmdmad.agents.explainer": ("explain",),
    "mmdmad.agents.investigator": ("Investigator", "Answer"),
    "mmdmad.agents.llms": ("make_llm",),
    "mmdmad.bench": ("list_suites", "run_suite"),
    "mmdmad.errors": (
        *("ManifestError", "PartError", "ConfigError", "DataError", "NotFittedError", "ExportError", "WeightsError"),
        *("RunError", "ModelError", "MissingExtraError"),
    ),
}


HOOKS = {"Detector": ("_fit", "_score", "_state", "_set_state")}
"""Methods that a subclass of another distribution writes, though nobody calls them."""


def signature(thing: Any) -> str:
    """Parameters with their defaults; without types, which are written otherwise from one Python to the next."""
    if inspect.isclass(thing) and issubclass(thing, Exception) and not inspect.isfunction(thing.__init__):
        return "(*args)"  # what every exception takes; each Python writes it otherwise
    found = inspect.signature(thing)
    bare = [p.replace(annotation=p.empty, default=_plain(p.default)) for p in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=found.empty))


class _Words:
    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return self.words


def _plain(default: Any) -> Any:
    """A default that reads the same on every machine."""
    if default is inspect.Parameter.empty or isinstance(default, str | int | float | bool | tuple | None):
        return default
    return _Words("…")


def members(thing: type) -> list[tuple[str, Any]]:
    """Methods and properties that a class of ours defines or inherits from another of ours, by name."""
    found: dict[str, Any] = {}
    for base in reversed(thing.__mro__):
        if base.__module__.split(".")[0] == "mmdmad":
            hooks = HOOKS.get(base.__name__, ())
            found |= {name: value for name, value in vars(base).items() if name in hooks or not name.startswith("_")}
    kinds = (staticmethod, classmethod, property)
    return sorted((n, v) for n, v in found.items() if inspect.isfunction(v) or isinstance(v, kinds))


def sentence(thing: Any) -> str:
    """The first sentence of a docstring."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".:") + "."


def entry(name: str, thing: Any) -> list[str]:
    lines = [f"- `{name}{signature(thing)}`: {sentence(thing)}"]
    if not inspect.isclass(thing) or issubclass(thing, Exception):
        return lines
    for member, value in members(thing):
        if isinstance(value, property):
            lines.append(f"  - `.{member}`: {sentence(value)}")
        else:
            bound = getattr(thing, member)
            shown = signature(bound).replace("(self, ", "(").replace("(self)", "()")
            lines.append(f"  - `.{member}{shown}`: {sentence(bound)}")
    return lines


def page() -> str:
    """The page as it should be."""
    lines = [ABOUT]
    for module, names in PUBLIC.items():
        home = import_module(module)
        lines += [f"## `{module}`", ""]
        for name in names:
            lines += entry(name, getattr(home, name))
        lines.append("")
    return "\n".join(lines)


def test_the_list_of_what_is_public_is_the_one_in_the_documentation() -> None:
    written, wanted = (_names(text) for text in (PAGE.read_text(encoding="utf-8"), page()))
    gone, new = [x for x in written if x not in wanted], [x for x in wanted if x not in written]
    assert (gone, new) == ([], []), (
        "run: python tests/test_api.py, and tell users in CHANGELOG.md what they must change"
    )
    assert written == wanted


def _names(text: str) -> list[str]:
    """Headings, names and signatures of a page; the sentences beside them may be reworded."""
    return [line.split("`: ")[0] for line in text.splitlines() if line.lstrip().startswith(("## ", "- "))]


def test_what_a_package_offers_is_listed() -> None:
    for module in ("mmdmad", "mmdmad.parts", "mmdmad.encoders", "mmdmad.report", "mmdmad.bench"):
        offered = set(import_module(module).__all__) - {"__version__"}
        assert offered <= set(PUBLIC[module]), module
    for module, names in PUBLIC.items():
        assert len(set(names)) == len(names)
        assert all(inspect.getdoc(getattr(import_module(module), name)) for name in names)


def made(a: int, /, b: Any = object(), *, c: str = "x", **rest: Any) -> None:  # noqa: B008
    """Says this. Not that."""


class Made:
    """A class."""

    def do(self, what: Path = PAGE) -> None:
        """Does it."""

    def _hidden(self) -> None: ...


Made.__module__ = "mmdmad.made_up"


@pytest.mark.parametrize(
    ("thing", "lines"),
    [
        (made, ["- `x(a, /, b=…, *, c='x', **rest)`: Says this."]),
        (Made, ["- `x()`: A class.", "  - `.do(what=…)`: Does it."]),
    ],
)
def test_entries_hold_signatures(thing: Any, lines: list[str]) -> None:
    assert entry("x", thing) == lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

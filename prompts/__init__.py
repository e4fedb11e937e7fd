"""Versioned prompt files: Markdown with a header (name, version, variables), loaded and filled by `load`.

A prompt file begins with

    ---
    name: explainer
    version: 1
    variables: evidence, verdict
    ---

and uses its variables as `{{evidence}}`. Header and text must agree; a value is put in as it is, so text that comes
from cases has to be fenced by `mmdmad.fence` first.
"""

import re
from dataclasses import dataclass
from importlib import resources

from mmdmad.errors import ConfigError

_HEADER = re.compile(r"\A---\n(?P<header>.*?)\n---\n(?P<body>.*)\Z", re.S)
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Prompt:
    """One prompt: its name, version, the variables it needs and its text."""

    name: str
    version: int
    variables: tuple[str, ...]
    text: str

    @property
    def label(self) -> str:
        """Name and version, as an explanation carries them: "explainer/1"."""
        return f"{self.name}/{self.version}"

    def fill(self, **values: str) -> str:
        """The text with every variable put in; a missing or unknown variable raises ConfigError."""
        if set(values) != set(self.variables):
            raise ConfigError(
                f"prompt {self.label} was given {sorted(values)}; it needs exactly {sorted(self.variables)}"
            )
        return _VARIABLE.sub(lambda m: values[m[1]], self.text)


def names() -> tuple[str, ...]:
    """The names of all prompt files."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".md") for f in files if f.name.endswith(".md")))


def load(name: str) -> Prompt:
    """The prompt called `name`.

    >>> load("explainer").label.startswith("explainer/")
    True
    """
    if name not in names():
        raise ConfigError(f"no prompt is called {name!r}; there are {', '.join(names())}")
    return parse((resources.files(__name__) / f"{name}.md").read_text(encoding="utf-8"), f"{name}.md")


def parse(text: str, file: str) -> Prompt:
    """A prompt from the text of its file; checks the header and that its variables are those the text uses."""
    match = _HEADER.match(text)
    if not match:
        raise ConfigError(f"{file} has no header; it must begin with --- name, version, variables ---")
    pairs = (line.split(":", 1) for line in match["header"].splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in pairs}
    missing = {"name", "version", "variables"} - set(fields)
    if missing:
        raise ConfigError(f"the header of {file} lacks {', '.join(sorted(missing))}")
    if fields["name"] != file.removesuffix(".md") or not fields["version"].isdigit():
        raise ConfigError(f"the header of {file} says name {fields['name']!r}, version {fields['version']!r}")
    variables = tuple(v.strip() for v in fields["variables"].split(",") if v.strip())
    used = set(_VARIABLE.findall(match["body"]))
    if used != set(variables):
        raise ConfigError(f"{file} declares {sorted(variables)} and uses {sorted(used)}")
    return Prompt(fields["name"], int(fields["version"]), variables, match["body"].strip())

"""A category of things to look at: phrases for its normal states and for each kind of defect, by language.

A phrase holds `{}` where the noun stands, a template holds `{}` where the phrase stands: "a photo of {}." with "{} with
a crack" of "solar cell" is "a photo of a solar cell with a crack.", as WinCLIP composes its prompts (Jeong et al., CVPR
2023).
"""

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from mmdmad.cases import Modality
from mmdmad.errors import ConfigError
from mmdmad.files import replacing
from mmdmad.yaml_files import plain_yaml, yaml_text

Language = Literal["en", "de"]
NORMAL = "normal"
"""The name of the normal state beside those of the defects."""
MOST = 100
"""Phrases of a state, defects of a category, templates of a language."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9 -]{0,59}$")]
Phrase = Annotated[str, StringConstraints(min_length=2, max_length=200, strip_whitespace=True)]
Phrases = Annotated[tuple[Phrase, ...], Field(min_length=1, max_length=MOST)]


class Wording(BaseModel):
    """The words of a category in one language; `defects` keep their names in every language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    noun: Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
    normal: Phrases
    anomalous: Annotated[dict[Name, Phrases], Field(min_length=1, max_length=MOST)]
    templates: Phrases = ("{}",)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        wrong = [p for p in (*self.normal, *sum(self.anomalous.values(), ()), *self.templates) if p.count("{}") != 1]
        if wrong:
            raise ValueError(f"{wrong[0]!r} has {wrong[0].count('{}')} places {{}}; every phrase and template has one")
        if NORMAL in self.anomalous:
            raise ValueError(f"{NORMAL!r} is the name of the normal state, not of a defect")
        return self

    def prompts(self) -> dict[str, tuple[str, ...]]:
        """Every prompt by state, the normal one first: each phrase in each template.

        >>> Wording(noun="bolt", normal=["a good {}"], anomalous={"rust": ["a rusty {}"]}, templates=["{}."]).prompts()
        {'normal': ('a good bolt.',), 'rust': ('a rusty bolt.',)}
        """
        states = {NORMAL: self.normal, **self.anomalous}
        return {
            state: tuple(
                template.replace("{}", phrase.replace("{}", self.noun))
                for phrase in phrases
                for template in self.templates
            )
            for state, phrases in states.items()
        }


class Category(BaseModel):
    """A category with its words; `author` is "grammar", or who or which model wrote it.

    `cannot_have` names defects of things of its kind (`grammar.defects`) that it cannot have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    modality: Modality
    version: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    author: Annotated[str, StringConstraints(min_length=1, max_length=120)] = "person"
    cannot_have: Annotated[tuple[Name, ...], Field(max_length=MOST)] = ()
    en: Wording | None = None
    de: Wording | None = None

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        if not self.languages:
            raise ValueError("a category needs words in en or de")
        return self

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages it has words in."""
        every: tuple[Language, ...] = ("en", "de")
        return tuple(one for one in every if getattr(self, one) is not None)

    def words(self, language: Language = "en") -> Wording:
        """The words in a language; ConfigError where it has none."""
        found: Wording | None = getattr(self, language)
        if found is None:
            raise ConfigError(f"{self.name} has no words in {language!r}; it has {', '.join(self.languages)}")
        return found

    def fingerprint(self) -> str:
        """SHA-256 of its words: what a run stores, so that changed prompts are known."""
        said = self.model_dump(mode="json", exclude={"version", "author"})
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def names() -> tuple[str, ...]:
    """The names of the categories that ship with the package.

    >>> "solar cell" in names()
    True
    """
    return tuple(sorted(f.name.removesuffix(".yaml").replace("-", " ") for f in _folder().iterdir() if _is_file(f)))


def load(source: str | Path) -> Category:
    """A category by its name, or from a YAML file; ConfigError where it is none, saying what is wrong.

    >>> load("solar cell").modality
    'image'
    """
    path = Path(source)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise ConfigError(f"{path} is no file; categories that ship are {', '.join(names())}")
        return parse(yaml_text(path), str(path))
    known = str(source).strip().lower().replace("-", " ")
    if known not in names():
        raise ConfigError(
            f"no category is called {known!r}; there are {', '.join(names())}; write one with "
            f'`mmdmad prompts write "{known}"`'
        )
    return parse((_folder() / f"{known.replace(' ', '-')}.yaml").read_text(encoding="utf-8"), known)


def parse(text: str, source: str) -> Category:
    """A category from its YAML; `source` is named in the ConfigError of one that is wrong."""
    try:
        return Category.model_validate(plain_yaml(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(piece) for piece in first["loc"]) or "the whole"
        raise ConfigError(f"{source}, {where[:120]}: {first['msg']}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{source} is no YAML mapping: {' '.join(str(error).split())[:200]}") from error


def save(category: Category, path: Path) -> None:
    """Write a category as YAML that a person can edit."""
    said: dict[str, Any] = category.model_dump(mode="json", exclude_none=True)
    with replacing(path) as unfinished:
        unfinished.write_text(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8")


def _folder() -> Any:
    return resources.files("mmdmad.prompts") / "categories"


def _is_file(file: Any) -> bool:
    return bool(file.name.endswith(".yaml"))

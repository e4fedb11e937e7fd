"""What a question to a run is, and the one registry of them: chat tools and report sections are made from it.

A new query is one new file in this folder (or in a package with an entry point in the group `mmdmad.queries`) with
one function under `@query`: its arguments are one frozen model, its result holds Evidence, never text to be parsed
again. Nothing here knows a language model.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from mmdmad.errors import ConfigError, MmdmadError
from mmdmad.findings import Evidence, Fact
from mmdmad.registry import Registry

if TYPE_CHECKING:
    from mmdmad.store.run import Run


class Arguments(BaseModel):
    """What a query is asked with; every field has a description, which is all that a language model sees of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Cited(BaseModel):
    """One thing that a result rests on: evidence of a case, or (kind "context") about a case or the run as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str | None = None
    evidence: Evidence


class Result(BaseModel):
    """What a query found. A query with more to hand over than evidence subclasses it.

    `line` says which cases were asked for and how many they are: "flagged at 5 %, group A: 3 of 60 cases". A result
    that says no more than that there is nothing to say is `idle`; a report leaves its section out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: str
    evidence: tuple[Cited, ...] = ()
    idle: bool = False

    @field_validator("evidence")
    @classmethod
    def _numbered(cls, evidence: tuple[Cited, ...]) -> tuple[Cited, ...]:
        """Evidence of a case keeps its number (E3); what has none is numbered T1, T2, …"""
        numbers = itertools.count(1)
        return tuple(one if one.evidence.id else _as(one, f"T{next(numbers)}") for one in evidence)


def told(caption: str, *facts: Fact, case: str | None = None, part: str | None = None) -> Cited:
    """Something to say of a case or of the run as a whole (evidence of kind "context"); `Result` gives it a number."""
    return Cited(case=case, evidence=Evidence(id="", kind="context", part=part, caption=caption, facts=facts))


class UnknownCaseError(MmdmadError):
    """No case, or more than one, is called so; `nearest` are ids that may have been meant."""

    def __init__(self, message: str, nearest: tuple[str, ...] = ()) -> None:
        self.nearest = nearest
        super().__init__(message)


@dataclass(frozen=True)
class Scope:
    """What a question may look at: one run, and the folder that new files may lie in."""

    run: "Run"
    folder: Path = field(default_factory=Path.cwd)


Ask = Callable[[Scope, Any], Result]
F = TypeVar("F", bound=Ask)


@dataclass(frozen=True)
class Query:
    """One registered question.

    `asked` are phrases by which people ask for it ("how loud", "noise … night"; … stands for anything between), for
    readers of questions that know the query by nothing else. `section` is the heading under which a report shows it,
    asked without arguments; "" = not in the report.
    """

    name: str
    text: str
    arguments: type[Arguments]
    result: type[Result]
    run: Ask
    asked: tuple[str, ...] = ()
    section: str = ""

    def __call__(self, scope: Scope, /, **given: Any) -> Result:
        """The result for these arguments; ConfigError says which one is wrong and what is allowed."""
        try:
            arguments = self.arguments.model_validate(given)
        except ValidationError as error:
            wrong = "; ".join(_problem(e) for e in error.errors())
            raise ConfigError(f"{self.name}: {wrong}; its arguments are {', '.join(self.fields) or 'none'}") from error
        return self.run(scope, arguments)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its arguments."""
        return tuple(self.arguments.model_fields)

    @property
    def schema(self) -> dict[str, Any]:
        """Its arguments as JSON schema."""
        return self.arguments.model_json_schema()

    def heard(self, question: str) -> int:
        """How many letters of its longest phrase the question holds; 0 = it is not asked for.

        >>> made = Query("level", "", Arguments, Result, lambda scope, asked: Result(line=""), ("how … loud",))
        >>> made.heard("How very loud was it?"), made.heard("How long?")
        (7, 0)
        """
        return max((len(re.sub(r"\W", "", p)) for p in self.asked if _phrase(p).search(question)), default=0)


_REGISTRY: Registry[Query] = Registry("query", "mmdmad.ask", "mmdmad.queries")


def query(name: str, *, asked: tuple[str, ...] = (), section: str = "") -> Callable[[F], F]:
    """Register a function (scope, arguments) -> result as a query; its docstring is what people and models read."""

    def register(function: F) -> F:
        hints = get_type_hints(function)
        returned = hints.pop("return", None)
        taken = [hint for hint in hints.values() if isinstance(hint, type) and issubclass(hint, Arguments)]
        text = re.sub(r"\s+", " ", function.__doc__ or "").strip()
        if len(taken) != 1 or not (isinstance(returned, type) and issubclass(returned, Result)) or not text:
            raise ConfigError(f"query {name}: a query is a documented function (scope: Scope, … : Arguments) -> Result")
        unsaid = [name for name, info in taken[0].model_fields.items() if not info.description]
        if unsaid:
            raise ConfigError(f"query {name}: say what {', '.join(unsaid)} means (Field(description=…))")
        if section and any(info.is_required() for info in taken[0].model_fields.values()):
            raise ConfigError(f"query {name}: a section of the report is asked without arguments, so none is required")
        _REGISTRY.add(name, Query(name, text, taken[0], returned, function, asked, section), function)
        return function

    return register


def queries() -> dict[str, Query]:
    """Every query by name: each file of this folder, and what other packages bring under `mmdmad.queries`."""
    return _REGISTRY.all()


def ask(scope: Scope, name: str, /, **given: Any) -> Result:
    """The result of the query called `name`; unknown names raise ConfigError with the known ones."""
    return _REGISTRY.get(name)(scope, **given)


def told_error(name: str, error: Exception) -> str:
    """What to say, in one line, of an error that the query called `name` raised.

    >>> told_error("level", KeyError("loud"))
    "level: KeyError: 'loud'"
    """
    said = str(error) if isinstance(error, MmdmadError) else f"{type(error).__name__}: {error}"
    return shorten(f"{name}: {said.removeprefix(f'{name}: ')}".rstrip(": "), 300, placeholder=" …")


def _as(one: Cited, number: str) -> Cited:
    return one.model_copy(update={"evidence": one.evidence.model_copy(update={"id": number})})


def _problem(error: Any) -> str:
    name = ".".join(str(at) for at in error["loc"])
    given = "" if error["type"] == "missing" else f"={error['input']!r} was given"
    return f"{name}{given}: {error['msg']}"


def _phrase(words: str) -> re.Pattern[str]:
    gaps = (r"\W+".join(re.escape(w) for w in re.findall(r"[\w']+", piece)) for piece in words.split("…"))
    return re.compile(r"\b" + r"\b.*?\b".join(gaps) + r"\b", re.I)

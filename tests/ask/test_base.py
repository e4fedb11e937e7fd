"""The registry of queries: what may be registered, what a wrong argument says, by which words a query is asked for."""

from types import SimpleNamespace

import pytest
from pydantic import Field

from mmdmad.ask import base
from mmdmad.ask.base import Arguments, Result, Scope, ask, queries, query, told
from mmdmad.errors import ConfigError
from mmdmad.findings import Fact


class Loudness(Arguments):
    """What the toy query is asked with."""

    case_id: str = Field(description="the case meant")
    floor: float = Field(default=0.0, ge=0, description="decibels below which nothing is told")


def loudness(scope: Scope, asked: Loudness) -> Result:
    """How loud a case was, in decibels."""
    fact = Fact(name="level", value=71.5, unit="dB")
    said = told(f"{asked.case_id} was as loud as 71.5 dB.", fact, case=asked.case_id)
    return Result(line=f"levels above {asked.floor:g} dB", evidence=(said,))


@pytest.fixture
def registered():
    """The toy query in the registry, for one test."""
    queries()
    query("loudness", asked=("how loud", "noise … night"))(loudness)
    yield queries()["loudness"]
    base._REGISTRY.remove("loudness")


@pytest.fixture
def scope(tmp_path):
    return Scope(run=SimpleNamespace(path=tmp_path), folder=tmp_path)


def test_a_query_returns_evidence_and_the_line_of_its_filter(registered, scope):
    found = ask(scope, "loudness", case_id="test-1", floor=3)
    assert found.line == "levels above 3 dB"
    assert found.evidence[0].case == "test-1"
    assert found.evidence[0].evidence.id == "T1"
    assert found.evidence[0].evidence.facts[0].value == 71.5
    with pytest.raises(ValueError):
        found.line = "other"
    assert Result.model_validate_json(found.model_dump_json()) == found


def test_the_schema_describes_every_argument(registered):
    schema = registered.schema
    assert schema["required"] == ["case_id"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["floor"]["description"].startswith("decibels")
    assert registered.text == "How loud a case was, in decibels."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"case_id": "x", "floor": -1}, r"floor=-1 was given: .*greater than or equal to 0.*case_id, floor"),
        ({"case_id": "x", "ceiling": 2}, "ceiling=2 was given"),
        ({}, "case_id: Field required"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(registered, scope, given, said):
    with pytest.raises(ConfigError, match=said):
        ask(scope, "loudness", **given)


def test_unknown_queries_name_the_known_ones(registered, scope):
    with pytest.raises(ConfigError, match="loudness"):
        ask(scope, "temperature")


def test_what_is_no_query_is_refused_when_it_is_registered(registered):
    class Silent(Arguments):
        word: str = "x"

    def untyped(scope, asked):
        """No types."""

    def undocumented(scope: Scope, asked: Loudness) -> Result:
        return Result(line="")

    def undescribed(scope: Scope, asked: Silent) -> Result:
        """Fields without a description."""
        return Result(line="")

    for function in (untyped, undocumented):
        with pytest.raises(ConfigError, match="a query is a documented function"):
            query("other")(function)
    undescribed.__annotations__ = {"scope": Scope, "asked": Silent, "return": Result}
    with pytest.raises(ConfigError, match="say what word means"):
        query("other")(undescribed)
    with pytest.raises(ConfigError, match="none is required"):
        query("other", section="Loudness")(loudness)
    with pytest.raises(ConfigError, match="registered twice"):
        query("loudness")(_other)
    assert "other" not in queries()


def _other(scope: Scope, asked: Loudness) -> Result:
    """Another function of the same name."""
    return Result(line="")


@pytest.mark.parametrize(
    ("question", "letters"),
    [
        ("How loud was test-1?", 7),
        ("how  LOUD is it", 7),
        ("Was there noise in the second night?", 10),
        ("How loudly did it ring?", 0),
        ("Was the night without noise?", 0),
        ("", 0),
    ],
)
def test_phrases_are_heard_as_whole_words(registered, question, letters):
    assert registered.heard(question) == letters

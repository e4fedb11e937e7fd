"""The queries of the library as LangChain tools, made from their registry: a new query is a new tool.

A model reads text in which every word from cases is fenced; beside it, as the message's artifact, rides the result
itself, from which `returned` makes the Evidence again that answers are written from and checked against. An error of a
query is an answer too ("no case is called …"), so that a model can correct itself.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import ValidationError

from mmdmad.ask.base import Query, Result, Scope, queries, told_error
from mmdmad.ask.for_models import error_text, result_text
from mmdmad.errors import MmdmadError
from mmdmad.fence import unfenced

if TYPE_CHECKING:
    from mmdmad.store.run import Run


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Returned:
    """What a tool gave: the result of its query, or what was wrong and which case ids may have been meant."""

    result: Result | None = None
    error: str = ""
    nearest: tuple[str, ...] = ()


def make_tools(run: "Run", folder: Path | None = None) -> list[BaseTool]:
    """A tool for every registered query, over one run.

    `folder` is where new files may be scored from (default: the current folder).
    """
    scope = Scope(run, folder or Path.cwd())
    return [_tool(query, scope) for query in queries().values()]


def _tool(query: Query, scope: Scope) -> BaseTool:
    def call(**given: Any) -> tuple[str, dict[str, Any]]:
        try:
            # a model may copy the marks of the fence with the names between them
            result = query(scope, **{name: _bare(value) for name, value in given.items()})
        except MmdmadError as error:
            kept: dict[str, Any] = {
                "query": query.name,
                "error": str(error),
                "nearest": list(getattr(error, "nearest", ())),
            }
        except Exception as error:  # another distribution's code, or a slip of ours: a line for who asks
            log.debug("query %s", query.name, exc_info=True)
            kept = {"query": query.name, "error": told_error(query.name, error)}
        else:
            kept = {"query": query.name, "result": result.model_dump(mode="json")}
        return text_of(kept), kept

    return StructuredTool.from_function(
        call, name=query.name, description=query.text, args_schema=query.schema, response_format="content_and_artifact"
    )


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(inner) for name, inner in value.items()}
    return unfenced(value) if isinstance(value, str) else value


def returned(message: ToolMessage) -> Returned:
    """The result that rides beside a tool's text; what comes back from a stored conversation is checked again."""
    return _read(message.artifact) if isinstance(message.artifact, dict) else Returned(error=str(message.text))


def text_of(kept: dict[str, Any]) -> str:
    """What a model reads of a result or an error."""
    found = _read(kept)
    return error_text(found.error, found.nearest) if found.result is None else result_text(found.result)


def _read(kept: dict[str, Any]) -> Returned:
    query = queries().get(str(kept.get("query")))
    if "error" in kept:
        return Returned(error=str(kept["error"]), nearest=tuple(map(str, kept.get("nearest") or ())))
    if query is None:
        return Returned(error=f"no query is called {kept.get('query')!r} any more")
    try:
        return Returned(query.result.model_validate(kept.get("result")))
    except ValidationError:
        return Returned(error=f"the stored result of {query.name} is not one of this version")

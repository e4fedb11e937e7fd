"""The offline analyst: a deterministic chat model behind LangChain's interface. No weights, no key, no network.

It reads the last question in its conversation, calls tools through real tool calls and writes the answer from their
results. It is the default model and the double that tests run against.
"""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from mmdmad.agents.llms.dialogue import Call, Turn
from mmdmad.agents.llms.heard import Vocabulary
from mmdmad.agents.llms.planning import needed, turns, understand, vocabulary
from mmdmad.agents.llms.speaking import speak


class OfflineChat(BaseChatModel):
    """Plans and speaks by rules; `tools` are the names it may call, set by `bind_tools`."""

    tools: tuple[str, ...] = ()

    @property
    def _llm_type(self) -> str:
        return "offline"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": "offline", "tools": self.tools}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model, allowed to call these tools."""
        names = tuple(convert_to_openai_tool(t)["function"]["name"] for t in tools)
        return OfflineChat(tools=names)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _next(self, messages: Sequence[BaseMessage]) -> AIMessage:
        past = turns(messages)
        if not past:
            return AIMessage("Ask me about the cases of this run.")
        names = vocabulary(past)
        readings = understand(past, names or Vocabulary(), self.tools)
        if names is None and "overview" in self.tools and readings[0].intent not in ("help", "thanks"):
            return self._call([Call("overview", {})], past)
        done = past[-1].calls
        calls = [call for reading in readings for call in needed(reading)]
        waiting = [c for c in calls if c.name in self.tools and not any(c.same(d) for d in done)]
        known = [d for turn in past for d in turn.calls if d.name == "overview"]
        if waiting and not (known and all(c.name == "overview" for c in waiting)):
            return self._call(waiting, past)
        answers = []
        for reading in readings:
            results = [next((d for d in (*reversed(done), *reversed(known)) if c.same(d)), c) for c in needed(reading)]
            answers.append(speak(reading, past[-1].question, results))
        return AIMessage("\n".join(answers))

    @staticmethod
    def _call(calls: Sequence[Call], past: Sequence[Turn]) -> AIMessage:
        made = [
            {
                "name": c.name,
                "args": c.args,
                "id": f"turn{len(past)}-{len(past[-1].calls) + i}-{c.name}",
                "type": "tool_call",
            }
            for i, c in enumerate(calls)
        ]
        return AIMessage("", tool_calls=made)

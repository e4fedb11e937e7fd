"""Chat models by spec: "offline", one that another distribution brings, or any "provider:model" that LangChain knows.

An entry point in the group `mmdmad.chat_models` names a function of one string, what stands after the colon of a spec
("" without one), that returns a LangChain chat model; the entry point's name is what stands before it.
"""

from typing import TYPE_CHECKING

from mmdmad.errors import ConfigError, MmdmadError
from mmdmad.registry import named_entry_point

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


ENTRY_POINTS = "mmdmad.chat_models"


def make_llm(spec: str = "offline") -> "BaseChatModel":
    """The chat model a spec names; raises ConfigError with the exact pip line where a provider's package is missing.

    >>> make_llm("offline")._llm_type
    'offline'
    """
    if spec == "offline":
        from mmdmad.agents.llms.offline import OfflineChat

        return OfflineChat()
    provider, _, model = spec.partition(":")
    if make := named_entry_point(ENTRY_POINTS, provider):
        try:
            made: BaseChatModel = make(model)
        except MmdmadError:
            raise
        except Exception as error:  # another distribution's code
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ConfigError(f"llm {spec!r} cannot be made: {reason}") from error
        return made
    if not provider or not model:
        raise ConfigError(
            f'llm {spec!r} was given; allowed are "offline" and "provider:model", such as "openai:gpt-5-mini"'
        )
    from langchain.chat_models import init_chat_model

    try:
        return init_chat_model(model, model_provider=provider, temperature=0)
    except ImportError as error:
        package = _package(provider, error)
        raise ConfigError(
            f'llm {spec!r} needs {package}, which is not installed; run: pip install "{package}"'
        ) from error
    except Exception as error:  # what a provider raises without its key differs from provider to provider
        raise ConfigError(f"llm {spec!r} cannot be made: {error}") from error


def _package(provider: str, error: ImportError) -> str:
    """The pip package of a provider, as LangChain names it in its error, or by its naming habit."""
    import re

    named = re.search(r"pip install ([\w-]+)", str(error))
    return named[1] if named else f"langchain-{provider.replace('_', '-')}"

"""Finding → Explanation: claims of its evidence, chosen by a writer or by a model, in words by code.

The offline writer needs no model. A language model chooses ids of claims and how they are joined, bound to a form in
which nothing else can be said, or, where it takes no form, by an answer of ids only. A draft in a writer's own words is
shown where every word of it is read as claims that hold; else the claims of the evidence it cites are.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmdmad.agents.writer import Draft, write
from mmdmad.prompts import load
from pydantic import BaseModel

from mmdmad.claims.admit import admitted, told
from mmdmad.claims.base import LANGUAGES, Claim, Language
from mmdmad.claims.choosing import Chosen, looks_of, menu, note, read_choice, schema
from mmdmad.claims.looks import Look
from mmdmad.claims.making import claims_of_finding
from mmdmad.errors import ConfigError, MmdmadError
from mmdmad.fence import fence, unfenced
from mmdmad.findings import Explanation, Finding, Sentence

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

log = logging.getLogger(__name__)
IDS_ONLY = (
    "Answer with ids only, on one line, with a join before an id where one fits, for example:\n"
    "E1.1 E3.1 while E5.1 but E8.1 L1"
)
"""Asked of a model that takes no form; code reads the ids and joins, and an answer with anything else is none."""


def explain(finding: Finding, llm: "str | BaseChatModel" = "offline", language: str = "en") -> Explanation:
    """Sentences about a finding, made of claims of its evidence, in English ("en") or German ("de").

    `llm` is "offline" (a writer in code), another model spec ("openai:gpt-…") or a LangChain chat model. ConfigError
    for another language.
    """
    known = next((one for one in LANGUAGES if one == language), None)
    if known is None:
        raise ConfigError(f"language={language!r} was given; allowed are {', '.join(LANGUAGES)}")
    if llm == "offline":
        return gate(write(finding), finding, llm="offline", prompt="writer/1", language=known)
    from mmdmad.agents.llms import make_llm

    model = make_llm(llm) if isinstance(llm, str) else llm
    name = llm if isinstance(llm, str) else type(llm).__name__
    return _by_choice(model, name, finding, known)


def gate(drafts: Sequence[Draft], finding: Finding, *, llm: str, prompt: str, language: Language = "en") -> Explanation:
    """Keep the drafts of which every word is read as claims of what they cite; put those claims where one is not.

    Drafts are English; in another language all of them are told by their claims. `faithfulness` is the share of drafts
    that were read (1.0 when there are none).
    """
    claims = claims_of_finding(finding)
    kept: list[Sentence] = []
    dropped: list[Sentence] = []
    used: set[str] = set()
    for draft in drafts:
        cited = [c for c in claims if {*c.evidence} & {*draft.cites}]
        found = admitted(draft.text, tuple(draft.cites), cited)
        if not found.verbatim:
            problem = "not every word of it is read as a claim of what it cites" if cited else "cites no evidence"
            dropped.append(Sentence(text=draft.text, cites=tuple(draft.cites), grounded=False, problems=(problem,)))
        if found.verbatim and language == "en":
            kept.append(Sentence(text=draft.text, cites=tuple(draft.cites), grounded=True))
        elif fresh := [c for c in cited if len(c.evidence) == 1 and not {*c.evidence} & used]:
            cites = tuple(dict.fromkeys(i for c in fresh for i in c.evidence))
            verbatim = found.verbatim
            kept.append(Sentence(text=told(fresh, language), cites=cites, grounded=True, verbatim=verbatim))
        used.update(draft.cites)
    faithfulness = 1 - len(dropped) / len(drafts) if drafts else 1.0
    return Explanation(
        sentences=(*_verdict(claims, kept, language), *kept), faithfulness=faithfulness, llm=llm, prompt=prompt,
        dropped=tuple(dropped),
    )  # fmt: skip


def _verdict(claims: Sequence[Claim], kept: Sequence[Sentence], language: Language) -> list[Sentence]:
    """The verdict, where no sentence rests on it: it stands in every explanation."""
    own = [c for c in claims if c.kind == "verdict"]
    ids = {i for c in own for i in c.evidence}
    if not own or any(ids & {*s.cites} for s in kept):
        return []
    return [Sentence(text=told(own, language), cites=own[0].evidence, grounded=True)]


def _by_choice(model: "BaseChatModel", name: str, finding: Finding, language: Language) -> Explanation:
    """What a chat model chose to tell; it sees ids and words of claims, never pixels, and writes nothing."""
    claims = claims_of_finding(finding)
    looks = looks_of(claims)
    prompt = load("explainer")
    lines = "\n".join(f"{number}: {fence(words)}" for number, words in menu(claims, looks))
    text = prompt.fill(case_id=fence(finding.case_id), claims=lines)
    chosen = _choice(model, text, claims, looks)
    if not chosen:
        raise MmdmadError(
            f"model {name} chose no claims for case {finding.case_id}; try again, another model, or --llm offline"
        )
    made = note(chosen, claims, looks, language)
    kept = [
        Sentence(text=words, cites=tuple(dict.fromkeys(i for c in own for i in c.evidence)), grounded=True)
        for words, own in made.sentences
    ]
    dropped = tuple(
        Sentence(text=why.partition(": ")[0], cites=(), grounded=False, problems=(why.partition(": ")[2],))
        for why in made.refused
    )
    share = 1 - min(len(dropped) / len(chosen), 1.0)
    return Explanation(
        sentences=(*_verdict(claims, kept, language), *kept), faithfulness=share, llm=name, prompt=prompt.label,
        dropped=dropped,
    )  # fmt: skip


def _choice(model: "BaseChatModel", text: str, claims: Sequence[Claim], looks: Sequence[Look]) -> tuple[Chosen, ...]:
    """The choice as a structure where the model takes a form, else by an answer of ids only; () where neither comes."""
    try:
        given = model.with_structured_output(schema(claims, looks)).invoke(text)
    except (NotImplementedError, ValueError) as error:  # no tool calling, or an answer out of the form
        log.debug("no structured choice: %s", error)
        given = None
    if isinstance(given, BaseModel):
        given = given.model_dump()
    if isinstance(given, dict) and isinstance(given.get("chosen"), list):
        return tuple(Chosen.model_validate(one) for one in given["chosen"] if _is_one(one))
    answer = model.invoke(f"{text}\n\n{IDS_ONLY}")
    return read_choice(unfenced(str(answer.text))) or ()


def _is_one(one: object) -> bool:
    try:
        Chosen.model_validate(one)
    except ValueError:
        return False
    return True

"""Category prompts written by a chat model: bound to the schema, checked, and asked once more where they are wrong."""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdmad.prompts import load
from pydantic import ValidationError

from mmdmad.cases import Modality
from mmdmad.categories import Category, Language, Wording, write
from mmdmad.categories.grammar import defects
from mmdmad.errors import ConfigError, MmdmadError
from mmdmad.fence import fence

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import HumanMessage

LANGUAGES: Mapping[Language, str] = {"en": "English", "de": "German"}
EXAMPLES, SIDE = 4, 512
"""Most pictures that a model is shown, and their longer side in pixels."""
TRIES = 2


def write_category(
    noun: str,
    modality: Modality = "image",
    *,
    languages: Sequence[Language] = ("en",),
    llm: "str | BaseChatModel" = "offline",
    examples: Sequence[Path] = (),
) -> Category:
    """A category of a thing, by the grammar ("offline") or by a chat model.

    `examples` are pictures of normal things, of which a model is shown the first four. ConfigError for a noun that
    cannot be a name, MmdmadError where the model gives no words that a category can hold.

    >>> write_category("steel screw").author
    'grammar'
    """
    if llm == "offline":
        if "de" in languages:
            raise ConfigError("the grammar translates no noun; give each language its word: --noun de=Stahlschraube")
        return write(noun, modality)
    from mmdmad.agents.llms import make_llm

    model = make_llm(llm) if isinstance(llm, str) else llm
    name = llm if isinstance(llm, str) else type(llm).__name__
    shown = [_picture(path) for path in examples[:EXAMPLES]]
    words = {language: _ask(model, name, noun, modality, language, shown) for language in languages}
    base = write(noun, modality)
    return Category(name=base.name, modality=modality, author=name[:120], en=words.get("en"), de=words.get("de"))


def _ask(
    model: "BaseChatModel", name: str, noun: str, modality: Modality, language: Language, pictures: Sequence[Any]
) -> Wording:
    text = load("category").fill(
        noun=fence(noun), modality=modality, language=LANGUAGES[language], hints=", ".join(defects(noun, modality))
    )
    wrong = ""
    for _ in range(TRIES):
        said = f"\n\nYour last words could not be used: {wrong}. Write all of them again." if wrong else ""
        found = model.with_structured_output(Wording).invoke([_message(text + said, pictures)])
        try:
            return Wording.model_validate(found.model_dump() if isinstance(found, Wording) else found)
        except ValidationError as error:
            first = error.errors()[0]
            wrong = f"{'.'.join(str(p) for p in first['loc']) or 'the whole'}: {first['msg']}"[:300]
    raise MmdmadError(
        f"model {name} wrote no words that a category can hold ({wrong}); try again, another model, or --llm offline"
    )


def _message(text: str, pictures: Sequence[Any]) -> "HumanMessage":
    from langchain_core.messages import HumanMessage

    return HumanMessage(content=[{"type": "text", "text": text}, *pictures] if pictures else text)


def _picture(path: Path) -> dict[str, Any]:
    """A picture as a model takes it, made small, so that no giant file leaves the machine."""
    from PIL import Image

    from mmdmad.cases import Part
    from mmdmad.parts import read

    made = Image.fromarray(read(Part("image", path=path)).pixels)
    made.thumbnail((SIDE, SIDE))
    buffer = BytesIO()
    made.save(buffer, format="JPEG", quality=85)
    data = base64.b64encode(buffer.getvalue()).decode()
    return {"type": "image", "base64": data, "mime_type": "image/jpeg"}

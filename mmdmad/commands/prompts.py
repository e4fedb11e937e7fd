"""`mmdmad prompts`: the words for normal and faulty things of a category, written, audited, pruned and compared."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmdmad.commands.common import EXIT_INPUT, Llm, pairs
from mmdmad.errors import ConfigError, WeightsError
from mmdmad.plain import say

if TYPE_CHECKING:
    import numpy as np

    from mmdmad.categories import Category
    from mmdmad.categories.audit import Embed
    from mmdmad.encoders.base import Encoder

app = typer.Typer(
    help="Category prompts: what normal and faulty things look like, in words.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Kind = Annotated[Literal["image", "sensor", "text", "video"], typer.Option(help="As what the thing is seen.")]
Out = Annotated[Path | None, typer.Option(help="File to write (.yaml); default: it is printed.")]
Tongue = Annotated[Literal["en", "de"], typer.Option(help="Whose words to look at.")]
Source = Annotated[str, typer.Argument(metavar="CATEGORY", help="A category's name, or its YAML file.")]


@app.command("list")
def names_of_all() -> None:
    """Name, modality, languages and number of prompts of every category that ships."""
    from mmdmad.categories import load, names

    for name in names():
        one = load(name)
        sizes = (f"{language} {sum(map(len, one.words(language).prompts().values()))}" for language in one.languages)
        say(f"{name}  {one.modality}, version {one.version}, prompts: {', '.join(sizes)}")


@app.command("show")
def show(category: Source, language: Tongue = "en") -> None:
    """Every prompt of a category, by state."""
    from mmdmad.categories import load

    for state, prompts in load(category).words(language).prompts().items():
        say(f"{state}:")
        for prompt in prompts:
            say(f"  {prompt}")


@app.command("write")
def write_one(
    thing: Annotated[str, typer.Argument(metavar="THING", help='What it is, in English: "solar cell".')],
    modality: Kind = "image",
    noun: Annotated[
        list[str] | None, typer.Option(help="The thing's word in a further language, as in de=Solarzelle.")
    ] = None,
    llm: Llm = "offline",
    examples: Annotated[Path | None, typer.Option(help="Folder of normal pictures that a model may look at.")] = None,
    out: Out = None,
) -> None:
    """Write a category: by a grammar of materials and defects, or with --llm by a chat model, bound to the schema."""
    from mmdmad.agents.category_writer import write_category
    from mmdmad.categories import save, write

    nouns = {"en": thing, **dict(pairs("noun", noun))}
    if other := set(nouns) - {"en", "de"}:
        raise ConfigError(f"--noun {min(other)}=... was given; allowed are en and de")
    if out is not None and out.exists():
        raise ConfigError(f"{out} exists; give another file, so that nobody's words are lost")
    if llm == "offline":
        made = write(thing, modality, nouns=nouns)  # type: ignore[arg-type]
    else:
        shown = sorted(path for path in examples.iterdir() if path.is_file()) if examples is not None else []
        made = write_category(thing, modality, languages=[*nouns], llm=llm, examples=shown)  # type: ignore[list-item]
    if out is None:
        _print(made)
    else:
        save(made, out)
        say(f"{out}: {made.name}, written by {made.author}; look at it with `mmdmad prompts audit {out}`")


@app.command("audit")
def audit_one(
    category: Source,
    language: Tongue = "en",
    normal: Annotated[Path | None, typer.Option(help="Folder of normal pictures.")] = None,
    anomalous: Annotated[Path | None, typer.Option(help="Folder of faulty pictures.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Say which prompts cannot work, and why; exit code 1 where there are any."""
    from mmdmad.categories import audit, load

    if anomalous is not None and normal is None:
        raise ConfigError("--anomalous was given without --normal; give both, or normal pictures alone")
    embed, pictures, without = _space(normal, anomalous)
    found = audit(load(category), language, embed=embed, **pictures)
    if as_json:
        say(
            json.dumps({**asdict(found), "pictures_not_looked_at": without or None}, ensure_ascii=False, indent=1),
            lines=True,
        )
    else:
        say(f"{found.category} ({found.language}): {found.prompts} prompts, {len(found.faults)} faults")
        for fault in found.faults:
            say(f"  {fault.state}{f', {fault.phrase!r}' if fault.phrase else ''}: {fault.reason}: {fault.said}")
        for state, value in (found.separation or {}).items():
            say(f"  {state}: {'AUROC' if anomalous else 'share of normal pictures on the right side'} {value:.2f}")
        if without:
            say(without)
    if found.faults:
        raise typer.Exit(EXIT_INPUT)


@app.command("prune")
def prune_one(category: Source, out: Out = None, language: Tongue = "en", normal: Path | None = None) -> None:
    """Write the next version of a category without the phrases that its audit finds fault with."""
    from mmdmad.categories import audit, load, prune, save

    one = load(category)
    embed, pictures, without = _space(normal, None)
    left = prune(one, audit(one, language, embed=embed, **pictures).faults, language)
    if without:
        say(without)
    if out is None:
        _print(left)
    else:
        save(left, out)
        say(f"{out}: version {left.version}" + (", as it was: nothing to leave out" if left == one else ""))


@app.command("diff")
def diff(before: Source, after: Source) -> None:
    """The phrases that two versions of a category differ in."""
    from mmdmad.categories import difference, load

    for one in difference(load(before), load(after)):
        say(f"{'+' if one.kind == 'added' else '-'} {one.language}, {one.state}: {one.phrase}")


def _print(category: "Category") -> None:
    import yaml

    said = category.model_dump(mode="json", exclude_none=True)
    say(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=110).rstrip(), lines=True)


def _space(normal: Path | None, anomalous: Path | None) -> "tuple[Embed, dict[str, np.ndarray], str]":
    """How texts become embeddings, those of the pictures in the same space, and why pictures were not looked at.

    With pictures that is CLIP, where its weights are on this machine; else a sentence model compares phrases.
    """
    from mmdmad.encoders.clip import ClipImage, ClipText
    from mmdmad.encoders.minilm import MiniLM

    if normal is None:
        return MiniLM().embed, {}, ""
    try:
        texts, images = ClipText(), ClipImage()
    except WeightsError as error:
        return MiniLM().embed, {}, f"the pictures were not looked at, as that takes a text-image model: {error}"
    folders = {"normal": normal, "anomalous": anomalous}
    found = {name: _embedded(images, folder) for name, folder in folders.items() if folder is not None}
    return texts.embed, found, ""


def _embedded(images: "Encoder", folder: Path) -> "np.ndarray":
    """Embeddings (N, E) of the pictures in a folder; ConfigError where there is none."""
    import numpy as np

    from mmdmad.cases import Part
    from mmdmad.modalities.base import modality_of
    from mmdmad.parts import read

    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in modality_of("image").suffixes)
    if not files:
        raise ConfigError(f"{folder} holds no picture; allowed are {', '.join(modality_of('image').suffixes)}")
    return np.stack([images.encode(read(Part("image", path=file))).embedding() for file in files])

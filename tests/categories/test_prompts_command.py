"""`mmdmad prompts` as it is typed, and a chat model that writes a category."""

import json

import pytest
from langchain_core.messages import HumanMessage
from mmdmad.agents.category_writer import write_category
from PIL import Image
from typer.testing import CliRunner

from mmdmad.categories import Wording, load
from mmdmad.cli import app
from mmdmad.errors import ConfigError, MmdmadError

GOOD = {
    "noun": "bolt",
    "normal": ["a clean {}"],
    "anomalous": {"rust": ["a rusty {}"]},
    "templates": ["a photo of {}."],
}


def run(*words, code=0):
    done = CliRunner().invoke(app, ["prompts", *map(str, words)])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_a_category_is_written_audited_pruned_and_compared(tmp_path):
    file, later = tmp_path / "screw.yaml", tmp_path / "later.yaml"
    assert "written by grammar" in run("write", "steel screw", "--noun", "de=Stahlschraube", "--out", file)
    assert load(file).languages == ("en", "de")
    assert "0 faults" in run("audit", file)
    file.write_text(file.read_text().replace("a rusty {}", "a flawless {}"))
    said = run("audit", file, code=1)
    assert "rust, 'a flawless {}': crossed" in said
    found = json.loads(run("audit", file, "--json", code=1))
    assert {fault["reason"] for fault in found["faults"]} >= {"crossed"}
    assert "version 2" in run("prune", file, "--out", later)
    assert "- en, rust: a flawless {}" in run("diff", file, later)
    assert "a photo of a steel screw with a dent." in run("show", later)
    assert "solar cell  image, version 1" in run("list")
    assert "noun: brass nut" in run("write", "brass nut")


def test_what_cannot_be_done_is_said(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("x")
    for words, said in (
        (("write", "screw", "--out", file), "exists"),
        (("write", "screw", "--noun", "fr=vis"), "allowed are en and de"),
        (("audit", "solar cell", "--anomalous", tmp_path), "without --normal"),
        (("audit", "space ship"), "no category is called"),
    ):
        done = CliRunner().invoke(app, ["prompts", *map(str, words)])
        assert isinstance(done.exception, ConfigError)
        assert said in str(done.exception)


def test_pictures_are_said_not_to_be_looked_at_without_a_text_image_model(tmp_path, monkeypatch):
    monkeypatch.delenv("MMDMAD_CLIP", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert "the pictures were not looked at" in run("audit", "solar cell", "--normal", tmp_path)


class Model:
    """A chat model that gives these words one after another, and keeps what it was asked."""

    def __init__(self, *words):
        self.words, self.asked = list(words), []

    def with_structured_output(self, schema):
        assert schema is Wording
        return self

    def invoke(self, messages):
        (message,) = messages
        assert isinstance(message, HumanMessage)
        self.asked.append(message.content)
        return self.words.pop(0)


def test_a_model_writes_within_the_schema(tmp_path):
    model = Model(GOOD, Wording(**{**GOOD, "noun": "Bolzen"}))
    made = write_category("steel bolt", languages=("en", "de"), llm=model)
    assert (made.name, made.author, made.words("de").noun) == ("steel bolt", "Model", "Bolzen")
    assert "German" in model.asked[1]
    assert "rust" in model.asked[0]  # what things of steel can have
    assert "steel bolt" in model.asked[0]


def test_a_model_that_errs_is_asked_once_more_and_told_why():
    model = Model({**GOOD, "normal": ["a thing"]}, GOOD)
    assert write_category("bolt", llm=model).words().normal == ("a clean {}",)
    assert "0 places" in model.asked[1]
    with pytest.raises(MmdmadError, match="wrote no words that a category can hold"):
        write_category("bolt", llm=Model({}, {}))
    with pytest.raises(ConfigError, match="--noun de="):
        write_category("bolt", languages=("de",))


def test_a_model_is_shown_at_most_four_small_pictures(tmp_path):
    for number in range(6):
        Image.new("RGB", (2000, 1000), (number, 0, 0)).save(tmp_path / f"{number}.png")
    model = Model(GOOD)
    write_category("bolt", llm=model, examples=sorted(tmp_path.iterdir()))
    text, *pictures = model.asked[0]
    assert text["type"] == "text"
    assert len(pictures) == 4
    assert all(one["mime_type"] == "image/jpeg" and len(one["base64"]) < 60_000 for one in pictures)

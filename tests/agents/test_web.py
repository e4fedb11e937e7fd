"""The chat page is shut: what comes from cases stays text, this machine alone is served, nothing stays behind."""

import http.client
import json
import os
import re
import socket
import stat
from html import unescape
from pathlib import Path

import pytest
from mmdmad.agents import guard, web
from mmdmad.agents.investigator import Answer, Investigator
from PIL import Image

from mmdmad.errors import ConfigError, MmdmadError
from tests.agents.hostile import MARKUP, spoiled

gr = pytest.importorskip("gradio")


@pytest.fixture
def run(fake_run):
    """The run with a safe way to its pictures."""
    fake_run.artifact = lambda relative: fake_run.path / relative
    return fake_run


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def words(message) -> list[str]:
    """Every text of a message that the page turns into HTML."""
    texts = [message.content] if isinstance(message.content, str) else []
    return [*texts, *(message.metadata or {}).values()]


@pytest.mark.parametrize("template", MARKUP)
def test_what_cases_say_reaches_the_page_as_text(run, template: str) -> None:
    text = template.format("//127.0.0.1:9")
    first = next(f for f in run.items.values() if f.verdict == "anomalous")
    run.items[first.case_id] = spoiled(first, text)
    agent = Investigator(run)
    for question in (f"Which words of {first.case_id} are odd?", "Give me an overview."):
        said = web.answer(gr, run, agent, question, "t")
        assert said
        for shown in (w for message in said for w in words(message)):
            assert not re.search(r"[<>\"']", shown), shown
    agent.close()


def test_the_quotation_itself_is_shown_whole(run) -> None:
    """Escaped, not taken away: the reader sees what stood in the log, links included."""
    first = next(f for f in run.items.values() if f.verdict == "anomalous")
    agent = Investigator(run)
    for text in ("alarm <IMG src=//127.0.0.1:9/g> door", "see https://intranet.example/ticket/17", "data:0.30 lost"):
        run.items[first.case_id] = spoiled(first, text)
        said = web.answer(gr, run, agent, f"Which words of {first.case_id} are odd?", text)
        assert text in unescape(said[1].content)
    agent.close()


@pytest.mark.parametrize("failure", [MmdmadError("<b>&\x1b[2J"), ValueError("<b>&\x1b[2J")])
def test_errors_and_whatever_a_model_says_are_escaped_too(run, failure: Exception) -> None:
    class Fails:
        def ask(self, question: str, thread: str) -> Answer:
            raise failure

    class Says:
        def ask(self, question: str, thread: str) -> Answer:
            return Answer("<b>&\x1b[2J", tools=("<b>",), evidence=("<b>/E1",))

    for agent in (Fails(), Says()):
        shown = [w for message in web.answer(gr, run, agent, "x", "t") for w in words(message)]
        assert any("&lt;b&gt;" in w for w in shown)
        assert not any("<" in w or "\x1b" in w for w in shown)


def test_the_question_is_escaped_and_every_component_shows_plain_text(run) -> None:
    page = web.make_page(run)
    put = next(f.fn for f in page.fns.values() if getattr(f.fn, "__name__", "") == "put")
    emptied, asked, shown, _ = put("<img src=//x> \x1b[0m", [])
    assert (emptied, asked) == ("", "<img src=//x> \x1b[0m")
    assert shown[0].content == "&lt;img src=//x&gt; \\u001b[0m"
    assert put("  ", [])[2] == []
    parts = page.get_config_file()["components"]
    (chatbot,) = [c["props"] for c in parts if c["type"] == "chatbot"]
    assert chatbot["render_markdown"] is False
    assert chatbot["sanitize_html"] is True
    assert chatbot["allow_tags"] is False
    assert chatbot["latex_delimiters"] == []
    assert {c["type"] for c in parts} <= {"markdown", "chatbot", "textbox", "state", "row", "button", "form"}
    (markdown,) = [c["props"]["value"] for c in parts if c["type"] == "markdown"]
    assert run.path.name not in markdown  # a folder may have any name


def test_pictures_are_drawn_again_and_other_files_are_not_shown(run, flagged, tmp_path: Path) -> None:
    finding = flagged["image"]
    (artifact,) = [e.artifact for e in finding.evidence if e.kind == "region"]
    file = run.artifact(artifact)
    file.parent.mkdir(parents=True)
    Image.new("RGB", (4000, 10)).save(file, pnginfo=None)
    file.write_bytes(file.read_bytes() + b"SECRET")
    agent, folder = Investigator(run), tmp_path / "shown"
    folder.mkdir()
    question = f"Where is the flaw in {finding.case_id}?"
    *_, last = web.answer(gr, run, agent, question, "t", folder)
    assert isinstance(last.content, gr.Image)
    (drawn,) = folder.iterdir()
    assert b"SECRET" not in drawn.read_bytes()
    with Image.open(drawn) as picture:
        assert max(picture.size) <= web.WIDEST
    for content in (b"SQLite format 3\x00", b"<svg xmlns='http://www.w3.org/2000/svg'/>"):
        file.write_bytes(content)
        assert all(isinstance(m.content, str) for m in web.answer(gr, run, agent, question, "t", folder))
    agent.close()


@pytest.fixture
def served(run, tmp_path: Path):
    """Port of a page that is being served."""
    with web.served(run, port=free_port()) as address:
        yield int(address.rstrip("/").rsplit(":", 1)[1])


def request(port: int, method: str = "GET", path: str = "/", body: bytes = b"", **fields: str) -> tuple[int, str, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body or None, {name.replace("_", "-"): value for name, value in fields.items()})
    reply = connection.getresponse()
    found = reply.status, reply.read().decode("utf-8", "replace"), dict(reply.getheaders())
    connection.close()
    return found


def test_only_this_machine_is_served(served: int, run) -> None:
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        assert request(served, Host=f"{name}:{served}")[0] == 200, name
    for name in (
        "evil.example",
        f"evil.example:{served}",
        "127.0.0.1.evil.example",
        "localhost.evil",
        "0.0.0.0",
        "::1",
    ):
        status, body, _ = request(served, Host=name)
        assert status == 403, name
        assert "(simulated data)" not in body
    joined = "/gradio_api/queue/join"
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{served + 1}", f"https://127.0.0.1:{served}"):
        assert request(served, "POST", joined, b"{}", Origin=origin, content_type="application/json")[0] == 403, origin
    same = request(served, "POST", joined, b"{}", Origin=f"http://127.0.0.1:{served}", content_type="application/json")
    assert same[0] == 422  # let in; Gradio then misses the fields of a question


def test_a_request_that_names_nothing_is_answered_in_one_line(served: int, caplog) -> None:
    body = b'{"fn_index": 999, "data": [], "session_hash": "a"}'
    for extra in ({}, {"Origin": f"http://127.0.0.1:{served}"}, {"Sec-Fetch-Site": "same-origin"}):
        status, said, _ = request(
            served, "POST", "/gradio_api/queue/join", body, content_type="application/json", **extra
        )
        assert status == 400
        assert "\n" not in said
    lines = [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")]
    assert [r.name for r in lines] == ["mmdmad.agents.guard"] * 3
    assert not any(r.exc_info for r in lines)
    assert "KeyError: 999" in lines[0].getMessage()


def test_other_sites_post_nothing_even_without_an_origin(served: int) -> None:
    body = b'{"fn_index": 0, "data": [], "session_hash": "a"}'
    for site in ("cross-site", "same-site", "Cross-Site"):
        reply = request(
            served, "POST", "/gradio_api/queue/join", body, content_type="application/json", Sec_Fetch_Site=site
        )
        assert reply[0] == 403, site
    assert request(served, Sec_Fetch_Site="cross-site")[0] == 200  # a link to the page


def test_what_a_proxy_says_is_not_repeated(served: int) -> None:
    for fields in (
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Forwarded": "host=evil.example"},
    ):
        for path in ("/", "/config"):
            status, body, _ = request(served, path=path, **fields)
            assert status == 200
            assert "evil.example" not in body
            assert f"https://127.0.0.1:{served}" not in body


def test_nothing_is_uploaded_and_large_requests_end(served: int) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b"
    for path in ("/gradio_api/upload", "/upload", "/gradio_api/upload/", "/gradio_api/upload?upload_id=1"):
        assert request(served, "POST", path, form, content_type=kind)[0] == 403, path
    assert request(served, "POST", "/gradio_api/queue/join", b"x" * (guard.LARGEST + 1))[0] == 413
    connection = http.client.HTTPConnection("127.0.0.1", served, timeout=30)
    connection.request("POST", "/gradio_api/queue/join", iter([b"x"]), {}, encode_chunked=True)
    assert connection.getresponse().status == 411
    connection.close()
    assert list(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*.txt")) == []


def test_the_browser_is_told_to_load_nothing_from_elsewhere(served: int, run) -> None:
    status, body, fields = request(served)
    assert status == 200
    policy = dict(part.strip().split(" ", 1) for part in fields["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert not any(re.search(r"https?:|\*|unsafe-eval", sources) for sources in policy.values())
    assert fields["x-content-type-options"] == "nosniff"
    assert "fonts.googleapis" not in body
    run.artifact("chat.sqlite").write_bytes(b"private")
    for file in (run.artifact("chat.sqlite"), Path.cwd() / "pyproject.toml", Path("/etc/hostname")):
        assert request(served, path=f"/gradio_api/file={file}")[0] in (403, 404), file


def test_the_folder_of_the_page_is_private_and_goes_with_it(run, monkeypatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/elsewhere")
    with web.served(run, port=free_port()):
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "left").write_text("behind")
    assert not folder.exists()
    assert os.environ["GRADIO_TEMP_DIR"] == "/elsewhere"


def test_the_address_is_printed_and_a_taken_port_is_told(run, capsys) -> None:
    port = free_port()
    address = web.serve(run, port=port, block=False)
    assert address == f"http://127.0.0.1:{port}/"
    assert f"chat: {address}" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=f"port {port} cannot be used .*--port"):
        web.serve(run, port=port, block=False)


def test_a_conversation_begins_anew_when_the_page_is_cleared(run) -> None:
    page = web.make_page(run)
    begin = next(f.fn for f in page.fns.values() if getattr(f.fn, "__name__", "") == "begin")
    assert begin()[0] == []
    assert begin()[1] != begin()[1]
    assert json.dumps(begin())

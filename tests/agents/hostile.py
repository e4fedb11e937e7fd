"""Findings whose every word comes from somebody who wants to reach the reader's browser, terminal or table."""

from typing import Any

from mmdmad.findings import Evidence, Fact, Finding

MARKUP = (
    "<img src={0}/1>", "<IMG SRC={0}/2 onerror=void(0)>", "<b>ALL NORMAL</b><h1>verdict: normal</h1>",
    "<video poster={0}/3 src={0}/4 autoplay></video>", '<div style="background:url({0}/5)">x</div>',
    "<picture><source srcset={0}/6></picture><input type=image src={0}/7>", "<svg><image href={0}/8 /></svg>",
    "<link rel=stylesheet href={0}/9><style>@import '{0}/10';</style>", "<iframe src={0}/11></iframe>",
    "<script>fetch('{0}/12')</script>", "![x]({0}/13) [open]({0}/14)", "<object data={0}/15></object>",
    "<meta http-equiv=refresh content='0;url={0}/16'>", "$$\\includegraphics{{{0}/17}}$$", "&lt;img src={0}/18&gt;",
    "<think><img src={0}/19></think>", "<a href={0}/20 ping={0}/21>report</a>", "<audio src={0}/22></audio>",
)  # fmt: skip


def spoiled(finding: Finding, text: str, **changes: Any) -> Finding:
    """A flagged finding with `text` in its group and in the words, caption and facts of its evidence."""
    quote = Evidence(
        id="E1", kind="words", part="text", caption=f"Line 2 stands out: “{text}”.",
        facts=(Fact(name="line", value=2), Fact(name="quote", value=text)),
    )  # fmt: skip
    channel = Evidence(
        id="E2", kind="channel", part="sensor", caption=f"{text} rises to 3.5 A.",
        facts=(Fact(name="channel", value=text), Fact(name="value", value=3.5, unit="A")),
    )  # fmt: skip
    verdict = next(e for e in finding.evidence if e.kind == "verdict").model_copy(update={"id": "E3"})
    changes = {"verdict": "anomalous", "p_value": 0.01, "group": text, "contradictions": (), **changes}
    return finding.model_copy(update={"evidence": (quote, channel, verdict), **changes})

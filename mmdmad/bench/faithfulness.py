"""Explanations on the simulated line: is every claim in its evidence, are planted lies caught, do true words pass?"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.exam.lies import LIARS
from mmdmad.bench.exam.paraphrases import paraphrases
from mmdmad.bench.investigate import RATE, TEST, TRAIN, scored_lines
from mmdmad.bench.result import Meter, Row
from mmdmad.claims import admit
from mmdmad.findings import Finding
from mmdmad.metrics import clopper_pearson

EXPLAINED = 100
PROTOCOL = (
    f"simulated line, {TRAIN} normal training and {TEST} test cases a seed, declared rate {RATE:g}; the {EXPLAINED} "
    "most anomalous cases are explained; every sentence that is shown is read against the claims of the evidence it "
    f"cites; {len(LIARS)} kinds of lies are planted into the shown sentences (lies_caught: not shown as they are), and "
    "true sentences in other words than the captions are offered (truths_replaced: told in words by code instead); the "
    "statements were written with these lies and truths in view"
)


@suite("faithfulness", "explanations whose every claim is in the evidence, planted lies", PROTOCOL, ("offline",))
def run(context: Context) -> Iterator[Row]:
    """One row per chat model and seed."""
    for seed, (judged, _, _) in scored_lines(context, "investigate"):
        for llm in context.detectors:
            meter = Meter()
            with meter.score():
                metrics = measure(list(judged.findings(limit=EXPLAINED)), llm, seed)
            lies = clopper_pearson(round(metrics["lies_caught"] * metrics["lies"]), int(metrics["lies"]))
            yield meter.row(f"line {seed}", llm, seed, metrics, intervals={"lies_caught": lies})


def measure(findings: Sequence[Finding], llm: str, seed: int) -> dict[str, float]:
    """Faithfulness of explanations, share of planted lies caught (over all, and of the worst kind), truths replaced."""
    from mmdmad.agents.explainer import explain

    rng = np.random.default_rng(seed)
    shown, traceable, written, scores = 0, 0, 0, []
    told: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    truths = replaced = 0
    for finding in findings:
        note = explain(finding, llm)
        scores.append(note.faithfulness)
        written += bool(note.sentences)
        for sentence in note.sentences:
            shown += 1
            traceable += admit(sentence.text, sentence.cites, finding).verbatim
            for kind, lie in LIARS.items():
                planted = lie(sentence.text, sentence.cites, finding.evidence, rng)
                if planted is not None and planted != (sentence.text, sentence.cites):
                    told[kind] += 1
                    caught[kind] += not admit(*planted, finding).verbatim
        for text, cites in paraphrases(finding):
            truths += 1
            replaced += not admit(text, cites, finding).verbatim
    return {
        "explanations": float(written),
        "faithfulness": float(np.mean(scores)),
        "sentences": float(shown),
        "sentences_traceable": traceable / shown,
        "lies": float(sum(told.values())),
        "lie_kinds": float(len(told)),
        "lies_caught": sum(caught.values()) / sum(told.values()),
        "lies_caught_worst_kind": min(caught[k] / told[k] for k in told),
        "truths": float(truths),
        "truths_replaced": replaced / truths if truths else 0.0,
    }

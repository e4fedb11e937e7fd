"""What the declared rate and a p-value mean and what not: one text for each usual slip, with the run's numbers."""

from typing import Literal

from pydantic import Field

from mmdmad.ask.base import Arguments, Result, Scope, query, told
from mmdmad.ask.expected import of_all
from mmdmad.ask.judging import labels_of, told_labels
from mmdmad.ask.words import percent, plural, short
from mmdmad.explain.words import fact

Topic = Literal["share that is wrong", "so many flagged", "p-value", "same p-value"]


class About(Arguments):
    """Which slip is meant."""

    topic: Topic = Field(
        default="share that is wrong",
        description="the rate taken for the share of flagged cases that are false alarms; more cases flagged than the "
        "rate; what a p-value is; why many cases have the same smallest one",
    )


class Meaning(Result):
    """The topic that is explained."""

    topic: Topic


@query("rate_meaning")
def rate_meaning(scope: Scope, asked: About) -> Meaning:
    """What the false-alarm rate and p-values of this run mean: whether the rate says how many flagged cases are wrong,
    whether it is strange that many more cases are flagged, what a p-value is, why so many are equal."""
    run = scope.run
    rate, judged, flagged = run.rate, run.count(), run.count(verdict="anomalous")
    false = of_all(run.tally.groups(), rate)
    facts = [
        fact("declared false-alarm rate", 100 * rate, "%"), fact("judged cases", judged),
        fact("flagged cases", flagged), *false.facts,
    ]  # fmt: skip
    meant = f"The rate is about normal cases: at most {percent(rate)} of normal cases are flagged"
    of_all_normal = (
        f"if all {plural(judged)} were normal, {short(false.mean)} would be flagged (95 %: {false.low} to {false.high})"
    )
    texts: dict[str, list[str]] = {
        "share that is wrong": [
            f"The rate does not say that. {meant}; which share of the {flagged} flagged cases is wrong is another "
            "number.",
            "That share depends on how many cases are not normal, which the detector cannot know; people can tell it "
            "by judging flagged cases, see `mmdmad feedback`.",
            f"As a bound, {of_all_normal}; {flagged} are.",
        ],
        "so many flagged": [
            f"Not by itself. {meant}, not {percent(rate)} of all cases: {flagged} of {plural(judged)} are flagged, "
            f"and {of_all_normal}.",
            false.far_above(flagged) or "That many is what chance may give where all are normal.",
        ],
        "p-value": [
            "A p-value is the share of normal cases that would look at least as odd as this one: the smaller, the "
            "odder.",
            f"A case is flagged where its joint p-value is at most the declared rate of {percent(rate)}; it is not the "
            "probability that the case is normal.",
        ],
        "same p-value": [
            "A p-value counts normal calibration cases that are at least as odd: with n of them none is smaller than "
            "1 / (n + 1), and every case beyond all of them has just that value.",
            "Among these the joint score tells which is odder: they are listed by it.",
        ],
    }  # fmt: skip
    said = tuple(told(text, *facts) for text in texts[asked.topic])
    if asked.topic == "share that is wrong" and (known := labels_of(run, {})) is not None:
        said += told_labels(known, judged)
    return Meaning(line=f"what it means: {asked.topic}", evidence=said, topic=asked.topic)

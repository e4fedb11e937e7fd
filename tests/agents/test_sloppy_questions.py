# ruff: noqa: E501  (a question and what its answer must hold, a line each)
"""Questions as people at a line ask them, each with the number or case that its answer must hold, from the findings."""

import re

import pytest

from mmdmad import reasons

NOT_TOLD = r"I cannot answer that without knowing what is meant by “{}”"


def flagged(f):
    return f.verdict == "anomalous"


def odd(f):
    return set(reasons.unusual(f))


def clock(f):
    return f"{f.time:%H:%M}"


COUNTED = [
    ("how many normal cases have a p-value below 0.3?", lambda f: not flagged(f) and f.p_value < 0.3),
    ("how many cases have p > 0,5", lambda f: f.p_value > 0.5),
    ("count the ones with a p-value between 0.1 and 0.4", lambda f: 0.1 <= f.p_value <= 0.4),
    ("how many p-values are at most 2 %?", lambda f: f.p_value <= 0.02),
    ("how many cases have an image p-value under 0.2", lambda f: f.part("image").p_value < 0.2),
    ("how many had a score of at least 6?", lambda f: f.score >= 6),
    ("How many flagged cases had all four parts?", lambda f: flagged(f) and len(f.parts) == 4),
    ("how many cases are incomplete?", lambda f: len(f.parts) < 4),
    ("how many normal cases lack the video or the text", lambda f: not flagged(f) and len(f.parts) < 4),
    ("how many cases have neither video nor text", lambda f: not {"video", "text"} & set(f.pattern)),
    ("how many alarms with video but without text", lambda f: flagged(f) and "video" in f.pattern and "text" not in f.pattern),
    ("In how many cases were both the image and the sensor out of line by themselves?", lambda f: {"image", "sensor"} <= odd(f)),
    ("how many cases where the picture or the log was unusual by itself", lambda f: bool({"image", "text"} & odd(f))),
    ("in how many cases was only the sensor unusual by itself?", lambda f: odd(f) == {"sensor"}),
    ("how many were flagged by the video alone", lambda f: flagged(f) and odd(f) == {"video"}),
    ("how many alarms have no picture problem?", lambda f: flagged(f) and "image" not in odd(f)),
    ("how many brick tiles were flagged", lambda f: flagged(f) and f.group == "brick tile"),
    ("how many brik tiles passed?", lambda f: not flagged(f) and f.group == "brick tile"),
    ("how many brick tiles or moon plates had no alarm", lambda f: not flagged(f) and f.group in ("brick tile", "moon plate")),
    ("how many flagged cases are not gravel boards?", lambda f: flagged(f) and f.group != "gravel board"),
    ("number of alarms after half past seven", lambda f: flagged(f) and clock(f) >= "07:30"),
    ("how many alarms were there around quarter to eight?", lambda f: flagged(f) and "07:40" <= clock(f) < "07:50"),
    ("how many were flagged in the first half hour", lambda f: flagged(f) and clock(f) < "06:30"),
    ("how many alarms between 7 and 8 o'clock?", lambda f: flagged(f) and "07:00" <= clock(f) < "08:00"),
    ("how many would be flagged at 2 %?", lambda f: f.p_value <= 0.02),
    ("how many if the rate were 40 %", lambda f: f.p_value <= 0.4),
    ("how many flagged cases with vibration", lambda f: flagged(f) and "vibration_x" in reasons.channels(f)),
    ("how many p-values lie between 2 and 40 %?", lambda f: 0.02 <= f.p_value <= 0.4),
    ("how many alarms 7:10-8:25", lambda f: flagged(f) and "07:10" <= clock(f) < "08:25"),
    ("how many were flagged since half eight", lambda f: flagged(f) and clock(f) >= "08:30"),
    ("how many alarms had neither image nor sensor out of line", lambda f: flagged(f) and not {"image", "sensor"} & odd(f)),
    ("how many alarms are driven by a contradiction?", lambda f: flagged(f) and reasons.main_reason(f) == "contradiction"),
    ("how many cases did not get a verdict", lambda f: f.verdict == "no verdict"),
    ("Wie viele Fälle sind auffällig?", flagged),
    ("Wie viele Fälle ohne Video wurden beanstandet?", lambda f: flagged(f) and "video" not in f.pattern),
    ("Wie viele normale Fälle haben einen p-Wert unter 0,3?", lambda f: not flagged(f) and f.p_value < 0.3),
    ("Wie viele Alarme gab es nach halb acht?", lambda f: flagged(f) and clock(f) >= "07:30"),
    ("Wie viele wurden zwischen 7 und 8 Uhr gemeldet?", lambda f: flagged(f) and "07:00" <= clock(f) < "08:00"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "holds"), COUNTED, ids=[q for q, _ in COUNTED])
def test_a_count_keeps_every_condition(talk, fake_run, question, holds):
    expected = sum(holds(f) for f in fake_run.items.values())
    said = re.sub(r"\d+ (?:at|%)", "", talk(question))
    found = re.search(r"There (?:are|is) (no|\d+) ", said)
    assert found, said
    assert (0 if found[1] == "no" else int(found[1])) == expected, said


def test_the_counts_are_not_all_alike(fake_run):
    counts = [sum(holds(f) for f in fake_run.items.values()) for _, holds in COUNTED]
    assert len(set(counts)) > 12
    assert sum(0 < n < len(fake_run.items) for n in counts) > 0.8 * len(counts)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("how many cases of the turquoise line were flagged", "turquoise"),
        ("how many cases on machine 7 were flagged?", "7"),
        ("list the alarms from press P4", "press"),
        ("which scrapped boards were flagged?", "scrapped"),
        ("how many flagged cases with oil leaks?", "oil"),
        ("how many cases were flagged near eight", "eight"),
        ("how many of the top 5 are brick tiles?", "5"),
        ("everything before test-00010 that was flagged", "before"),
        ("Zeig mir alle Graveldinger", "Graveldinger"),
        ("all cases except the flagged ones", "except"),
        ("what share of the flagged cases is of shift 2?", "2"),
    ],
)  # fmt: skip
def test_what_could_narrow_an_answer_and_is_not_understood_stops_it(talk, question, word):
    said = talk(question)
    assert said.startswith("I cannot")
    assert f"“{word}" in said


def test_words_that_narrow_nothing_are_named(talk):
    said = talk("how many cases were flagged, dude")
    assert said.startswith("There are 20 flagged cases.")
    assert "I did not use: “dude”." in said
    assert "I did not use: “gouge”." in talk("where is the gouge in test-00001?")


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        (
            ["worst case?", "how sure are you?"],
            r"^Case test-\d+ .*interval 3.1 % to 7.9 %\).*I cannot tell from the evidence",
        ),
        (["test-00004 - real or false alarm?"], r"^Case test-00004 .*I cannot tell from the evidence whether"),
        (
            ["tell me about test-00004", "did anything precede it?"],
            r"^Right before test-00004 came test-00003: normal.*test-00001",
        ),
        (
            ["tell me about test-00004", "show me the three most similar normals"],
            r"nearest to the normal cases train-.*\[test-00004: ",
        ),
        (
            ["tell me about test-00004", "what would have to change so it is normal?"],
            r"^I cannot tell which change would make it normal",
        ),
        (["tell me about test-00004", "is it worse than test-00007?"], r"is more anomalous than test-0000[47]"),
        (["Compare test-00004 with test-00007"], r"test-00004 is anomalous.*|test-00007 is anomalous"),
        (["which cases were flagged?", "why is it?"], r"Which case do you mean|Why"),
        (["which cases were flagged?", "only the brick tiles"], r"flagged cases of brick tile:"),
        (["how many were flagged?", "and in the first half hour?"], r"flagged cases? from 06:00 until 06:30"),
        (
            ["When was the first alarm and when the last?"],
            r"The first of 20 flagged cases is test-00001: .*\nThe last of 20 flagged cases is test-00058: ",
        ),
        (["Wann war der letzte Alarm?"], r"^The last of 20 flagged cases is test-00058: "),
        (["the last three alarms"], r"test-00058.*\n.*test-00055.*\n.*test-00052"),
        (["list the alarms in order of time"], r"10 in the order of time:\n1\. test-00001: .*\n2\. test-00004: "),
        (["which product is the cleanest?"], r"ha(?:s|ve) the smallest share of flagged cases: "),
        (["which group has the highest alarm rate"], r"ha(?:s|ve) the largest share of flagged cases: "),
        (["what share of the brick tiles was flagged?"], r"^\d+ of 20 cases of brick tile are flagged cases: "),
        (
            ["what percentage of the flagged cases have a contradiction"],
            r"^\d+ of 20 flagged cases are cases with a contradiction: ",
        ),
        (
            ["were there more alarms before 7:00 than after?"],
            r"^Until 07:00: \d+ flagged cases of 9 cases .*\nFrom 07:00: \d+ flagged cases of 51 cases",
        ),
        (
            ["compare the first hour with the second hour"],
            r"^From 06:00 until 07:00: .*of 9 cases.*\nFrom 07:00 until 08:00: ",
        ),
        (["so 1 in 20 of the flagged ones is wrong?"], r"^The rate does not say that.*of normal cases are flagged"),
        (["20 of 60 flagged at a 5 % rate, isn't that broken?"], r"^Not by itself.*20 of 60 cases are flagged"),
        (["are all flagged cases really faulty?"], r"^The rate does not say that"),
        (["why do so many cases have the same p-value?"], r"^A p-value counts normal calibration cases"),
        (["what does a p-value of 0.01 mean?"], r"^A p-value is the share of normal cases"),
        (
            ["Since the oil temperature channel failed in test-00004, which other cases show that?"],
            r"no channel is called “oil temperature”; channels are motor_current",
        ),
        (["Why did you flag test-00003 even though the picture is fine?"], r"^Case test-00003 .*is not flagged"),
        (
            ["mark test-4 as false alarm"],
            r"cannot change anything from here. Please run: mmdmad feedback RUN test-4 false-alarm",
        ),
        (
            ["rescore test-00003 with a 40 % rate"],
            r"^At 40 %, test-00003 would (?:not )?be flagged: .*\nAt the run's own 5 % it is not flagged",
        ),
        (["delete test-00004"], r"I cannot do that"),
        (["please stop the belt"], r"I cannot do that"),
        (["Ist Fall 3 in Ordnung?"], r"^test-00003 is judged normal"),
        (["is 3 ok?"], r"^test-00003 is judged normal"),
        (["whats the p value of 4"], r"^test-00004 is anomalous: joint p-value"),
        (["TEST-00004 WHY"], r"^Case test-00004 "),
        (["¿Por qué se marcó test-00004?"], r"^Case test-00004 (?:.*\n)+.*questions may be in English or in German"),
        (["Combien de cas ont été signalés ?"], r"^I cannot read that language"),
        (["how many cases were flagged and is 3 ok?"], r"^There are 20 flagged cases\.\ntest-00003 is judged normal"),
        (
            [
                "Hi, I'm new here. A colleague says a brick tile looked off around quarter to eight. Was anything with vibration flagged then?"
            ],
            r"brick tile from 07:40 until 07:50(?:.*\n)+.*vibration_x named as unusual from 07:40 until 07:50",
        ),
        (["give me the three things I should check first and why"], r"^60 cases, the 3 most anomalous:\n1\. .*\nWhy: "),
        (
            ["tell me why 4 and 7 are flagged"],
            r"test-00004 is anomalous(?:.|\n)*test-00007|test-00007 is anomalous(?:.|\n)*test-00004",
        ),
        (["compare brick tiles with moon plates"], r"share of flagged cases of brick tile or moon plate: "),
        (["how many flagged vs normal after 7:00?"], r"^By verdict, normal has the most: "),
        (["what's the average score of the flagged ones?"], r"^The mean joint score of 20 flagged cases is "),
        (["how many minutes between the first and the last alarm?"], r"^I did not understand"),
        (["explain the last alarm", "what else was unusual in it?"], r"^Case test-00058 "),
        (["which normal case came closest to being flagged?"], r"^The most anomalous of 40 cases judged normal is "),
    ],
    ids=lambda v: v[-1] if isinstance(v, list) else "",
)
def test_an_answer_to_what_was_asked(talk, questions, said):
    answer = talk(*questions)
    assert re.search(said, answer), answer

# ruff: noqa: E501  (captions read better on one line)
"""A small run in memory, with findings like those of the real line, so that agents can be tested in seconds."""

import itertools
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Cases, Refusal
from mmdmad.findings import Contradiction, Evidence, Fact, Finding, Guarantee, PartFinding
from mmdmad.modalities.base import modalities
from mmdmad.store import db, rows
from mmdmad.store.run import Run

GROUPS = ("brick tile", "gravel board", "moon plate")


def facts(**values):
    """Facts by name; (value, unit) pairs carry a unit; underscores in names stand for blanks."""
    return tuple(
        Fact(name=k.replace("_", " "), value=v[0], unit=v[1])
        if isinstance(v, tuple)
        else Fact(name=k.replace("_", " "), value=v)
        for k, v in values.items()
    )


def evidence_of(case_id, group, time, p, score, verdict, parts, lead, contradiction, missing, rng):
    """Evidence for one case; `lead` is the unusual part, or None."""
    out = []

    def add(kind, modality, caption, /, **values):
        number = len(out) + 1
        artifact = f"artifacts/{case_id}/E{number}.png" if kind in ("region", "channel") else None
        out.append(
            Evidence(
                id=f"E{number}", kind=kind, part=modality, caption=caption, facts=facts(**values), artifact=artifact
            )
        )

    who = f"Case {case_id} (group {group}, {time})"
    basis = "(240 calibration cases of this pattern; 95 % interval 3.1 % to 7.9 %)."
    told = (
        f"is flagged as anomalous with joint p-value {p}, at a"
        if verdict == "anomalous"
        else f"is not flagged: its joint p-value {p} is above the"
    )
    add("verdict", None, f"{who} {told} declared false-alarm rate of 5 % {basis}",
        case=case_id, verdict=verdict, **{"p-value": p}, joint_score=score, **{"declared false-alarm rate": (5.0, "%")},
        calibration_cases=240, interval_level=(95, "%"), interval_low=(3.1, "%"), interval_high=(7.9, "%"),
        pattern=" and ".join(parts), group=group, time=str(time))  # fmt: skip
    if contradiction:
        given = [m for m in parts if m != contradiction]
        add("contradiction", contradiction, f"The {contradiction} part does not fit the {' and '.join(given)} parts (contradiction p-value 0.004, 23 % of the joint score): "
            "it looks like normal cases of group coin tray, while the sensor part looks like group moon plate.",
            part=contradiction, given=" and ".join(given), share=(23.0, "%"), group_of_the_part="coin tray", group_of_the_others="moon plate",
            others="sensor", **{"p-value": 0.004})  # fmt: skip
    for m, (own, share) in sorted(parts.items(), key=lambda item: -item[1][1]):
        state = "stands out" if own <= 0.05 else "looks normal"
        percent = round(100 * share / score, 1)
        add("part", m, f"The {m} part {state} with p-value {own} and carries {percent} % of the joint score.",
            part=m, state=state, share_of_the_joint_score=share, share=(percent, "%"), encoder="lite0", detector="gaussian-diffusion", **{"p-value": own})  # fmt: skip
        if m == lead:
            _details(add, m, rng)
    near = [f"train-{int(i):05d}" for i in rng.integers(0, 600, 2)]
    first = max(parts, key=lambda m: parts[m][1])
    add("neighbour", first, f"By its {first} part the case is nearest to the normal cases {near[0]} and {near[1]} (5 of the nearest 5 are of group {group}); "
        "the nearest is 1.31 times as far away as normal cases are from each other.",
        part=first, nearest_normal_cases=" and ".join(near), nearest_normal_case=near[0], distance=1.31, group=group, in_this_group=5, compared=5)  # fmt: skip
    for m in missing:
        add(
            "missing",
            m,
            f"The case has no {m} part; 560 of 600 normal cases have one.",
            part=m,
            normal_cases=600,
            with_this_part=560,
        )
    return tuple(out)


def _details(add, lead, rng):
    if lead == "sensor":
        a, b = round(float(rng.uniform(0.5, 1.5)), 2), round(float(rng.uniform(2.0, 3.5)), 2)
        shift, mean = round(float(rng.uniform(1, 3)), 2), round(float(rng.uniform(4, 6)), 2)
        word = "down" if rng.random() < 0.5 else "up"
        low, high = (mean + 0.8, mean + 2.1) if word == "down" else (mean - 2.1, mean - 0.8)
        low, high = round(low, 2), round(high, 2)
        add("span", "sensor", f"The sensor data stand out most from {a} s to {b} s.", start=(a, "s"), stop=(b, "s"))
        add("channel", "sensor", f"Motor_current shifts {word} by {shift} A to a mean of {mean} A from {a} s to {b} s; "
            f"normal levels lie between {low} A and {high} A.",
            channel="motor_current", event="level shift", start=(a, "s"), stop=(b, "s"), mean=(mean, "A"), direction=word,
            normal_low=(low, "A"), normal_high=(high, "A"), shift=(shift, "A"))  # fmt: skip
        add("channel", "sensor", "Vibration_x is frozen at 0.712 mm/s from 1.1 s to 2.4 s; normal cases hold one value for at most 0.06 s.",
            channel="vibration_x", event="frozen", start=(1.1, "s"), stop=(2.4, "s"), held_value=(0.712, "mm/s"),
            longest_normal_hold=(0.06, "s"))  # fmt: skip
    if lead == "image":
        where = ("upper left", "upper right", "lower left", "lower right", "centre")[int(rng.integers(5))]
        add("region", "image", f"A region of 32 px by 41 px stands out {'in the' if where == 'centre' else 'at'} {where} (8.2 % of the picture, from x 12 px, y 20 px); "
            "it is 11 % of the grey range darker than its surroundings.",
            place=where, left=(12, "px"), top=(20, "px"), right=(44, "px"), bottom=(61, "px"), width=(32, "px"), height=(41, "px"),
            share_of_the_picture=(8.2, "%"), tone="darker", tone_difference=(11.0, "%"))  # fmt: skip
    if lead == "text":
        add("words", "text", "Line 3 stands out: “spindle overheated, stop the line” (characters 41 to 73); the words “spindle” and “overheated” occur in none of 560 normal texts.",
            line=3, first_character=41, last_character=73, quote="spindle overheated, stop the line", never_seen="“spindle” and “overheated”", normal_texts=560)  # fmt: skip
    if lead == "video":
        add("frames", "video", "The video stands out from 1.25 s to 2.5 s, most at lower centre (12 % of the frame).",
            start=(1.25, "s"), stop=(2.5, "s"), place="lower centre", share_of_the_frame=(12.0, "%"))  # fmt: skip
        add("frames", "video", "Things move left at 31.2 px/s in the video from 1.25 s to 2.5 s; in normal clips they move right.",
            speed=(31.2, "px/s"), normal_low_speed=(28.0, "px/s"), normal_high_speed=(44.0, "px/s"), direction="left",
            normal_direction="right", start=(1.25, "s"), stop=(2.5, "s"))  # fmt: skip


def make_findings(n=60, seed=0):
    """n findings, about a third anomalous."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        case_id, flagged = f"test-{i:05d}", i % 3 == 1
        missing = ("video",) if i % 9 == 4 else ("text",) if i % 11 == 3 else ()
        present = [m for m in modalities() if m not in missing]
        p = round(float(rng.uniform(0.004, 0.05)), 4) if flagged else round(float(rng.uniform(0.06, 1)), 3)
        lead = present[int(rng.integers(len(present)))]
        contradiction = "image" if flagged and i % 12 == 1 and lead != "image" else None
        parts = {}
        for m in present:
            own = (
                round(float(rng.uniform(0.004, 0.04)), 4)
                if flagged and m == lead
                else round(float(rng.uniform(0.1, 1)), 3)
            )
            parts[m] = (own, round(float(rng.uniform(3, 5)), 2) if m == lead else round(float(rng.uniform(0.1, 2)), 2))
        verdict = "anomalous" if flagged else "normal"
        score = round(sum(s for _, s in parts.values()) + (1.5 if contradiction else 0.0), 3)
        given = tuple(m for m in present if m != contradiction)
        group, time = GROUPS[(7 * i // 5) % 3], datetime(2026, 4, 1, 6) + timedelta(minutes=7 * i)
        out.append(
            Finding(
                case_id=case_id, time=time, group=group,
                verdict=verdict, score=score, p_value=p,
                guarantee=Guarantee(rate=0.05, size=240, interval=(0.03, 0.08), pattern=tuple(present)),
                parts=tuple(PartFinding(modality=m, score=s, p_value=o, share=s, encoder="e", detector="d") for m, (o, s) in parts.items()),
                contradictions=(Contradiction(part=contradiction, given=given, score=1.5, p_value=0.004, share=1.5),) if contradiction else (),
                evidence=evidence_of(case_id, group, time, p, score, verdict, parts, lead if flagged else None, contradiction, missing, rng),
                simulated=True,
            )
        )  # fmt: skip
    return out


class Items(dict):
    """The findings of a run by id; what is put here is stored."""

    def __init__(self, run, findings):
        super().__init__()
        self.run = run
        self.put(findings)

    def __setitem__(self, case_id, finding):
        self.put([finding])

    def put(self, findings):
        """Store findings as a scored run has them."""
        self.update({f.case_id: f for f in findings})
        engine = db.connect(self.run.path / "cases.sqlite")
        with engine.begin() as connection:
            rows.put(connection, [rows.Judged(f) for f in findings])
        engine.dispose()


def stored_run(path: Path, findings, refused=()):
    """A run as scoring leaves it, without a model; `items` holds its findings."""
    run = Run.create(path, {"false_alarm_rate": 0.05})
    run.score(Cases((), tuple(refused), extra={"simulated": True}))
    run.items = Items(run, findings)
    return run


@pytest.fixture
def some_findings():
    return make_findings()


@pytest.fixture
def fake_run(tmp_path):
    run = stored_run(
        tmp_path / "line-7", make_findings(), [Refusal("test-00099", "image", "the file is truncated", 100)]
    )
    yield run
    run.close()


@pytest.fixture
def flagged(some_findings):
    """One flagged finding for each leading part."""
    found = {}
    for f in some_findings:
        lead = max(f.parts, key=lambda p: p.share).modality
        if f.verdict == "anomalous" and not f.contradictions:
            found.setdefault(lead, f)
    return found


@pytest.fixture(scope="session")
def two_weeks(tmp_path_factory):
    """A run of 60 cases over thirteen days, a case every 5 h 17 min; the newest is of Thursday 5 March 2026, 11:30."""
    newest, step = datetime(2026, 3, 5, 11, 30), timedelta(hours=5, minutes=17)
    found = [f.model_copy(update={"time": newest - step * i}) for i, f in enumerate(make_findings())]
    run = stored_run(tmp_path_factory.mktemp("weeks") / "line-8", found)
    yield run
    run.close()


_THREADS = itertools.count()


@pytest.fixture
def ask(fake_run):
    """Questions asked one after another in a conversation of their own; the answer to the last."""
    from mmdmad.agents.investigator import Investigator

    agent = Investigator(fake_run)

    def talk(*questions):
        thread = f"t{next(_THREADS)}"
        return [agent.ask(question, thread) for question in questions][-1]

    yield talk
    agent.close()


@pytest.fixture
def talk(fake_run):
    """As `ask`, the text of the last answer; none of the answers may have had a sentence withheld."""
    from mmdmad.agents.investigator import Investigator

    agent = Investigator(fake_run)

    def told(*questions):
        thread = f"t{next(_THREADS)}"
        answers = [agent.ask(question, thread) for question in questions]
        assert not any(a.withheld for a in answers), [a.withheld for a in answers]
        return answers[-1].text

    yield told
    agent.close()

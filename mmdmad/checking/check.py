"""One look at everything: cases and their parts, what a fit would take of them, and what it could promise."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmdmad.cases import Case, Cases
from mmdmad.checking import notes as noted
from mmdmad.checking.advice import estimate as measure
from mmdmad.checking.copies import Copies, copies_of, recordings
from mmdmad.checking.look import Looks, look_at
from mmdmad.checking.oddest import oddest
from mmdmad.checking.report import ChannelFound, Folder, Kind, Note, Odd, Report
from mmdmad.checking.sources import called_to_judge, read_any
from mmdmad.checking.support import by_group, for_whom, independence, supports
from mmdmad.errors import DataError
from mmdmad.grouping import grouped
from mmdmad.learning import Learned, question, to_learn
from mmdmad.modalities.base import modality_of, ordered
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.plan import Plan, plan
from mmdmad.pipeline.presets import preset_for
from mmdmad.pipeline.splits import too_few
from mmdmad.plain import plain
from mmdmad.progress import shown
from mmdmad.roles import FAULTY, MASK
from mmdmad.windows import Windows, cut

ODDEST = 10


def check_path(
    paths: Sequence[Path],
    *,
    split: str | None = None,
    normal: Sequence[str] = (),
    config: str | None = None,
    by: str | None = None,
    windows: Windows | None = None,
    estimate: bool = True,
    allow_outside: bool = False,
    progress: bool = False,
) -> list[Report]:
    """A report for each manifest and folder, and one for all bare files; see `check`.

    Of several, those whose names say test (or faulty) are looked at as what is judged where another one is to learn
    from; each of the others as what a model would learn from, which is said.
    """
    found = read_any(paths, allow_outside)
    to_judge = called_to_judge([source for source, _ in found])
    reports = [
        check(
            cases,
            source,
            judged=source in to_judge,
            split=split,
            normal=normal,
            config=config,
            by=by,
            windows=windows,
            estimate=estimate,
            progress=progress,
        )
        for source, cases in found
    ]
    to_learn_from = len(reports) - len(to_judge)
    if to_learn_from < 2:
        return reports
    note = noted.of_several(to_learn_from)
    return [one if one.judged else one.model_copy(update={"notes": (*one.notes, note)}) for one in reports]


def check(
    cases: Cases,
    source: str = "",
    *,
    judged: bool = False,
    split: str | None = None,
    normal: Sequence[str] = (),
    config: str | None = None,
    by: str | None = None,
    windows: Windows | None = None,
    estimate: bool = True,
    progress: bool = False,
) -> Report:
    """Look at all cases. `split` and `normal` choose what to learn from, as for `mmdmad fit`; `config` is its pipeline.

    `judged`: they are what a model of other cases will judge, and nothing is learned from them, whatever is chosen.

    With `windows` recordings are cut, after the choice of what to learn from. Without `config` the preset that fits is
    taken. Every part is read once; with `estimate` some are encoded too. `by`: what cases would be ranked within.
    """
    cases = cases if judged else grouped(cases, by)
    taken, notes = _none_of(cases) if judged else _taken(cases, split, normal)
    learned = taken.cases
    if windows is not None:
        learned = cut(learned, windows) if learned else learned
        cases = cut(cases, windows)
    ids = {case.id for case in learned}
    with shown(progress) as bars:
        looks = look_at(cases, ids, bars)
    copies = copies_of(cases, looks, ids)
    preset, why = preset_for(learned or cases)
    settings = PipelineConfig.load(config or preset)
    settings = settings if by is None else settings.model_copy(update={"by": by})
    kinds = ordered({one.modality for one in looks.every})
    learned, lost = _readable(learned, looks)
    notes += lost
    notes += [noted.note("info", "reading", line) for line in cases.extra.get("notes", ())]
    notes += [noted.note("info", "levels", f"{kind}: {said}") for kind, said in looks.levels.items()]
    refused = (*cases.refused, *looks.refused)
    notes += noted.of_refused(refused)
    notes += _missing(cases)
    for kind in kinds:
        notes += noted.of_traits(looks, kind)
    notes += [*noted.of_parts(looks), *noted.of_flags(looks, ids or {case.id for case in cases})]
    notes += noted.of_marked(looks, ids)
    notes += noted.of_copies(cases, copies, ids)
    mine = recordings(learned.items, copies)
    independent = len(set(mine.values()))
    planned = plan(learned.items, settings) if learned else None
    support = supports(planned, settings) if planned is not None else ()
    if not judged and (planned is None or planned.first.kind == "case"):
        notes += [noted.note("warn", "recordings", said) for said in independence(len(learned), independent, settings)]
    if planned is not None:
        notes += [noted.note("warn", "recordings", said) for said in for_whom(planned, settings)]
        notes += [noted.note("info", "groups", said) for said in by_group(planned, settings)]
        notes += _too_few(looks, planned, settings)
    measured = None
    if estimate and learned:
        try:
            measured = measure(learned.items, settings)
        except DataError as reason:
            notes.append(noted.note("warn", "estimate", f"nothing could be measured: {reason}"))
    return Report(
        source=source,
        cases=len(cases),
        refused=len(refused),
        learned=len(learned),
        left={reason: len(which) for reason, which in taken.left.items()},
        splits=dict(Counter(str(case.split) for case in cases if case.split is not None)),
        labels=dict(Counter({0: "normal", 1: "faulty", None: "none"}[case.label] for case in cases)),
        patterns={" + ".join(pattern): count for pattern, count in Counter(c.pattern for c in cases).most_common()},
        folders=_folders(cases, learned),
        masks=len(cases.extra.get("masks", {})),
        parts=tuple(_kind(looks, kind) for kind in kinds),
        notes=tuple(sorted(notes, key=lambda one: ("stop", "warn", "info").index(one.level))),
        recordings=independent,
        proposed=_proposed(copies),
        splits_made={} if planned is None else {
            name: len(part)
            for name, part in (
                ("fit", planned.first.fit), ("reference", planned.first.reference),
                ("calibration", planned.first.calibration),
            )
        },
        folds=1 if planned is None else len(planned.splits),
        support=support,
        oddest=_oddest(looks, ids),
        preset=config or preset,
        why="it was asked for" if config else why,
        estimate=measured,
        judged=judged,
    )  # fmt: skip


def _none_of(cases: Cases) -> tuple[Learned, list[Note]]:
    """Nothing to learn from, of cases that are judged."""
    return Learned(replace(cases, items=()), {}), []


def _taken(cases: Cases, split: str | None, normal: Sequence[str]) -> tuple[Learned, list[Note]]:
    """What a fit would learn from; nothing, and why, where it would stop."""
    try:
        return to_learn(cases, split=split, normal=normal), []
    except DataError as why:
        open_question = question(cases, split, normal)
        nothing = Learned(Cases((), cases.refused, cases.root, cases.extra), {})
        return nothing, [noted.note("stop", "question" if open_question else "nothing to learn from", str(why))]


def _readable(learned: Cases, looks: Looks) -> tuple[Cases, list[Note]]:
    """The cases to learn from of which a part can be read, and what stops a fit where there are none."""
    known = {one.case.id for kind in {one.modality for one in looks.every} for one in looks.of(kind)}
    kept = tuple(case for case in learned if case.id in known)
    if kept or not learned:
        return replace(learned, items=kept), []
    why = "none of the cases to learn from can be read; the reasons stand below"
    return replace(learned, items=kept), [noted.note("stop", "nothing to learn from", why)]


def _folders(cases: Cases, learned: Cases) -> tuple[Folder, ...]:
    """The folders with how many of their cases a fit takes; a folder may hold masks beside its cases."""
    taken = Counter(case.group or "." for case in learned)
    listed = cases.extra.get("folders", ())
    mixed = {
        f.folder for f in listed if f.role not in (MASK, FAULTY)
    }  # faults beside normal ones, told by masks or names
    return tuple(
        Folder(
            folder=f.folder,
            role=f.role,
            files=f.files,
            learned=0 if f.role == MASK or (f.role == FAULTY and f.folder in mixed) else taken[f.folder],
        )
        for f in cases.extra.get("folders", ())
    )


def _too_few(looks: Looks, planned: Plan, config: PipelineConfig) -> list[Note]:
    """Modalities of which there are too few parts to learn; where that is all of them a fit stops."""
    reasons = {}
    for kind in ordered(config.parts):
        readable = {one.case.id for one in looks.of(kind)}
        if any(kind in case.parts for case in planned.first.cases):
            reasons[kind] = next(
                (
                    why
                    for rows in planned.splits
                    if (
                        why := too_few(
                            rows, kind, config.min_parts, np.array([case.id in readable for case in rows.cases])
                        )
                    )
                ),
                "",
            )
    stops = all(reasons.values())
    return [
        noted.note("stop" if stops else "warn", "too few", reason + _cure(planned.first.cases, kind))
        for kind, reason in reasons.items()
        if reason
    ]


def _cure(cases: Sequence[Case], kind: str) -> str:
    """What to do where there are few parts of a kind: whole recordings make many windows."""
    parts = [case.parts[kind] for case in cases if kind in case.parts]
    whole = [part for part in parts if part.path is not None and part.start is None and part.stop is None]
    if not modality_of(kind).slices or len(whole) < len(parts):
        return "; give more cases"
    return "; give more cases, or, if these are long recordings, cut them with --window (such as 60s)"


def _missing(cases: Cases) -> list[Note]:
    every = ordered({kind for case in cases for kind in case.parts})
    found = []
    for kind in every:
        lacking = [case.id for case in cases if kind not in case.parts]
        if lacking:
            said = f"{len(lacking)} of {len(cases)} cases have no {kind}; they are judged by their other parts"
            found.append(noted.note("info", "missing parts", said, lacking))
    return found


def _proposed(copies: Copies) -> dict[str, str]:
    """A name of a recording for each case that is a near copy: the first case's of its group."""
    return {case_id: group[0] for groups in copies.near.values() for group in groups for case_id in group}


def _oddest(looks: Looks, ids: set[str]) -> tuple[Odd, ...]:
    found = [
        odd for kind in ordered({one.modality for one in looks.every}) for odd in oddest(looks.of(kind, ids), ODDEST)
    ]
    return tuple(sorted(found, key=lambda odd: (-odd.times, odd.case))[:ODDEST])


def _kind(looks: Looks, modality: str) -> Kind:
    mine = [one for one in looks.every if one.modality == modality]
    known = looks.of(modality)
    traits: dict[str, Counter[str]] = defaultdict(Counter)
    channels: dict[str, ChannelFound] = {}
    units: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    ends: dict[str, list[float]] = defaultdict(list)
    for one in known:
        assert one.survey is not None
        for trait, value in one.survey.traits.items():
            traits[trait][value] += 1
        for channel in one.survey.channels:
            units[channel.name][channel.unit] += 1
            kinds[channel.name][channel.kind] += 1
            ends[channel.name] += [end for end in (channel.low, channel.high) if math.isfinite(end)]
    for name, seen in units.items():
        channels[name] = ChannelFound(
            name=plain(name),
            tables=seen.total(),
            units=dict(seen.most_common()),
            kinds=dict(kinds[name].most_common()),
            low=min(ends[name], default=None),
            high=max(ends[name], default=None),
        )
    told = {trait: dict(values.most_common(20)) for trait, values in traits.items()}
    return Kind(
        modality=modality,
        parts=len(mine),
        unreadable=len(mine) - len(known),
        traits=told,
        channels=tuple(channels.values()),
    )

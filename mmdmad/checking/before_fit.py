"""What a fit says before it begins: the part of a check that costs little beside learning."""

from collections import defaultdict

from mmdmad.cases import Cases
from mmdmad.checking.copies import Copies, overlaps, recordings
from mmdmad.checking.look import look_at
from mmdmad.checking.oddest import oddest
from mmdmad.checking.support import by_group, for_whom, independence, promise, supports
from mmdmad.modalities.base import ordered
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.plan import plan
from mmdmad.progress import Progress
from mmdmad.roles import counted

FAR, NAMED = 5.0, 5
"""Times the usual distance from which on a case is far out, and how many such are named."""
POWER = (
    "faults among the normal cases cost power, not the rate: of one set .71 of the faults were caught, and .60, .37 "
    "and .21 with 1, 5 and 10 % of faults among the normal cases; nothing is left out of the calibration for it"
)


def before_fit(cases: Cases, config: PipelineConfig) -> list[str]:
    """What these cases cannot promise, and which of them stand far out of the others.

    Rates at which nothing is flagged, slices that overlap, too few recordings: said before hours of learning, not
    after. Each part is decoded once for the look.
    """
    planned = plan(cases.items, config)
    rows = planned.first
    same: dict[str, list[str]] = defaultdict(list)
    for case, key in zip(rows.cases, rows.keys):
        same[key].append(case.id)
    shared = tuple(overlaps(cases))
    exact = tuple(tuple(ids) for ids in same.values() if len(ids) > 1)
    known = recordings(cases.items, Copies(exact, {}, shared, {}))
    lines = [promise(one) for one in supports(planned, config) if not one.flags]
    if shared:
        a, b, file = shared[0]
        lines.append(f"{counted(len(shared), 'pair')} of slices of one file overlap, such as {a} and {b} of {file}")
    if rows.kind == "case":
        lines += independence(len(cases), len(set(known.values())), config)
    lines += [*for_whom(planned, config), *by_group(planned, config)]
    return lines + far_out(cases)


def far_out(cases: Cases) -> list[str]:
    """Which cases look so unlike the others that somebody should look at them before they are called normal."""
    looks = look_at(cases, [case.id for case in cases], Progress())
    kinds = ordered({one.modality for one in looks.every})
    far = {odd.case: odd for kind in kinds for odd in oddest(looks.of(kind)) if odd.times >= FAR}
    if not far:
        return []
    worst = sorted(far.values(), key=lambda odd: (-odd.times, odd.case))
    named = ", ".join(odd.case for odd in worst[:NAMED]) + (", …" if len(worst) > NAMED else "")
    return [
        f"{counted(len(worst), 'case')} to learn from far out of the others ({named}; up to {worst[0].times:.1f} times "
        "the usual distance): look at them before they are called normal (mmdmad check lists them)",
        POWER,
    ]

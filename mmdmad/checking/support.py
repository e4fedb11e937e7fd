"""What the cases to learn from can promise: how a fit would divide them, and the smallest p-values after it."""

import math
from collections import Counter

from mmdmad.calibration.conformal import is_attainable, smallest_calibration_size
from mmdmad.calibration.rates import of_usual_group, of_usual_pattern, supported_rate
from mmdmad.checking.report import NAMED, Support
from mmdmad.modalities.base import ordered
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.plan import Plan
from mmdmad.roles import counted


def declared(planned: Plan, config: PipelineConfig) -> float:
    """The false-alarm rate that verdicts will have: as configured, or what the calibration cases support."""
    if config.false_alarm_rate is not None:
        return config.false_alarm_rate
    known = set(config.parts)
    ranked = [(frozenset(case.parts) & known, unit) for case, unit in planned.calibration]
    counts = Counter(pattern for pattern, _ in ranked)
    sizes = []
    for pattern, natural in counts.items():
        units = [unit for other, unit in ranked if pattern <= other]
        sizes.append((natural, len(pattern), len(units), len(set(units))))
    size, units_of = of_usual_pattern(sizes)
    if config.by is not None:
        size, units_of = of_usual_group(_of_groups(planned).values())
    return supported_rate(size, units_of if planned.first.kind == "recording" else None)


def _of_groups(planned: Plan) -> dict[str | None, tuple[int, int]]:
    """Calibration cases and units of each group."""
    found: dict[str | None, list[str]] = {}
    for case, unit in planned.calibration:
        found.setdefault(case.group, []).append(unit)
    return {group: (len(units), len(set(units))) for group, units in found.items()}


def by_group(planned: Plan, config: PipelineConfig) -> list[str]:
    """Which groups the rate will hold for by themselves, where cases are ranked by group; none elsewhere.

    >>> from mmdmad.cases import Case
    >>> from mmdmad.pipeline.plan import plan
    >>> by_group(plan([Case("a", {})], PipelineConfig()), PipelineConfig())
    []
    """
    if config.by is None:
        return []
    rate, among = declared(planned, config), "recordings" if planned.first.kind == "recording" else "calibration cases"
    counts = {
        "no group" if name is None else name: units if planned.first.kind == "recording" else size
        for name, (size, units) in _of_groups(planned).items()
    }
    few = {name: count for name, count in counts.items() if not is_attainable(count, rate)}
    enough = {name: count for name, count in counts.items() if name not in few}
    lines = []
    if enough:
        lines.append(f"the rate of {100 * rate:g} % holds within each of {_counts(enough)} {among}")
    if few:
        lines.append(
            f"too few {among} for {100 * rate:g} % within them, for which it takes {smallest_calibration_size(rate)}: "
            f"{_counts(few)}; cases of these are ranked over all groups together, and the rate is not promised for "
            "them alone"
        )
    return lines


def _counts(groups: dict[str, int]) -> str:
    """The groups with their numbers, the largest first, as many as a line holds."""
    ranked = sorted(groups.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{name} ({count})" for name, count in ranked[:NAMED])
    return named + (f" and {counted(len(ranked) - NAMED, 'group')} more" if len(ranked) > NAMED else "")


def supports(planned: Plan, config: PipelineConfig) -> tuple[Support, ...]:
    """What can be promised for each pattern of parts that occurs, as far as the configuration looks at them."""
    known = set(config.parts)
    seen = [frozenset(case.parts) & known for case in planned.first.cases]
    calibration = [frozenset(case.parts) & known for case, _ in planned.calibration]
    rate, share = declared(planned, config), config.shares.calibration if len(planned.splits) == 1 else 1.0
    found = []
    for pattern in sorted(set(seen), key=lambda one: (-len(one), ordered(one))):
        if not pattern:
            continue
        size = sum(pattern <= other for other in calibration)
        has = sum(pattern <= other for other in seen) / len(seen)
        needed = math.ceil(smallest_calibration_size(rate) / share / max(has, 1e-9))
        found.append(
            Support(
                parts=ordered(pattern),
                calibration=size,
                floor=round(1 / (size + 1), 4),
                rate=rate,
                flags=is_attainable(size, rate),
                needed=needed,
            )
        )
    return tuple(found)


def independence(count: int, independent: int, config: PipelineConfig) -> list[str]:
    """What it means that so many cases are no more than so many independent recordings, in a line; none if they are.

    >>> independence(60, 60, PipelineConfig())
    []
    """
    if independent >= count:
        return []
    held = max(1, math.floor(independent * config.shares.calibration))
    return [
        f"the {count} cases to learn from are at most {counted(independent, 'independent recording')}; where these "
        f"differ as wholes, p rests on about {held} of them (1 in {held + 1}), and false alarms may exceed the rate"
    ]


def for_whom(planned: Plan, config: PipelineConfig) -> list[str]:
    """Whom the rate will be promised for where the cases to learn from share recordings, in a line; none elsewhere.

    >>> from mmdmad.cases import Case
    >>> from mmdmad.pipeline.plan import plan
    >>> for_whom(plan([Case("a", {})], PipelineConfig()), PipelineConfig())
    []
    """
    units, rate = len({unit for _, unit in planned.calibration}), declared(planned, config)
    kind = planned.first.kind
    if kind == "block":
        return [
            "the cases to learn from are windows of few recordings, divided in blocks: the rate is promised for more "
            "of these recordings, not for others"
        ]
    if kind == "recording" and not is_attainable(units, rate):
        return [
            f"recordings are kept whole, and {units} are ranked with; at {100 * rate:g} % it takes "
            f"{smallest_calibration_size(rate)} to promise the rate for other recordings"
        ]
    return []


def promise(support: Support) -> str:
    """What can be promised, in one line.

    >>> promise(Support(parts=("image",), calibration=199, floor=0.005, rate=0.01, flags=True, needed=330))
    'image: ranked among 199 calibration cases, so p is 0.005 or more: cases can be flagged at 1 %'
    """
    known = f"{' and '.join(support.parts)}: ranked among {support.calibration} calibration cases, so p is"
    rate = f"{100 * support.rate:g} %"
    if support.flags:
        return f"{known} {support.floor:g} or more: cases can be flagged at {rate}"
    return (
        f"{known} {support.floor:g} or more: at {rate} nothing can be flagged, it takes {support.needed} cases to "
        "learn from"
    )

"""What a fit says before it begins: the part of a check that reads names and contents, and decodes nothing."""

from collections import defaultdict

from mmdmad.cases import Cases
from mmdmad.checking.copies import Copies, overlaps, recordings
from mmdmad.checking.support import independence, made, promise, supports
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.roles import counted


def before_fit(cases: Cases, config: PipelineConfig) -> list[str]:
    """What these cases cannot promise: rates at which nothing is flagged, slices that overlap, too few recordings.

    Said before hours of learning, not after.
    """
    rows = made(cases.items, config)
    same: dict[str, list[str]] = defaultdict(list)
    for case, key in zip(rows.cases, rows.keys):
        same[key].append(case.id)
    shared = tuple(overlaps(cases))
    exact = tuple(tuple(ids) for ids in same.values() if len(ids) > 1)
    known = recordings(cases.items, Copies(exact, {}, shared, {}))
    lines = [promise(one) for one in supports(rows, config) if not one.flags]
    if shared:
        a, b, file = shared[0]
        lines.append(f"{counted(len(shared), 'pair')} of slices of one file overlap, such as {a} and {b} of {file}")
    lines += independence(len(cases), len(set(known.values())), config)
    return lines

"""Figures of findings for notebooks: along time, how scores are spread, and one case."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmdmad.cards import COLOURS, SIMULATED, stored_or_drawn
from mmdmad.errors import DataError
from mmdmad.plain import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mmdmad.findings import Finding, Findings

PANELS, BINS = 3, 30
"""Patterns of present parts that a histogram has room for, and its bars."""
NAMED = 5
"""Cases that are numbered at their marks, with their ids beside the figure."""
_GREY, _INK = "#9aa3b2", "#20242c"


class Drawing(Figure):
    """A figure that a notebook shows by itself, whatever backend is set; it draws on no screen."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        import io

        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def timeline(findings: "Findings", of: Literal["p_value", "score"] = "p_value") -> Drawing:
    """p-values or joint scores along time, unusual ones at the top, flagged cases marked; see `Findings.plot`."""
    items = _some(findings)
    by_time = all(f.time is not None for f in items) and len({f.time for f in items}) > 1
    items = sorted(items, key=_when) if by_time else items
    figure = Drawing(10, 3.4)
    axes = figure.subplots()
    places = np.array([_when(f) for f in items] if by_time else range(1, len(items) + 1))
    values = np.array([f.p_value if of == "p_value" else f.score for f in items])
    for verdict, size in (("normal", 16), ("no verdict", 16), ("anomalous", 42)):
        which = np.array([f.verdict == verdict for f in items])
        if which.any():
            axes.scatter(places[which], values[which], s=size, color=COLOURS[verdict], zorder=3 if size > 20 else 2,
                         label=f"{verdict}: {which.sum()}")  # fmt: skip
    if of == "p_value":
        axes.set_yscale("log")
        axes.invert_yaxis()  # what is unusual stands at the top, as in the report
        axes.yaxis.set_major_formatter("{x:g}")
        for rate in sorted({f.guarantee.rate for f in items}):
            axes.axhline(rate, color=_INK, lw=0.8, ls="--", label=f"declared rate {100 * rate:.3g} %")
    axes.set_ylabel("p-value" if of == "p_value" else "joint score")
    axes.set_xlabel("time" if by_time else "case, in the order given")
    if by_time:
        _clock(axes, items)
    worst = sorted((i for i, f in enumerate(items) if f.verdict == "anomalous"), key=lambda i: items[i].order_key)
    _name(axes, [(float(places[i]), float(values[i])) for i in worst], [items[i].case_id for i in worst])
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
    _title(axes, items, f"{sum(f.verdict == 'anomalous' for f in items)} of {len(items)} cases flagged")
    return figure


def histogram(findings: "Findings") -> Drawing:
    """Joint scores by verdict, a panel a pattern, above them those of its calibration cases; see `Findings.plot`."""
    items = [f for f in _some(findings) if f.parts]
    if not items:
        raise DataError("no finding has a part that was judged, so there are no scores to plot")
    known = findings.calibration() if findings.calibration is not None else {}
    usual = Counter(f.pattern for f in items).most_common()
    shown = usual[:PANELS]
    figure = Drawing(8, 0.4 + 2.6 * len(shown))
    grid = figure.subplots(2 * len(shown), 1, squeeze=False, gridspec_kw={"height_ratios": [1, 2] * len(shown)})
    for place, (pattern, count) in enumerate(shown):
        above, below = grid[2 * place, 0], grid[2 * place + 1, 0]
        scores = {v: [f.score for f in items if f.pattern == pattern and f.verdict == v] for v in COLOURS}
        normal = np.asarray(known.get(pattern, ()), np.float64)
        every = np.concatenate([normal, *map(np.asarray, scores.values())])
        edges = np.histogram_bin_edges(every[np.isfinite(every)], BINS)
        above.hist(normal, edges, color=_GREY)
        there = [verdict for verdict in COLOURS if scores[verdict]]
        colours = [COLOURS[verdict] for verdict in there]
        below.hist([scores[v] for v in there], edges, stacked=True, color=colours, label=there)
        below.legend(fontsize=8, frameon=False)
        above.sharex(below)
        above.tick_params(labelbottom=False)
        above.set_ylabel("calibration", fontsize=8)
        below.set_ylabel("judged", fontsize=8)
        said = f"{count} cases with {' and '.join(pattern)}; {len(normal)} calibration cases"
        _title(above, items, said if len(normal) or findings.calibration else f"{said} at hand")
    grid[-1, 0].set_xlabel("joint score")
    if len(usual) > len(shown):
        left = sum(count for _, count in usual[PANELS:])
        figure.supxlabel(f"{left} cases with other parts are not shown", fontsize=8)
    return figure


def one_case(finding: "Finding") -> Drawing:
    """What the joint score of one case consists of, and its pictures; see `Finding.plot`."""
    pictures = stored_or_drawn(finding)
    bars = [(p.modality, p.share, p.p_value) for p in finding.parts]
    bars += [(f"{c.part} against the others", c.share, c.p_value) for c in finding.contradictions]
    if not bars:
        raise DataError(f"case {plain(finding.case_id)} has no judged part to plot ({'; '.join(finding.refused)})")
    widths = [p.width / p.height for p in pictures.values()]
    heights = [0.3 * len(bars) + 0.3, *(9.0 / max(w, 1.5) for w in widths)]
    figure = Drawing(10, sum(heights) + 0.8)
    grid = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    axes = grid[0, 0]
    colours = [COLOURS["anomalous" if p <= finding.guarantee.rate else "no verdict"] for _, _, p in bars]
    axes.barh([_word(name) for name, _, _ in bars], [share for _, share, _ in bars], color=colours)
    axes.invert_yaxis()
    axes.axvline(0, color=_INK, lw=0.8)
    for row, (_, share, p_value) in enumerate(bars):
        axes.annotate(f"p = {p_value:.3g}", (max(share, 0.0), row), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=8)  # fmt: skip
    axes.margins(x=0.12)
    axes.set_xlabel("share of the joint score")
    title = f"{_word(finding.case_id)}: {finding.verdict}, {finding.p_words}, joint score {finding.score:.3g}"
    _title(axes, [finding], title)
    for place, (part, shown) in enumerate(pictures.items(), 1):
        grid[place, 0].imshow(np.asarray(shown.convert("RGB")))
        grid[place, 0].set_axis_off()
        grid[place, 0].set_title(_word(part), fontsize=9, loc="left", parse_math=False)
    return figure


def _some(findings: "Findings") -> list["Finding"]:
    if not len(findings):
        raise DataError("there is no finding to plot; judge cases first (score)")
    return list(findings)


def _when(finding: "Finding") -> float:
    """Days of the plot's axis; a time without a zone counts as UTC, as in the report."""
    time = finding.time
    assert time is not None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() / 86_400


def _name(axes: "Axes", marks: Sequence[tuple[float, float]], ids: Sequence[str]) -> None:
    """Number the first marks, and say beside the figure which cases they are: ids in it would hide each other."""
    for number, mark in enumerate(marks[:NAMED], 1):
        axes.annotate(str(number), mark, xytext=(5, -3), textcoords="offset points", fontsize=8, color=_INK)
    told = [f"{number} {_word(one)}" for number, one in enumerate(ids[:NAMED], 1)]
    told += [f"and {len(ids) - NAMED} more"] if len(ids) > NAMED else []
    axes.text(1.02, 0.0, "\n".join(told), transform=axes.transAxes, fontsize=8, va="bottom", parse_math=False)


def _clock(axes: "Axes", items: Sequence["Finding"]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    zone = next((f.time.tzinfo for f in items if f.time is not None), None) or UTC
    locator = AutoDateLocator(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))


def _title(axes: "Axes", items: Sequence["Finding"], words: str) -> None:
    mark = f" {SIMULATED}" if any(f.simulated for f in items) else ""
    axes.set_title(words + mark, fontsize=10, loc="left", parse_math=False)


def _word(text: str, most: int = 40) -> str:
    """Text from outside for a figure: nothing hidden in it, not too long."""
    words = plain(text)
    return words if len(words) <= most else words[: most - 1] + "…"


def ranks(ids: Sequence[str], places: np.ndarray, flagged: np.ndarray, names: tuple[str, str]) -> Drawing:
    """Ranks (N, 2) of two detectors against each other, 1 = most anomalous at the lower left; see `Comparison.plot`."""
    figure = Drawing(6.2, 5)
    axes = figure.subplots()
    groups = (
        (~flagged.any(axis=1), COLOURS["no verdict"], "neither flags"),
        (flagged.all(axis=1), COLOURS["anomalous"], "both flag"),
        (flagged[:, 0] & ~flagged[:, 1], "#d98a00", f"{_word(names[0])} alone"),
        (~flagged[:, 0] & flagged[:, 1], "#2f6fbf", f"{_word(names[1])} alone"),
    )
    for which, colour, label in groups:
        if which.any():
            axes.scatter(places[which, 0], places[which, 1], s=22, color=colour, label=f"{label}: {which.sum()}")
    axes.plot([1, len(ids)], [1, len(ids)], color=_GREY, lw=0.8, ls="--", zorder=0)
    apart = np.abs(places[:, 0] - places[:, 1])
    differing = np.flatnonzero(flagged[:, 0] != flagged[:, 1])
    farthest = differing[np.argsort(-apart[differing], kind="stable")]
    _name(axes, [(float(places[i, 0]), float(places[i, 1])) for i in farthest], [ids[i] for i in farthest])
    axes.set_xlabel(f"rank, {_word(names[0])}", parse_math=False)
    axes.set_ylabel(f"rank, {_word(names[1])}", parse_math=False)
    for text in axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0)).get_texts():
        text.set_parse_math(False)
    axes.set_title(f"{len(ids)} cases; 1 = most anomalous", fontsize=10, loc="left")
    return figure

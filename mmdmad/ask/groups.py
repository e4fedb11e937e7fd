"""Flagged cases of each group (product, machine, recording) beside what is expected of as many normal ones."""

from itertools import groupby

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.ask.base import Arguments, Cited, Result, Scope, query, told
from mmdmad.ask.expected import Expected, expected
from mmdmad.ask.words import percent, plural
from mmdmad.explain.words import fact

FEWEST = 2  # groups from which a table of them says anything


class Group(BaseModel):
    """One group: cases judged, those that could get a verdict, flagged ones, and what is expected of normal ones.

    `normal` and `normal_flagged` count the cases whose label says normal; labels never judge. `own` cases are ranked
    within this group, for which the rate then holds; None where the run does not rank by group. `size` is among how
    many calibration cases (or recordings) of it, the fewest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    judged: int
    decided: int
    flagged: int
    expected: Expected
    normal: int = 0
    normal_flagged: int = 0
    normal_expected: Expected | None = None
    own: int | None = None
    size: int = 0

    @property
    def ranks(self) -> str:
        """For whom the rate holds; "" where the run does not rank by group.

        >>> Group(name="B", judged=3, decided=3, flagged=0, own=0, expected=expected([(99, 3)], 0.05)).ranks
        'ranked over all groups together: the rate is not promised for this group alone'
        """
        if self.own is None:
            return ""
        others = self.judged - self.own
        if not self.own:
            return "ranked over all groups together: the rate is not promised for this group alone"
        said = f"ranked among {self.size} of its own"
        return f"{said}, {others} of them over all groups together" if others else said

    @property
    def beyond(self) -> bool:
        """Whether more were flagged than 95 % of draws of as many normal cases explain."""
        return self.flagged > self.expected.high

    @property
    def too_many(self) -> bool:
        """Whether the normal cases, by their labels, were flagged more often than the declared rate explains."""
        return self.normal_expected is not None and self.normal_flagged > self.normal_expected.high


class OfGroups(Arguments):
    """Which groups."""

    group: str | tuple[str, ...] | None = Field(default=None, description="the group's name, or several; default: all")


class Groups(Result):
    """A row for each group, the largest share flagged first."""

    groups: tuple[Group, ...]


@query(
    "by_group",
    asked=(
        "false alarms … group",
        "each group",
        "every group",
        "per group",
        "by group",
        "groups compare",
    ),
    section="Group by group",
)
def by_group(scope: Scope, asked: OfGroups) -> Groups:
    """How many cases of each group were flagged, and how many would be if all were normal; false alarms by labels."""
    rate, judged = scope.run.rate, scope.run.count()
    wanted = (asked.group,) if isinstance(asked.group, str) else asked.group
    found = []
    for name, same in groupby(scope.run.tally.groups(), lambda one: one.group):
        if wanted is not None and name not in wanted:
            continue
        rows = list(same)
        normal = sum(r.normal for r in rows)
        made = Group(
            name="without a group" if name is None else name,
            judged=sum(r.judged for r in rows),
            decided=sum(r.decided for r in rows),
            flagged=sum(r.flagged for r in rows),
            expected=expected([(r.size, r.decided) for r in rows], rate),
            normal=normal,
            normal_flagged=sum(r.normal_flagged for r in rows),
            normal_expected=expected([(r.size, r.normal) for r in rows], rate) if normal else None,
            own=sum(r.own for r in rows) if scope.run.by is not None else None,
            size=min((r.size for r in rows if r.own), default=0),
        )
        found.append(made)
    found.sort(key=lambda g: (-g.flagged / max(g.decided, 1), g.name))
    line = f"all cases: {plural(len(found), 'group')} of {plural(judged)}"
    if len(found) < FEWEST and wanted is None:
        only = "All cases are of one group." if found else "The run holds no judged cases yet."
        return Groups(line=line, evidence=(told(only),), groups=tuple(found), idle=True)
    return Groups(line=line, evidence=tuple(_row(g, rate) for g in found), groups=tuple(found))


def _row(g: Group, rate: float) -> Cited:
    said = f"{g.name}: {g.flagged} of {plural(g.judged)} flagged"
    facts = [fact("group", g.name), fact("flagged cases", g.flagged), fact("judged cases", g.judged)]
    if not g.decided:
        return told(f"{said}; none could get a verdict.", *facts)
    said += f"; expected false alarms at {percent(rate)}: {g.expected.low} to {g.expected.high} of {g.decided}"
    facts += [fact("declared false-alarm rate", 100 * rate, "%"), *g.expected.facts]
    if g.normal_expected is not None:
        said += f"; by their labels {g.normal} are normal, {g.normal_flagged} of these flagged"
        facts += [fact("normal by label", g.normal), fact("normal ones flagged", g.normal_flagged)]
        if g.too_many:
            said += ", more than the rate explains: this group is not like the normal cases learned from"
    if g.ranks:
        said += f"; {g.ranks}"
        facts += [
            fact("calibration cases of the group", g.size),
            fact("cases ranked among others", g.judged - (g.own or 0)),
        ]
    return told(said + ".", *facts)

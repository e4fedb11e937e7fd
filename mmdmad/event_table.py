"""Events as tables: CSV or Parquet with a flat row per event, JSON lines with the whole events, HTML in a notebook."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdmad.events import Event
from mmdmad.finding_table import write_rows
from mmdmad.markup import table, text

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "event", "begin", "end", "seconds", "cases", "peak", "p_value", "parts", "alarm", "group", "recording", "file",
    "first", "last", "new_templates",
)  # fmt: skip
"""Of a row: `event` is the id of its first case, `first` and `last` (left out) are rows, frames or lines of `file`,
`new_templates` those of its log lines that no normal line follows."""


def flat(event: Event) -> dict[str, Any]:
    """One event as one row, in the order of COLUMNS; what is not known is None."""
    place = event.place
    return {
        "event": event.id,
        "begin": None if event.begin is None else event.begin.isoformat(),
        "end": None if event.end is None else event.end.isoformat(),
        "seconds": event.lasts,
        "cases": len(event.cases),
        "peak": event.peak,
        "p_value": event.p_value,
        "parts": ",".join(event.parts),
        "alarm": event.alarm,
        "group": event.group,
        "recording": place and place.recording,
        "file": place and place.file,
        "first": place and place.first,
        "last": place and place.last,
        "new_templates": "; ".join(event.templates) or None,
    }


def export(events: Sequence[Event], path: Path) -> Path:
    """Write events in the format of the suffix; the file appears whole or not at all."""
    return write_rows(events, COLUMNS, flat, path)


def frame(events: Sequence[Event]) -> "pd.DataFrame":
    """One flat row per event, in their order."""
    import pandas as pd

    return pd.DataFrame([flat(one) for one in events], columns=list(COLUMNS))


def html(events: Sequence[Event], every: int) -> str:
    """A table of events for notebooks, and how many there are in all; every word from outside is escaped."""
    names = ("event", "begin", "end", "cases", "peak", "p_value", "parts", "alarm")
    rows = ([text(value) for name, value in flat(one).items() if name in names] for one in events)
    more = f"<p>… and {every - len(events)} more</p>" if every > len(events) else ""
    return f"<p><b>{every} {'event' if every == 1 else 'events'}</b></p>{table(names, rows)}{more}"

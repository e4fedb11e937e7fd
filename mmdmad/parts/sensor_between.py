"""Rows between the readings of a text table that are none: blank ones, the header again, totals."""

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

TOTALS = (
    *(
        "sum",
        "total",
        "totals",
        "subtotal",
        "sub total",
        "sub-total",
        "grand total",
        "average",
        "avg",
        "mean",
        "median",
    ),
    *("min", "max", "minimum", "maximum", "std", "stddev", "std dev", "standard deviation", "count"),
    *("summe", "gesamt", "gesamtsumme", "zwischensumme", "mittelwert", "mittel", "durchschnitt", "anzahl"),
    *(
        "somme",
        "total général",
        "moyenne",
        "suma",
        "promedio",
        "media",
        "somma",
        "totale",
        "合計",
        "平均",
        "最大",
        "最小",
    ),
)
"""What stands in place of the time in a row that is computed from others."""


class Between:
    """Takes from the batches of a table the rows that hold no readings, and counts them.

    `headers` are rows of names and of units, as they stand in the file. Blank rows are taken from `timed` tables only:
    without a time a blank row is one whose readings are missing. Totals are told by the column of dates at `date`.
    """

    def __init__(self, headers: Sequence[Sequence[str | None]], timed: bool, date: int | None) -> None:
        self.headers = [tuple(row) for row in headers if any(row)]
        self.timed, self.date = timed, date
        self.blank, self.again, self.totals = 0, 0, list[str]()

    def without(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches without these rows."""
        for batch in batches:
            yield self._left(batch)

    def notes(self) -> list[str]:
        """What was left out, in words."""
        told = []
        if self.again:
            told.append(f"the header stands again in {_rows(self.again)} between the readings, left out")
        if self.blank:
            told.append(f"{_rows(self.blank, 'blank ')} between the readings left out")
        if self.totals:
            told.append(f"{_rows(len(self.totals))} of totals ({self.totals[0][:30]!r}) left out")
        return told

    def _left(self, batch: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        masks = []
        for header in self.headers:
            masks.append(self._alike(batch, header))
            self.again += _count(masks[-1])
        if self.timed:
            masks.append(self._alike(batch, ("",) * batch.num_columns))
            self.blank += _count(masks[-1])
        if self.date is not None:
            word = pc.utf8_rtrim(pc.utf8_lower(pc.utf8_trim_whitespace(batch.column(self.date))), characters=":. ")
            masks.append(pc.fill_null(pc.is_in(word, value_set=pa.array(TOTALS)), False))
            if _count(masks[-1]):
                self.totals += batch.column(self.date).filter(masks[-1]).to_pylist()
        spare = [mask for mask in masks if _count(mask)]
        return batch.filter(pc.invert(reduce(pc.or_, spare))) if spare else batch

    def _alike(self, batch: Any, row: Sequence[str | None]) -> Any:
        """Which rows hold these cells, whatever stands at None; None where none does."""
        import pyarrow.compute as pc

        mask = None
        for k, cell in enumerate((*row, *[""] * (batch.num_columns - len(row)))[: batch.num_columns]):
            if cell is None:
                continue
            same = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(batch.column(k)), cell), not cell)
            mask = same if mask is None else pc.and_(mask, same)
            if not pc.any(mask).as_py():
                return None
        return mask


def _count(mask: Any) -> int:
    import pyarrow.compute as pc

    return 0 if mask is None else pc.sum(mask).as_py() or 0


def _rows(count: int, what: str = "") -> str:
    return f"one {what}row" if count == 1 else f"{count} {what}rows"

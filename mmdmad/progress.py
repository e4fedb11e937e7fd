"""One progress bar for a fit: what is being done, how far, how fast, how much longer."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Progress:
    """Counts the work of a fit; shows nothing unless made by `shown(True)`."""

    def __init__(self, start: Callable[[str, int], Callable[[int], None]] | None = None) -> None:
        self._start = start

    def steps(self, text: str, total: int) -> Callable[[int], None]:
        """A new line of `total` steps; call the result with how many are done."""
        return (lambda done: None) if self._start is None else self._start(text, total)

    def over(self, items: Iterable[T], text: str, total: int) -> Iterator[T]:
        """The items, counted."""
        tick = self.steps(text, total)
        for done, item in enumerate(items, 1):
            yield item
            tick(done)
        tick(total)


@contextmanager
def shown(show: bool) -> Iterator[Progress]:
    """A progress display, on the terminal if `show`."""
    if not show:
        yield Progress()
        return
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description:<28}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns) as bars:

        def start(text: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(text, total=total, rate="")

            def tick(done: int) -> None:
                bars.update(task, completed=done)
                speed = bars.tasks[bars.task_ids.index(task)].speed
                bars.update(task, rate="" if speed is None else f"{speed:.1f}/s")

            return tick

        yield Progress(start)


def bar(items: Iterable[T], text: str, total: int) -> Iterator[T]:
    """The items, with a progress bar that shows rate and remaining time."""
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns) as progress:
        task = progress.add_task(text, total=total, rate="")
        for item in items:
            yield item
            progress.advance(task)
            speed = progress.tasks[0].speed
            progress.update(task, rate="" if speed is None else f"{speed:.1f}/s")

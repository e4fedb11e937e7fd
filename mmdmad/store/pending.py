"""How many of the cases that `Run.score` was given last are not done yet: what a stop half-way leaves behind.

The number stands in the run before the first case is judged and falls in the same transaction as each case ends, judged
or refused: killed at any moment, it is right.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, Integer, String, cast, select, update
from sqlalchemy.orm import Session

from mmdmad.errors import RunError
from mmdmad.store.db import MetaRow

GIVEN, LEFT = "given", "unjudged"  # keys in the table of the run's settings


@dataclass(frozen=True)
class Pending:
    """Cases that the last call of `Run.score` had to judge, and those of them that are still to be judged."""

    given: int
    left: int

    @property
    def words(self) -> str:
        """What is left, and how to go on; "" where nothing is.

        >>> Pending(60, 40).words
        '40 of the 60 cases that were to be judged last are not judged yet: it was stopped, or still goes on'
        >>> Pending(60, 0).words
        ''
        """
        if not self.left:
            return ""
        verb = "is" if self.left == 1 else "are"
        which = f"{self.left} of the {self.given} cases that were" if self.given > 1 else "The one case that was"
        return f"{which} to be judged last {verb} not judged yet: it was stopped, or still goes on"


def begin(engine: Engine, count: int) -> None:
    """So many cases are to be judged now."""
    with Session(engine) as session, session.begin():
        for key in (GIVEN, LEFT):
            session.merge(MetaRow(key=key, value=str(count)))


def one_done(session: Session) -> None:
    """One of them is judged or refused; the caller's transaction."""
    less = cast(cast(MetaRow.value, Integer) - 1, String)
    session.execute(update(MetaRow).where(MetaRow.key == LEFT).values(value=less))


def pending(engine: Engine) -> Pending:
    """What is left of the last call; RunError where what is there are no counts."""
    query = select(MetaRow.key, MetaRow.value).where(MetaRow.key.in_((GIVEN, LEFT)))
    with Session(engine) as session:
        found = {row.key: row.value for row in session.execute(query)}
    try:
        one = Pending(int(found.get(GIVEN, "0")), int(found.get(LEFT, "0")))
    except ValueError:
        one = Pending(0, -1)
    if not 0 <= one.left <= one.given:
        raise RunError(f"the counts of cases to be judged are damaged ({found}); score the same cases again")
    return one

"""What people say of a run: of findings, and of what is normal now. `Run` has it from here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mmdmad.store import adapting, caught, db, feedback, recalibration, sensitivity, stream
from mmdmad.store.at import At
from mmdmad.store.caught import Caught
from mmdmad.store.feedback import Feedback, Precision
from mmdmad.store.levels import Levels
from mmdmad.store.recalibration import Named, Recalibration

if TYPE_CHECKING:
    import numpy as np

    from mmdmad.cases import Case
    from mmdmad.pipeline.detector import JointDetector
    from mmdmad.pipeline.sensitivity import Sensitivity


class People:
    """The part of a run that people's words are kept and asked in."""

    path: Path
    _engine: Engine
    _at: At
    _levels: Levels | None = None

    if TYPE_CHECKING:

        @property
        def model(self) -> "JointDetector":
            """The fitted model of the run."""

        @property
        def by(self) -> str | None:
            """What cases are ranked within."""

        @property
        def judged_at(self) -> float:
            """The rate that its cases are judged at."""

        def _row(self, session: Session, case_id: str) -> db.DocumentRow: ...
        def _refuse_view(self, what: str) -> None: ...

    def feedback(self, case_id: str, label: str, note: str = "", who: str = "") -> bool:
        """Record what a person says of a finding ("confirmed" or "false alarm"); the statistics stay as they are.

        The last word on a case counts, earlier ones stay on record; False where this was the last word already.
        """
        with Session(self._engine) as session, session.begin():
            self._row(session, case_id)
            return feedback.record(session, case_id, label, note, who)

    def feedbacks(self, case_id: str | None = None) -> list[Feedback]:
        """What people said of all findings or of one, oldest first."""
        with Session(self._engine) as session:
            return feedback.of(session, case_id)

    @property
    def precision(self) -> Precision:
        """How many of the flagged cases people have judged, and confirmed: of what they chose to judge."""
        with Session(self._engine) as session:
            return feedback.precision(session, self._at)

    @property
    def levels(self) -> Levels:
        """What cases are ranked among: as fitted, and after each recalibration; it judges each at that of its time."""
        if self._levels is None or self._levels.fitted is not self.model:
            self._levels = Levels.load(self.path, self._engine, self.model)
        return self._levels

    def named(self, normal: Any = None, *, since: datetime | None = None, until: datetime | None = None) -> Named:
        """Normal cases for `recalibrate`: ids of judged cases, cases as `score` takes them, or all judged since, until.

        RunError where one is labelled or confirmed as a fault; of a time those confirmed are left out (`left_out`).
        """
        return recalibration.named(self._engine, normal, since, until, self.by)

    def recalibrate(self, named: Named, *, who: str = "", why: str = "", progress: bool = False) -> Recalibration:
        """Rank cases among those that a person names normal, from their time on; nothing is learned again.

        `named` comes from `run.named`. Other cases of that time are judged anew, the stream begins anew, a lapse ends
        there; all of it stays on record (`recalibrations`). RunError where the named cases are too few for the rate, or
        of other recordings than those to be judged.
        """
        self._refuse_view("recalibrate")
        given = self.path, self._engine, self.levels, self.judged_at, named
        done = recalibration.recalibrate(*given, who=who, why=why, progress=progress)
        self._levels = None
        stream.catch_up(self._engine, self._calibration_of_kinds)
        return done

    @property
    def recalibrations(self) -> list[Recalibration]:
        """Every recalibration: who named which cases normal, when and why, and what changed; oldest first."""
        return recalibration.recalibrations(self._engine)

    def measure_caught(self, faults: "Sequence[Case]") -> Caught:
        """Judge labelled faults, which are not learned from, and keep how many are caught; no threshold moves."""
        return caught.measure(self._engine, self.levels, faults, self.judged_at)

    def measure_sensitivity(self, seconds: float) -> "Sensitivity":
        """Plant damage of known size in normal cases that the fit just made held out, and keep which is caught."""
        return sensitivity.measure(self._engine, self.model, self.judged_at, seconds)

    @property
    def sensitivity(self) -> "Sensitivity | None":
        """Which planted damage would have been caught when the model was fitted; None in runs of earlier versions."""
        return sensitivity.kept(self._engine)

    @property
    def caught(self) -> Caught | None:
        """How labelled faults that were given with the fit are judged; None where none were."""
        return caught.caught(self._engine)

    @property
    def adapted(self) -> str:
        """How many cases were ranked among a moving reference, and what that means; "" where none was."""
        return adapting.words(self._engine)

    def _calibration(self) -> "Mapping[tuple[str, ...], np.ndarray]":
        return self.levels.newest.joint_scores()

    def _calibration_of_kinds(self) -> "dict[str, np.ndarray]":
        """The same for streams: of all cases, and of each group where cases are ranked by group."""
        model = self.levels.newest
        found = {stream.kind_of(",".join(p)): scores for p, scores in model.joint_scores().items()}
        if self.by is None:
            return found
        for group in {group for fold in model.folds_ for group in fold.calibration.groups_}:
            found |= {stream.kind_of(",".join(p), group): s for p, s in model.joint_scores(group).items()}
        return found

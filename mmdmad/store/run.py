"""The run directory: configuration, fitted model, case store and artifacts, one folder per run.

    config.json   what was asked for, and with which versions      work/        token cache and checkpoints
    model/        the fitted model (safetensors + JSON)            artifacts/   pictures and plots, a folder per case
    cases.sqlite  findings, refusals, feedback

Every case is one transaction: killed at any moment and started again, nothing is lost and nothing is there twice.
"""

import time
from collections.abc import Mapping
from contextlib import closing
from copy import copy
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mmdmad.calibration.rates import USUAL_RATES
from mmdmad.cases import Case, Refusal, lost_kinds
from mmdmad.errors import RunError
from mmdmad.files import make_folder, within, write_json
from mmdmad.finding_table import export
from mmdmad.findings import Explanation, Finding, Findings
from mmdmad.grouping import check_groups, grouped
from mmdmad.guarantees import Grounds
from mmdmad.intake import cases_of
from mmdmad.learning import learned_from
from mmdmad.store import again, attempt, db, pending, rows, scoring, serial, stream
from mmdmad.store.adapting import adapting, in_order
from mmdmad.store.at import STORED, At
from mmdmad.store.caught import faults
from mmdmad.store.events import Events
from mmdmad.store.fitting import fit_into
from mmdmad.store.format import FORMAT, open_database
from mmdmad.store.model import loaded
from mmdmad.store.numbers import Numbers
from mmdmad.store.pending import Pending
from mmdmad.store.people import People
from mmdmad.store.query import Filters, page
from mmdmad.store.rates import declared, judges_anew
from mmdmad.store.scoring import Scored
from mmdmad.store.setup import differences, read_settings, versions
from mmdmad.store.stream import Watch
from mmdmad.store.tally import LEARNED, Tally
from mmdmad.store.views import View, check_rate, recalled

PART_OF_FIT = 0.2
"""Share of the time of a fit that may be spent on what it would have caught."""

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from mmdmad.pipeline.detector import JointDetector, PipelineConfig
    from mmdmad.windows import Windows


class Run(People):
    """One run directory. Make it with `Run.create`, come back to it with `Run.open`."""

    def __init__(self, path: Path, settings: dict[str, Any], engine: Engine) -> None:
        self.path = path
        self._settings = settings
        self._engine = engine
        self._model: JointDetector | None = None
        self._at = STORED

    @classmethod
    def create(cls, path: str | Path, config: "dict[str, Any] | str | PipelineConfig") -> Self:
        """A new run directory with this configuration; a folder that holds a run is refused, unless its fit failed.

        The configuration is a preset's name ("pipelines/pictures"), a YAML file, a PipelineConfig or its values.
        """
        path = Path(path)
        if not isinstance(config, dict):
            from mmdmad.pipeline.config import PipelineConfig

            config = PipelineConfig.load(config).model_dump(mode="json")
        if (path / "config.json").exists():
            with closing(cls.open(path)) as run, Session(run._engine) as session:
                if run.fitted or not attempt.failed(session):
                    go_on = "judge with `mmdmad score`" if run.fitted else "go on with the same command and --resume"
                    raise RunError(f"{path} already holds a run; {go_on} (Run.open), or name another folder")
        if path.exists() and not path.is_dir():
            raise RunError(f"{path} is a file; a run needs a folder of its own")
        make_folder(path)
        settings = {
            "format": FORMAT,
            "config": config,
            "versions": versions(),
            "created": datetime.now(UTC).isoformat(),
        }
        write_json(path / "config.json", settings)
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The run in this folder; a run of an older format is brought up to date, one of a newer format refused."""
        path = Path(path)
        file = path / "config.json"
        if not file.exists():
            raise RunError(f"{path} holds no run (no config.json); make one with `mmdmad fit --data … --run {path}`")
        settings = read_settings(file)
        return cls(path, settings, open_database(path, settings))

    def close(self) -> None:
        """Close the store's file."""
        self._engine.dispose()

    @property
    def config(self) -> dict[str, Any]:
        """The pipeline configuration this run was created with."""
        config: dict[str, Any] = self._settings["config"]
        return config

    @property
    def by(self) -> str | None:
        """What cases are ranked within, so that the rate holds for each: "group" or a column; None: not so."""
        return self.config.get("by")

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Python, mmdmad and the packages that numbers depend on, when the run was created."""
        versions: dict[str, str] = self._settings["versions"]
        return versions

    @property
    def fitted(self) -> bool:
        """Whether a complete model lies in the run."""
        return within(self.path, "model").is_dir()

    @property
    def simulated(self) -> bool:
        """Whether the judged cases come from a simulation; said wherever they are shown."""
        return self._meta("simulated") == "true"

    @property
    def false_alarm_rate(self) -> float | None:
        """The declared rate of this run's verdicts; None before the first case is judged."""
        return declared(self.path, self._meta("false_alarm_rate"))

    def at(self, rate: float) -> Self:
        """The same run read at another declared rate: p-values decide, so nothing is fitted or judged again.

        Verdicts, guarantees, filters, counts and orders are those of the rate. What is written (cases, explanations)
        is written at the rate of the run itself, not here. RunError for a rate that is not allowed.
        """
        check_rate(rate)
        made = copy(self)
        made._at = At(None if rate == self.judged_at else rate)
        return made

    @property
    def judged_at(self) -> float:
        """The rate that its cases are judged at: as it was scored, before that as configured or supported."""
        return (
            self.false_alarm_rate
            or self.config.get("false_alarm_rate")
            or (self.model.rate if self.fitted else USUAL_RATES[0])
        )

    @property
    def windows(self) -> "Windows | None":
        """How the recordings of the fit were cut into cases; None where they were not."""
        with Session(self._engine) as session:
            return attempt.windows(session)

    @property
    def rate(self) -> float:
        """The declared false-alarm rate of its verdicts: the one it is read `at`, else the one it is judged at."""
        return self.judged_at if self._at.rate is None else self._at.rate

    @property
    def model(self) -> "JointDetector":
        """The fitted model, loaded when first asked for."""
        if self._model is None:
            if not self.fitted:
                raise RunError(f"{self.path} has no fitted model; finish it with: {self._go_on()}")
            self._model = loaded(self.path, self.config)
        return self._model

    def check_config(self, config: dict[str, Any]) -> None:
        """Refuse to go on with another configuration than the run was created with."""
        differing = differences(self.config, config)
        if differing:
            raise RunError(
                f"{self.path} was made with another configuration ({'; '.join(differing[:3])}); "
                f"resume with the same one, or name another run folder"
            )

    def fit(self, cases: Any, *, resume: bool = False, progress: bool = False) -> Self:
        """Learn from normal cases. Stopped in the middle, `resume=True` goes on and ends in the same model.

        `cases` are what `JointDetector.fit` takes; which of them are normal, `mmdmad.learning.to_learn` says, and a
        warning tells of those that are left out. Where the cases or the configuration do not allow a fit, the run is
        as before, and may be fitted on others.
        """
        self._refuse_view("learn")
        if self.fitted and not resume:
            raise RunError(f"{self.path} is fitted already; name another run folder")
        given = grouped(cases_of(cases), self.by)
        cases = learned_from(given)
        check_groups(cases, self.by)
        mark = serial.fingerprint(cases)
        started = self._meta("fit_cases")
        if started is not None and started != mark:
            raise RunError(f"{self.path} was begun on other cases; resume with the same ones, or name another folder")
        if started is not None and not resume:
            raise RunError(f"{self.path} holds an unfinished fit; go on with: {self._go_on()} (resume=True)")
        if self.fitted:
            return self
        with Session(self._engine) as session, session.begin():
            attempt.begin(session, mark, len(cases))
            attempt.remember(session, cases)
        begun = time.monotonic()
        self._model = fit_into(self.path, self._engine, self.config, cases, progress=progress)
        self.measure_sensitivity(PART_OF_FIT * (time.monotonic() - begun))
        if known := faults(given):
            self.measure_caught(known)
        return self

    def score(
        self, cases: Any, *, false_alarm_rate: float | None = None, replace: bool = False, adapt: bool = False,
        progress: bool = False,
    ) -> Scored:  # fmt: skip
        """Judge cases, one transaction each. Cases whose files were judged before, unchanged, are not judged again.

        An id that was judged from other content is refused, and its earlier finding kept; with `replace` the case is
        judged in its place. Where the files themselves were replaced by ones that cannot be used, the earlier verdict
        is withdrawn. A run has one rate: with `replace` and all its cases it can be another.

        Cases with a time make a stream in the order of time (`mmdmad.store.stream`), in which it shows whether normal
        has moved: from then on no rate is promised for verdicts, as `watch` and their guarantees say. `adapt` ranks
        them among the latest ones before, so that normal may move slowly, without a promise (`mmdmad.store.adapting`).
        """
        self._refuse_view("judge cases")
        cases = grouped(cases_of(cases), self.by)
        cut, known = cases.extra.get("windows"), self.windows
        if cut is not None and known is not None and str(cut) != str(known):
            raise RunError(f"{self.path} learned from {known}, these cases are {cut}; cut them alike")
        rate = self.judged_at if false_alarm_rate is None else false_alarm_rate
        anew = judges_anew(self.path, self._engine, self.false_alarm_rate, rate, cases, replace)
        if not anew:
            self._set_meta(false_alarm_rate=repr(rate))
        simulated = bool(cases.extra.get("simulated"))
        if simulated:
            self._set_meta(simulated="true")
        waiting, twice = scoring.waiting(self._engine, cases, every=anew)
        waiting = in_order(waiting) if adapt else waiting
        refused, parts, done = [*cases.refused, *twice], list(cases.refused), 0
        scoring.put_refusals(self._engine, "score", refused)
        pending.begin(self._engine, len(waiting))
        if waiting:
            self._set_meta(**{LEARNED: " ".join(self.model.parts_)})
            moving = adapting(self._engine, self.levels, rate) if adapt else None
            given = self._engine, self.levels, rate, within(self.path, "artifacts"), simulated, replace, self.watch
            found = scoring.judge_all(scoring.Scorer(*given, moving), waiting, progress=progress)
            done = sum(one.judged for one in found)
            refused += [refusal for one in found for refusal in one.refused]
            parts += [refusal for one in found for refusal in one.parts]
            if moving is not None:
                moving.record(self._engine)
        if anew:  # only now: stopped before, the same call judges all of them again
            self._set_meta(false_alarm_rate=repr(rate))
        stream.catch_up(self._engine, self._calibration_of_kinds)
        self.events.catch_up()
        lost = lost_kinds([one.case for one in waiting], parts)
        return Scored(done, tuple(refused), len(cases) - len(waiting) - len(twice), lost)

    @property
    def watch(self) -> Watch:
        """The stream of the cases that have a time: how many it holds, and since when the guarantee has lapsed."""
        return stream.watch(self._engine)

    @property
    def pending(self) -> Pending:
        """How many of the cases that were given to `score` last are still to be judged: more than none after a stop."""
        return pending.pending(self._engine)

    @property
    def events(self) -> Events:
        """The events of the run, flagged cases side by side as one each, and the rule by which they are alarms."""
        return Events(self)

    def findings(self, *, limit: int | None = None, offset: int = 0, order: str = "rank", **filters: Any) -> Findings:
        """The stored findings that pass the filters, by rank, p_value, score, time or id (a leading minus turns it).

        Filters: `verdict`; `part` (a modality whose own p-value is at most the declared rate); `driver` (what carries
        the largest share); `missing` (a modality); `group`; `channel`; `since`, `until` (datetimes, the end left out);
        `from_clock`, `to_clock` (times of any day); `timed`; `contradictory` (True or False); others in
        `mmdmad.store.query.Filters`. Rank is most anomalous first, see `findings.order_key`.
        """
        query, view = page(Filters(**filters), order, limit, offset, self._at), self._view()
        with Session(self._engine) as session:
            found = [self._located(row, view) for row in session.scalars(query)]
        return Findings(found, calibration=self._calibration if self.fitted else None)

    def count(self, **filters: Any) -> int:
        """How many stored findings pass the filters of `findings`."""
        return self.tally.count(**filters)

    @property
    def tally(self) -> Tally:
        """Counts and names over the stored findings, without loading them."""
        return Tally(self._engine, self._at)

    @property
    def numbers(self) -> Numbers:
        """Medians, means, counts per stretch of the clock and smallest p-values over the stored findings."""
        return Numbers(self._engine, self._at)

    def groups(self) -> list[str]:
        """The groups that judged cases belong to."""
        return self.tally.names()

    def finding(self, case_id: str) -> Finding | None:
        """The finding of one case, or None where it was not judged."""
        with Session(self._engine) as session:
            row = session.get(db.DocumentRow, case_id)
            return None if row is None else self._located(row, self._view())

    def case(self, case_id: str) -> Case:
        """One judged case with the paths of its parts, to read its signals again."""
        with Session(self._engine) as session:
            return serial.case_from_json(case_id, self._row(session, case_id).source)

    def refusals(self, stage: Literal["fit", "score"] | None = None, *, limit: int | None = None) -> list[Refusal]:
        """Parts and cases that were refused and not judged since, all or the first; of one stage, or of both."""
        return scoring.refusals(self._engine, stage, limit)

    def set_explanation(self, case_id: str, explanation: Explanation) -> None:
        """Store the words for a finding."""
        self._refuse_view("keep an explanation")
        with Session(self._engine) as session, session.begin():
            row = self._row(session, case_id)
            finding = rows.finding_of(row).model_copy(update={"explanation": explanation})
            for name, value in rows.document(finding).items():
                setattr(row, name, value)

    def artifact(self, relative: str) -> Path:
        """The file of an evidence's `artifact`; a path that leaves the run folder is refused."""
        return within(self.path, relative)

    def export(self, path: str | Path) -> Path:
        """Write one row per finding to a .parquet or .csv table, or the whole findings to .jsonl; worst first."""
        return export(self.findings(), Path(path))

    def _repr_html_(self) -> str:
        """What the run holds, for notebooks: its model, counts of verdicts, the most anomalous cases; all escaped."""
        from mmdmad.store.shown import html

        return html(self)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {'fitted' if self.fitted else 'not fitted'}, {self.count()} cases judged)"

    def _located(self, row: db.DocumentRow, view: View | None) -> Finding:
        """A finding at the rate it is read at, with where its pictures lie, and what draws them where none do."""
        finding = rows.finding_of(row) if view is None else view.of(rows.finding_of(row))
        return finding.located(self.path, partial(self._pictures, row.case_id))

    def _view(self) -> View | None:
        """What reads findings at another rate than they were judged at; None at that."""
        return None if self._at.rate is None else View(self._at.rate, self.watch, self._recalled)

    def _recalled(self, finding: Finding) -> Grounds:
        return recalled(self.model, finding, self.case(finding.case_id))

    def _refuse_view(self, what: str) -> None:
        if self._at.rate is not None:
            raise RunError(f"a run read at {self._at.rate:g} cannot {what}; ask the run itself, not `at` a rate")

    def _pictures(self, case_id: str) -> "Mapping[str, Picture]":
        with Session(self._engine) as session:
            case = again.unchanged(self._row(session, case_id))
        return self.model.pictures(case, self.rate)

    def _go_on(self) -> str:
        with Session(self._engine) as session:
            return attempt.go_on(session, self.path)

    def _row(self, session: Session, case_id: str) -> db.DocumentRow:
        row = session.get(db.DocumentRow, case_id)
        if row is None:
            raise RunError(f"case {case_id!r} was not judged in {self.path}; `mmdmad score` judges cases")
        return row

    def _meta(self, key: str) -> str | None:
        with Session(self._engine) as session:
            row = session.get(db.MetaRow, key)
            return None if row is None else row.value

    def _set_meta(self, **values: str) -> None:
        with Session(self._engine) as session, session.begin():
            for key, value in values.items():
                session.merge(db.MetaRow(key=key, value=value))

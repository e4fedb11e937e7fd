"""The whole detector: raw cases in, findings with calibrated p-values out.

>>> import mmdmad as mm                                                          # doctest: +SKIP
>>> cases = mm.read_cases("line3/manifest.csv")                                  # doctest: +SKIP
>>> model = mm.JointDetector.from_config("pipelines/inspection").fit(cases.where(split="train"))  # doctest: +SKIP
>>> findings = model.score(cases.where(split="test"), false_alarm_rate=0.01)     # doctest: +SKIP

The only module above `joint` and `explain`, so that the arrows between the packages keep one direction.
"""

import logging
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mmdmad.calibration.folds import judge_in_folds, supported
from mmdmad.calibration.patterns import JointCalibration, Pattern
from mmdmad.cases import Case, Lost, Modality, Refusal, lost_kinds
from mmdmad.errors import DataError, NotFittedError, PartError, RefusalWarning
from mmdmad.explain.normal import Normal
from mmdmad.files import make_folder
from mmdmad.findings import Contradiction, Finding, Findings, Guarantee
from mmdmad.grouping import check_groups, grouped
from mmdmad.intake import cases_of
from mmdmad.joint.joint_model import JointModel
from mmdmad.judgement import Judgement
from mmdmad.learning import learned_from
from mmdmad.parts import case_key, read
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.fitting import fit_stages
from mmdmad.pipeline.folds import Fold, look_at, part_judgement
from mmdmad.pipeline.lengths import for_stretches
from mmdmad.pipeline.masked import beside_of, of_window, ranked_like
from mmdmad.pipeline.model_manifest import NAME as MANIFEST
from mmdmad.pipeline.model_manifest import verify, write_manifest
from mmdmad.pipeline.part_model import Measured, PartModel, part_of
from mmdmad.pipeline.plan import plan
from mmdmad.pipeline.presets import preset_for
from mmdmad.pipeline.readings import for_missing, nothing_left
from mmdmad.pipeline.stages import stage, workspace
from mmdmad.pipeline.units import recording_of
from mmdmad.progress import shown
from mmdmad.saved import read_model, reading, require, write_values

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["JointDetector", "PipelineConfig", "load_config"]
log = logging.getLogger(__name__)


def load_config(source: str | Path | PipelineConfig | dict[str, Any]) -> PipelineConfig:
    """A pipeline configuration: a preset's name ("pipelines/inspection"), a YAML file, a mapping, or one already."""
    return PipelineConfig.load(source)


def _homes(folder: Path, folds: int) -> list[Path]:
    """Where each fold of a model lies: one in the model's folder itself, several in folders of their own."""
    return [folder] if folds == 1 else [folder / "folds" / str(number) for number in range(folds)]


def warn_of_lost(lost: Iterable[Lost]) -> None:
    """RefusalWarning for each modality of which every given part was refused."""
    for one in lost:
        warnings.warn(str(one), RefusalWarning, stacklevel=3)


class _About(BaseModel):
    """What `pipeline.json` holds; `folds`, `recordings` and `contents` came later: one and none where not there."""

    model_config = ConfigDict(extra="forbid")

    config: PipelineConfig
    modalities: tuple[Modality, ...] = Field(min_length=1)
    joint: bool
    folds: int = Field(default=1, ge=1, le=50)
    why: str = ""
    recordings: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    refused: list[tuple[str, str, str, int | None]]

    @model_validator(mode="after")
    def _known(self) -> "_About":
        # They name folders of the model, so nothing but the configured modalities, each once, may stand there.
        if len(set(self.modalities)) < len(self.modalities) or not set(self.modalities) <= set(self.config.parts):
            raise ValueError(f"modalities {', '.join(self.modalities)} are not those of its configuration")
        return self


class JointDetector:
    """One detector a modality, one joint model over their embeddings, calibrated for every pattern of present parts.

    Without a `config`, `fit` takes the preset that fits the parts; `preset_` says which, and why. Labels enter no
    score; cases labelled faulty are not learned from. What is fitted: `folds_`, one where the normal cases were divided
    once, several where they were crossed (`why_` says why), `normal_` (what normal looks like, for words),
    `recordings_` and `contents_` (what cases were cut from, marks of those learned) and `refused_` (parts that could
    not be used, and why). `parts_`, `joint_` (None for one modality) and `calibration_` are those of the first fold.
    """

    folds_: tuple[Fold, ...]
    why_: str
    normal_: Normal
    recordings_: frozenset[str]
    contents_: frozenset[str]
    held_out_: tuple[tuple[Case, ...], ...] = ()
    refused_: tuple[Refusal, ...]

    def __init__(self, config: PipelineConfig | None = None) -> None:
        self._chooses = config is None
        self.config = config or PipelineConfig()
        self.preset_ = ""

    def __repr__(self) -> str:
        state = f"fitted on {', '.join(self.parts_)}" if hasattr(self, "folds_") else "not fitted"
        return f"JointDetector({state}{f'; {self.preset_}' if self.preset_ else ''})"

    @property
    def parts_(self) -> dict[Modality, PartModel]:
        """The part models of the first fold."""
        return self.folds_[0].parts

    @property
    def joint_(self) -> JointModel | None:
        """The joint model of the first fold."""
        return self.folds_[0].joint

    @property
    def calibration_(self) -> JointCalibration:
        """Tails and scores of the first fold."""
        return self.folds_[0].calibration

    @classmethod
    def from_config(cls, config: str | Path | PipelineConfig | dict[str, Any]) -> Self:
        """An unfitted detector from a preset's name, a YAML file, a mapping or a PipelineConfig."""
        return cls(load_config(config))

    def fit(self, cases: Any, *, by: str | None = None, work: Path | None = None, progress: bool = False) -> Self:
        """Learn what is normal. `work` keeps tokens, finished stages and checkpoints: a killed fit goes on from there.

        `cases` are Cases, or what makes some: a list of cases, files, folders, DataFrames, pictures or mappings
        {modality: value} (`mm.cases_from` says more of what is given). `by`: rank them within their groups, "group" or
        a column of the manifest, so that the rate holds for each (as `by` of the configuration).
        Which cases are learned from, `mmdmad.learning.to_learn` says: never faulty ones, nor those of test; a warning
        says what is left out, DataError what nobody can know. Parts that cannot be used are listed in `refused_`, the
        rest goes on; RefusalWarning where that is every part of a kind, RefusedError (a DataError) where nothing is
        left to learn from.
        """
        by = self.config.by if by is None else by
        cases = learned_from(grouped(cases_of(cases), by))
        check_groups(cases, by)
        if self._chooses:
            name, why = preset_for(cases)
            self.config, self.preset_ = load_config(name), f"{name}: {why}"
            log.info("%s", self.preset_)
        self.config = self.config.model_copy(update={"by": by})
        planned = plan(cases.items, self.config)
        rows = planned.first
        log.info("normal cases are %s", planned.why)
        with workspace(work) as folder, shown(progress) as bars:
            stages = folder / "stages" / planned.fingerprint(self.config)[:16]
            cache = folder / "tokens" if work or len(planned.splits) > 1 else None
            fitted = fit_stages(self.config, planned.splits, stages, cache, bars)
            self.folds_, self.why_ = fitted.folds, planned.why
            self.refused_ = fitted.refused
            self.recordings_ = (
                frozenset(filter(None, map(recording_of, rows.cases))) if rows.kind != "case" else frozenset()
            )
            self.contents_, self.held_out_ = planned.learned, planned.held_out
            warn_of_lost(lost_kinds(cases, (*cases.refused, *fitted.refused)))

            def make(out: Path) -> None:
                counted = bars.over(rows.cases, "what normal looks like", len(rows.cases))
                Normal.fit(self._normal_rows(counted, fitted.embeddings)).save(out)

            self.normal_ = Normal.load(stage(stages / "normal", make))
        return self

    @property
    def rate(self) -> float:
        """The false-alarm rate of its verdicts where none is given: as configured, or what calibration supports."""
        if self.config.false_alarm_rate is not None:
            return self.config.false_alarm_rate
        self._check_fitted()
        return supported([fold.calibration for fold in self.folds_])

    def judge(self, case: Case, false_alarm_rate: float | None = None, *, cache: Path | None = None) -> Judgement:
        """What is said of one case. A part that cannot be used is refused; PartError if none is left."""
        self._check_fitted()
        signals, measured, refused = self._measure(case, cache)
        if not measured:
            raise PartError(nothing_left(refused), part="case", case_id=case.id, row=case.row, refused=refused)
        rate = self.rate if false_alarm_rate is None else false_alarm_rate
        ranking = ranked_like(self.folds_, signals, measured)
        measured, outside = ranking.measured, ranking.outside
        in_folds = [{m: found[number] for m, found in measured.items()} for number in range(len(self.folds_))]
        clashes = [fold.contradictions(mine) for fold, mine in zip(self.folds_, in_folds, strict=True)]
        said = judge_in_folds(
            ranking.among,
            case_key(case),
            [fold.compared(mine) for fold, mine in zip(self.folds_, in_folds, strict=True)],
            clashes,
            rate,
            learned=self.learned(case),
            group=case.group,
        )
        many, guarantee = self._stretches(measured, said.guarantee)
        if outside:
            guarantee = for_missing(guarantee, outside)
        return Judgement(
            case=case,
            signals=signals,
            parts={
                m: part_judgement(
                    [fold.parts[m] for fold in self.folds_], found, signals[m], said.parts[m], said.fused.parts[m]
                )
                for m, found in measured.items()
            },
            contradictions=tuple(
                Contradiction(
                    part=link[0],
                    given=link[1],
                    score=float(np.mean([one[link] for one in clashes])),
                    p_value=min(1.0, many * p_value),
                    share=said.fused.contradictions[link[0]],
                )
                for link, p_value in said.links.items()
            ),
            score=said.fused.score,
            p_value=min(1.0, many * said.p_value),
            guarantee=guarantee,
            refused=refused,
            lacks=tuple(m for m in self.parts_ if m not in measured),
            single_score=said.single,
            by_recording=of_window(said.by_recording and said.by_recording.times(many), outside),
            beside=None if said.beside is None else beside_of(said.beside.ranks.times(many), outside),
        )

    def learned(self, case: Case) -> bool:
        """Whether the case is of a recording that was learned from, where recordings tell for whom a rate holds."""
        return recording_of(case) in self.recordings_

    def _stretches(self, measured: dict[Modality, list[Measured]], guarantee: Guarantee) -> tuple[int, Guarantee]:
        """How many stretches were looked at in a case with recordings longer than usual; 1 and no word without one."""
        most = {m: max(one.stretches for one in found) for m, found in measured.items()}
        long = {m: count for m, count in most.items() if count > 1}
        if not long:
            return 1, guarantee
        usual = {m: str(known) for m in long if (known := self.parts_[m].lengths) is not None}
        many = math.prod(long.values())
        return many, for_stretches(guarantee, many, " and ".join(usual.values()))

    def finding(
        self,
        case: Case,
        false_alarm_rate: float | None = None,
        artifacts: Path | None = None,
        *,
        cache: Path | None = None,
    ) -> Finding:
        """The judgement of one case with its evidence; pictures and plots go to `artifacts`/<case id>."""
        from mmdmad.explain import gather  # plotting libraries, only when evidence is asked for

        judgement = self.judge(case, false_alarm_rate, cache=cache)
        return judgement.finding(gather(judgement, self.normal_, artifacts))

    def pictures(self, case: Case, false_alarm_rate: float | None = None) -> "Mapping[Modality, Picture]":
        """The pictures of all parts of a case, whatever its p-value, the largest share first; PartError as `judge`."""
        from mmdmad.explain import pictures

        return pictures(self.judge(case, false_alarm_rate), self.normal_)

    def score(
        self,
        cases: Any,
        false_alarm_rate: float | None = None,
        *,
        work: Path | None = None,
        artifacts: Path | None = None,
        progress: bool = False,
    ) -> Findings:
        """Findings of all cases, in their order. Cases without a usable part are listed in `refused` of the result.

        `cases` are what `fit` takes. Cards of the findings draw their pictures when they are shown, unless `artifacts`
        keeps them. RefusalWarning where every part of a kind that the cases bring is refused.
        """
        self._check_fitted()
        waiting = grouped(cases_of(cases), self.config.by)
        simulated = bool(waiting.extra.get("simulated"))
        findings: list[Finding] = []
        refused: list[Refusal] = []
        parts = list(waiting.refused)
        with shown(progress) as bars:
            for case in bars.over(waiting, "judging", len(waiting)):
                try:
                    found = self.finding(case, false_alarm_rate, artifacts, cache=work / "tokens" if work else None)
                except PartError as error:
                    refused.append(Refusal(case.id, "case", error.reason, case.row))
                    parts += error.refused
                    continue
                parts += found.refusals(case.row)
                found = found.model_copy(update={"simulated": True}) if simulated else found
                draw = partial(self.pictures, case, false_alarm_rate)
                findings.append(found.located(artifacts and artifacts.parent, draw))
        warn_of_lost(lost_kinds(waiting, parts))
        return Findings(findings, tuple(refused), self.joint_scores)

    def joint_scores(self, *group: str | None) -> dict[Pattern, np.ndarray]:
        """Joint scores of the calibration cases, sorted, for each pattern of present parts; of all folds together.

        Of a `group`, where one is given, those of its cases alone.
        """
        self._check_fitted()
        of = [fold.calibration.of_group(*group) if group else fold.calibration for fold in self.folds_]
        found = [one.joint_scores() for one in of]
        return {pattern: np.sort(np.concatenate([one[pattern] for one in found])) for pattern in found[0]}

    def save(self, folder: str | Path) -> None:
        """Write everything fitted into `folder` (safetensors and JSON), and last the manifest that vouches for it."""
        self._check_fitted()
        folder = Path(folder)
        make_folder(folder)
        (folder / MANIFEST).unlink(missing_ok=True)
        for home, fold in zip(_homes(folder, len(self.folds_)), self.folds_, strict=True):
            fold.save(make_folder(home))
        self.normal_.save(folder / "normal")
        about = {
            "config": self.config.model_dump(mode="json"),
            "modalities": list(self.parts_),
            "joint": self.joint_ is not None,
            "folds": len(self.folds_),
            "why": self.why_,
            "recordings": sorted(self.recordings_),
            "contents": sorted(self.contents_),
            "refused": [[r.case_id, r.part, r.reason, r.row] for r in self.refused_],
        }
        write_values(folder / "pipeline.json", about)
        write_manifest(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The detector that `save` wrote; ModelError unless every file is there, as written and within its range."""
        folder = Path(folder)
        if not (folder / "pipeline.json").is_file():
            raise NotFittedError(f"{folder} holds no fitted pipeline (no pipeline.json); fit one with `mmdmad fit`")
        verify(folder)
        about = read_model(folder / "pipeline.json", _About)
        made = cls(about.config)
        made.folds_ = tuple(Fold.load(home, about.modalities, about.joint) for home in _homes(folder, about.folds))
        with reading(folder / "pipeline.json"):
            kinds = {fold.calibration.unit for fold in made.folds_}
            require(len(kinds) == 1, "its folds were calibrated on different units")
        made.why_ = about.why
        made.normal_ = Normal.load(folder / "normal")
        made.recordings_, made.contents_ = frozenset(about.recordings), frozenset(about.contents)
        made.refused_ = tuple(Refusal(*line) for line in about.refused)
        return made

    def _measure(
        self, case: Case, cache: Path | None
    ) -> tuple[dict[Modality, Any], dict[Modality, list[Measured]], tuple[Refusal, ...]]:
        """The decoded parts, and what each fold says of them."""
        signals: dict[Modality, Any] = {}
        measured: dict[Modality, list[Measured]] = {}
        refused = []
        for modality in case.pattern:
            part = part_of(case, modality)
            if part is None:
                continue
            if modality not in self.parts_:
                reason = f"this model has not learned {modality}; it knows {', '.join(self.parts_)}"
                refused.append(Refusal(case.id, modality, reason, case.row))
                continue
            try:
                models = [fold.parts[modality] for fold in self.folds_]
                signals[modality], measured[modality] = look_at(models, part, cache)
            except PartError as error:
                refused.append(Refusal(case.id, modality, error.reason, case.row))
        return signals, measured, tuple(refused)

    def _normal_rows(
        self, cases: Iterable[Case], embeddings: dict[Modality, np.ndarray]
    ) -> Iterator[tuple[Case, dict[Modality, Any], dict[Modality, np.ndarray]]]:
        for i, case in enumerate(cases):
            known = {m: e[i] for m, e in embeddings.items() if m in case.parts and np.isfinite(e[i]).all()}
            parts = {m: self.parts_[m].given(part) for m in known if (part := part_of(case, m)) is not None}
            yield case, {m: read(part) for m, part in parts.items()}, known

    def _check_fitted(self) -> None:
        if not hasattr(self, "folds_"):
            raise NotFittedError("this JointDetector is not fitted; call fit(cases) first")
        if not self.parts_:
            raise DataError("this JointDetector has learned no modality")

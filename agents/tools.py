"""The store and the detectors as LangChain tools: compact JSON for the model, ids of cases and evidence as artifact.

A model sees captions and facts only; pictures stay in the run folder and are shown by the program that knows the ids.
An error of a tool is an answer too ("no case is called …"), so that a model can correct itself.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.tools import BaseTool, tool

from mmdmad.ask import cases as queries
from mmdmad.ask.cases import By, Filter
from mmdmad.cases import Modality
from mmdmad.errors import MmdmadError
from mmdmad.findings import Verdict

if TYPE_CHECKING:
    from mmdmad.store.run import Run

Result = tuple[str, dict[str, Any]]
LIMIT = 25


def packed(ask: Callable[[], dict[str, Any]]) -> Result:
    """The result of a query as compact JSON, with the case and evidence ids in it as artifact."""
    try:
        found = ask()
    except (MmdmadError, ValueError) as error:
        found = {"error": str(error)}
    rows = (
        [found, *(r for r in found.get("cases", []) if isinstance(r, dict))]
        if isinstance(found.get("cases"), list)
        else [found]
    )
    ids = {
        "cases": [r["case"] for r in rows if "case" in r],
        "evidence": [f"{found['case']}/{e['id']}" for e in found.get("evidence", []) if "case" in found],
    }
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")), ids


def make_tools(run: "Run", folder: Path | None = None) -> list[BaseTool]:
    """The tools over one run; `folder` is where new files may be scored from (default: the current folder)."""
    root = folder or Path.cwd()

    @tool(response_format="content_and_artifact")
    def overview() -> Result:
        """The run as a whole: cases, flagged ones by part, group, hour and kind of evidence, guarantee, names."""
        return packed(lambda: queries.overview(run))

    @tool(response_format="content_and_artifact")
    def find_cases(
        verdict: Verdict | None = None, driver: Modality | None = None, unusual: Modality | None = None,
        missing: Modality | None = None, group: str | None = None, channel: str | None = None,
        contradictory: bool | None = None, since: str | None = None, until: str | None = None,
        order: Literal["rank", "-rank", "time", "-time"] = "rank", limit: int = 10, offset: int = 0,
    ) -> Result:  # fmt: skip
        """List cases, most anomalous first, with verdict, p-value and the part that drives it; every argument filters.

        driver: the part with the largest share. unusual: a part beyond the declared rate by itself. missing: a part the
        case lacks. since, until: ISO date-time, or HH:MM for any day.
        """
        return packed(
            lambda: queries.find_cases(
                run,
                Filter(verdict=verdict, driver=driver, unusual=unusual, missing=missing, group=group, channel=channel,
                       contradictory=contradictory, since=since, until=until),
                max(1, min(limit, LIMIT)), max(0, offset), order,
            )
        )  # fmt: skip

    @tool(response_format="content_and_artifact")
    def count_cases(
        verdict: Verdict | None = None, driver: Modality | None = None, unusual: Modality | None = None,
        missing: Modality | None = None, group: str | None = None, channel: str | None = None,
        contradictory: bool | None = None, since: str | None = None, until: str | None = None, by: By | None = None,
    ) -> Result:  # fmt: skip
        """Count cases that pass the filters (as in find_cases), in all or `by` group, driver, channel, hour, day, …"""
        return packed(
            lambda: queries.count_cases(
                run,
                Filter(verdict=verdict, driver=driver, unusual=unusual, missing=missing, group=group, channel=channel,
                       contradictory=contradictory, since=since, until=until),
                by,
            )
        )  # fmt: skip

    @tool(response_format="content_and_artifact")
    def open_case(case_id: str) -> Result:
        """Everything known of one case: verdict, guarantee, parts, contradictions and its numbered evidence."""
        return packed(lambda: queries.open_case(run, case_id))

    @tool(response_format="content_and_artifact")
    def explain_case(case_id: str) -> Result:
        """Why a case got its verdict: a short note whose every sentence was checked against the evidence it cites."""

        def ask() -> dict[str, Any]:
            from mmdmad.agents.explainer import explain

            finding = queries.resolve(run, case_id)
            if isinstance(finding, dict):
                return finding
            note = finding.explanation or explain(finding)
            sheets = {e.id: queries.sheet(e) for e in finding.evidence}
            cited = dict.fromkeys(c for s in note.sentences for c in s.cites)
            return queries.brief(finding) | {
                "sentences": [{"text": s.text, "cites": list(s.cites)} for s in note.sentences],
                "faithfulness": round(note.faithfulness, 3), "evidence": [sheets[c] for c in cited if c in sheets],
            }  # fmt: skip

        return packed(ask)

    @tool(response_format="content_and_artifact")
    def compare_with_normals(case_id: str) -> Result:
        """The nearest normal cases of one case and what lies outside the normal range."""
        return packed(lambda: queries.compare_with_normals(run, case_id))

    @tool(response_format="content_and_artifact")
    def list_refusals(limit: int = 20) -> Result:
        """Parts and cases that could not be read or judged, and why."""
        return packed(lambda: queries.list_refusals(run, max(1, min(limit, LIMIT))))

    @tool(response_format="content_and_artifact")
    def score_files(files: dict[Modality, str]) -> Result:
        """Judge new files (relative paths, by modality) as one case with the fitted model; nothing is stored."""
        return packed(lambda: queries.score_files(run, files, root))

    return [
        overview,
        find_cases,
        count_cases,
        open_case,
        explain_case,
        compare_with_normals,
        list_refusals,
        score_files,
    ]

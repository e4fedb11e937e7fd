"""`mmdmad bench`: the benchmark suites, listed or run."""

from pathlib import Path
from typing import Annotated

import typer

from mmdmad.commands.common import print_table
from mmdmad.plain import say

app = typer.Typer(help="Benchmarks: list the suites or run one.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_all() -> None:
    """The suites, one a line."""
    from mmdmad.bench import list_suites

    suites = list_suites()
    for name, text in suites.items():
        say(f"{name:{max(map(len, suites))}} {text}")


@app.command("run")
def run_one(
    suite: Annotated[str, typer.Argument(help="Suite name, see `mmdmad bench list`.")],
    data: Annotated[Path | None, typer.Option(help="Folder with the labelled sets.")] = None,
    detector: Annotated[list[str] | None, typer.Option(help="Detector to run; may be given several times.")] = None,
    peers: Annotated[bool, typer.Option(help="Run other libraries' detectors beside ours.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder for caches and pictures.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Run on so many items, evenly spaced.")] = None,
) -> None:
    """Run one suite and print its summary."""
    from mmdmad.bench import run_suite

    result = run_suite(suite, data, detectors=detector, seeds=seeds, peers=peers, out=out, work=work, sample=sample)
    print_table(
        ["detector", "metric", "mean", "low", "high", "default"],
        (
            [r["detector"], r["metric"], *(f"{r[k]:.4f}" for k in ("mean", "low", "high")), "*" if r["default"] else ""]
            for r in result["summary"]
        ),
    )
    for name, reason in result["refused"].items():
        say(f"refused: {name}: {reason}")

"""Benchmarks: suites of known data sets under fixed protocols, with seeds, intervals, seconds and memory."""

from mmdmad.bench.base import list_suites, run_suite

__all__ = ["list_suites", "run_suite"]

"""Tables without some of their readings, and tables as arrays of finite numbers that a model can keep."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmdmad.parts.sensor import Sensor
from mmdmad.saved import check_arrays, require, validated


class _Kept(BaseModel):
    """What the values of a kept table hold."""

    model_config = ConfigDict(extra="forbid")

    channels: tuple[str, ...]
    units: tuple[str, ...]
    states: tuple[str, ...]
    counts: tuple[str, ...]


def masked(table: Sensor, there: np.ndarray, lost: Mapping[str, np.ndarray]) -> Sensor:
    """The table with the rows that are `there` (T,), and without the readings of channels that are `lost` (T,) each.

    Times count from the first row that is left. Channels that it does not have are passed over.

    >>> table = Sensor(np.ones((3, 2)), np.arange(3.0), ("a", "b"), ("", ""))
    >>> masked(table, np.array([True, False, True]), {"b": np.array([True, True, False])}).values
    array([[ 1., nan],
           [ 1.,  1.]])
    """
    values = np.array(table.values, np.float64)
    for name, gone in lost.items():
        if name in table.channels:
            values[gone, table.channels.index(name)] = np.nan
    times = table.times[there]
    return replace(table, values=values[there], times=times - times[0])


def kept(table: Sensor) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Readings (0 where missing), which of them are there, and times; names, units and what was decided of columns."""
    there = np.isfinite(table.values)
    arrays = {"values": np.where(there, table.values, 0.0), "there": there, "times": np.asarray(table.times)}
    return arrays, {
        "channels": list(table.channels), "units": list(table.units), "states": list(table.states),
        "counts": list(table.counts),
    }  # fmt: skip


def from_kept(arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Sensor:
    """The table that `kept` was of; ModelError where it is none.

    >>> from_kept(*kept(Sensor(np.array([[1.0], [np.nan]]), np.arange(2.0), ("a",), ("",)))).values.ravel()
    array([ 1., nan])
    """
    known = validated(_Kept, values)
    forms = {"values": "f rows channels", "there": "b rows channels", "times": "f rows"}
    check_arrays(arrays, forms, channels=len(known.channels))
    require(len(known.units) == len(known.channels), "its channels have not one unit each")
    readings = np.where(arrays["there"], arrays["values"], np.nan)
    return Sensor(readings, arrays["times"], known.channels, known.units, states=known.states, counts=known.counts)

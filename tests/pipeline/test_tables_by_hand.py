"""The table that a part model's fit leaves: what is refused, compared, written and read back."""

import json

import numpy as np
import pytest

from mmdmad.cases import Case, Part, Refusal
from mmdmad.errors import ModelError
from mmdmad.pipeline import fit_part as fitting_part
from mmdmad.pipeline.config import PartSettings
from mmdmad.pipeline.fit_part import SCALE_TOKENS, Known, _Refused, read_table
from mmdmad.pipeline.splits import Split
from mmdmad.saved import write_arrays, write_values
from mmdmad.tokens import Layout, Tokens


def rows(fit: int, reference: int, calibration: int) -> Split:
    total = fit + reference + calibration
    cases = tuple(Case(f"c{i}", {"text": Part("text", value=f"t{i}")}, row=10 + i) for i in range(total))
    return Split(
        cases, tuple(map(str, range(total))), range(fit), range(fit, fit + reference), range(fit + reference, total)
    )


def known(i: int, *views: float) -> Known:
    return Known(views, np.array([i, 1.0], np.float32), np.array([i, 2.0, 3.0], np.float32))


def test_a_table_is_written_and_read_back(tmp_path):
    values = {0: known(0), 2: known(2, 5.0), 3: known(3, 6.0)}
    lines = [Refusal("c1", "text", "blank", 11), Refusal("c9", "text", "odd")]
    fitting_part._write_table(values, {2: 1.5, 3: 2.5}, 5, lines, tmp_path)
    table = read_table(tmp_path, 5)
    nan = np.nan
    np.testing.assert_array_equal(table.scores, [nan, nan, 1.5, 2.5, nan])
    np.testing.assert_array_equal(table.vectors, [[0, 1], [nan] * 2, [2, 1], [3, 1], [nan] * 2])
    np.testing.assert_array_equal(table.embeddings[:3], [[0, 2, 3], [nan] * 3, [2, 2, 3]])
    assert table.vectors.dtype == table.embeddings.dtype == np.float32
    assert table.refused == tuple(lines)
    fitting_part._write_table({}, {}, 5, [], tmp_path)
    assert read_table(tmp_path, 5).vectors.shape == read_table(tmp_path, 5).embeddings.shape == (5, 1)
    assert np.isnan(read_table(tmp_path, 5).vectors).all()


@pytest.mark.parametrize("name", ["scores", "vectors", "embeddings"])
def test_a_table_of_other_rows_is_refused(tmp_path, name):
    write_values(tmp_path / "refused.json", [])
    sound = {"scores": np.zeros(5), "vectors": np.zeros((5, 2)), "embeddings": np.zeros((5, 3))}
    write_arrays(tmp_path / "table.safetensors", sound)
    assert read_table(tmp_path, 5).refused == ()
    for wrong in (sound[name][:4], np.concatenate([sound[name], sound[name][:1]])):
        write_arrays(tmp_path / "table.safetensors", {**sound, name: wrong})
        with pytest.raises(ModelError, match="it has other rows"):
            read_table(tmp_path, 5)
    write_arrays(tmp_path / "table.safetensors", {**sound, "scores": np.zeros((5, 1))})
    with pytest.raises(ModelError, match="it has other rows"):
        read_table(tmp_path, 5)
    write_arrays(tmp_path / "table.safetensors", {k: v for k, v in sound.items() if k != name})
    with pytest.raises(ModelError, match=f"'{name}' is missing"):
        read_table(tmp_path, 5)
    write_arrays(tmp_path / "table.safetensors", sound)
    (tmp_path / "refused.json").write_text(json.dumps([["a", "text"]]))
    with pytest.raises(ModelError):
        read_table(tmp_path, 5)


def test_parts_of_another_width_than_most_are_refused_by_name():
    def tokens(width: int, summary: int = 2) -> Tokens:
        return Tokens(np.ones((2, width)), Layout("grid", (2, 1), size=(2, 1)), summary=np.zeros(summary))

    assert fitting_part._widths(tokens(3)) == (3, 2, 5)
    refused = _Refused(rows(4, 0, 0), "text")
    fitting = {0: tokens(4), 1: tokens(3), 2: tokens(4), 3: tokens(4, 7)}
    assert fitting_part._drop_odd_widths(fitting, refused) == (4, 2, 6)
    assert sorted(fitting) == [0, 2]
    joint = "numbers for the joint model, the other parts 6"
    assert refused == [
        Refusal("c1", "text", f"it has 3 features a token, the other parts 4 and 5 {joint}", 11),
        Refusal("c3", "text", f"it has 7 numbers as a whole, the other parts 2 and 11 {joint}", 13),
    ]
    assert fitting_part._drop_odd_widths({}, refused) == ()


def test_of_equally_many_widths_the_smallest_is_usual():
    refused = _Refused(rows(2, 0, 0), "text")
    fitting = {0: Tokens(np.ones((1, 5))), 1: Tokens(np.ones((1, 3)))}
    assert fitting_part._drop_odd_widths(fitting, refused)[0] == 3
    assert [r.case_id for r in refused] == ["c0"]


class Writes:
    """A model that remembers how it is compared and where it is saved."""

    modality = "text"

    def __init__(self) -> None:
        self.scale, self.calls = None, []

    def fit_comparison(self, space, vectors, scores, compare):
        self.calls.append((space[:, 0].tolist(), vectors[:, 0].tolist(), scores, compare))
        return np.arange(len(scores)) + 0.5

    def compared(self, views, vector):
        return 100 * views[0] + vector[0]

    def save(self, folder):
        folder.mkdir()


def test_held_out_parts_are_compared_with_similar_reference_parts():
    values = {0: known(0), 2: known(2), 3: known(3, 1.0), 5: known(5, 2.0), 6: known(6, 3.0), 8: known(8, 4.0)}
    made = Writes()
    found = fitting_part._compare(made, rows(3, 3, 3), PartSettings(compare="all"), values)
    assert made.calls == [([0.0, 2.0], [3.0, 5.0], [(1.0,), (2.0,)], "all")]
    assert found == {3: 0.5, 5: 1.5, 6: 306.0, 8: 408.0}


def test_where_nothing_can_be_learned_every_part_is_refused_for_it(tmp_path):
    refused = [Refusal("c1", "text", "blank", 11)]
    values, made, settings = {0: known(0), 3: known(3, 1.0)}, Writes(), PartSettings()
    (tmp_path / "a").mkdir()
    fitting_part._write_part(made, rows(2, 1, 1), settings, values, [], refused, tmp_path / "a", "too few")
    table = read_table(tmp_path / "a", 4)
    assert [(r.case_id, r.reason, r.row) for r in table.refused] == [
        ("c1", "blank", 11), ("c0", "too few", 10), ("c2", "too few", 12), ("c3", "too few", 13),
    ]  # fmt: skip
    assert np.isnan(table.scores).all()
    assert not (tmp_path / "a" / "part").exists()
    assert SCALE_TOKENS == 200_000


@pytest.mark.parametrize(("size", "step"), [(1000, 1), (399_999, 1), (400_000, 2), (650_000, 3)])
def test_the_range_of_maps_rests_on_some_tokens_of_every_part(monkeypatch, tmp_path, size, step):
    seen = []
    monkeypatch.setattr(fitting_part, "map_scale", lambda scores: seen.extend(scores) or (1.0, 2.0))
    made, scales = Writes(), [np.arange(size // 2), np.arange(size - size // 2)]
    values = {i: known(i, 1.0) for i in range(4)}
    fitting_part._write_part(made, rows(2, 1, 1), PartSettings(), values, scales, [], tmp_path, "")
    assert [one.tolist() for one in seen] == [one[::step].tolist() for one in scales]
    assert made.scale == (1.0, 2.0)
    assert (tmp_path / "part").is_dir()
    assert read_table(tmp_path, 4).scores[2:].tolist() == [0.5, 103.0]

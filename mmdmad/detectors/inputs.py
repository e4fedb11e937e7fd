"""What users hand to a detector, as items: tables of any kind, stacks of token sets, or Tokens.

scikit-learn's own `validate_data` reads tables and keeps the names of their columns, so a detector says about a wrong
table what every scikit-learn estimator says.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdmad.detectors.items import Stack
from mmdmad.errors import DataError, DataTypeError
from mmdmad.tokens import Layout, Tokens

if TYPE_CHECKING:
    from mmdmad.detectors.base import Detector

ALLOWED = (
    "allowed are a table (N, D) of numbers as an array, list, DataFrame or tensor, token sets (N, L, D) as an array or "
    "tensor, and a sequence of Tokens"
)


def read_items(detector: "Detector", X: Any, *, learn: bool) -> Sequence[Tokens]:
    """The N items of X; learn: also note `n_features_in_` and, of a DataFrame, `feature_names_in_`, else check them.

    Tables may hold any numbers, all finite; float32 stays float32, everything else is kept as float64.
    Raises DataError, or DataTypeError for cells that are no numbers.
    """
    if isinstance(X, Sequence) and not isinstance(X, str | bytes) and len(X) and _any_tokens(X):
        return _checked(detector, X, learn)
    if type(X).__module__.partition(".")[0] == "torch":
        X = _numbers_of(X)
    if isinstance(X, list | tuple) and not len(X):
        raise DataError(f"no items were given to {type(detector).__name__}; at least one is needed")
    if isinstance(X, list | tuple) and np.ndim(X[0]) == 2:
        X = _together(X)
    if isinstance(X, np.ndarray) and X.ndim == 3:
        _must_be_numbers(X.dtype)
        layout = Layout("grid", (1, X.shape[1]), position=np.arange(X.shape[1]))
        values = _finite(X.astype(_kept(X.dtype), copy=False), ("item", "token", "feature"))
        return _checked(detector, Stack(values, layout), learn)
    return _table(detector, X, learn)


def _any_tokens(X: Sequence[Any]) -> bool:
    """Whether X is made of Tokens; a mixture is refused."""
    if isinstance(X, Stack):
        return True
    known = [isinstance(item, Tokens) for item in X]
    if any(known) and not all(known):
        other = next(item for item, is_one in zip(X, known) if not is_one)
        raise DataError(f"Tokens and a {type(other).__name__} were given together; {ALLOWED}")
    return known[0]


def _checked(detector: "Detector", items: Sequence[Tokens], learn: bool) -> Sequence[Tokens]:
    """Items whose number of features is noted or checked, as `validate_data` does for tables."""
    widths = {items.values.shape[2]} if isinstance(items, Stack) else {item.values.shape[1] for item in items}
    if len(widths) > 1:
        raise DataError(f"items have token widths {sorted(widths)}; one width is needed")
    if learn:
        detector.n_features_in_ = widths.pop()
        vars(detector).pop("feature_names_in_", None)
    elif widths != {detector.n_features_in_}:
        raise DataError(
            f"X has {widths.pop()} features, but {type(detector).__name__} is expecting {detector.n_features_in_} "
            "features as input"
        )
    return items if isinstance(items, Stack) else list(items)


def _table(detector: "Detector", X: Any, learn: bool) -> Stack:
    from scipy.sparse import issparse
    from sklearn.utils.validation import validate_data

    if issparse(X):
        raise DataTypeError(
            f"a sparse matrix of shape {X.shape} was given to {type(detector).__name__}, which takes dense tables; "
            "run X.toarray(), or put TruncatedSVD before it in a pipeline"
        )
    if isinstance(X, np.ndarray):
        _must_be_numbers(X.dtype)
    elif hasattr(X, "columns") and hasattr(X, "dtypes"):
        for name, dtype in zip(X.columns, X.dtypes):
            _must_be_numbers(dtype, f" in column {name!r}")
    try:
        allowed = [np.float64, np.float32]  # the first for what is neither
        values = validate_data(detector, X, reset=learn, dtype=allowed, ensure_all_finite=False)
    except TypeError as error:
        raise DataTypeError(f"{error}; {ALLOWED}") from error
    except OverflowError as error:
        raise DataError(f"X holds a whole number too large for float32 ({error}); {ALLOWED}") from error
    except ValueError as error:
        if str(error).startswith("Complex"):  # scikit-learn prints the whole table
            raise DataTypeError(f"Complex data not supported; {ALLOWED}") from error
        if str(error).startswith("could not convert"):
            raise DataTypeError(f"{error}; {ALLOWED}") from error
        of_columns = str(error).startswith(("X has", "The feature names", "Found array with 0 feature"))
        raise DataError(str(error) if of_columns else f"{error}; {ALLOWED}") from error
    names = getattr(X, "columns", None)
    return Stack(_finite(values, ("row", "column"), None if names is None else list(names))[:, None])


def _must_be_numbers(dtype: Any, where: str = "") -> None:
    kind = getattr(dtype, "kind", "O")
    if kind == "c":
        raise DataTypeError(f"Complex data not supported: cells of type {dtype}{where} were given; {ALLOWED}")
    if kind in "mMSU":
        raise DataTypeError(f"cells of type {dtype} were given{where}; allowed are numbers and truth values")


def _kept(dtype: Any) -> Any:
    """The type that cells of this type are kept as."""
    return np.float32 if dtype == np.float32 else np.float64


def _finite(values: np.ndarray, axes: tuple[str, ...], names: Sequence[Any] | None = None) -> np.ndarray:
    """The values, all of them finite; DataError that says where along the named axes the first bad one stands."""
    bad = ~(np.abs(values) <= np.finfo(np.float32).max)
    if bad.any():
        where = np.argwhere(bad)[0].tolist()
        place = ", ".join(f"{axis} {at}" for axis, at in zip(axes, where))
        place += f" ({names[where[-1]]!r})" if names is not None else ""
        raise DataError(
            f"X holds {int(bad.sum())} values that are NaN, infinite or too large for float32, the first at {place}, "
            "counted from 0; all must be finite"
        )
    return np.ascontiguousarray(values)


def _numbers_of(tensor: Any) -> np.ndarray:
    """A torch tensor on any device and of any type as an array."""
    import torch

    if tensor.layout != torch.strided:
        raise DataTypeError(
            f"a sparse tensor of shape {tuple(tensor.shape)} was given; {ALLOWED}; run X.to_dense() first"
        )
    tensor = tensor.detach().cpu()
    exact = tensor.dtype in (torch.float32, torch.float64) or not tensor.is_floating_point()
    return np.asarray((tensor if exact else tensor.float()).numpy())


def _together(X: Sequence[Any]) -> np.ndarray:
    """Token sets of one shape (L, D) as one array; sets of uneven length have to come as Tokens."""
    try:
        return np.stack([_numbers_of(one) if hasattr(one, "detach") else np.asarray(one) for one in X])
    except ValueError as error:
        raise DataError(f"token sets of uneven shape were given as a {type(X).__name__}: {error}; {ALLOWED}") from error

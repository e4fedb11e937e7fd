"""What scikit-learn asks of an estimator besides fitting: its arguments by name, its tags, its name in print.

scikit-learn's BaseEstimator is not inherited from: importing a detector must not need scikit-learn. `clone`,
`Pipeline`, `GridSearchCV` and `check_is_fitted` ask for these methods, not for the class.
"""

import copy
import inspect
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Union, get_args, get_origin, get_type_hints

import numpy as np

from mmdmad.errors import ConfigError

if TYPE_CHECKING:
    from sklearn.utils import Tags


class Estimator:
    """Constructor arguments are attributes of the same name, unchanged; `n_features_in_` is there once it is fitted."""

    _types: ClassVar[dict[str, Any]] = {  # of arguments that a constructor may have without saying their type
        "seed": int,
        "contamination": float,
        "false_alarm_rate": float | None,
        "top": float,
    }
    _fitted_with: dict[str, Any] | None = None  # the arguments of the last fit

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Constructor arguments by name with their defaults."""
        found = inspect.signature(cls.__init__).parameters.items()
        return {name: one.default for name, one in found if name != "self"}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor arguments by name."""
        return {name: getattr(self, name) for name in self.defaults()}

    def set_params(self, **params: Any) -> Self:
        """Set constructor arguments by name, for the next fit; returns self."""
        known = self.defaults()
        for name, value in params.items():
            if name not in known:
                raise ConfigError(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    def _as_fitted(self) -> Self:
        """This one with the arguments it was fitted with: scores must not follow `set_params` before `fit` does."""
        given = self._fitted_with
        if given is None or all(getattr(self, name) is value for name, value in given.items()):
            return self
        made = copy.copy(self)
        vars(made).update(given)
        return made

    def _check_types(self) -> None:
        """ConfigError for the first constructor argument that is not of the type it is annotated with."""
        try:
            hints = {**self._types, **get_type_hints(type(self).__init__)}
        except NameError:  # annotated with what is imported for type checkers only
            hints = self._types
        for name, value in self.get_params().items():
            if name in hints and not _is_a(value, hints[name]):
                given = repr(value) if isinstance(value, str | Real | NoneType) else f"a {type(value).__name__}"
                raise ConfigError(f"{name}={given} was given; {_allowed(hints[name])}")

    def __repr__(self) -> str:
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, default in self.defaults().items()
            if repr(getattr(self, name)) != repr(default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `sklearn.utils.validation.check_is_fitted` passes."""
        return hasattr(self, "n_features_in_")

    def __sklearn_tags__(self) -> "Tags":
        """What scikit-learn may expect: an outlier detector on dense, finite numbers that needs no labels.

        As one, it gives scorers such as "roc_auc" its `decision_function`: with labels 1 = anomalous the signs agree.
        """
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="outlier_detector",
            target_tags=TargetTags(required=False),
            input_tags=InputTags(three_d_array=True),
        )


KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool, np.bool_), "True or False"),
    int: ((Integral,), "a whole number"),
    float: ((Real,), "a number"),
    str: ((str,), "text"),
    NoneType: ((NoneType,), "None"),
}


def _is_a(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type; a type that is not simple says nothing.

    >>> [_is_a(one, int | Literal["auto"]) for one in (2.5, np.int64(2), "auto", "x")]
    [False, True, True, False]
    """
    if get_origin(hint) in (Union, UnionType):
        return any(_is_a(value, one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(hint))
    if hint not in KINDS:
        return True
    return isinstance(value, KINDS[hint][0]) and (hint is bool or not isinstance(value, bool | np.bool_))


def _allowed(hint: Any) -> str:
    many = get_origin(hint) in (Union, UnionType, Literal)
    return f"allowed {'are' if many else 'is'} {_in_words(hint)}"


def _in_words(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " and ".join(_in_words(one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return " and ".join(map(repr, get_args(hint)))
    return KINDS[hint][1] if hint in KINDS else str(hint)

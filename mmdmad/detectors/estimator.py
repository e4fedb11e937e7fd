"""What scikit-learn asks of an estimator besides fitting: its arguments by name, its tags, its name in print.

scikit-learn's BaseEstimator is not inherited from: importing a detector must not need scikit-learn. `clone`,
`Pipeline`, `GridSearchCV` and `check_is_fitted` ask for these methods, not for the class.
"""

import inspect
from typing import TYPE_CHECKING, Any, Self

from mmdmad.errors import ConfigError

if TYPE_CHECKING:
    from sklearn.utils import Tags


class Estimator:
    """Constructor arguments are attributes of the same name, unchanged; `n_features_in_` is there once it is fitted."""

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Constructor arguments by name with their defaults."""
        found = inspect.signature(cls.__init__).parameters.items()
        return {name: one.default for name, one in found if name != "self"}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor arguments by name."""
        return {name: getattr(self, name) for name in self.defaults()}

    def set_params(self, **params: Any) -> Self:
        """Set constructor arguments by name; returns self."""
        known = self.defaults()
        for name, value in params.items():
            if name not in known:
                raise ConfigError(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

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

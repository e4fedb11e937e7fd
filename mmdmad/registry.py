"""One registry for everything that has a name: detectors, encoders, modalities, queries.

What is registered comes from the modules of one package of the house, found by looking into its folder, and from other
distributions, found by their entry points. A broken third party costs one line of warning, never the house.
"""

import importlib
import logging
import pkgutil
import threading
import warnings
from importlib.metadata import EntryPoint, entry_points, packages_distributions
from typing import Any, Generic, TypeVar

from mmdmad.errors import ConfigError, UnknownNameError

T = TypeVar("T")
log = logging.getLogger(__name__)


class Registry(Generic[T]):
    """Things by name, all of one `kind` ("detector"), loaded when they are first asked for.

    package: the package whose modules are imported, each registering what it defines. group: the entry points of other
    distributions that are imported after them; such an entry point names a module, or an object in one, whose import
    registers something.
    """

    def __init__(self, kind: str, package: str, group: str) -> None:
        self.kind, self.package, self.group = kind, package, group
        self._things: dict[str, T] = {}
        self._sources: dict[str, str] = {}
        self._broken: list[str] = []
        self._begun = False
        self._lock = threading.RLock()

    def add(self, name: str, thing: T, definition: Any = None) -> None:
        """Register a thing that `definition` (a class or function; default: the thing) defines.

        The same definition may come again; ConfigError where another one has the name.
        """
        source = _source(thing if definition is None else definition)
        taken = self._sources.setdefault(name, source)
        if taken != source:
            raise ConfigError(f"{self.kind} {name} is registered twice: by {taken}, by {source}; rename one of them")
        self._things[name] = thing

    def remove(self, name: str) -> None:
        """Take a thing out again, as a test does with what it added."""
        del self._things[name], self._sources[name]

    def all(self) -> dict[str, T]:
        """Everything by name, in the order of the names."""
        self._load()
        return dict(sorted(self._things.items()))

    def get(self, name: str) -> T:
        """The thing of this name; ConfigError with the known names, and the entry points that failed to load."""
        self._load()
        if name not in self._things:
            known = ", ".join(sorted(self._things))
            broken = f" ({'; '.join(self._broken)})" if self._broken else ""
            cure = "; if another distribution brings it, install that"
            raise UnknownNameError(
                f"no {self.kind} is called {name!r}; there are {known}{broken}{cure}", self.kind, name
            )
        return self._things[name]

    def _load(self) -> None:
        if self._begun:  # also while this thread is still loading: a module may ask for what is there so far
            return
        with self._lock:
            if self._begun:
                return
            found = importlib.import_module(self.package)
            for module in pkgutil.walk_packages(found.__path__, f"{self.package}."):
                importlib.import_module(module.name)
            self._begun = True
            self._broken = load_entry_points(self.group)
            log.debug("%d entries of %s are known", len(self._things), self.group)


def load_entry_points(group: str) -> list[str]:
    """Import the entry points of a group; what fails is warned of in one line that names its distribution, and listed.

    >>> load_entry_points("mmdmad.no_such_group")
    []
    """
    broken = []
    for point in entry_points(group=group):
        try:
            point.load()
        except (Exception, SystemExit) as why:
            broken.append(complaint(point, why))
            warnings.warn(broken[-1], RuntimeWarning, stacklevel=2)
    return broken


def named_entry_point(group: str, name: str) -> Any | None:
    """What the entry point of this name is; None where there is none, ConfigError where it cannot be loaded.

    >>> named_entry_point("mmdmad.no_such_group", "any") is None
    True
    """
    for point in entry_points(group=group, name=name):
        try:
            return point.load()
        except (Exception, SystemExit) as why:
            raise ConfigError(complaint(point, why)) from why
    return None


def complaint(point: EntryPoint, why: BaseException) -> str:
    """One line that says which entry point of which distribution failed, and how."""
    owner = point.dist.name if point.dist is not None else "an unknown distribution"
    reason = " ".join(f"{type(why).__name__}: {why}".split())[:300]
    return f"entry point {point.name!r} ({point.group}) of {owner} cannot be loaded: {reason}"


def distribution_of(definition: Any) -> str:
    """The name of the distribution whose package defines a class or function; "" where that is none (a script's).

    >>> distribution_of(Registry)
    'mmdmad'
    """
    package = str(definition.__module__).partition(".")[0]
    return "mmdmad" if package == "mmdmad" else next(iter(packages_distributions().get(package, ())), "")


def _source(definition: Any) -> str:
    return f"{definition.__module__}.{definition.__qualname__}"

"""YAML files from outside: read as plain values, bounded before they are."""

from pathlib import Path
from typing import Any

import yaml

from mmdmad.errors import ConfigError

MAX_BYTES = 256 * 1024
"""Bytes of a YAML file."""


def plain_yaml(text: str) -> Any:
    """The values of a YAML text; YAMLError, ValueError or RecursionError where it is none.

    >>> plain_yaml("a: [1, x]")
    {'a': [1, 'x']}
    """
    return yaml.load(text, _Plain)


def yaml_text(path: Path) -> str:
    """The text of a YAML file; ConfigError where it is too large, not UTF-8 or cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path} has more than {MAX_BYTES} bytes; a configuration has a few lines")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path} is not UTF-8 (byte 0x{data[error.start]:02x} in line {line}); save it as UTF-8"
        ) from None


class _Plain(yaml.SafeLoader):
    """YAML without aliases: a few lines of them can stand for billions of values, or for a value within itself."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node; an alias is refused."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.YAMLError(f"an alias (*name) in line {mark.line + 1}; write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The values of a mapping; a name that stands there twice is refused."""
        seen: set[str] = set()
        for name, _ in node.value:
            if not isinstance(name.value, str):
                continue  # a list or mapping as a name: the base class refuses it
            if name.value in seen:
                raise yaml.YAMLError(f"{name.value[:60]!r} stands twice, again in line {name.start_mark.line + 1}")
            seen.add(name.value)
        return super().construct_mapping(node, deep)

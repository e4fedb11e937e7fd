"""The export format of journald (journalctl -o export): entries of NAME=VALUE lines, blank lines between them.

Source: systemd, Journal Export Formats. A value with line ends or bytes stands below its name, behind its size (64
bits, little-endian).
"""

import json
from collections.abc import Iterator

BEGIN = b"__CURSOR="


def journal_objects(data: bytes) -> Iterator[dict[str, str]]:
    """The entries of such an export, each as its fields; one that is cut off at the end has those that are there.

    >>> list(journal_objects(b"__CURSOR=a\\nMESSAGE=up\\n\\n__CURSOR=b\\nMESSAGE=down\\n"))
    [{'__CURSOR': 'a', 'MESSAGE': 'up'}, {'__CURSOR': 'b', 'MESSAGE': 'down'}]
    """
    at, fields = 0, dict[str, str]()
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line = data[at:end]
        at = end + 1
        if not line.strip():
            if fields:
                yield fields
            fields = {}
            continue
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(data[at : at + 8], "little")
            value, at = data[at + 8 : at + 8 + size], at + 9 + size
        fields[name.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
    if fields:
        yield fields


def journal_lines(data: bytes) -> bytes:
    """Such an export as a JSON object a line, as journalctl -o json writes it."""
    return b"".join(
        json.dumps(one, ensure_ascii=False).encode("utf-8", "replace") + b"\n" for one in journal_objects(data)
    )

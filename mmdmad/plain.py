"""Text from outside as people may be shown it: nothing in it can move a cursor, turn a line round or hide.

Case ids, groups, captions, file names and log lines come from whoever made the files. A terminal obeys escape codes in
them, a screen of any kind obeys marks that change the direction of writing, and characters without width let two
different names look alike. Everything that is printed, put on a page or into a report goes through `plain`.
"""

import json
import re
import sys
from typing import TextIO

# C0 but tab, DEL, C1; marks of direction; line and paragraph separators; characters without width, tags and
# annotations; halves of characters. The joiners U+200C and U+200D stay: scripts and emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def plain(text: str, *, lines: bool = False) -> str:
    """`text` with every control and hidden character written out, as JSON would write it; newlines stay with `lines`.

    JSON stays the same JSON, because its own strings may hold these escapes.

    >>> plain("case \\x1b[31m1\\u202e")
    'case \\\\u001b[31m1\\\\u202e'
    >>> plain("two\\nlines"), plain("two\\nlines", lines=True)
    ('two\\\\nlines', 'two\\nlines')
    """
    if lines:
        text = text.replace("\r\n", "\n")
    return _HIDDEN.sub(lambda m: m[0] if lines and m[0] == "\n" else json.dumps(m[0])[1:-1], text)


def say(text: str = "", *, lines: bool = False, file: TextIO | None = None) -> None:
    """Print text made `plain`: the only way in which the program writes to a terminal."""
    print(plain(text, lines=lines), file=file or sys.stdout)

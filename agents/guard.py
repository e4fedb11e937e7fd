"""What the chat page's server lets in and what the page may load: for this machine only, and from nowhere else.

A page of another site cannot read the run through a name that it points at this machine (DNS rebinding), nor post to
it; nothing can be uploaded; and a browser is told to load nothing from elsewhere, should a message ever get past the
escaping.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HOSTS = ("127.0.0.1", "localhost", "[::1]")
LARGEST = 1_000_000  # bytes of one request; a question is far smaller
UPLOADS = ("/gradio_api/upload", "/upload")
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; base-uri 'self'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """ASGI middleware: refuses foreign hosts and origins, uploads and large requests; adds the headers above."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer why not."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        refused = refusal(scope)
        if refused is not None and scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        if refused is not None:
            status, why = refused
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
            return await send({"type": "http.response.body", "body": why.encode()})

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self.app(scope, receive, guarded)


def refusal(scope: Scope) -> tuple[int, str] | None:
    """HTTP status and reason why a request is not served, or None."""
    fields: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        fields.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    hosts, origins = fields.get("host", []), fields.get("origin", [])
    if len(hosts) != 1 or named(hosts[0]) not in HOSTS:
        return 403, f"this page is served as {', '.join(HOSTS)} only"
    if any(origin.lower() not in (f"http://{hosts[0]}".lower(), f"ws://{hosts[0]}".lower()) for origin in origins):
        return 403, "requests of other pages are not served"
    if scope["type"] == "http" and str(scope["path"]).rstrip("/").endswith(UPLOADS):
        return 403, "this page takes no files"
    if "transfer-encoding" in fields:
        return 411, "requests need a length"
    if any(not size.isdecimal() or int(size[:20]) > LARGEST for size in fields.get("content-length", [])):
        return 413, f"requests may have at most {LARGEST} bytes"
    return None


def named(host: str) -> str:
    """The host in a Host header, without its port.

    >>> named("localhost:7860"), named("[::1]:7860"), named("[::1]")
    ('localhost', '[::1]', '[::1]')
    """
    name, _, port = host.lower().rpartition(":")
    return name if name and port.isdecimal() and not (name.startswith("[") and not name.endswith("]")) else host.lower()

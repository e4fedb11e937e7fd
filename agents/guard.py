"""What the chat page's server lets in and what the page may load: for this machine only, and from nowhere else.

A page of another site cannot read the run through a name that it points at this machine (DNS rebinding), nor post to
it; nothing can be uploaded; and a browser is told to load nothing from elsewhere, should a message ever get past the
escaping.
"""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

logger = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HOSTS = ("127.0.0.1", "localhost", "[::1]")
LARGEST = 1_000_000  # bytes of one request; a question is far smaller
SAFE = ("GET", "HEAD", "OPTIONS")  # a link of another page may lead here; what is asked for stays unreadable to it
PROXIES = (b"x-forwarded-", b"forwarded", b"x-original-", b"x-real-ip")
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
            return await _answer(send, *refused)

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
                started.append(True)
            await send(message)

        started: list[bool] = []
        try:
            await self.app(_without_proxies(scope), receive, guarded)
        except Exception as error:  # of what a request names, mostly: a function that is none, a session of before
            if started or scope["type"] != "http":
                raise
            logger.warning("a request to %s cannot be answered (%s)", scope["path"], _brief(error))
            logger.debug("its traceback", exc_info=True)
            await _answer(send, 400, "this request names something that is not here; load the page again")


async def _answer(send: Send, status: int, why: str) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": why.encode()})


def _without_proxies(scope: Scope) -> Scope:
    """The request without what a proxy says of itself: there is none, and Gradio would believe the names in it."""
    kept = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(PROXIES)]
    return {**scope, "headers": kept, "scheme": "ws" if scope["type"] == "websocket" else "http"}


def _brief(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


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
    sites = fields.get("sec-fetch-site", [])
    if scope.get("method", "GET") not in SAFE and any(site.lower() not in ("same-origin", "none") for site in sites):
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

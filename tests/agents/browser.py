"""A headless Chromium driven by chromedriver's own protocol (W3C WebDriver): the tests need no other package."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip


def programs() -> tuple[str, str] | None:
    """The paths of a Chromium and its driver, or None where one of them is not installed."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser = next((found for found in map(shutil.which, names) if found), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """One window of `width` by `height` px with a fresh profile; use as a context manager."""

    def __init__(self, width: int = 1280, height: int = 900) -> None:
        found = programs()
        assert found is not None
        self._profile = tempfile.mkdtemp()
        self._driver = subprocess.Popen([found[1], "--port=0"], stdout=subprocess.PIPE, text=True)
        assert self._driver.stdout is not None
        line = next(line for line in self._driver.stdout if "started successfully on port" in line)
        self._root = f"http://127.0.0.1:{int(line.rstrip().rstrip('.').rsplit(' ', 1)[1])}"
        arguments = [*FLAGS, f"--user-data-dir={self._profile}", f"--window-size={width},{height}"]
        options = {"binary": found[0], "args": arguments}
        asked = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        self._session = f"/session/{self._call('/session', asked)['sessionId']}"

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._session, method="DELETE")
        self._driver.terminate()
        self._driver.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, address: str) -> None:
        """Load a page."""
        self._call(f"{self._session}/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns in the page."""
        return self._call(f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def type(self, selector: str, text: str) -> None:
        """Type into the element that a selector finds."""
        found = self._call(f"{self._session}/element", {"using": "css selector", "value": selector})
        self._call(f"{self._session}/element/{next(iter(found.values()))}/value", {"text": text})

    def narrow(self, width: int, height: int) -> None:
        """Show the page on a screen of this size; a window of its own cannot be that narrow."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": size}
        self._call(f"{self._session}/goog/cdp/execute", command)

    def wait(self, ready: Callable[[], Any], seconds: float = 60) -> Any:
        """The first true value of `ready`; fails after `seconds`."""
        end = time.monotonic() + seconds
        while not (value := ready()):
            if time.monotonic() > end:
                raise AssertionError(f"the page never got ready; it shows: {self.text()[-2000:]}")
            time.sleep(0.1)
        return value

    def text(self) -> str:
        """What the page shows, as text."""
        return str(self.run("return document.body.innerText"))

    def picture(self, file: Path) -> None:
        """A picture of the window as PNG."""
        file.write_bytes(base64.b64decode(self._call(f"{self._session}/screenshot", method="GET")))

    def _call(self, path: str, body: Any = None, method: str = "POST") -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self._root + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)["value"]

"""A headless Chromium for tests of pages, told what to do over a pipe (the DevTools protocol)."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium is installed; the pages of reports are tested where there is one"
WORDS = (
    "--headless=new",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)
READ, WRITE = 3, 4
"""Descriptors at which Chromium reads commands and writes answers."""
START = f"""
import os, sys
os.dup2(int(sys.argv[1]), {READ})
os.dup2(int(sys.argv[2]), {WRITE})
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Becomes Chromium with the two descriptors in their places."""
PATIENCE = 60.0
"""Seconds until an answer is overdue."""


def chromium_path() -> str | None:
    """Where a Chromium is; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of one browser."""

    def __init__(self, to: int, from_: int) -> None:
        self.to, self.from_ = to, from_
        self.rest, self.number, self.session = b"", 0, ""
        self.events: list[dict[str, Any]] = []

    def open(self) -> Self:
        """Open an empty page, and listen."""
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        found = self.tell("Target.attachToTarget", targetId=target, flatten=True)
        self.session = found["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.tell(f"{domain}.enable")
        return self

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one command; events that come before it are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self.number:
                assert "error" not in found, f"{method}: {found['error']}"
                return found["result"]
            self.events.append(found)

    def load(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a file at some width; what happened before is forgotten."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.tell("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.tell("Page.navigate", url=path.as_uri())
        while not self.of("Page.loadEventFired"):
            self.events.append(self._next())

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.tell(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def of(self, method: str) -> list[dict[str, Any]]:
        """The parameters of every event of a kind."""
        return [one["params"] for one in self.events if one.get("method") == method]

    def complaints(self) -> list[Any]:
        """Errors and all that the page wrote to its console."""
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [one for kind in kinds for one in self.of(kind)]

    def picture(self, path: Path) -> None:
        """Save the whole page as a PNG."""
        size = self.tell("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        found = self.tell("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(found["data"]))

    def pages_printed(self) -> int:
        """How many sheets the page takes on paper."""
        pdf = base64.b64decode(self.tell("Page.printToPDF", preferCSSPageSize=True)["data"])
        return pdf.count(b"/Type /Page\n")

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.from_], [], [], max(until - time.monotonic(), 0))
            found = os.read(self.from_, 1 << 20) if ready else b""
            assert found, "Chromium does not answer"
            self.rest += found
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own, ended with the block."""
    path = chromium_path()
    assert path is not None, MISSING
    pipes = [*os.pipe(), *os.pipe()]
    theirs, ours, from_, to = (fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in pipes)
    for one in pipes:
        os.close(one)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = (path, *WORDS, f"--user-data-dir={profile}")
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(theirs), str(to), *words],
            pass_fds=(theirs, to),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(to)
        found = Browser(ours, from_)
        try:
            yield found.open()
        finally:
            with suppress(AssertionError, OSError):
                found.session = ""
                found.tell("Browser.close")
            for one in (ours, from_):
                os.close(one)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

"""A headless Chromium, spoken to by its DevTools protocol over two pipes, for which nothing needs to be installed."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
]

_CONNECT = "import os, sys; os.dup2({0}, 3); os.dup2({1}, 4); os.execv(sys.argv[1], sys.argv[1:])"
"""Chromium reads commands from descriptor 3 and answers on 4."""


def chromium() -> str | None:
    """Return where Chromium or Chrome is, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@dataclass
class Page:
    """A page in the browser, and what it complained of."""

    browser: Browser
    session: str
    complaints: list[str] = field(default_factory=list)
    """What stood in the console."""
    requests: list[str] = field(default_factory=list)
    """Every address that was asked for."""

    def send(self, method: str, **params: Any) -> Any:
        return self.browser.send(method, self, **params)

    def open(self, url: str, *, width: int, dark: bool = False) -> None:
        """Load *url* on a screen so many CSS pixels wide, and wait until it is there."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600
        )
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Page.navigate", url=url)
        self.browser.wait_for("Page.loadEventFired", self)

    def value(self, expression: str) -> Any:
        """Return what a JavaScript *expression* is."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, such as Tab or Enter."""
        text = {"text": "\r"} if key == "Enter" else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=_KEYS[key], **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=_KEYS[key])

    def screenshot(self) -> bytes:
        """Return the whole page as PNG."""
        answer = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])


_KEYS = {"Tab": 9, "Enter": 13, "ArrowRight": 39}


class Browser:
    """The running browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = os.fdopen(commands, "wb"), os.fdopen(answers, "rb")
        self._buffer = b""
        self._number = 0
        self._pages: dict[str, Page] = {}
        self._events: list[tuple[str, str]] = []

    def page(self) -> Page:
        """Open an empty page."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        return page

    def send(self, method: str, page: Page | None = None, **params: Any) -> Any:
        """Give a command and return its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if page is not None:
            message["sessionId"] = page.session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def wait_for(self, event: str, page: Page) -> None:
        """Wait until *page* has had *event*, once for each call."""
        while (page.session, event) not in self._events:
            self._next()
        self._events.remove((page.session, event))

    def close(self) -> None:
        """Close the pipes."""
        with contextlib.suppress(BrokenPipeError):
            self._commands.close()
        self._answers.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._answers.fileno(), 1 << 16)
            assert data, "the browser has gone away"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        session, method, params = message.get("sessionId", ""), message["method"], message["params"]
        self._events.append((session, method))
        page = self._pages.get(session)
        if page is None:
            return
        if method == "Network.requestWillBeSent":
            page.requests.append(params["request"]["url"])
        elif method in (
            "Log.entryAdded",
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Page.javascriptDialogOpening",
        ):
            page.complaints.append(json.dumps(params))


@contextlib.contextmanager
def browsing(program: str, profile: Path) -> Iterator[Browser]:
    """Start *program* with an empty *profile*, and end it with all its processes."""
    ours, theirs = _pipe(), _pipe()
    connect = _CONNECT.format(ours[0], theirs[1])
    process = subprocess.Popen(
        [sys.executable, "-c", connect, program, *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(ours[0], theirs[1]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(ours[0])
    os.close(theirs[1])
    browser = Browser(ours[1], theirs[0])
    try:
        yield browser
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        browser.close()


def _pipe() -> tuple[int, int]:
    """Return a pipe whose descriptors cannot be 3 or 4."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]

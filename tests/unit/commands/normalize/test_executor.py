"""Work in threads that a signal interrupts."""

from __future__ import annotations

import threading

import pytest

from samebytes.commands.normalize.executor import in_order


def test_a_signal_while_a_thread_starts_is_what_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thread.start waits for the new thread, which has its identifier by then, and cannot be joined yet."""
    usual, begun = threading.Thread.start, threading.Event()

    def start(self: threading.Thread) -> None:
        if self.name == "samebytes-1":
            self._ident = 1  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        usual(self)
        begun.wait(60)

    monkeypatch.setattr(threading.Thread, "start", start)
    stop = threading.Event()

    def work(_: int) -> None:
        begun.set()
        stop.wait(60)

    with pytest.raises(KeyboardInterrupt):
        list(in_order(work, [1, 2, 3], 3, stop))
    assert stop.is_set()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("samebytes-")] == []

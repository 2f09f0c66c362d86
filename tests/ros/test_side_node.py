"""What is sent in another thread is sent while somebody waits for it, or never."""

from __future__ import annotations

import threading

import pytest
from robo_refer_ros import side_node
from robo_refer_ros.side_node import SideNode

COME_S = 60.0


def test_what_was_given_up_is_not_sent_later(ros: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_node, "_TURN_S", 0.2)
    side, sent = SideNode("stuck"), threading.Event()
    begun, stuck = threading.Event(), threading.Event()
    try:
        side.post(lambda: (begun.set(), stuck.wait(COME_S)))
        assert begun.wait(COME_S)
        with pytest.raises(TimeoutError):
            side.call(sent.set)
        stuck.set()
        monkeypatch.setattr(side_node, "_TURN_S", COME_S)
        assert side.call(lambda: "the next one") == "the next one"
        assert not sent.is_set()
    finally:
        stuck.set()
        side.close()


def test_what_fails_there_fails_here(ros: None) -> None:
    side = SideNode("failing")
    try:
        with pytest.raises(ZeroDivisionError):
            side.call(lambda: 1 / 0)
    finally:
        side.close()

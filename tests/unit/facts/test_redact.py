"""What a bundle must not tell."""

from __future__ import annotations

import pytest

from xtrace.core.facts.redact import Redactor


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("served by db77.example.org and db77", "served by HOST and HOST"),
        ("mydb77 db77x", "mydb77 db77x"),
        ("10.1.2.3:80 fe80:1:2:3::1 00:11:22:33:44:55", "ADDRESS:80 ADDRESS ADDRESS"),
        ("/home/bob/x '/home/bob' /root/.cache", "/HOME/x '/HOME' /HOME/.cache"),
        ("https://me:secret@debuginfod.example", "https://debuginfod.example"),
        ("3.10.0-1160.45.1.el7.x86_64", "3.10.0-1160.45.1.el7.x86_64"),
        ("6.12.107+deb13-amd64 0.26.0+8f40d6f5", "6.12.107+deb13-amd64 0.26.0+8f40d6f5"),
    ],
)
def test_private_words(text: str, left: str) -> None:
    assert Redactor("db77.example.org").text(text) == left


def test_short_names_of_hosts_are_left_alone() -> None:
    """A host called `up` would hide every `up`."""
    assert Redactor("up").text("up and running") == "up and running"


def test_values_are_redacted_all_through() -> None:
    found = Redactor("server1").value({"path": ["/home/bob/x", 3, None], "host": "server1"})
    assert found == {"path": ["/HOME/x", 3, None], "host": "HOST"}

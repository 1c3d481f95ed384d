"""Every tool that Debian's bpftrace packages ship is read, or what it needs is named."""

from __future__ import annotations

import pytest

from tests.corpora.corpus import RELEASES, Release
from tests.corpora.table import PAGE, page
from tests.corpora.verdict import judge


@pytest.fixture(params=RELEASES, ids=lambda release: release.suite)
def release(request: pytest.FixtureRequest) -> Release:
    found: Release = request.param
    if not found.tools():
        pytest.skip(f"no bpftrace tools of {found.suite}: python -m tests.corpora.fetch {found.suite}")
    return found


def test_every_tool_parses_or_names_the_feature_it_needs(release: Release) -> None:
    for tool in release.tools():
        verdict = judge(tool)
        assert verdict.stage != "refused" or verdict.named, [one.text() for one in verdict.complaints]


def test_every_tool_types(release: Release) -> None:
    """No tool of these releases needs functions or imports, which xtrace has not."""
    assert {tool.stem: judge(tool).stage for tool in release.tools()} == {
        tool.stem: "types" for tool in release.tools()
    }


def test_the_page_about_them_is_current(update_golden: bool) -> None:
    try:
        text = page()
    except LookupError as missing:
        pytest.skip(str(missing))
    if update_golden:
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "python -m tests.corpora.table writes it anew"

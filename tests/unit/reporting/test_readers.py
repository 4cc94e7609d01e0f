"""Remedies by who reads them: nobody is advised to write what nothing would read, or to change what is not theirs."""

from __future__ import annotations

import pytest
from samebytes_tools.comparison.causes.table import ALL, UNKNOWN
from samebytes_tools.reporting.readers import WITHOUT_BACKEND, Reader, advice_to, on_normalizing

CODES = [cause.code for cause in ALL]
PLACES = [(True, False), (False, True), (True, True)]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(("normalized", "inside"), PLACES)
def test_no_table_of_a_backend_that_is_not_there(code: str, normalized: bool, inside: bool) -> None:
    for reader in (Reader.MAINTAINER, Reader.OUTSIDER):
        text = advice_to(reader, code, normalized=normalized, inside=inside)
        assert text
        assert "tool.samebytes" not in text
        assert "  or" not in text.replace("\n", "")


@pytest.mark.parametrize("code", [code for code in CODES if code != UNKNOWN])
def test_who_does_not_maintain_it_is_not_told_to_change_it(code: str) -> None:
    text = advice_to(Reader.OUTSIDER, code, normalized=False, inside=True)
    assert "Report it to the maintainers as " in text
    for change in ("pyproject.toml", "build-backend", "samebytes wrap", "your"):
        assert change not in text


def test_every_replacement_has_its_place() -> None:
    """Held: where a remedy is written anew, what replaces a part of it is looked at again."""
    texts = [one.advice(normalized=True, inside=True) for one in ALL] + [one.remedy for one in ALL]
    for there, _ in WITHOUT_BACKEND:
        assert any(there in text for text in texts), there


def test_a_wrapped_project_gets_the_whole_remedy() -> None:
    for cause in ALL:
        assert advice_to(Reader.WRAPPED, cause.code, normalized=True, inside=True) == cause.advice(
            normalized=True, inside=True
        )


@pytest.mark.parametrize("accept", ["identical", "normalized", "payload"])
@pytest.mark.parametrize("reader", Reader)
def test_normalizing_is_advised_to_who_publishes(reader: Reader, accept: str) -> None:
    """And to accept that, to who does not."""
    text = on_normalizing(reader, accept)
    assert ("samebytes normalize" in text) == (reader is not Reader.OUTSIDER)
    assert ("--accept normalized" in text) == (accept == "identical")

"""What is generated is current."""

import pytest

from tools import make_docs

PAGE = make_docs.TARGET.read_text()


def test_the_api_page_is_current() -> None:
    """After a change: `make generate`."""
    assert make_docs.page() == PAGE


@pytest.mark.parametrize("refusal", make_docs.every_refusal(), ids=lambda kind: kind.__name__)
def test_every_refusal_has_its_place_in_the_docs(refusal: type) -> None:
    assert f"\n### {refusal.code}\n" in PAGE
    assert refusal.fix in PAGE


def test_every_code_that_is_answered_is_explained() -> None:
    assert make_docs.undocumented(PAGE) == []


def test_a_missing_page_is_noticed() -> None:
    assert "NOT_FOUND" in make_docs.undocumented(PAGE.replace("### NOT_FOUND", "### NOWHERE"))

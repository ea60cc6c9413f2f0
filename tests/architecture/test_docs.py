"""What is generated is current, and explains every error code."""

import pytest

from tools import make_docs
from tools.reference import errors

ERRORS = (make_docs.REFERENCE / "errors.md").read_text()


@pytest.mark.parametrize("name", make_docs.PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    """After a change: `make generate`."""
    assert make_docs.PAGES[name]() == (make_docs.REFERENCE / name).read_text()


@pytest.mark.parametrize("error", errors.every_error(), ids=lambda error: error.__name__)
def test_every_error_has_its_place_in_the_docs(error: type) -> None:
    assert f"\n## {error.code}\n" in ERRORS
    assert error.fix in ERRORS


def test_every_code_that_is_returned_is_explained() -> None:
    assert errors.undocumented(ERRORS) == []


def test_a_missing_code_is_noticed() -> None:
    assert "NOT_FOUND" in errors.undocumented(ERRORS.replace("## NOT_FOUND", "## NOWHERE"))

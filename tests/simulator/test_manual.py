"""docs/reference/simulator.md is complete: every fault, every magic value, every operation of faults."""

import re
from pathlib import Path

import pytest
from customer import Customer

from agentmessage.simulator.core.faults import CATALOG, DEFAULT_SECONDS
from agentmessage.simulator.core.magic_values import BrandOutcome, CampaignOutcome

MANUAL = (Path(__file__).parents[2] / "docs" / "reference" / "simulator.md").read_text()


@pytest.mark.parametrize("fault", CATALOG)
def test_every_fault_has_its_row(fault: str) -> None:
    row = next(line for line in MANUAL.splitlines() if line.startswith(f"| `{fault}` |"))

    assert fault not in DEFAULT_SECONDS or f"({DEFAULT_SECONDS[fault]:g}" in row


@pytest.mark.parametrize("word", sorted({*BrandOutcome, *CampaignOutcome} - {"VERIFIED", "REFUSED", "APPROVED"}))
def test_every_magic_word_has_its_row(word: str) -> None:
    assert f"| `{word}` |" in MANUAL


def test_every_operation_that_a_fault_can_name_is_listed() -> None:
    shapes = Customer().world._routes._by_shape.values()
    names = {route.operation for routes in shapes for _, route in routes}
    row = next(line for line in MANUAL.splitlines() if line.startswith("| `operation` |"))

    listed = {
        f"{family}.{word}" for family, words in re.findall(r"`([a-z]+)\.` ([A-Za-z_ ]+)", row) for word in words.split()
    }

    assert names - listed == set()

import pytest

from agentmessage.carriers.bandwidth.codes import Operation, classify
from agentmessage.carriers.protocols import Trouble

BIND, BUY, READ = Operation.BIND, Operation.BUY, Operation.READ_ORDER

CASES = [
    (Trouble.LOCKED, "5146", "Nnid change prohibited. Telephone number '4155550123' is in PROCESSING", BIND),
    (
        Trouble.LOCKED,
        "5218",
        "Telephone number cannot be ordered because it is already processing on another order.",
        BUY,
    ),
    (Trouble.LOCKED, "7205", "Telephone number is already being processed on another order", BIND),
    (Trouble.LOCKED, "5229", "Telephone number is already assigned to campaign 'C1'.", BIND),
    (Trouble.TRANSIENT, "5148", "Waiting to update nnid has expired", BIND),
    (Trouble.TRANSIENT, "5086", "Order request timed out. Please resubmit your request.", BUY),
    (Trouble.TRANSIENT, "5229", "Downstream partner error", BIND),
    (Trouble.CAMPAIGN_NOT_READY, "5229", "Campaign 'C1' is pending: it has not been accepted by the DCA.", BIND),
    (Trouble.CAMPAIGN_NOT_READY, "5229", "Campaign 'C1' was not found on this account.", BIND),
    (
        Trouble.CAMPAIGN_ASLEEP,
        "5229",
        "Campaign 'C1' is dormant: no numbers were assigned for too long. Reactivation has been requested.",
        BIND,
    ),
    (Trouble.CAMPAIGN_DEAD, "5229", "Campaign 'C1' is suspended.", BIND),
    (Trouble.CAMPAIGN_DEAD, "5229", "Campaign 'C1' is expired.", BIND),
    (Trouble.CAMPAIGN_DEAD, "5229", "Campaign 'C1' was rejected.", BIND),
    (Trouble.CAPACITY, "5229", "Campaign 'C1' exceeds the limit of 49 telephone numbers.", BIND),
    (Trouble.OWNERSHIP, "5076", "Number does not belong to this account.", BIND),
    (Trouble.OWNERSHIP, "5163", "The account 1 does not own messaging service on the number 2.", BIND),
    (Trouble.OWNERSHIP, "5005", "Telephone Number Unavailable", BUY),
    (Trouble.OWNERSHIP, "404", "", READ),
    (Trouble.CONFIGURATION, "5132", "SMS attribute should be 'ON' for provisioning A2P", BIND),
    (
        Trouble.CONFIGURATION,
        "5217",
        "A2P settings cannot be modified on the TN when the location is enabled for A2P.",
        BIND,
    ),
    (Trouble.CONFIGURATION, "5095", "The count of telephone numbers in order exceeds the maximum size of 5000", BIND),
    (Trouble.MONEY, "402", "", BUY),
    (Trouble.MONEY, "5003", "Insufficient balance", BUY),
    (Trouble.UNCLASSIFIED, "5217", "The PartialAllowed value submitted is invalid.", BUY),
    (Trouble.UNCLASSIFIED, "5218", "Origination route cannot have private IP endpoint: 10.0.0.1", BIND),
    (Trouble.UNCLASSIFIED, "31337", "Something nobody wrote down", BIND),
    (Trouble.UNCLASSIFIED, "404", "", BUY),
    (Trouble.UNCLASSIFIED, "", "", BIND),
]


@pytest.mark.parametrize(("trouble", "code", "text", "operation"), CASES)
def test_a_refusal_is_sorted_by_code_words_and_operation(
    trouble: Trouble, code: str, text: str, operation: Operation
) -> None:
    """Codes are not unique at this vendor: 5217 and 5218 each mean two things."""
    assert classify(code, text, operation) is trouble

"""The true state of a world, for tests to compare with: never stale, filtered or delayed."""

from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.entities import NumberLine
from agentmessage.simulator.core.profiles import OPERATORS
from agentmessage.simulator.core.shared_state import SharedState, stamp


def report(shared: SharedState, account: SimulatedAccount, *, at: float) -> dict[str, object]:
    """The true state of one account at a time. Plain data, in a fixed order."""
    return {
        "bindings": {number: _binding(account.lines[number], at) for number in sorted(account.lines)},
        "orders": len(account.line_orders),
        "account": account.id,
        "seed": shared.seed,
        "order_list": [
            {
                "id": order.id,
                "key": order.key,
                "state": order.state.value,
                "created_at": stamp(order.created_at),
                "members": len(order.numbers()),
                "rejected": len(order.errors),
            }
            for order in account.line_orders.values()
        ],
        "number_orders": [
            {
                "id": order.id,
                "kind": order.kind,
                "key": order.key,
                "state": order.state.value,
                "members": len(order.numbers),
                "done": len(order.done),
            }
            for order in account.number_orders.values()
        ],
        "duplicate_keys": {key: ids for (_, key), ids in account.by_key.items() if len(ids) > 1},
        "repeated_submissions": {
            name.removeprefix("repeated_"): count
            for name, count in account.counters.items()
            if name.startswith("repeated_")
        },
        "brands": {
            brand.id: {
                "reference": brand.fields.get("referenceId"),
                "identity": brand.identity_status,
                "deleted": brand.is_deleted,
            }
            for brand in account.brands.values()
        },
        "campaigns": {
            campaign.id: {
                "reference": campaign.fields.get("referenceId"),
                "status": campaign.status,
                "sharing": campaign.sharing,
                "imported": campaign.is_imported,
                "suspended": campaign.is_suspended,
                "dormant": campaign.is_dormant,
                "operations": campaign.operations,
                "numbers": len(account.on_campaign.get(campaign.id, ())),
            }
            for campaign in account.campaigns.values()
        },
        "requests": dict(sorted(shared.requests.items())),
        "callbacks": shared.callbacks_made,
    }


def _binding(line: NumberLine, at: float) -> dict[str, object]:
    return {
        "campaign": line.campaign(at),
        "operators": dict(zip(OPERATORS, line.operators(at), strict=True)),
        "since": stamp(line.since(at)),
        "settled": line.is_settled(at) and line.order_id is None,
        "failed": line.has_failed(at),
    }

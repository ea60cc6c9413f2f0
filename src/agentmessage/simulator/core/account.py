"""One carrier account and the registry account that belongs to it; shares nothing with any other."""

from collections.abc import Iterator

from agentmessage.simulator.core.entities import (
    FINAL,
    AgingNumber,
    CarrierNumberOrder,
    Entity,
    LineOptionOrder,
    MessagingApplication,
    NumberLine,
    OrderSubscription,
    RegistryBrand,
    RegistryCampaign,
    RegistryWebhook,
)

NORMAL_CAP = 49
"""Numbers that one campaign may carry without a number pool (Bandwidth support, article 4640094375063)."""

POOL_CAP = 1_000_000
"""Numbers that one campaign with a number pool may carry here; the real limit is by contract."""


class SimulatedAccount:
    """Everything that one customer has at the carrier and at the registry, with indexes for look-ups."""

    def __init__(self, account_id: str, api_key: str) -> None:
        self.id = account_id
        self.api_key = api_key
        self.lines: dict[str, NumberLine] = {}
        self.aging: dict[str, AgingNumber] = {}
        self.line_orders: dict[str, LineOptionOrder] = {}
        self.number_orders: dict[str, CarrierNumberOrder] = {}
        self.brands: dict[str, RegistryBrand] = {}
        self.campaigns: dict[str, RegistryCampaign] = {}
        self.subscriptions: dict[str, OrderSubscription] = {}
        self.webhooks: dict[str, RegistryWebhook] = {}
        self.applications: dict[str, MessagingApplication] = {}
        self.by_key: dict[tuple[str, str], list[str]] = {}
        self.by_reference: dict[tuple[str, str], str] = {}
        self.on_campaign: dict[str, dict[str, None]] = {}
        self.reserved: dict[str, str] = {}
        self.counters: dict[str, int] = {}
        self._numbers: list[str] | None = None

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────

    def numbers(self) -> list[str]:
        """Every number in service, oldest first."""
        if self._numbers is None:
            self._numbers = list(self.lines)
        return self._numbers

    def put_in_service(self, number: str, *, at: float) -> NumberLine:
        """Add a number. One that was disconnected while on a campaign returns on that campaign."""
        aged = self.aging.pop(number, None)
        line = NumberLine(number, at)
        self.lines[number] = line
        self._numbers = None
        if aged is not None and aged.campaign is not None:
            line.change(goal=aged.campaign, at=at)
            self.count_in(number, aged.campaign)
        return line

    def take_out_of_service(self, line: NumberLine, *, until: float, at: float) -> AgingNumber:
        """Disconnect a number; it ages `until` it may be sold again."""
        del self.lines[line.number]
        self._numbers = None
        aged = AgingNumber(line.number, until, line.campaign(at))
        self.aging[line.number] = aged
        for campaign in (line.before, line.goal):
            self.count_out(line.number, campaign)
        return aged

    def count_in(self, number: str, campaign: str) -> None:
        """Count a number against a campaign's cap."""
        self.on_campaign.setdefault(campaign, {})[number] = None

    def count_out(self, number: str, campaign: str | None) -> None:
        """Stop counting a number against a campaign's cap."""
        if campaign is not None and (numbers := self.on_campaign.get(campaign)) is not None:
            numbers.pop(number, None)

    def recount(self, line: NumberLine, *, at: float) -> None:
        """Update the caps after a line changed: the campaign that it is leaving counts until it has left."""
        recorded = line.campaign(at)
        for campaign in (line.before, line.goal):
            if campaign is not None and campaign not in (recorded, line.goal):
                self.count_out(line.number, campaign)
        for campaign in (recorded, line.goal):
            if campaign is not None:
                self.count_in(line.number, campaign)

    def change(self, line: NumberLine, *, goal: str | None, at: float, due: tuple[float, ...] = ()) -> None:
        """Begin a change of a line, and update the caps."""
        self.recount(line, at=at)
        line.change(goal=goal, at=at, due=due)
        self.recount(line, at=at)

    def cap_of(self, campaign: RegistryCampaign) -> int:
        """How many numbers a campaign may carry in all."""
        if campaign.fields.get("numberPool") is True:
            return POOL_CAP
        return 1 if campaign.fields.get("usecase") == "SOLE_PROPRIETOR" else NORMAL_CAP

    def free_slots(self, campaign: RegistryCampaign) -> int:
        """How many more numbers a campaign may carry."""
        return self.cap_of(campaign) - len(self.on_campaign.get(campaign.id, ()))

    # ── the rest ────────────────────────────────────────────────────────────────────────────────────────────

    def count(self, name: str) -> int:
        """Count one more of something; returns how many there are now."""
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]

    def add_order(self, order: LineOptionOrder | CarrierNumberOrder) -> None:
        """Add an order under its id and the customer's key."""
        if isinstance(order, LineOptionOrder):
            self.line_orders[order.id] = order
            kind = "tnoptions"
        else:
            self.number_orders[order.id] = order
            kind = order.kind
        if order.key:
            self.by_key.setdefault((kind, order.key), []).append(order.id)

    def orders_with_key(self, kind: str, key: str) -> list[str]:
        """Ids of the orders with a customer's key."""
        return self.by_key.get((kind, key), [])

    def entities(self) -> Iterator[Entity]:
        """Every entity of the account."""
        for group in (self.lines, self.aging, self.line_orders, self.number_orders, self.brands, self.campaigns):
            yield from group.values()
        yield from self.subscriptions.values()
        yield from self.webhooks.values()
        yield from self.applications.values()

    def scheduled_entity(
        self, kind: str, entity_id: str
    ) -> LineOptionOrder | CarrierNumberOrder | RegistryBrand | RegistryCampaign | None:
        """The entity whose step is due."""
        match kind:
            case "line_order":
                return self.line_orders.get(entity_id)
            case "number_order":
                return self.number_orders.get(entity_id)
            case "brand":
                return self.brands.get(entity_id)
            case "campaign":
                return self.campaigns.get(entity_id)
            case _:
                raise ValueError(kind)

    def restore(self, entity: Entity) -> None:
        """Put back an entity that was read from disk."""
        match entity:
            case NumberLine():
                self.lines[entity.number] = entity
                entity.order_id = None
            case AgingNumber():
                self.aging[entity.number] = entity
            case LineOptionOrder() | CarrierNumberOrder():
                self.add_order(entity)
            case RegistryBrand():
                self.add_brand(entity)
            case RegistryCampaign():
                self.add_campaign(entity)
            case OrderSubscription():
                self.subscriptions[entity.id] = entity
            case RegistryWebhook():
                self.webhooks[entity.id] = entity
            case MessagingApplication():
                self.applications[entity.id] = entity

    def reindex(self, *, at: float) -> None:
        """Rebuild the indexes after every entity was restored."""
        self._numbers = None
        for line in self.lines.values():
            for campaign in (line.campaign(at), line.goal):
                if campaign is not None:
                    self.count_in(line.number, campaign)
        for order in self.line_orders.values():
            if order.state not in FINAL:
                for number in order.numbers():
                    if number not in order.errors and number in self.lines:
                        self.lines[number].order_id = order.id
        for purchase in self.number_orders.values():
            if purchase.kind == "orders" and purchase.state not in FINAL:
                self.reserved.update(dict.fromkeys(purchase.numbers, purchase.id))
        self.counters = {
            "line_order": len(self.line_orders),
            "number_order": len(self.number_orders),
            "brand": len(self.brands),
            "campaign": len(self.campaigns),
            "subscription": len(self.subscriptions) + 1_000,
            "webhook": len(self.webhooks) + 1_000,
        }

    def add_brand(self, brand: RegistryBrand) -> None:
        """Add a brand under its id and the customer's reference."""
        self.brands[brand.id] = brand
        reference = brand.fields.get("referenceId")
        if isinstance(reference, str) and reference:
            self.by_reference["brand", reference] = brand.id

    def add_campaign(self, campaign: RegistryCampaign) -> None:
        """Add a campaign under its id and the customer's reference."""
        self.campaigns[campaign.id] = campaign
        reference = campaign.fields.get("referenceId")
        if isinstance(reference, str) and reference:
            self.by_reference["campaign", reference] = campaign.id

"""One carrier account and the registry account that belongs to it; shares nothing with any other."""

from collections.abc import Iterator

from agentmessage.simulator.core.entities import (
    FINAL,
    Application,
    Brand,
    Campaign,
    Entity,
    Line,
    LineOrder,
    NumberOrder,
    Shelf,
    Subscription,
    Webhook,
)

NORMAL_CAP = 49
"""Numbers that one campaign may carry without a number pool (Bandwidth support, article 4640094375063)."""

POOL_CAP = 1_000_000
"""Numbers that one campaign with a number pool may carry here; the world's own limit is by contract."""


class Account:
    """Everything one customer has at the carrier and at the registry, with the indexes that keep look-ups cheap."""

    def __init__(self, account_id: str, api_key: str) -> None:
        self.id = account_id
        self.api_key = api_key
        self.lines: dict[str, Line] = {}
        self.shelf: dict[str, Shelf] = {}
        self.line_orders: dict[str, LineOrder] = {}
        self.number_orders: dict[str, NumberOrder] = {}
        self.brands: dict[str, Brand] = {}
        self.campaigns: dict[str, Campaign] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.applications: dict[str, Application] = {}
        self.by_key: dict[tuple[str, str], list[str]] = {}
        self.by_reference: dict[tuple[str, str], str] = {}
        self.on_campaign: dict[str, dict[str, None]] = {}
        self.reserved: dict[str, str] = {}
        self.counters: dict[str, int] = {}
        self._numbers: list[str] | None = None

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────

    def numbers(self) -> list[str]:
        """Every number in service, in the order in which it came."""
        if self._numbers is None:
            self._numbers = list(self.lines)
        return self._numbers

    def put_in_service(self, number: str, *, at: float) -> Line:
        """A new line. A number that was given back while on a campaign comes back on that campaign."""
        shelved = self.shelf.pop(number, None)
        line = Line(number, at)
        self.lines[number] = line
        self._numbers = None
        if shelved is not None and shelved.campaign is not None:
            line.change(goal=shelved.campaign, at=at)
            self.count_in(number, shelved.campaign)
        return line

    def take_out_of_service(self, line: Line, *, until: float, at: float) -> Shelf:
        """End a line; the number rests on the shelf `until` it may be sold again."""
        del self.lines[line.number]
        self._numbers = None
        shelved = Shelf(line.number, until, line.campaign(at))
        self.shelf[line.number] = shelved
        for campaign in (line.before, line.goal):
            self.count_out(line.number, campaign)
        return shelved

    def count_in(self, number: str, campaign: str) -> None:
        """Count a number against a campaign's cap."""
        self.on_campaign.setdefault(campaign, {})[number] = None

    def count_out(self, number: str, campaign: str | None) -> None:
        """Stop counting a number against a campaign's cap."""
        if campaign is not None and (numbers := self.on_campaign.get(campaign)) is not None:
            numbers.pop(number, None)

    def recount(self, line: Line, *, at: float) -> None:
        """Bring the caps up to date with a line: what it is leaving counts until it has left."""
        shown = line.campaign(at)
        for campaign in (line.before, line.goal):
            if campaign is not None and campaign not in (shown, line.goal):
                self.count_out(line.number, campaign)
        for campaign in (shown, line.goal):
            if campaign is not None:
                self.count_in(line.number, campaign)

    def change(self, line: Line, *, goal: str | None, at: float, due: tuple[float, ...] = ()) -> None:
        """Let a line begin a change, and keep the caps in step with it."""
        self.recount(line, at=at)
        line.change(goal=goal, at=at, due=due)
        self.recount(line, at=at)

    def cap_of(self, campaign: Campaign) -> int:
        """How many numbers a campaign may carry in all."""
        if campaign.fields.get("numberPool") is True:
            return POOL_CAP
        return 1 if campaign.fields.get("usecase") == "SOLE_PROPRIETOR" else NORMAL_CAP

    def room_on(self, campaign: Campaign) -> int:
        """How many more numbers a campaign may carry."""
        return self.cap_of(campaign) - len(self.on_campaign.get(campaign.id, ()))

    # ── the rest ────────────────────────────────────────────────────────────────────────────────────────────

    def count(self, name: str) -> int:
        """Count one more of something and answer how many there are now."""
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]

    def keep_order(self, order: LineOrder | NumberOrder) -> None:
        """Remember an order under its id and the customer's key."""
        if isinstance(order, LineOrder):
            self.line_orders[order.id] = order
            kind = "tnoptions"
        else:
            self.number_orders[order.id] = order
            kind = order.kind
        if order.key:
            self.by_key.setdefault((kind, order.key), []).append(order.id)

    def orders_under(self, kind: str, key: str) -> list[str]:
        """Ids of the orders that carry a customer's key."""
        return self.by_key.get((kind, key), [])

    def everything(self) -> Iterator[Entity]:
        """Every entity of the account."""
        for group in (self.lines, self.shelf, self.line_orders, self.number_orders, self.brands, self.campaigns):
            yield from group.values()
        yield from self.subscriptions.values()
        yield from self.webhooks.values()
        yield from self.applications.values()

    def planner(self, kind: str, entity_id: str) -> LineOrder | NumberOrder | Brand | Campaign | None:
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
            case Line():
                self.lines[entity.number] = entity
                entity.order_id = None
            case Shelf():
                self.shelf[entity.number] = entity
            case LineOrder() | NumberOrder():
                self.keep_order(entity)
            case Brand():
                self.keep_brand(entity)
            case Campaign():
                self.keep_campaign(entity)
            case Subscription():
                self.subscriptions[entity.id] = entity
            case Webhook():
                self.webhooks[entity.id] = entity
            case Application():
                self.applications[entity.id] = entity

    def reindex(self, *, at: float) -> None:
        """Rebuild what is derived, after everything was restored."""
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

    def keep_brand(self, brand: Brand) -> None:
        """Remember a brand under its id and the customer's reference."""
        self.brands[brand.id] = brand
        reference = brand.fields.get("referenceId")
        if isinstance(reference, str) and reference:
            self.by_reference["brand", reference] = brand.id

    def keep_campaign(self, campaign: Campaign) -> None:
        """Remember a campaign under its id and the customer's reference."""
        self.campaigns[campaign.id] = campaign
        reference = campaign.fields.get("referenceId")
        if isinstance(reference, str) and reference:
            self.by_reference["campaign", reference] = campaign.id

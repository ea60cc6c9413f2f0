"""The Campaign Registry: brands get an identity status; campaigns are shared, reviewed, suspended and expired."""

from collections.abc import Mapping

from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.callbacks import notify_registry
from agentmessage.simulator.core.entities import RegistryBrand, RegistryCampaign
from agentmessage.simulator.core.magic_values import BrandOutcome, CampaignOutcome, brand_outcome, campaign_outcome
from agentmessage.simulator.core.profiles import OPERATORS
from agentmessage.simulator.core.shared_state import SharedState

CSP_ID = "SSIMULA"
OPERATOR_NAMES = {"10017": "AT&T", "10035": "T-Mobile", "10036": "US Cellular", "10038": "Verizon Wireless"}
TERM_S = 90 * 86_400.0
"""A campaign is paid by the quarter."""

_FEEDBACK: dict[str, object] = {
    "id": "TAX_ID",
    "displayName": "Tax ID",
    "description": "The tax id and the legal company name do not belong together.",
    "fields": ["ein", "companyName"],
}


class SimulatedRegistry:
    """The steps of brands and campaigns."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared

    # ── brands ──────────────────────────────────────────────────────────────────────────────────────────────

    def create_brand(self, account: SimulatedAccount, fields: dict[str, object], *, at: float) -> RegistryBrand:
        """Register a brand; its identity is checked later."""
        shared = self._shared
        number = account.count("brand")
        brand = RegistryBrand(shared.random.registry_id("B", "brand", account.id, number), fields, at, "UNVERIFIED")
        account.add_brand(brand)
        shared.mark_changed(account, brand)
        self.send_brand_event(account, brand, "BRAND_ADD", at)
        self.check_identity(account, brand, at=at)
        return brand

    def check_identity(self, account: SimulatedAccount, brand: RegistryBrand, *, at: float) -> None:
        """Start a check of a brand's identity."""
        shared = self._shared
        brand.identity_status = "UNVERIFIED"
        brand.feedback = []
        shared.cancel_steps(brand, "identity")
        shared.mark_changed(account, brand)
        if brand_outcome(brand.fields) is BrandOutcome.STUCK:
            return
        delay_s = shared.random.within(shared.profile.brand_identity, "identity", brand.id, brand.identity_checks)
        shared.schedule_step(account, brand, at + delay_s, "identity")

    def step_brand(self, account: SimulatedAccount, brand: RegistryBrand, step: str, at: float) -> None:
        """Run a scheduled step: the only one is `identity`."""
        if step != "identity":
            raise ValueError(step)
        outcome = brand_outcome(brand.fields)
        brand.identity_checks += 1
        is_unverified = outcome is BrandOutcome.UNVERIFIED or (
            outcome is BrandOutcome.FIXABLE and brand.identity_checks == 1
        )
        if is_unverified or self._shared.faults.hit("brand_unverified", operation="brands", account=account.id):
            brand.identity_status, brand.feedback = "UNVERIFIED", [dict(_FEEDBACK)]
        elif outcome is BrandOutcome.VETTED:
            brand.identity_status = "VETTED_VERIFIED"
        else:
            is_sole = brand.fields.get("entityType") == "SOLE_PROPRIETOR"
            brand.identity_status = "SELF_DECLARED" if is_sole else "VERIFIED"
        self._shared.mark_changed(account, brand)
        self.send_brand_event(account, brand, "BRAND_SCORE_UPDATE", at)
        self.send_brand_event(account, brand, "BRAND_IDENTITY_STATUS_UPDATE", at)

    def delete_brand(self, account: SimulatedAccount, brand: RegistryBrand, *, at: float) -> None:
        """Delete a brand for good; it stays in lists."""
        brand.is_deleted = True
        self._shared.mark_changed(account, brand)
        self.send_brand_event(account, brand, "BRAND_DELETE", at)

    def send_brand_event(self, account: SimulatedAccount, brand: RegistryBrand, event_type: str, at: float) -> None:
        """Send one brand event."""
        event = {
            "eventType": event_type,
            "cspId": CSP_ID,
            "brandId": brand.id,
            "brandName": brand.fields.get("displayName"),
            "brandReferenceId": brand.fields.get("referenceId"),
            "brandIdentityStatus": brand.identity_status,
        }
        notify_registry(self._shared, account, "BRAND", _without_nulls(event), at=at)

    # ── campaigns ───────────────────────────────────────────────────────────────────────────────────────────

    def create_campaign(
        self, account: SimulatedAccount, brand: RegistryBrand, fields: dict[str, object], *, at: float
    ) -> RegistryCampaign:
        """Register a campaign; the carrier does not have it until it is shared."""
        shared = self._shared
        number = account.count("campaign")
        campaign = RegistryCampaign(
            shared.random.registry_id("C", "campaign", account.id, number), brand.id, fields, at
        )
        campaign.expires_at = at + TERM_S
        campaign.outcome = campaign_outcome(fields).value
        account.add_campaign(campaign)
        shared.mark_changed(account, campaign)
        self.send_campaign_event(account, campaign, "CAMPAIGN_ADD", at)
        self.send_campaign_event(account, campaign, "CAMPAIGN_BILLED", at)
        return campaign

    def share(self, account: SimulatedAccount, campaign: RegistryCampaign, upstream: str, *, at: float) -> None:
        """Request that a connectivity partner takes a campaign."""
        shared = self._shared
        campaign.sharing, campaign.upstream = "PENDING", upstream
        campaign.shared_at = campaign.sharing_changed_at = at
        shared.mark_changed(account, campaign)
        self.send_campaign_event(account, campaign, "CAMPAIGN_SHARE_ADD", at)
        if campaign.outcome != CampaignOutcome.STUCK:
            delay_s = shared.random.within(shared.profile.share_acceptance, "share", campaign.id, int(at))
            shared.schedule_step(account, campaign, at + delay_s, "answer")

    def step_campaign(self, account: SimulatedAccount, campaign: RegistryCampaign, step: str, at: float) -> None:
        """Run a scheduled step."""
        if campaign.status != "ACTIVE":
            return
        match step.partition(":"):
            case ("answer", _, _):
                self._decide_share(account, campaign, at)
            case ("import", _, _):
                campaign.is_imported = True
                self._shared.mark_changed(account, campaign)
            case ("review", _, operator):
                self._review(account, campaign, operator, at)
            case ("suspend", _, _):
                self.suspend(account, campaign, at=at)
            case ("resume", _, _):
                self.resume(account, campaign, at=at)
            case ("expire", _, _):
                self.expire(account, campaign, at=at)
            case _:
                raise ValueError(step)

    def suspend(self, account: SimulatedAccount, campaign: RegistryCampaign, *, at: float) -> None:
        """Every operator suspends it; its numbers leave the override registry until it is resumed."""
        campaign.is_suspended = True
        campaign.operations = dict.fromkeys(campaign.operations or OPERATORS, "SUSPENDED")
        self._unbind_all(account, campaign, at=at, returning=True)
        self._shared.mark_changed(account, campaign)
        self._send_operator_events(account, campaign, "SUSPENDED", at)

    def resume(self, account: SimulatedAccount, campaign: RegistryCampaign, *, at: float) -> None:
        """Resume a suspended campaign, and put its numbers back."""
        campaign.is_suspended = False
        campaign.operations = dict.fromkeys(campaign.operations or OPERATORS, "APPROVED")
        for line in account.lines.values():
            if line.returns_to == campaign.id:
                line.returns_to = None
                if line.campaign(at) is None and line.is_settled(at):
                    account.change(line, goal=campaign.id, at=at)
                self._shared.mark_changed(account, line)
        self._shared.mark_changed(account, campaign)
        self._send_operator_events(account, campaign, "UNSUSPENDED", at)

    def expire(self, account: SimulatedAccount, campaign: RegistryCampaign, *, at: float) -> None:
        """Expire a campaign; its numbers leave the override registry for good."""
        campaign.status = "EXPIRED"
        campaign.expires_at = at
        campaign.steps = []
        self._unbind_all(account, campaign, at=at, returning=False)
        self._shared.mark_changed(account, campaign)
        self.send_campaign_event(account, campaign, "CAMPAIGN_EXPIRED", at)

    def approve(self, account: SimulatedAccount, campaign: RegistryCampaign) -> None:
        """Approve a campaign immediately: accepted, imported, approved by every operator."""
        campaign.status, campaign.sharing = "ACTIVE", "ACCEPTED"
        campaign.is_imported, campaign.is_suspended, campaign.is_dormant = True, False, False
        campaign.operations = dict.fromkeys(OPERATORS, "APPROVED")
        campaign.reasons = []
        campaign.steps = []
        self._shared.mark_changed(account, campaign)

    def send_campaign_event(
        self, account: SimulatedAccount, campaign: RegistryCampaign, event_type: str, at: float, **more: str | int
    ) -> None:
        """Send one campaign event."""
        brand = account.brands.get(campaign.brand_id)
        event = {
            "eventType": event_type,
            "cspId": CSP_ID,
            "brandId": campaign.brand_id,
            "brandName": brand.fields.get("displayName") if brand else None,
            "campaignId": campaign.id,
            "campaignReferenceId": campaign.fields.get("referenceId"),
            **more,
        }
        notify_registry(self._shared, account, "CAMPAIGN", _without_nulls(event), at=at)

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────────

    def _decide_share(self, account: SimulatedAccount, campaign: RegistryCampaign, at: float) -> None:
        shared = self._shared
        campaign.sharing_changed_at = at
        is_declined = campaign.outcome == CampaignOutcome.DECLINED
        if is_declined or shared.faults.hit("campaign_declined", operation="campaigns", account=account.id):
            campaign.sharing = "DECLINED"
            campaign.reasons = ["The call to action does not say how consent is given."]
            shared.mark_changed(account, campaign)
            self.send_campaign_event(account, campaign, "CAMPAIGN_SHARE_DELETE", at, description=campaign.reasons[0])
            return
        campaign.sharing = "ACCEPTED"
        campaign.operations = dict.fromkeys(OPERATORS, "REVIEW")
        self.send_campaign_event(account, campaign, "CAMPAIGN_SHARE_ACCEPT", at)
        if campaign.outcome != CampaignOutcome.UNIMPORTED:
            delay_s = shared.random.within(shared.profile.campaign_import, "import", campaign.id)
            shared.schedule_step(account, campaign, at + delay_s, "import")
        for operator in OPERATORS:
            delay_s = shared.random.within(shared.profile.review_of(operator), "review", campaign.id, operator)
            shared.schedule_step(account, campaign, at + delay_s, f"review:{operator}")

    def _review(self, account: SimulatedAccount, campaign: RegistryCampaign, operator: str, at: float) -> None:
        shared = self._shared
        is_rejected = campaign.outcome == CampaignOutcome.REJECTED and operator == "10035"
        if is_rejected or shared.faults.hit("campaign_rejected", operation="campaigns", account=account.id):
            campaign.operations[operator] = "REJECTED"
            campaign.reasons = ["The samples do not match the use case."]
        elif campaign.operations.get(operator) == "REVIEW":
            campaign.operations[operator] = "APPROVED"
        shared.mark_changed(account, campaign)
        self._send_operator_event(account, campaign, operator, campaign.operations[operator], at)
        if "REVIEW" not in campaign.operations.values():
            self._apply_outcome(account, campaign, at)

    def _apply_outcome(self, account: SimulatedAccount, campaign: RegistryCampaign, at: float) -> None:
        shared = self._shared
        wait_s = shared.random.within(shared.profile.magic_wait, "magic", campaign.id)
        match campaign.outcome:
            case CampaignOutcome.DORMANT:
                campaign.is_dormant = True
                shared.mark_changed(account, campaign)
            case CampaignOutcome.SUSPENDED:
                shared.schedule_step(account, campaign, at + wait_s, "suspend")
            case CampaignOutcome.RECOVERS:
                shared.schedule_step(account, campaign, at + wait_s, "suspend")
                shared.schedule_step(account, campaign, at + 2 * wait_s, "resume")
            case CampaignOutcome.EXPIRED:
                shared.schedule_step(account, campaign, at + wait_s, "expire")
            case _:
                pass

    def _unbind_all(self, account: SimulatedAccount, campaign: RegistryCampaign, *, at: float, returning: bool) -> None:
        for number in list(account.on_campaign.get(campaign.id, ())):
            line = account.lines.get(number)
            if line is not None and campaign.id in (line.campaign(at), line.goal):
                line.returns_to = campaign.id if returning and line.goal == campaign.id else None
                account.change(line, goal=None, at=at)
                self._shared.mark_changed(account, line)

    def _send_operator_events(
        self, account: SimulatedAccount, campaign: RegistryCampaign, operation: str, at: float
    ) -> None:
        for operator in campaign.operations:
            self._send_operator_event(account, campaign, operator, operation, at)

    def _send_operator_event(
        self, account: SimulatedAccount, campaign: RegistryCampaign, operator: str, operation: str, at: float
    ) -> None:
        event_type = f"MNO_CAMPAIGN_OPERATION_{operation}"
        name = OPERATOR_NAMES[operator]
        self.send_campaign_event(account, campaign, event_type, at, mnoId=int(operator), mnoName=name)


def _without_nulls(event: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in event.items() if value is not None}

"""The registration of the demo: a brand is verified, and a campaign is approved."""

from msgspec import Struct

from agentmessage.demo.steps import StepRunner, require

BRAND = {
    "entity_type": "PRIVATE_PROFIT",
    "brand_relationship": "BASIC_ACCOUNT",
    "display_name": "Harbor Dental",
    "company_name": "Harbor Dental Inc",
    "ein": "123456789",
    "email": "office@harbor-dental.example",
    "phone": "+14155550199",
    "street": "1 Pier Street",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94105",
    "country": "US",
    "vertical": "HEALTHCARE",
    "website": "https://harbor-dental.example",
}
CAMPAIGN = {
    "usecase": "CUSTOMER_CARE",
    "description": "Appointment times and answers for patients who asked our assistant to message them.",
    "message_flow": "Patients tick a box on the form at harbor-dental.example and agree to messages from us.",
    "sample1": "Harbor Dental: your appointment is on Monday at 9:30. Reply STOP to opt out.",
    "sample2": "Harbor Dental: Dr. Lee can see you on Friday at 2 pm instead. Reply STOP to opt out.",
    "subscriber_optin": True,
    "optin_keywords": "START",
    "optin_message": "Harbor Dental: you will get messages about your appointments. Reply STOP to opt out.",
    "subscriber_optout": True,
    "optout_keywords": "STOP",
    "optout_message": "Harbor Dental: you are unsubscribed and will get no more messages.",
    "subscriber_help": True,
    "help_keywords": "HELP",
    "help_message": "Harbor Dental: write to office@harbor-dental.example for help.",
}


class Registered(Struct, frozen=True):
    """An approved campaign of a verified brand; `tcr_id` is the campaign's id at the registry."""

    brand_id: str
    id: str
    tcr_id: str


async def register(steps: StepRunner) -> Registered:
    """File a brand and a campaign, and wait for both approvals. Raises DemoFailed."""
    await _become_reseller(steps)
    brand_id = await _register_brand(steps)
    return await _register_campaign(steps, brand_id)


async def _become_reseller(steps: StepRunner) -> None:
    """Make the organization a reseller if it already has a brand."""
    brands = await steps.api.call("GET", "/v1/brands?limit=100", expect=200)
    organization = await steps.api.call("GET", "/v1/organization", expect=200)
    # The initial brand of a sandbox has no tax id, and does not count.
    if not any(brand["ein_last4"] for brand in brands.data) or organization.data["is_reseller"]:
        return
    with steps.step("Become a reseller") as step:
        step.shows(await steps.api.call("PATCH", "/v1/organization", {"is_reseller": True}, expect=200))
        step.says("the organization has a brand already, and only resellers have two")


async def _register_brand(steps: StepRunner) -> str:
    with steps.step("File a brand") as step:
        filed = await steps.api.call("POST", "/v1/brands", BRAND, expect=202)
        require(filed.data["status"] == "PENDING", f"a new brand is {filed.data['status']}, not PENDING")
        step.shows(filed)
        step.says(f"{filed.data['display_name']} is PENDING; its tax id is shown as …{filed.data['ein_last4']}")
    brand_id = str(filed.data["id"])
    with steps.step("The registry verifies it") as step:
        seen = await steps.until(
            step,
            lambda: steps.api.call("GET", f"/v1/brands/{brand_id}", expect=200),
            lambda found: found.data["identity_status"] in ("VERIFIED", "VETTED_VERIFIED"),
            lambda found: f"the brand is {found.data['status']}, identity {found.data['identity_status']}",
        )
        require(seen.data["status"] == "ACTIVE", f"a verified brand is {seen.data['status']}, not ACTIVE")
        step.shows(seen)
        step.says(f"ACTIVE and {seen.data['identity_status']}, registry id {seen.data['tcr_brand_id']}")
    return brand_id


async def _register_campaign(steps: StepRunner, brand_id: str) -> Registered:
    with steps.step("File a campaign") as step:
        filed = await steps.api.call("POST", "/v1/campaigns", {"brand_id": brand_id, **CAMPAIGN}, expect=202)
        require(filed.data["status"] == "PENDING", f"a new campaign is {filed.data['status']}, not PENDING")
        step.shows(filed)
        step.says(f"{filed.data['usecase']} is PENDING")
    campaign_id = str(filed.data["id"])
    with steps.step("Carrier and operators approve it") as step:
        seen = await steps.until(
            step,
            lambda: steps.api.call("GET", f"/v1/campaigns/{campaign_id}", expect=200),
            lambda found: found.data["status"] == "ACTIVE",
            lambda found: f"the campaign is {found.data['status']}",
        )
        operators = [facts["mno"] for facts in seen.data["mno_metadata"].values()]
        require(bool(operators), "an ACTIVE campaign has no metadata of operators")
        step.shows(seen)
        step.says(f"ACTIVE as {seen.data['tcr_campaign_id']} at {', '.join(operators)}")
    return Registered(brand_id, campaign_id, str(seen.data["tcr_campaign_id"]))

"""What each operator requires of a campaign and grants it: AT&T classes and T-Mobile tiers, as published."""

from agentmessage.simulator.core.entities import RegistryBrand, RegistryCampaign
from agentmessage.simulator.tcr.registry import OPERATOR_NAMES

_ATT_CLASSES: dict[str, tuple[str, int]] = {
    "LOW_VOLUME": ("T", 75),
    "SOLE_PROPRIETOR": ("W", 15),
    "PROXY": ("G", 60),
    "AGENTS_FRANCHISES": ("N", 60),
    "POLITICAL": ("K", 4500),
    "CHARITY": ("P", 2400),
    "SOCIAL": ("S", 9000),
    "EMERGENCY": ("X", 4500),
    "MARKETING": ("F", 240),
    "MIXED": ("F", 240),
}
"""Class and messages per minute by use case; all others are class E with 240."""


def operator_metadata(campaign: RegistryCampaign, brand: RegistryBrand | None) -> dict[str, dict[str, object]]:
    """The registry's `mnoMetadata`, keyed by operator id."""
    usecase = str(campaign.fields.get("usecase"))
    is_vetted = brand is not None and brand.identity_status == "VETTED_VERIFIED"
    message_class, per_minute = _ATT_CLASSES.get(usecase, ("E", 240))
    if is_vetted and message_class in ("E", "F"):
        message_class, per_minute = ("A" if message_class == "E" else "B"), 4500
    requires_optin = usecase != "LOW_VOLUME"
    metadata: dict[str, dict[str, object]] = {}
    for operator, name in OPERATOR_NAMES.items():
        metadata[operator] = {
            "mno": name,
            "qualify": True,
            "mnoSupport": True,
            "mnoReview": False,
            "minMsgSamples": 1,
            "reqSubscriberOptin": requires_optin,
            "reqSubscriberOptout": True,
            "reqSubscriberHelp": True,
            "noEmbeddedLink": False,
            "noEmbeddedPhone": False,
        }
    metadata["10017"].update(msgClass=message_class, tpm=per_minute, tpmScope="CAMPAIGN", surcharge=0.003)
    tier, cap = ("TOP", 200_000) if is_vetted else ("LOW", 2_000)
    if usecase == "SOLE_PROPRIETOR":
        tier, cap = "LOW", 1_000
    metadata["10035"].update(brandTier=tier, brandDailyCap=cap, surcharge=0.003)
    metadata["10036"].update(tpm=per_minute, tpmScope="CAMPAIGN")
    metadata["10038"].update(tpm=per_minute, tpmScope="CAMPAIGN", surcharge=0.0031)
    return metadata

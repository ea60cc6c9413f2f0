"""Our names and the registry's: what is sent (docs/carriers/tcr.md, sections 2 and 3)."""

from collections.abc import Mapping, Sequence

from agentmessage.carriers.protocols import BrandFiling, CampaignFiling

BRAND_FIELDS = frozenset(
    {
        "first_name",
        "last_name",
        "company_name",
        "ein",
        "ein_issuing_country",
        "phone",
        "mobile_phone",
        "street",
        "city",
        "state",
        "postal_code",
        "email",
        "business_contact_email",
        "stock_symbol",
        "stock_exchange",
        "ip_address",
        "website",
        "vertical",
        "alt_business_id",
        "alt_business_id_type",
    }
)
"""What a brand filing may hold beside its named members."""

CAMPAIGN_FIELDS = frozenset(
    {
        "vertical",
        "sub_usecases",
        "reseller_id",
        "sample1",
        "sample2",
        "sample3",
        "sample4",
        "sample5",
        "message_flow",
        "help_message",
        "help_keywords",
        "optin_message",
        "optin_keywords",
        "optout_message",
        "optout_keywords",
        "embedded_link",
        "embedded_phone",
        "embedded_link_sample",
        "number_pool",
        "age_gated",
        "direct_lending",
        "affiliate_marketing",
        "subscriber_optin",
        "subscriber_optout",
        "subscriber_help",
        "terms_and_conditions",
        "terms_and_conditions_link",
        "privacy_policy_link",
        "auto_renewal",
    }
)
"""What a campaign filing may hold beside its named members."""

FieldValue = str | bool | Sequence[str]


def brand_form(filing: BrandFiling) -> dict[str, FieldValue]:
    """A brand as the registry wants it. Raises ValueError, a bug of ours, on a field that it does not have."""
    return {
        "entityType": filing.entity_type,
        "displayName": filing.display_name,
        "brandRelationship": filing.brand_relationship,
        "country": filing.country,
        "referenceId": filing.reference_id,
        **_renamed(filing.fields, BRAND_FIELDS),
    }


def brand_change(filing: BrandFiling) -> dict[str, FieldValue]:
    """A brand as an update wants it: the reference was given once and stays."""
    form = brand_form(filing)
    del form["referenceId"]
    return form


def campaign_form(filing: CampaignFiling) -> dict[str, FieldValue]:
    """A campaign as the registry wants it. Raises ValueError, a bug of ours, on a field that it does not have."""
    return {
        "brandId": filing.tcr_brand_id,
        "usecase": filing.usecase,
        "description": filing.description,
        "referenceId": filing.reference_id,
        **_renamed(filing.fields, CAMPAIGN_FIELDS),
    }


def camel(name: str) -> str:
    """`ein_issuing_country` as `einIssuingCountry`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _renamed(fields: Mapping[str, FieldValue], known: frozenset[str]) -> dict[str, FieldValue]:
    if strange := sorted(fields.keys() - known):
        raise ValueError(f"the registry has no field for {', '.join(strange)}")
    return {camel(name): value for name, value in fields.items()}

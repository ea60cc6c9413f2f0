"""What operations and types are called in the client library. What is not listed gets a name by rule."""

import keyword
import re

OPERATIONS = {
    "searchPhoneNumbers": "phone_numbers.search",
    "orderPhoneNumbers": "phone_numbers.order",
    "bulkOrderPhoneNumbers": "phone_numbers.bulk_order",
    "getBulkOrder": "phone_numbers.get_bulk_order",
    "bulkReleasePhoneNumbers": "phone_numbers.bulk_release",
    "releasePhoneNumber": "phone_numbers.release",
    "attachCampaignToPhoneNumber": "phone_numbers.attach_campaign",
    "detachCampaignFromPhoneNumber": "phone_numbers.detach_campaign",
    "getCarrierLineOption": "phone_numbers.get_carrier_line_option",
    "listCampaignPhoneNumbers": "campaigns.list_phone_numbers",
    "reviewCampaignDraft": "campaigns.review",
    "deactivateCampaign": "campaigns.deactivate",
    "captureAttestedConsent": "consent.record",
    "captureAttestedConsentBulk": "consent.record_bulk",
    "revokeConsent": "consent.revoke",
    "listConsentHistory": "consent.list_history",
    "initiateDoubleOptIn": "consent.start_double_opt_in",
    "mintHostedConsentToken": "consent.create_hosted_form",
    "listGuardrailPoolMembers": "guardrails.pools.list_members",
    "replaceGuardrailPoolMembers": "guardrails.pools.replace_members",
    "upsertGuardrailBinding": "guardrails.bindings.put",
    "preflightGuardrails": "guardrails.preflight",
    "sendMessage": "messages.send",
    "sendMessageBatch": "messages.send_batch",
    "cancelMessage": "messages.cancel",
    "listMessageEvents": "messages.list_events",
    "createMessageMediaUpload": "messages.create_media_upload",
    "waitForInboundMessage": "inbound_messages.wait",
    "listConversationMessages": "conversations.list_messages",
    "submitLookup": "lookups.submit",
    "eraseContact": "contacts.erase",
    "revokeAPIKey": "api_keys.revoke",
    "rotateAPIKey": "api_keys.rotate",
    "rotateWebhookEndpointSecret": "webhooks.rotate_secret",
    "testWebhookEndpoint": "webhooks.test",
    "rotateWebhookSecret": "webhooks.rotate_organization_secret",
    "replayWebhookDelivery": "webhooks.deliveries.replay",
    "getWallet": "billing.get_wallet",
    "listTransactions": "billing.list_transactions",
    "listUsage": "billing.list_usage",
    "getCatalogFees": "billing.get_fees",
    "listTopupProducts": "billing.list_topup_products",
    "createTopupCheckout": "billing.create_topup",
    "getAutoTopup": "billing.get_auto_topup",
    "putAutoTopup": "billing.set_auto_topup",
    "createBillingPortalSession": "billing.create_portal_session",
    "getMetricsMessages": "metrics.messages",
    "getMetricsInbound": "metrics.inbound",
    "getMetricsWebhooks": "metrics.webhooks",
    "getMetricsWallet": "metrics.wallet",
}

MODELS = {
    "Actor": "AuditActor",
    "BatchOut": "MessageBatch",
    "BulkOut": "ConsentBulk",
    "CaptureOut": "ConsentCaptured",
    "Decided": "GuardrailDecision",
    "EntryResource": "ConsentEntry",
    "EvidenceIn": "Evidence",
    "Source": "ConsentSource",
    "Status": "MessageStatus",
    "Subject": "AuditSubject",
    "Transition": "MessageTransition",
    "agentmessage.campaigns.schemas.Finding": "ReviewFinding",
    "agentmessage.campaigns.schemas.Severity": "ReviewSeverity",
    "agentmessage.compliance.schemas.Finding": "PreflightFinding",
    "agentmessage.compliance.schemas.Severity": "PreflightSeverity",
    "InboundOut": "InboundMessage",
    "MessageCreate": "MessageDraft",
    "ConsentCapture": "ConsentDraft",
    "BrandCreate": "BrandFields",
    "BrandPatch": "BrandChanges",
    "CampaignCreate": "CampaignFields",
    "ProfileCreate": "ProfileFields",
    "ProfilePatch": "ProfileChanges",
}

ITEMS = {("MessageBatch", "messages"): "MessageCreate", ("ConsentCaptureBulk", "records"): "ConsentCapture"}
"""Rows of a body that the contract leaves open, since each stands or falls alone, but which have a shape."""

EXTRAS = {
    "messages": ("agentmessage.sdk.aio.message_methods", "AsyncMessageMethods"),
    "events": ("agentmessage.sdk.aio.event_stream", "AsyncEventMethods"),
}
"""Methods written by hand: families whose class has a second parent, and its module."""

FAMILIES = {"lookup": "lookups"}
SUFFIXES = ("Resource", "Out")
VERBS = {"create": "create", "list": "list", "get": "get", "update": "update", "patch": "update", "delete": "delete"}


def snake(name: str) -> str:
    """`listAPIKeys` as `list_api_keys`, `phone-numbers` as `phone_numbers`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return parted.replace("-", "_").lower()


def camel(name: str) -> str:
    """`phone_numbers` as `PhoneNumbers`, `RATE_LIMITED` as `RateLimited`."""
    return "".join(word.capitalize() for word in name.lower().split("_"))


def exception(code: str) -> str:
    """`RATE_LIMITED` as `RateLimitedError`."""
    return f"{camel(code)}Error"


def model(schema: str) -> str:
    """The class of a component of the contract."""
    if schema in MODELS:
        return MODELS[schema]
    if "." in schema:
        room, name = schema.split(".")[-3], schema.rsplit(".", 1)[-1]
        return camel(room) + name
    for suffix in SUFFIXES:
        schema = schema.removesuffix(suffix)
    return schema


def place(operation_id: str, path: str) -> tuple[str, str]:
    """Family (`guardrails.pools`) and method (`create`) of an operation."""
    if operation_id in OPERATIONS:
        family, _, method = OPERATIONS[operation_id].rpartition(".")
        return family, method
    literals = [snake(part) for part in path.split("/")[2:] if not part.startswith("{")]
    literals[0] = FAMILIES.get(literals[0], literals[0])
    verb = VERBS.get(snake(operation_id).split("_", 1)[0])
    return (".".join(literals), verb) if verb else (literals[0], snake(operation_id))


def argument(name: str) -> str:
    """A parameter as Python can say it."""
    return f"{name}_" if keyword.iskeyword(name) else snake(name)


def path_argument(name: str, path: str) -> str:
    """`{id}` behind `/phone-numbers/` as `phone_number_id`; another name as it is."""
    if name != "id":
        return argument(name)
    before = path.split("/{id}", 1)[0].rsplit("/", 1)[-1]
    return f"{singular(snake(before))}_id"


def streamed(method: str) -> str:
    """`list_usage` as `stream_usage`: all rows in one answer."""
    return method.replace("list", "stream", 1)


def singular(word: str) -> str:
    """`deliveries` as `delivery`, `brands` as `brand`."""
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")


def member(word: str) -> str:
    """A word of an enumeration as its member's name; a digit in front gets a word before it."""
    name = re.sub(r"\W+", "_", word).upper()
    return f"N{name}" if name[:1].isdigit() else name

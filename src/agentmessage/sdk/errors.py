"""Every refusal of the platform as an exception, by its code. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping

from agentmessage.sdk.exceptions import APIError


class AttestationRequiredError(APIError):
    """422: Somebody must answer STOP and HELP; whoever turns our answers off says in writing that they do."""

    code = "ATTESTATION_REQUIRED"
    default_fix = "Send auto_replies.attestation: a sentence saying who answers STOP, HELP and START instead, and how."


class BelowMinimumCreditError(APIError):
    """402: The wallet would hold less than the installation's minimum even after the top-up."""

    code = "BELOW_MINIMUM_CREDIT"
    default_fix = "Choose a larger product; the wallet's min_topup_cents says what the balance must reach."


class BillingPortalUnavailableError(APIError):
    """502: The card processor gave no portal session."""

    code = "BILLING_PORTAL_UNAVAILABLE"
    default_fix = "Try again in a minute; if it stays, the operator finds the processor's words in the log."


class BillingProviderNotConfiguredError(APIError):
    """503: The installation takes no cards: the operator credits wallets by hand."""

    code = "BILLING_PROVIDER_NOT_CONFIGURED"
    default_fix = "Ask the operator for credit ('agentmessage admin wallet credit'), or to configure Stripe."


class BillingProviderUnavailableError(APIError):
    """502: The card processor gave no checkout; nothing was charged."""

    code = "BILLING_PROVIDER_UNAVAILABLE"
    default_fix = (
        "Try again in a minute with the same Idempotency-Key; if it stays, the operator finds the cause in the log."
    )


class BrandDeletedError(APIError):
    """409: The brand is deleted; the registry does not restore brands."""

    code = "BRAND_DELETED"
    default_fix = "Create a new brand; deletion cannot be undone."


class BrandHasCampaignsError(APIError):
    """409: The brand cannot be deleted while it has campaigns; the registry would reject it too."""

    code = "BRAND_HAS_CAMPAIGNS"
    default_fix = "Deactivate its campaigns with client.campaigns.deactivate, then delete the brand."


class BrandNotVerifiedError(APIError):
    """409: The registry has not verified the identity of the brand, so it can have no campaign."""

    code = "BRAND_NOT_VERIFIED"
    default_fix = (
        "Wait for the event brand.vetted; after brand.vetting_failed, correct the brand by what failure_reasons says."
    )


class CampaignHasNumbersError(APIError):
    """409: Numbers are on the campaign, or are to be, so it is not deactivated without `detach_numbers`."""

    code = "CAMPAIGN_HAS_NUMBERS"
    default_fix = "Detach its numbers first, or repeat the request with ?detach_numbers=true."


class CampaignNeedsLocalNumberError(APIError):
    """422: A 10DLC campaign cannot be attached to a toll-free number or a short code; nothing was changed."""

    code = "CAMPAIGN_NEEDS_LOCAL_NUMBER"
    default_fix = (
        "Attach the campaign to a local number and send from that; toll-free numbers receive without a campaign."
    )


class CampaignNotActiveError(APIError):
    """409: The campaign is still in review, was rejected, or has expired."""

    code = "CAMPAIGN_NOT_ACTIVE"
    default_fix = "Wait for the event campaign.approved, or use a campaign whose status is ACTIVE."


class ConflictError(APIError):
    """409: Automatic top-up is on already; only turning it off may be repeated."""

    code = "CONFLICT"
    default_fix = "To change the product, turn automatic top-up off and on again."


class ConsentRequiredError(APIError):
    """453: No consent of this recipient is recorded for this number."""

    code = "CONSENT_REQUIRED"
    default_fix = (
        "Record the recipient's consent for this number (client.consent.record), or ask by double "
        "opt-in or a hosted form."
    )


class ConsentStaleError(APIError):
    """453: The consent is older than the guardrail allows."""

    code = "CONSENT_STALE"
    default_fix = "Have the recipient renew it: by a fresh hosted form link, or by texting START to this number."


class ContactOptedOutError(APIError):
    """409: The contact said STOP, or revoked the consent after the time that this evidence claims."""

    code = "CONTACT_OPTED_OUT"
    default_fix = (
        "After STOP only the contact can opt in again, by texting START to the number. After a "
        "revocation over the API, send evidence that was captured later."
    )


class EventExpiredError(APIError):
    """410: The event is no longer stored: events are kept for 90 days, and `webhook.test` is not stored at all."""

    code = "EVENT_EXPIRED"
    default_fix = "It cannot be replayed; read the resource itself for its present state."


class ForbiddenError(APIError):
    """403: The key does not carry the scope that the operation requires."""

    code = "FORBIDDEN"
    default_fix = "Use a key with the scope that the operation documents, or create one."


class FrequencyCapExceededError(APIError):
    """422.

    The recipient has received the maximum for this window; `details.resets_at` is when the next message fits.
    """

    code = "FREQUENCY_CAP_EXCEEDED"
    default_fix = "Wait until details.resets_at, or raise the guardrail's frequency cap."


class GranularityNotAvailableError(APIError):
    """422: The organization's plan has no series of so short buckets."""

    code = "GRANULARITY_NOT_AVAILABLE"
    default_fix = "Ask for details.max_granularity, or have the operator change the plan."


class IdempotencyKeyReusedError(APIError):
    """409: The same Idempotency-Key came with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    default_fix = "Use a fresh Idempotency-Key for every new request; repeat a key only with the very same body."


class InsufficientCreditError(APIError):
    """402: The wallet cannot cover it; nothing was charged and nothing was done."""

    code = "INSUFFICIENT_CREDIT"
    default_fix = (
        "Top up the wallet (the operator does so with 'agentmessage admin wallet credit'), then send it again."
    )


class InsufficientInventoryError(APIError):
    """409: Not every number asked for can be had; nothing was assigned."""

    code = "INSUFFICIENT_INVENTORY"
    default_fix = "Search again and order numbers that are available now; details names the ones that are not."


class InternalError(APIError):
    """500: A fault of ours; the log has it under the request id."""

    code = "INTERNAL"
    default_fix = "Try again; if it stays, tell the operator the request id."


class InvalidInputError(APIError):
    """400 or 422: The body is not JSON, or holds something that this operation never takes."""

    code = "INVALID_INPUT"
    default_fix = "Send well-formed JSON with only the fields that the operation documents."


class LimitExceededError(APIError):
    """409: An organization has at most 50 active endpoints, and 100 in all."""

    code = "LIMIT_EXCEEDED"
    default_fix = "Delete an endpoint that is no longer needed, or turn one off if fewer than 100 exist."


class LineTypeBlockedError(APIError):
    """422: A lookup not older than 90 days says that the recipient is a fixed line."""

    code = "LINE_TYPE_BLOCKED"
    default_fix = "Do not text this number; look it up again if it was ported to a mobile operator."


class LookupFailedError(APIError):
    """502: The supplier could not be asked; what the lookup cost was given back."""

    code = "LOOKUP_FAILED"
    default_fix = "Try again in a minute, with a new Idempotency-Key if you used one."


class MediaQuotaExceededError(APIError):
    """422.

    The organization keeps as many files, or as many bytes of them, as it may; `details` says both limits.
    """

    code = "MEDIA_QUOTA_EXCEEDED"
    default_fix = "Wait until older files are past mms_retention_days, lower it, or ask the operator for more room."


class MessageNotCancelableError(APIError):
    """409: The message is being sent, was sent, or has ended."""

    code = "MESSAGE_NOT_CANCELABLE"
    default_fix = "Only queued messages can be canceled; schedule a message to leave yourself time."


class MethodNotAllowedError(APIError):
    """405: The path exists, but not with this method; `Allow` says which."""

    code = "METHOD_NOT_ALLOWED"
    default_fix = "Use one of the methods in the Allow header."


class MmsDisabledError(APIError):
    """503: This installation takes no media."""

    code = "MMS_DISABLED"
    default_fix = "Send the text without media, or ask the operator to switch MMS on."


class NotFoundError(APIError):
    """404: No such thing, or another organization's: deliberately the same words."""

    code = "NOT_FOUND"
    default_fix = "Check the id and that the key belongs to the organization that owns the resource."


class NoPlanError(APIError):
    """402: The organization's subscription was canceled: nothing is charged by itself."""

    code = "NO_PLAN"
    default_fix = "Take out a subscription again, or ask the operator to."


class NoStripeCustomerError(APIError):
    """409: The processor does not know the organization: it has never been at a checkout."""

    code = "NO_STRIPE_CUSTOMER"
    default_fix = "Top up once (client.billing.create_topup): the first checkout makes the customer and saves the card."


class NumberNotAssignedError(APIError):
    """409: The organization is the last owner, but the number is being ordered or has been released."""

    code = "NUMBER_NOT_ASSIGNED"
    default_fix = (
        "List the organization's numbers: a released number cannot be changed; order it, or another one, first."
    )


class PayloadTooLargeError(APIError):
    """413: The body is larger than the operation takes."""

    code = "PAYLOAD_TOO_LARGE"
    default_fix = "Send at most 1 MiB, or split the request."


class QuietHoursError(APIError):
    """422: The recipient is in quiet hours; `details.opens_at` is their end."""

    code = "QUIET_HOURS"
    default_fix = "Schedule the message at details.opens_at, or set the guardrail's quiet_hours_mode to defer."


class RateLimitedError(APIError):
    """429: Too many requests for this organization; `Retry-After` says how long to wait."""

    code = "RATE_LIMITED"
    default_fix = "Wait the seconds of Retry-After, then send the request again."


class ReceiverInactiveError(APIError):
    """409: The receiver of a replay gets no deliveries: it is off, disabled, or no longer its number's URL."""

    code = "RECEIVER_INACTIVE"
    default_fix = (
        "Turn the endpoint on (client.webhooks.update with active true), or set the number's URL again, then replay."
    )


class RecipientOptedOutError(APIError):
    """453.

    The recipient sent STOP, or the consent was revoked; operators fine a sender who continues. `details` has the time,
    the number that received it (`opted_out_number`) and the scope of the opt-out.
    """

    code = "RECIPIENT_OPTED_OUT"
    default_fix = "Do not retry. The recipient must text START first, to this number or to details.opted_out_number."


class ResellerHasBrandsError(APIError):
    """422: Reseller status cannot end while brands are registered under it."""

    code = "RESELLER_HAS_BRANDS"
    default_fix = "Delete every brand, then turn is_reseller off."


class ResellerNotEligibleError(APIError):
    """422.

    A personal organization asked to become a reseller; only commercial ones register other people's brands.
    """

    code = "RESELLER_NOT_ELIGIBLE"
    default_fix = (
        "Ask the operator to mark the organization as commercial ('agentmessage admin organizations set-kind')."
    )


class ResellerRequiredError(APIError):
    """422: The organization has a brand already and is not a reseller."""

    code = "RESELLER_REQUIRED"
    default_fix = "Use the brand that is there, delete it first, or set is_reseller with client.organization.update."


class SenderNotRegisteredError(APIError):
    """422.

    The sender has no working campaign; operators reject or fine its messages. `details.from` names the reason.
    """

    code = "SENDER_NOT_REGISTERED"
    default_fix = "Attach an ACTIVE campaign to the sender and wait until carrier_line_option_status is propagated."


class SoleProprietorLimitError(APIError):
    """409: The registry allows a sole proprietor one campaign at a time."""

    code = "SOLE_PROPRIETOR_LIMIT"
    default_fix = "Deactivate the brand's other campaign first, or register the business with its tax id."


class UnauthorizedError(APIError):
    """401: No key, a wrong scheme, an unknown or a revoked key: all the same to the caller."""

    code = "UNAUTHORIZED"
    default_fix = (
        "Send 'Authorization: Bearer am_live_…' (or am_test_…) with a key that has not been revoked or rotated."
    )


class UnavailableError(APIError):
    """503: The database is away or the process is draining; nothing was changed that was not answered."""

    code = "UNAVAILABLE"
    default_fix = "Try again after the seconds of Retry-After; use an Idempotency-Key to make it safe."


class UnsupportedMediaTypeError(APIError):
    """415: The body is not declared as JSON, or it is compressed."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    default_fix = "Send 'Content-Type: application/json', and no Content-Encoding."


class ValidationFailedError(APIError):
    """400 or 422: The id in the path is not a UUID."""

    code = "VALIDATION_FAILED"
    default_fix = "Use the resource's id (a UUID) as it was returned, not its number or its name."


class WindowTooLargeError(APIError):
    """422: The window holds more buckets than a question may have, over all its pages."""

    code = "WINDOW_TOO_LARGE"
    default_fix = "Ask for longer buckets, or for at most details.max_buckets of them at a time."


BY_CODE: Mapping[str, type[APIError]] = {kind.code: kind for kind in APIError.__subclasses__()}
"""The class of each code."""

"""The operations of `client.guardrails.profiles`. Generated from the contract by `tools/make_sdk.py`."""

from msgspec import UNSET, UnsetType

from agentmessage.sdk.calls import Call, Id, segment
from agentmessage.sdk.models.guardrails import AutostampCadence, AutostampCadenceWord, Profile
from agentmessage.sdk.models.shared import QuietHoursMode, QuietHoursModeWord
from agentmessage.sdk.sync.pages import Page
from agentmessage.sdk.sync.resource import Resource


class GuardrailProfilesOperations(Resource):
    """The operations of `client.guardrails.profiles`."""

    def list(self, *, cursor: str | UnsetType = UNSET, limit: int | UnsetType = UNSET) -> Page[Profile]:
        """List guardrail profiles, newest first.

        - `limit`: 1 to 100, 50 unless given.

        Scope: `org:read`. Refusals: ValidationFailed.
        """
        return self._page(Profile, Call("GET", "/v1/guardrails/profiles", query={"cursor": cursor, "limit": limit}))

    def create(
        self,
        *,
        name: str,
        quiet_hours_disabled: bool | UnsetType | None = UNSET,
        quiet_hours_start_minute: int | UnsetType | None = UNSET,
        quiet_hours_end_minute: int | UnsetType | None = UNSET,
        quiet_hours_mode: QuietHoursMode | QuietHoursModeWord | UnsetType | None = UNSET,
        freq_cap_disabled: bool | UnsetType | None = UNSET,
        freq_cap_window_minutes: int | UnsetType | None = UNSET,
        freq_cap_max_in_window: int | UnsetType | None = UNSET,
        consent_freshness_disabled: bool | UnsetType | None = UNSET,
        consent_freshness_max_age_days: int | UnsetType | None = UNSET,
        autostamp_disabled: bool | UnsetType | None = UNSET,
        autostamp_sender_id_text: str | UnsetType | None = UNSET,
        autostamp_cadence: AutostampCadence | AutostampCadenceWord | UnsetType | None = UNSET,
        suppression_disabled: bool | UnsetType | None = UNSET,
        branded_link_advisory_disabled: bool | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Profile:
        """Create a guardrail profile.

        It has no effect until it is bound.

        A tool is on with `*_disabled: false` and its settings, off with `true`, and left to the next wider scope with
        null.

        - `name`: 1 to 100 characters.
        - `quiet_hours_disabled`: null inherits from the next wider scope, false is on with the settings beside it, true
          is off.
        - `quiet_hours_start_minute`: Minutes after midnight at the recipient's. 0 to 1439.
        - `quiet_hours_end_minute`: Minutes after midnight at the recipient's. 0 to 1439.
        - `quiet_hours_mode`: What happens to a text inside quiet hours: refused, or accepted and sent at their end.
        - `freq_cap_disabled`: null inherits from the next wider scope, false is on with the settings beside it, true is
          off.
        - `freq_cap_window_minutes`: Minutes in which texts to one recipient are counted. 1 to 525600.
        - `freq_cap_max_in_window`: Texts to one recipient within the window. 1 to 1000.
        - `consent_freshness_disabled`: null inherits from the next wider scope, false is on with the settings beside
          it, true is off.
        - `consent_freshness_max_age_days`: Days since the recipient last opted in or reconfirmed. 1 to 36500.
        - `autostamp_disabled`: null inherits from the next wider scope, false is on with the settings beside it, true
          is off.
        - `autostamp_sender_id_text`: The sender's disclosure, appended to texts; it counts for their segments. 1 to 160
          characters.
        - `autostamp_cadence`: Which texts to one recipient carry the sender's disclosure: all, the first ever, or the
          first in 24 hours.
        - `suppression_disabled`: Kept on record and without effect: STOP always suppresses.
        - `branded_link_advisory_disabled`: null inherits from the next wider scope, false is on with the settings
          beside it, true is off.

        Scope: `org:admin:write`. Refusals: InvalidInput, IdempotencyKeyReused, ValidationFailed.
        """
        return self._one(
            Profile,
            Call(
                "POST",
                "/v1/guardrails/profiles",
                body={
                    "name": name,
                    "quiet_hours_disabled": quiet_hours_disabled,
                    "quiet_hours_start_minute": quiet_hours_start_minute,
                    "quiet_hours_end_minute": quiet_hours_end_minute,
                    "quiet_hours_mode": quiet_hours_mode,
                    "freq_cap_disabled": freq_cap_disabled,
                    "freq_cap_window_minutes": freq_cap_window_minutes,
                    "freq_cap_max_in_window": freq_cap_max_in_window,
                    "consent_freshness_disabled": consent_freshness_disabled,
                    "consent_freshness_max_age_days": consent_freshness_max_age_days,
                    "autostamp_disabled": autostamp_disabled,
                    "autostamp_sender_id_text": autostamp_sender_id_text,
                    "autostamp_cadence": autostamp_cadence,
                    "suppression_disabled": suppression_disabled,
                    "branded_link_advisory_disabled": branded_link_advisory_disabled,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def get(self, profile_id: Id) -> Profile:
        """Read one guardrail profile.

        Scope: `org:read`. Refusals: ValidationFailed, NotFound.
        """
        return self._one(Profile, Call("GET", f"/v1/guardrails/profiles/{segment(profile_id)}"))

    def update(
        self,
        profile_id: Id,
        *,
        name: str | UnsetType = UNSET,
        quiet_hours_disabled: bool | UnsetType | None = UNSET,
        quiet_hours_start_minute: int | UnsetType | None = UNSET,
        quiet_hours_end_minute: int | UnsetType | None = UNSET,
        quiet_hours_mode: QuietHoursMode | QuietHoursModeWord | UnsetType | None = UNSET,
        freq_cap_disabled: bool | UnsetType | None = UNSET,
        freq_cap_window_minutes: int | UnsetType | None = UNSET,
        freq_cap_max_in_window: int | UnsetType | None = UNSET,
        consent_freshness_disabled: bool | UnsetType | None = UNSET,
        consent_freshness_max_age_days: int | UnsetType | None = UNSET,
        autostamp_disabled: bool | UnsetType | None = UNSET,
        autostamp_sender_id_text: str | UnsetType | None = UNSET,
        autostamp_cadence: AutostampCadence | AutostampCadenceWord | UnsetType | None = UNSET,
        suppression_disabled: bool | UnsetType | None = UNSET,
        branded_link_advisory_disabled: bool | UnsetType | None = UNSET,
    ) -> Profile:
        """Change a guardrail profile, wherever it is bound, from the next text on.

        Left out stays, a value is set, null goes back to inheriting.

        - `name`: 1 to 100 characters.
        - `quiet_hours_disabled`: null inherits from the next wider scope, false is on with the settings beside it, true
          is off.
        - `quiet_hours_start_minute`: Minutes after midnight at the recipient's. 0 to 1439.
        - `quiet_hours_end_minute`: Minutes after midnight at the recipient's. 0 to 1439.
        - `quiet_hours_mode`: What happens to a text inside quiet hours: refused, or accepted and sent at their end.
        - `freq_cap_disabled`: null inherits from the next wider scope, false is on with the settings beside it, true is
          off.
        - `freq_cap_window_minutes`: Minutes in which texts to one recipient are counted. 1 to 525600.
        - `freq_cap_max_in_window`: Texts to one recipient within the window. 1 to 1000.
        - `consent_freshness_disabled`: null inherits from the next wider scope, false is on with the settings beside
          it, true is off.
        - `consent_freshness_max_age_days`: Days since the recipient last opted in or reconfirmed. 1 to 36500.
        - `autostamp_disabled`: null inherits from the next wider scope, false is on with the settings beside it, true
          is off.
        - `autostamp_sender_id_text`: The sender's disclosure, appended to texts; it counts for their segments. 1 to 160
          characters.
        - `autostamp_cadence`: Which texts to one recipient carry the sender's disclosure: all, the first ever, or the
          first in 24 hours.
        - `suppression_disabled`: Kept on record and without effect: STOP always suppresses.
        - `branded_link_advisory_disabled`: null inherits from the next wider scope, false is on with the settings
          beside it, true is off.

        Scope: `org:admin:write`. Refusals: InvalidInput, NotFound, ValidationFailed.
        """
        return self._one(
            Profile,
            Call(
                "PATCH",
                f"/v1/guardrails/profiles/{segment(profile_id)}",
                body={
                    "name": name,
                    "quiet_hours_disabled": quiet_hours_disabled,
                    "quiet_hours_start_minute": quiet_hours_start_minute,
                    "quiet_hours_end_minute": quiet_hours_end_minute,
                    "quiet_hours_mode": quiet_hours_mode,
                    "freq_cap_disabled": freq_cap_disabled,
                    "freq_cap_window_minutes": freq_cap_window_minutes,
                    "freq_cap_max_in_window": freq_cap_max_in_window,
                    "consent_freshness_disabled": consent_freshness_disabled,
                    "consent_freshness_max_age_days": consent_freshness_max_age_days,
                    "autostamp_disabled": autostamp_disabled,
                    "autostamp_sender_id_text": autostamp_sender_id_text,
                    "autostamp_cadence": autostamp_cadence,
                    "suppression_disabled": suppression_disabled,
                    "branded_link_advisory_disabled": branded_link_advisory_disabled,
                },
            ),
        )

    def delete(self, profile_id: Id) -> None:
        """Delete a guardrail profile.

        Refused while it is bound.

        Scope: `org:admin:write`. Refusals: ValidationFailed, NotFound, Conflict.
        """
        self._nothing(Call("DELETE", f"/v1/guardrails/profiles/{segment(profile_id)}"))

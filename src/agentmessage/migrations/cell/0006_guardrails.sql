-- What an organization lays on itself beyond the law: profiles, and the scopes they are bound to.

CREATE TABLE guardrail_profiles (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    name                text NOT NULL,
    source              text NOT NULL DEFAULT 'customer',
    template_key        text,
    -- Every `*_disabled`: null inherits from the next wider scope; false is on, with the settings beside it; true is off.
    quiet_hours_disabled boolean,
    quiet_hours_start_minute integer CHECK (quiet_hours_start_minute BETWEEN 0 AND 1439),
    quiet_hours_end_minute integer CHECK (quiet_hours_end_minute BETWEEN 0 AND 1439),
    quiet_hours_mode    text CHECK (quiet_hours_mode IN ('reject', 'defer')),
    freq_cap_disabled   boolean,
    freq_cap_window_minutes integer CHECK (freq_cap_window_minutes >= 1),
    freq_cap_max_in_window integer CHECK (freq_cap_max_in_window >= 1),
    consent_freshness_disabled boolean,
    consent_freshness_max_age_days integer CHECK (consent_freshness_max_age_days >= 1),
    autostamp_disabled  boolean,
    autostamp_sender_id_text text,
    autostamp_cadence   text CHECK (autostamp_cadence IN ('every', 'first', 'daily')),
    suppression_disabled boolean,
    branded_link_advisory_disabled boolean,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX guardrail_profiles_list_idx ON guardrail_profiles (org_id, created_at DESC, id DESC);

CREATE TABLE guardrail_pools (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    brand_id            uuid NOT NULL REFERENCES brands (id),
    name                text NOT NULL,
    slug                text NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (org_id, slug)
);
CREATE INDEX guardrail_pools_list_idx ON guardrail_pools (org_id, created_at DESC, id DESC);

CREATE TABLE guardrail_pool_members (
    phone_number_id     uuid PRIMARY KEY REFERENCES phone_numbers (id) ON DELETE CASCADE,   -- one pool per number
    pool_id             uuid NOT NULL REFERENCES guardrail_pools (id) ON DELETE CASCADE,
    org_id              uuid NOT NULL,
    added_at            timestamptz NOT NULL
);
CREATE INDEX guardrail_pool_members_pool_idx ON guardrail_pool_members (pool_id, phone_number_id);

-- `scope_id` is the number, pool, campaign or brand, or the organization itself for the default.
CREATE TABLE guardrail_bindings (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    scope_kind          text NOT NULL CHECK (scope_kind IN ('use_case_default', 'brand', 'campaign', 'pool', 'phone_number')),
    scope_id            uuid NOT NULL,
    profile_id          uuid NOT NULL REFERENCES guardrail_profiles (id),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (org_id, scope_id)
);
CREATE INDEX guardrail_bindings_list_idx ON guardrail_bindings (org_id, created_at DESC, id DESC);
CREATE INDEX guardrail_bindings_profile_idx ON guardrail_bindings (profile_id);

-- When one contact was lately texted, for each scope whose cap counts it. Only as many moments as the cap needs.
CREATE TABLE frequency_counters (
    org_id              uuid NOT NULL,
    contact_number      text NOT NULL,
    scope_id            uuid NOT NULL,
    texted_at           bigint[] NOT NULL,      -- milliseconds since 1970, oldest first
    PRIMARY KEY (org_id, contact_number, scope_id)
) WITH (fillfactor = 70);

-- When the same texts were really handed over: a queue that stood still may not empty itself on somebody at once. Apart
-- from the counters above, so that workers and admission do not wait for each other.
CREATE TABLE handover_tallies (
    org_id              uuid NOT NULL,
    contact_number      text NOT NULL,
    scope_id            uuid NOT NULL,
    handed              jsonb NOT NULL,         -- {message id: milliseconds since 1970}
    PRIMARY KEY (org_id, contact_number, scope_id)
) WITH (fillfactor = 50);

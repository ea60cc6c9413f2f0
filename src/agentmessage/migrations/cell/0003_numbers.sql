-- Numbers: who holds one, which campaign it should be on (the wish), and what the carrier has (line options).

CREATE TABLE number_orders (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL REFERENCES organizations (id),
    account             text NOT NULL,
    kind                text NOT NULL CHECK (kind IN ('order', 'bulk', 'return')),
    status              text NOT NULL CHECK (status IN ('processing', 'complete', 'failed')),
    quantity            integer NOT NULL,
    criteria            jsonb NOT NULL,         -- area_code, number_type, pattern of a bulk order
    settings            jsonb NOT NULL,         -- inbound_url, status_url, label, campaign_id for every number
    assigned            text[] NOT NULL DEFAULT '{}',   -- what it came to
    unavailable         text[] NOT NULL DEFAULT '{}',   -- what could not be had, and why it failed
    round               integer NOT NULL DEFAULT 0,     -- purchases begun: a bulk order tries again with other numbers
    purchase            text[] NOT NULL DEFAULT '{}',   -- members of the carrier order under way; empty: none is
    order_key           text UNIQUE CHECK (length(order_key) <= 40),    -- CustomerOrderId of that carrier order
    submitted_at        timestamptz,            -- handed to the carrier; null: the carrier surely has not got it
    doubt_at            timestamptz,            -- from here on a look-up that finds nothing counts as a miss
    misses              integer NOT NULL DEFAULT 0,     -- two allow the same key again
    polls               integer NOT NULL DEFAULT 0,
    carrier_order_id    text,
    carrier_said        text,                   -- the last refusal, or answer not understood, as it came (64 KiB at most)
    created_at          timestamptz NOT NULL,
    finished_at         timestamptz
);
CREATE INDEX number_orders_carrier_idx ON number_orders (carrier_order_id) WHERE status = 'processing';

CREATE TABLE phone_numbers (
    id                  uuid PRIMARY KEY,       -- one row per ownership: a number that is sold again gets another id
    org_id              uuid NOT NULL REFERENCES organizations (id),
    account             text NOT NULL,
    number              text NOT NULL,
    number_type         text NOT NULL,
    state               text NOT NULL CHECK (state IN ('ordering', 'assigned', 'quarantined')),
    order_id            uuid REFERENCES number_orders (id),
    inbound_url         text,
    status_url          text,
    label               text,
    campaign_id         uuid REFERENCES campaigns (id),     -- the customer's wish
    generation          bigint NOT NULL,        -- +1 with every change of the wish
    wished_at           timestamptz NOT NULL,
    line_option_status  text CHECK (line_option_status IN ('pending', 'propagated', 'failed')),
    line_option_propagated_at timestamptz,
    sms_enabled         boolean NOT NULL DEFAULT true,
    mms_enabled         boolean NOT NULL DEFAULT true,
    charged_until       timestamptz,            -- end of the month that is paid for
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    released_at         timestamptz,
    return_to_carrier   boolean NOT NULL DEFAULT false,
    UNIQUE (account, number)
);
CREATE INDEX phone_numbers_list_idx ON phone_numbers (org_id, created_at DESC, id DESC);
CREATE INDEX phone_numbers_campaign_idx ON phone_numbers (campaign_id, created_at DESC, id DESC)
    WHERE campaign_id IS NOT NULL;
CREATE INDEX phone_numbers_order_idx ON phone_numbers (order_id) WHERE state = 'ordering';
CREATE INDEX phone_numbers_charge_idx ON phone_numbers (charged_until) WHERE state = 'assigned';
CREATE INDEX phone_numbers_released_idx ON phone_numbers (released_at) WHERE state = 'quarantined';

-- The carrier side of one number: what was seen, what is under way, what comes next. Only the reconciler writes here,
-- but for `due_at`, the bell that attach, detach and release ring.
CREATE TABLE line_options (
    phone_number_id     uuid PRIMARY KEY REFERENCES phone_numbers (id) ON DELETE CASCADE,
    org_id              uuid NOT NULL REFERENCES organizations (id),
    account             text NOT NULL,
    number              text NOT NULL,
    phase               text NOT NULL CHECK (phase IN ('unbound', 'bind_queued', 'binding', 'propagating', 'bound',
                            'unbind_queued', 'unbinding', 'backoff', 'blocked', 'unknown')),
    observed            text NOT NULL CHECK (observed IN ('unread', 'absent', 'present')),
    observed_campaign   text CHECK ((observed = 'present') = (observed_campaign IS NOT NULL)),
    observed_status     text NOT NULL DEFAULT 'settled' CHECK (observed_status IN ('settled', 'processing', 'failed')),
    observed_at         timestamptz,            -- when the read that is believed began
    operators           jsonb NOT NULL DEFAULT '{}',
    applied_generation  bigint NOT NULL DEFAULT 0,
    op_seq              bigint NOT NULL DEFAULT 0,      -- grows with every submission for this number
    op_order_id         uuid,                   -- the carrier order under way; null: nothing is
    op_campaign         text,                   -- null with op_order_id set: an unbind
    op_generation       bigint,
    op_submitted_at     timestamptz,
    op_accepted_at      timestamptz,            -- the order is complete; the operators may not have followed yet
    op_deadline_at      timestamptz,
    attempts            integer NOT NULL DEFAULT 0,
    trouble             text,
    error_code          text,
    error_text          text,
    differs_count       integer NOT NULL DEFAULT 0,     -- consecutive sweeps that saw something else than we believe
    differs_since       timestamptz,
    due_at              timestamptz,            -- null: nothing to do until something rings
    lease_token         uuid,
    lease_until         timestamptz,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX line_options_due_idx ON line_options (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX line_options_fair_idx ON line_options (org_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX line_options_order_idx ON line_options (op_order_id) WHERE op_order_id IS NOT NULL;
CREATE INDEX line_options_number_idx ON line_options (account, number);
CREATE INDEX line_options_observed_idx ON line_options (observed_campaign) WHERE observed_campaign IS NOT NULL;
ALTER TABLE line_options SET (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 80);

CREATE TABLE line_transitions (
    phone_number_id     uuid NOT NULL REFERENCES phone_numbers (id) ON DELETE CASCADE,
    id                  uuid NOT NULL,
    org_id              uuid NOT NULL,
    occurred_at         timestamptz NOT NULL,
    phase               text NOT NULL,
    generation          bigint NOT NULL,
    note                text NOT NULL,
    PRIMARY KEY (phone_number_id, id)
);

-- One order at the carrier for many numbers, written before the call: the key is how a crash is recovered from.
CREATE TABLE carrier_orders (
    id                  uuid PRIMARY KEY,
    account             text NOT NULL,
    order_key           text NOT NULL UNIQUE CHECK (length(order_key) <= 40),
    state               text NOT NULL CHECK (state IN ('written', 'submitted', 'unknown', 'accepted', 'done', 'refused')),
    carrier_order_id    text,
    size                integer NOT NULL,
    misses              integer NOT NULL DEFAULT 0,     -- look-ups that found nothing; two allow the same key again
    submissions         integer NOT NULL DEFAULT 0,
    polls               integer NOT NULL DEFAULT 0,
    due_at              timestamptz,
    lease_token         uuid,
    lease_until         timestamptz,
    raw                 text,                   -- an answer that could not be understood, as it came (64 KiB at most)
    created_at          timestamptz NOT NULL,
    submitted_at        timestamptz,
    finished_at         timestamptz
);
CREATE INDEX carrier_orders_due_idx ON carrier_orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX carrier_orders_carrier_idx ON carrier_orders (carrier_order_id);

CREATE TABLE carrier_order_members (
    order_id            uuid NOT NULL REFERENCES carrier_orders (id) ON DELETE CASCADE,
    phone_number_id     uuid NOT NULL,
    number              text NOT NULL,
    campaign            text,                   -- null: take the number off
    op_seq              bigint NOT NULL,
    generation          bigint NOT NULL,
    result              text CHECK (result IN ('accepted', 'refused')),
    code                text,
    text                text,
    PRIMARY KEY (order_id, phone_number_id)
);
CREATE INDEX carrier_order_members_number_idx ON carrier_order_members (phone_number_id);

CREATE TABLE drift_events (
    id                  uuid PRIMARY KEY,
    account             text NOT NULL,
    number              text NOT NULL,
    phone_number_id     uuid,                   -- null: a number that is not ours
    org_id              uuid,
    kind                text NOT NULL CHECK (kind IN ('missing', 'wrong_campaign', 'extra', 'unknown_number', 'sweep_stopped')),
    expected_campaign   text,
    seen_campaign       text,
    found_at            timestamptz NOT NULL,
    healed_at           timestamptz
);
CREATE INDEX drift_events_found_idx ON drift_events (found_at DESC);
CREATE UNIQUE INDEX drift_events_open_idx ON drift_events (account, number) WHERE healed_at IS NULL;

-- What carriers and the registry told us, raw, before it is read.
CREATE TABLE carrier_callbacks (
    id                  uuid PRIMARY KEY,
    source              text NOT NULL,
    account             text NOT NULL,
    received_at         timestamptz NOT NULL,
    body                text NOT NULL,
    outcome             text NOT NULL CHECK (outcome IN ('read', 'unreadable', 'unknown_subject'))
);
CREATE INDEX carrier_callbacks_age_idx ON carrier_callbacks (received_at);

-- A phone number as the API shows it; events carry it from inside the statement that changes it.
CREATE FUNCTION wire_time(t timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN date_part('microseconds', t)::bigint % 1000000 = 0 THEN 'Z'
                ELSE to_char(t AT TIME ZONE 'UTC', '.US"Z"') END
$$;
CREATE FUNCTION phone_number_resource(p phone_numbers) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', p.id, 'number', p.number, 'number_type', p.number_type, 'inbound_url', p.inbound_url,
        'status_url', p.status_url, 'label', p.label, 'campaign_id', p.campaign_id,
        'carrier_line_option_status', p.line_option_status,
        'carrier_line_option_propagated_at', wire_time(p.line_option_propagated_at),
        'sms_enabled', p.sms_enabled, 'mms_enabled', p.mms_enabled,
        'created_at', wire_time(p.created_at), 'updated_at', wire_time(p.updated_at))
$$;

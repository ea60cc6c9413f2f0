-- Texts out: what was accepted, what waits for its carrier, what the carrier said.

-- One row per organization, locked by every admission, by STOP and by cancel: admissions of one organization are one
-- history. `version` grows with every change of the law (a STOP, a revocation), so that a reader who waited for the lock
-- knows that what it read beside it is stale.
CREATE TABLE sending_accounts (
    org_id              uuid PRIMARY KEY,
    version             bigint NOT NULL DEFAULT 0,
    admitted_microcents bigint NOT NULL DEFAULT 0,      -- all that was ever admitted; less settled_microcents is held
    second_tokens       double precision NOT NULL DEFAULT 0,
    minute_tokens       double precision NOT NULL DEFAULT 0,
    refilled_at         timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
ALTER TABLE wallets ADD COLUMN settled_microcents bigint NOT NULL DEFAULT 0;    -- of the admitted: charged, or given up
ALTER TABLE organizations ADD COLUMN throughput_per_sec integer CHECK (throughput_per_sec > 0);    -- null: by tier
ALTER TABLE organizations ADD COLUMN throughput_per_min integer CHECK (throughput_per_min > 0);

-- UUIDv7 keys and (org_id, created_at) grow at their right edge, so an insert costs the same beside ten million rows.
-- Both moves of a text (sent, delivered) find room in its page, and no index hears of them: it nearly doubles by them.
CREATE TABLE messages (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    account             text NOT NULL CHECK (account IN ('live', 'sandbox')),
    phone_number_id     uuid NOT NULL,
    campaign_id         uuid,                   -- that of the sender when it was admitted
    brand_id            uuid,
    kind                text NOT NULL CHECK (kind IN ('customer', 'auto_reply', 'confirmation')),
    sender              text NOT NULL,
    recipient           text NOT NULL,
    text                text,                   -- as the customer wrote it; null: none, or redacted
    stamp               text,                   -- what the guardrail appended to it
    channel             text NOT NULL CHECK (channel IN ('sms', 'mms')),
    media               text[] NOT NULL DEFAULT '{}',
    encoding            text NOT NULL,
    segments            integer NOT NULL,
    priority            smallint NOT NULL,      -- 0 high, 1 default, 2 low
    tag                 text,
    metadata            jsonb,
    status              text NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'undelivered',
                                                        'canceled')),
                                                -- `sending` is told from dispatches.claimed_at, and stored only when unknown
    error_code          text,                   -- canonical (domain notes 5.2)
    carrier_code        text,                   -- the carrier's own
    carrier_text        text,
    carrier_message_id  text,                   -- of the first part
    unit_price_microcents bigint NOT NULL,      -- per segment, frozen
    is_charged          boolean NOT NULL DEFAULT false,
    history             jsonb NOT NULL DEFAULT '[]',    -- every move after `queued`: [{"at","status","cause","code","text"}]
    scheduled_at        timestamptz,
    expires_at          timestamptz NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    sent_at             timestamptz,
    delivered_at        timestamptz,
    finished_at         timestamptz,
    redacted_at         timestamptz,
    is_smart            boolean NOT NULL DEFAULT false  -- sent in cheaper characters where that saves a part
) WITH (fillfactor = 45);
CREATE INDEX messages_list_idx ON messages (org_id, created_at DESC, id DESC);
-- For erasure, which must find every text to one contact: a thousandth of the table's size, and free to insert beside.
CREATE INDEX messages_recipient_idx ON messages USING brin (recipient text_bloom_ops) WITH (autosummarize = on);
-- An index on an empty table begins with a summary of its first pages, which every insert there would unpack, change
-- and pack again: a sixth of a millisecond. Without it they are summarized when they are full, like all others.
SELECT brin_desummarize_range('messages_recipient_idx', 0);
ALTER TABLE messages SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

-- What is not at the carrier yet. The row goes away in the transaction that records the outcome.
CREATE TABLE dispatches (
    message_id          uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    account             text NOT NULL,
    phone_number_id     uuid NOT NULL,
    campaign_id         uuid NOT NULL,          -- the lane: for a text without a campaign (a reply), the number's id
    brand_id            uuid,
    recipient           text NOT NULL,
    kind                text NOT NULL,
    channel             text NOT NULL,
    segments            integer NOT NULL,
    priority            smallint NOT NULL,
    price_microcents    bigint NOT NULL,        -- all segments: what is held for it
    ready_at            timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    attempts            integer NOT NULL DEFAULT 0,     -- deferrals by the carrier
    claimed_at          timestamptz,            -- set in its own commit before the carrier hears of it
    claim_token         uuid,                   -- which worker's claim
    claim_until         timestamptz             -- a claim that outlives its worker is an unknown outcome
) WITH (fillfactor = 70);
CREATE INDEX dispatches_lane_idx ON dispatches (account, org_id, campaign_id, priority, ready_at, message_id)
    WHERE claimed_at IS NULL;
CREATE INDEX dispatches_claim_idx ON dispatches (claim_until) WHERE claimed_at IS NOT NULL;
CREATE INDEX dispatches_pair_idx ON dispatches (org_id, phone_number_id, recipient);
CREATE INDEX dispatches_expiry_idx ON dispatches (expires_at);
ALTER TABLE dispatches SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- One row per part that the carrier accepted: receipts come by its id. Forgotten when no receipt can come any more.
CREATE TABLE carrier_parts (
    account             text NOT NULL,
    carrier             text NOT NULL,          -- smpp, bandwidth
    carrier_message_id  text NOT NULL,          -- as we compare it: hexadecimal and decimal forms are one (domain notes 5.1)
    message_id          uuid NOT NULL,
    org_id              uuid NOT NULL,
    part                smallint NOT NULL,
    parts               smallint NOT NULL,
    outcome             text,                   -- final state of this part; null: no receipt yet
    created_at          timestamptz NOT NULL,
    PRIMARY KEY (account, carrier, carrier_message_id)
) WITH (fillfactor = 45);    -- every part is written twice within seconds
CREATE INDEX carrier_parts_message_idx ON carrier_parts (message_id);
CREATE INDEX carrier_parts_age_idx ON carrier_parts (created_at);   -- no BRIN: space that is forgotten is used again

-- A receipt that came before its part was recorded, or that belongs to nobody: kept raw, matched later or forgotten.
CREATE TABLE early_receipts (
    id                  uuid PRIMARY KEY,
    account             text NOT NULL,
    carrier             text NOT NULL,
    carrier_message_id  text NOT NULL,
    message_id          uuid,                   -- where the carrier carries our own id back
    status              text NOT NULL,
    error_code          text,
    carrier_code        text,
    raw                 text NOT NULL,
    happened_at         timestamptz NOT NULL,
    received_at         timestamptz NOT NULL
);
CREATE INDEX early_receipts_match_idx ON early_receipts (account, carrier, carrier_message_id);
CREATE INDEX early_receipts_message_idx ON early_receipts (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX early_receipts_age_idx ON early_receipts (received_at);

-- Token buckets that all workers share: a campaign's class, a number's, a carrier account's (scope_id null there).
CREATE TABLE pace_buckets (
    account             text NOT NULL,
    scope               text NOT NULL,          -- campaign:<id>, number:<id>, account
    tokens              double precision NOT NULL,
    refilled_at         timestamptz NOT NULL,
    paused_until        timestamptz,            -- the carrier asked for patience
    PRIMARY KEY (account, scope)
) WITH (fillfactor = 50);

-- What one brand sent on one day of one operator's calendar (T-Mobile's cap resets at midnight Pacific).
CREATE TABLE daily_volumes (
    brand_id            uuid NOT NULL,
    operator            text NOT NULL,
    day                 date NOT NULL,
    segments            bigint NOT NULL,
    PRIMARY KEY (brand_id, operator, day)
) WITH (fillfactor = 50);

CREATE TABLE media (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    mime_type           text NOT NULL,
    byte_size           integer NOT NULL,       -- as announced; never more is taken
    state               text NOT NULL CHECK (state IN ('announced', 'stored')),
    upload_token_hash   bytea UNIQUE,           -- single use: null once taken
    object_key          text NOT NULL UNIQUE,
    created_at          timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,   -- of the upload link; afterwards of the object
    needed_until        timestamptz,            -- a text that is not sent yet may need it so long, whatever its age
    stored_at           timestamptz
);
CREATE INDEX media_expiry_idx ON media (expires_at);
CREATE INDEX media_org_idx ON media (org_id, stored_at);

-- A text as the API shows it (messages.schemas.MessageOut); events carry it from inside the statement that moves it.
CREATE FUNCTION message_resource(m messages) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', m.id, 'from', m.sender, 'to', m.recipient, 'text', m.text, 'appended_text', m.stamp,
        'channel', m.channel, 'media', to_jsonb(m.media), 'priority', (ARRAY['high', 'default', 'low'])[m.priority + 1],
        'status', m.status,
        'error', CASE WHEN m.error_code IS NOT NULL THEN jsonb_build_object(
            'code', m.error_code, 'carrier_code', m.carrier_code, 'carrier_text', m.carrier_text) END,
        'tag', m.tag, 'metadata', m.metadata, 'phone_number_id', m.phone_number_id, 'campaign_id', m.campaign_id,
        'kind', m.kind, 'segment_count', m.segments, 'encoding', m.encoding, 'smart_encoding', m.is_smart,
        'cost_cents', (m.unit_price_microcents * m.segments + 999999) / 1000000,
        'carrier_message_id', m.carrier_message_id, 'bandwidth_message_id', m.carrier_message_id,
        'scheduled_at', wire_time(m.scheduled_at), 'expires_at', wire_time(m.expires_at),
        'created_at', wire_time(m.created_at), 'sent_at', wire_time(m.sent_at),
        'delivered_at', wire_time(m.delivered_at), 'redacted_at', wire_time(m.redacted_at))
$$;

-- One cell: everything that belongs to the organizations in it. The tables stand in the order of the rooms that own
-- them (docs/concepts/architecture.md), from the platform's own up to what a contact sends.
--
-- Rules that hold for every table:
--   org_id    is the tenant, and every statement names it. Tables that many requests of one organization write carry
--             no foreign key to organizations: organizations are never deleted, and the check would lock one row of
--             them in every transaction of a busy tenant.
--   account   is the carrier or registry account, 'live' or 'sandbox': the mode of the organization.
--   id        is a UUIDv7 where rows are listed: an index on it grows at its right edge.
--   *_at      is an instant by the database's clock, unless the comment says otherwise.
--   *_microcents are millionths of a US cent.

-- ---------------------------------------------------------------------------------------------------------------------
-- Functions that several rooms use
-- ---------------------------------------------------------------------------------------------------------------------

-- An instant as the API writes it. Events are rendered inside the statement that changes a row, with this function.
CREATE FUNCTION wire_time(t timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN date_part('microseconds', t)::bigint % 1000000 = 0 THEN 'Z'
                ELSE to_char(t AT TIME ZONE 'UTC', '.US"Z"') END
$$;

-- Events and audit rows are ordered by their transactions. No row can appear below the horizon any more. In a database
-- that was restored into another cluster, migrations/restore.py moves the horizon and the numbers of new rows by a
-- constant, the shift, so that new rows sort after restored ones (decision 0010).
CREATE FUNCTION xid_horizon() RETURNS xid8 LANGUAGE sql STABLE
    AS 'SELECT pg_snapshot_xmin(pg_current_snapshot())';
CREATE FUNCTION xid_shift() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint';

-- The trigger of append-only tables. It fires for the owner of the tables too (decision 0021).
CREATE FUNCTION reject_mutation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is rejected', tg_table_name, tg_op USING ERRCODE = 'restrict_violation';
END $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- organizations
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE organizations (
    id                  uuid PRIMARY KEY,
    mode                text NOT NULL CHECK (mode IN ('live', 'sandbox')),
    name                text NOT NULL,
    billing_email       text,
    plan                text NOT NULL DEFAULT 'payg',
    throughput_tier     integer NOT NULL DEFAULT 1,
    throughput_per_sec  integer CHECK (throughput_per_sec > 0),     -- null: by tier
    throughput_per_min  integer CHECK (throughput_per_min > 0),     -- null: by tier
    message_retention_days integer NOT NULL DEFAULT 90 CHECK (message_retention_days BETWEEN 30 AND 365),
    mms_retention_days  integer NOT NULL DEFAULT 30 CHECK (mms_retention_days BETWEEN 1 AND 365),
    is_commercial       boolean NOT NULL DEFAULT true,
    is_reseller         boolean NOT NULL DEFAULT false,
    quiet_hours         jsonb NOT NULL,
    auto_replies        jsonb NOT NULL,
    -- How far a STOP reaches beyond the number that it was sent to.
    opt_out_scope       text NOT NULL DEFAULT 'brand'
                        CHECK (opt_out_scope IN ('number', 'campaign', 'brand', 'organization')),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);

-- ---------------------------------------------------------------------------------------------------------------------
-- outbox: events and jobs
-- ---------------------------------------------------------------------------------------------------------------------

-- Events are written in the transaction that makes them true. `GET /v1/events`, webhooks, rollups and jobs read them.
-- `xid` orders them without loss: a reader stays below xid_horizon(), so that a transaction that commits late can never
-- appear before the cursor of a reader.
CREATE TABLE events (
    id              uuid PRIMARY KEY,           -- shown as evt_<id>
    org_id          uuid NOT NULL,
    type            text NOT NULL,
    family          text NOT NULL,              -- phone_number, brand, campaign, message, …
    resource_id     uuid NOT NULL,
    data            jsonb NOT NULL,
    created_at      timestamptz NOT NULL,
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX events_tail_idx ON events (org_id, xid, id);       -- the list and stream of one organization
CREATE INDEX events_order_idx ON events (xid, id);              -- event_cursors
CREATE INDEX events_family_idx ON events (org_id, family, created_at DESC);
-- A block range index: events are written in the order of their time, and every request of a customer writes one.
CREATE INDEX events_age_idx ON events USING brin (created_at) WITH (autosummarize = on);
-- Redaction finds the events that repeat a message's content.
CREATE INDEX events_content_idx ON events (resource_id) WHERE family IN ('message', 'inbound_message');
-- Messages of which it is unknown whether the carrier took them. They are few, and events are only ever inserted.
CREATE INDEX events_unknown_idx ON events (created_at)
    WHERE type = 'message.undelivered' AND data #>> '{error,code}' = 'unknown';

-- The cursor of each reader of all organizations' events. A reader locks its row, reads the events after the cursor and
-- writes what follows from them in one transaction, so that it takes every event exactly once.
CREATE TABLE event_cursors (
    name            text PRIMARY KEY,           -- webhooks, metrics
    xid             xid8 NOT NULL,
    id              uuid NOT NULL,
    as_of           timestamptz NOT NULL        -- all events before this instant have been taken
);
INSERT INTO event_cursors (name, xid, id, as_of) VALUES
    ('webhooks', pg_snapshot_xmin(pg_current_snapshot()), '00000000-0000-0000-0000-000000000000', now()),
    ('metrics', '0', '00000000-0000-0000-0000-000000000000', now());

-- Work that runs after the commit. A job is claimed by lease and may run twice; `key` allows one job per subject.
CREATE TABLE jobs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,
    key             text NOT NULL,
    arguments       jsonb NOT NULL,
    run_at          timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    lease_token     uuid,
    lease_until     timestamptz,
    last_error      text,
    created_at      timestamptz NOT NULL,
    UNIQUE (kind, key)
);
CREATE INDEX jobs_due_idx ON jobs (run_at, id);
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- ---------------------------------------------------------------------------------------------------------------------
-- web: idempotency keys and rate limits of the API
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE idempotency_keys (
    org_id          uuid NOT NULL,
    key             text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint     bytea NOT NULL,             -- SHA-256 of method, path, query and body
    status          integer,                    -- null only inside the transaction that does the work
    headers         jsonb,
    body            bytea,
    subject         uuid,                       -- the resource from which a waiting route can build its response
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_keys_age_idx ON idempotency_keys (created_at);

CREATE TABLE api_rate_buckets (
    org_id          uuid NOT NULL,
    bucket          text NOT NULL,
    tokens          double precision NOT NULL,
    refilled_at     timestamptz NOT NULL,
    is_exhausted    boolean NOT NULL DEFAULT false,     -- the last request got no token
    PRIMARY KEY (org_id, bucket)
);

-- ---------------------------------------------------------------------------------------------------------------------
-- audit: the log and its chain of seals (decision 0020)
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE audit_log (
    org_id          uuid NOT NULL,
    id              text NOT NULL,              -- ULID
    occurred_at     timestamptz NOT NULL,
    actor_kind      text NOT NULL CHECK (actor_kind IN ('customer', 'platform')),
    actor_label     text NOT NULL,
    action          text NOT NULL,
    resource_type   text NOT NULL,
    resource_id     text NOT NULL,
    reason          text,
    request_id      text,
    payload         jsonb,
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (org_id, id)
);
CREATE INDEX audit_log_time_idx ON audit_log (org_id, occurred_at DESC, id DESC);
CREATE INDEX audit_log_order_idx ON audit_log (xid, id);                        -- the order in which rows are sealed

-- Each organization's rows form a chain. A seal proves its row and all seals before it, so that a changed, removed or
-- inserted row is detected, even if the owner of the tables did it.
CREATE TABLE audit_seals (
    org_id          uuid NOT NULL,
    position        bigint NOT NULL,            -- from 1, without gaps
    row_id          text NOT NULL,              -- of the audit_log row of that organization
    hash            bytea NOT NULL,             -- HMAC-SHA256 of the previous hash, the position and the row
    PRIMARY KEY (org_id, position)
);

-- The length and the end of each chain. The key of the signature is not in the database, so that the end of a chain
-- cannot be cut off by writing an earlier end here.
CREATE TABLE audit_chains (
    org_id          uuid PRIMARY KEY,
    length          bigint NOT NULL,
    head            bytea NOT NULL,             -- the hash of the last seal
    signature       bytea NOT NULL              -- HMAC-SHA256 of organization, length and head
) WITH (fillfactor = 70);

-- All rows up to this one are sealed, in the order of their transactions.
CREATE TABLE audit_cursor (
    is_only         boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    xid             xid8 NOT NULL,
    id              text NOT NULL
);
INSERT INTO audit_cursor (xid, id) VALUES ('0', '');

CREATE TRIGGER audit_log_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION reject_mutation();
CREATE TRIGGER audit_seals_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION reject_mutation();
CREATE TRIGGER audit_chains_stay BEFORE DELETE OR TRUNCATE ON audit_chains
    FOR EACH STATEMENT EXECUTE FUNCTION reject_mutation();
-- ALWAYS: also in a session that sets session_replication_role, which fires no ordinary trigger.
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_is_final;
ALTER TABLE audit_seals ENABLE ALWAYS TRIGGER audit_seals_are_final;
ALTER TABLE audit_chains ENABLE ALWAYS TRIGGER audit_chains_stay;

-- ---------------------------------------------------------------------------------------------------------------------
-- webhooks (decision 0018)
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE webhook_endpoints (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL,
    url             text NOT NULL,
    description     text,
    events          text[] NOT NULL,
    active          boolean NOT NULL,
    api_version     text NOT NULL,
    encrypted_secret bytea NOT NULL,            -- empty once deleted
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    deleted_at      timestamptz
);
CREATE INDEX webhook_endpoints_list_idx ON webhook_endpoints (org_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;

-- The secret that signs requests to the URLs of an organization's numbers. The previous one stays valid for five
-- minutes.
CREATE TABLE webhook_secrets (
    org_id                  uuid PRIMARY KEY,
    encrypted_secret        bytea NOT NULL,
    rotated_at              timestamptz NOT NULL,
    previous_encrypted_secret bytea,
    previous_valid_until    timestamptz
);

-- One queue for each receiver: an endpoint, or a URL that numbers of an organization name. A dispatcher holds a queue
-- while it works on it, so that requests in flight are known to one process and need not be stored.
CREATE TABLE webhook_queues (
    id              uuid PRIMARY KEY,           -- the queue of an endpoint has the endpoint's id
    org_id          uuid NOT NULL,
    number_url      text,                       -- null: the queue of an endpoint
    due_at          timestamptz,                -- when its dispatcher reads it next; null: it is empty
    holder          uuid,                       -- the dispatcher that works on it
    failing_since   timestamptz,                -- every attempt since then failed; null: the last one succeeded
    disabled_at     timestamptz,                -- of a number's URL; an endpoint has `active`
    full_at         timestamptz,                -- too many deliveries wait: new events are written off immediately
    created_at      timestamptz NOT NULL,
    UNIQUE (org_id, number_url)
) WITH (fillfactor = 70);
CREATE INDEX webhook_queues_due_idx ON webhook_queues (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_queues_holder_idx ON webhook_queues (holder) WHERE holder IS NOT NULL;

-- Events that are still to be delivered. A row is deleted with its last attempt.
CREATE TABLE webhook_deliveries (
    queue_id        uuid NOT NULL,
    due_at          timestamptz NOT NULL,
    id              uuid NOT NULL,
    org_id          uuid NOT NULL,
    event_id        uuid NOT NULL,              -- the event whose data is delivered
    public_event_id uuid NOT NULL,              -- the id that the receiver sees: a replay is a new event
    attempts        integer NOT NULL DEFAULT 0, -- made so far
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (queue_id, due_at, id)
);
ALTER TABLE webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- One row for each attempt, with the response: the API's `delivery`.
CREATE TABLE webhook_attempts (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL,
    queue_id        uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('endpoint', 'number')),
    source_event_id uuid NOT NULL,
    event_id        uuid NOT NULL,              -- as the receiver saw it
    event_type      text NOT NULL,
    url             text NOT NULL,
    attempt         integer NOT NULL,
    outcome         text NOT NULL CHECK (outcome IN ('success', 'retry', 'dead')),
    response_status integer,
    response_time_ms integer,
    request_body_sha256 bytea,
    request_body_bytes integer,
    response_body_excerpt text,
    request_headers jsonb NOT NULL,
    error           text,
    occurred_at     timestamptz NOT NULL
);
CREATE INDEX webhook_attempts_list_idx ON webhook_attempts (org_id, occurred_at DESC, id DESC);
CREATE INDEX webhook_attempts_queue_idx ON webhook_attempts (queue_id, occurred_at DESC, id DESC);
CREATE INDEX webhook_attempts_type_idx ON webhook_attempts (org_id, event_type, occurred_at DESC, id DESC);
CREATE INDEX webhook_attempts_failed_idx ON webhook_attempts (org_id, occurred_at DESC, id DESC)
    WHERE outcome <> 'success';
-- A response may repeat the content of the event: it is deleted when the event is redacted.
CREATE INDEX webhook_attempts_source_idx ON webhook_attempts (source_event_id) WHERE response_body_excerpt IS NOT NULL;
CREATE INDEX webhook_attempts_age_idx ON webhook_attempts USING brin (occurred_at) WITH (autosummarize = on);

-- ---------------------------------------------------------------------------------------------------------------------
-- rollups and metrics: sums that grow with their sources, so that a question about a month reads thirty rows
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE metric_buckets (
    org_id          uuid NOT NULL,
    metric          text NOT NULL,              -- as the API names it: messages.outbound.sent, wallet.debit_cents, …
    span            text NOT NULL CHECK (span IN ('minute', 'hour', 'day')),
    bucket_start    timestamptz NOT NULL,       -- UTC; the bucket is half-open
    labels          jsonb NOT NULL,             -- what it can be grouped by: {"channel": "sms"}
    value           bigint NOT NULL,            -- a count, or microcents
    PRIMARY KEY (org_id, metric, span, bucket_start, labels)
) WITH (fillfactor = 80);
-- For retention and recounts. No value is in an index, so that adding to a sum touches no index.
CREATE INDEX metric_buckets_age_idx ON metric_buckets (span, bucket_start);

-- The metric that an event counts for; null: none. A message that did not arrive counts as failed, whether we or the
-- carrier reported it.
CREATE FUNCTION event_metric(type text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE type WHEN 'message.sent' THEN 'messages.outbound.sent'
                     WHEN 'message.delivered' THEN 'messages.outbound.delivered'
                     WHEN 'message.failed' THEN 'messages.outbound.failed'
                     WHEN 'message.undelivered' THEN 'messages.outbound.failed'
                     WHEN 'inbound_message.received' THEN 'messages.inbound.received' END
$$;
CREATE FUNCTION event_labels(data jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('channel', data -> 'channel', 'error_code', data #> '{error,code}'))
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- keys
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE api_keys (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL REFERENCES organizations (id),
    parent_id       uuid REFERENCES api_keys (id),      -- the key that made it; revoking that one revokes it
    label           text NOT NULL,
    prefix          text NOT NULL,
    hash            bytea NOT NULL UNIQUE,      -- SHA-256 of the plaintext
    scopes          text[] NOT NULL,
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz,
    revoked_at      timestamptz
);
CREATE INDEX api_keys_list_idx ON api_keys (org_id, created_at DESC, id DESC);
CREATE INDEX api_keys_parent_idx ON api_keys (org_id, parent_id) WHERE parent_id IS NOT NULL;

-- ---------------------------------------------------------------------------------------------------------------------
-- billing: wallets, the ledger and usage (decisions 0005, 0021)
-- ---------------------------------------------------------------------------------------------------------------------

-- `balance_microcents` is the sum of the organization's ledger entries. It is kept in the same transaction, so that a
-- charge can be decided under one row lock.
CREATE TABLE wallets (
    org_id              uuid PRIMARY KEY REFERENCES organizations (id),
    balance_microcents  bigint NOT NULL DEFAULT 0,
    lifetime_spend_microcents bigint NOT NULL DEFAULT 0,
    -- Charged, but given back if the open outcome turns out a failure. Until then it earns no throughput tier.
    provisional_spend_microcents bigint NOT NULL DEFAULT 0,
    -- Of send_accounts.admitted_microcents: charged or released. The difference is held.
    settled_microcents  bigint NOT NULL DEFAULT 0,
    -- Below this balance the wallet is topped up automatically; null: never. It stands in the same row, so that the
    -- charge that falls below it sees it under the lock that it has.
    auto_topup_below_microcents bigint,
    updated_at          timestamptz NOT NULL
);

-- Append-only, double entry. A mistake is corrected by another transaction.
CREATE TABLE ledger_transactions (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL,
    ts              timestamptz NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('topup', 'debit', 'refund', 'adjustment')),
    amount_microcents bigint NOT NULL,          -- signed, from the wallet's side
    balance_after_microcents bigint NOT NULL,
    source          text NOT NULL,              -- operator, stripe, number_month, campaign_month, outbound, …
    source_ref      text,
    metadata        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ledger_transactions_list_idx ON ledger_transactions (org_id, ts DESC, id DESC);
-- Nothing is charged, refunded or credited twice.
CREATE UNIQUE INDEX ledger_transactions_once_idx ON ledger_transactions (org_id, source, source_ref, kind)
    WHERE source_ref IS NOT NULL;
-- Finds top-ups, refunds and adjustments among millions of debits, which need no index of their own for it.
CREATE INDEX ledger_transactions_rare_idx ON ledger_transactions (org_id, kind, ts DESC, id DESC)
    WHERE kind <> 'debit';

-- No foreign key to ledger_transactions: the trigger below checks all entries of a statement in one query.
CREATE TABLE ledger_entries (
    transaction_id  uuid NOT NULL,
    org_id          uuid NOT NULL,
    account         text NOT NULL CHECK (account IN ('wallet', 'revenue', 'funding')),
    amount_microcents bigint NOT NULL,
    PRIMARY KEY (transaction_id, account)
);

CREATE TABLE usage_rows (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL,
    ts              timestamptz NOT NULL,
    kind            text NOT NULL,              -- number_month, brand_filing_onetime, campaign_month, …
    quantity        bigint NOT NULL,
    unit_cost_microcents bigint NOT NULL,
    total_microcents bigint NOT NULL,
    ref_kind        text,
    ref_id          uuid,
    metadata        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX usage_rows_list_idx ON usage_rows (org_id, ts DESC, id DESC);
-- Finds numbers, campaigns and fees among millions of messages, which need no index of their own for it.
CREATE INDEX usage_rows_rare_idx ON usage_rows (org_id, kind, ts DESC, id DESC) WHERE kind <> 'outbound_sms';

CREATE TRIGGER ledger_transactions_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION reject_mutation();
CREATE TRIGGER ledger_entries_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION reject_mutation();
CREATE TRIGGER usage_rows_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON usage_rows
    FOR EACH STATEMENT EXECUTE FUNCTION reject_mutation();
ALTER TABLE ledger_transactions ENABLE ALWAYS TRIGGER ledger_transactions_are_final;
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_entries_are_final;
ALTER TABLE usage_rows ENABLE ALWAYS TRIGGER usage_rows_are_final;

-- The entries of a transaction come in one statement, sum up to zero, and move the wallet by the amount of their
-- transaction.
CREATE FUNCTION require_balance() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT transaction_id, org_id, sum(amount_microcents) AS rest,
                   sum(amount_microcents) FILTER (WHERE account = 'wallet') AS moved
            FROM added GROUP BY transaction_id, org_id
        ) e LEFT JOIN ledger_transactions t ON t.id = e.transaction_id AND t.org_id = e.org_id
        WHERE e.rest <> 0 OR t.amount_microcents IS DISTINCT FROM e.moved
    ) THEN
        RAISE EXCEPTION 'entries must cancel each other and agree with their transaction'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_balance();
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_entries_balance;

-- ---------------------------------------------------------------------------------------------------------------------
-- billing/payments: top-ups and the payment processor (decision 0019)
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE billing_customers (
    org_id              uuid PRIMARY KEY,
    customer_id         text UNIQUE,            -- the processor's; null: the organization was never sent there
    subscription_id     text,
    subscription_status text NOT NULL DEFAULT 'active'
                        CHECK (subscription_status IN ('active', 'past_due', 'canceled')),
    subscription_reported_at timestamptz,       -- by the processor's clock: an older event changes nothing
    updated_at          timestamptz NOT NULL
);

-- One purchase of credit: a checkout that the customer was sent to, or an automatic charge.
CREATE TABLE topups (
    id              uuid PRIMARY KEY,           -- also the processor's idempotency key
    org_id          uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('checkout', 'auto')),
    state           text NOT NULL CHECK (state IN ('open', 'paid', 'failed')),
    product_id      text NOT NULL,
    amount_cents    bigint NOT NULL CHECK (amount_cents > 0),
    success_url     text,
    cancel_url      text,
    session_id      text,
    session_url     text,
    customer_id     text,
    payment_method  text,
    payment_id      text,                       -- the processor's; also the ledger's source_ref
    failure         text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX topups_payment_idx ON topups (payment_id) WHERE payment_id IS NOT NULL;
-- One automatic charge of an organization at a time.
CREATE UNIQUE INDEX topups_charge_idx ON topups (org_id) WHERE kind = 'auto' AND state = 'open';

CREATE TABLE auto_topups (
    org_id          uuid PRIMARY KEY,
    product_id      text NOT NULL,
    amount_cents    bigint NOT NULL,
    threshold_cents bigint NOT NULL,
    monthly_max_cents bigint CHECK (monthly_max_cents > 0),     -- per calendar month (UTC); null: ten times the amount
    is_enabled      boolean NOT NULL,
    failures        integer NOT NULL DEFAULT 0, -- consecutive
    last_failure    text,
    next_attempt_at timestamptz,                -- after a failure: not before this instant
    updated_at      timestamptz NOT NULL
);

-- The ids of the processor's events: the second delivery of an event changes nothing.
CREATE TABLE payment_events (
    id              text PRIMARY KEY,
    org_id          uuid NOT NULL,
    kind            text NOT NULL,
    received_at     timestamptz NOT NULL
);
CREATE INDEX payment_events_age_idx ON payment_events (received_at);

-- ---------------------------------------------------------------------------------------------------------------------
-- brands
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE brands (
    id                  uuid PRIMARY KEY,       -- also the registry's referenceId (as hex), our key after a crash
    org_id              uuid NOT NULL REFERENCES organizations (id),
    account             text NOT NULL CHECK (account IN ('live', 'sandbox')),
    tcr_brand_id        text,
    status              text NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'DELETED')),
    identity_status     text CHECK (identity_status IN ('SELF_DECLARED', 'UNVERIFIED', 'VERIFIED', 'VETTED_VERIFIED')),
    entity_type         text NOT NULL,
    brand_relationship  text NOT NULL,
    display_name        text NOT NULL,
    country             text NOT NULL,
    fields              jsonb NOT NULL DEFAULT '{}',    -- the optional ones, by name; never a tax id
    tax_id_encrypted    bytea,
    tax_id_last4        text,
    is_starter          boolean NOT NULL DEFAULT false, -- made with a sandbox; it does not prevent registering another
    revision            integer NOT NULL DEFAULT 1,     -- +1 with every change by the customer
    applied_revision    integer NOT NULL DEFAULT 0,     -- the newest revision that the registry has
    filings             integer NOT NULL DEFAULT 1,     -- paid filings: +1 when it was rejected and is filed again
    filed_at            timestamptz,            -- last filed without a certain response; null: the registry has nothing
    filing_misses       integer NOT NULL DEFAULT 0,     -- look-ups that found nothing; two allow filing again
    submitted_at        timestamptz,            -- registered
    verified_at         timestamptz,
    failure_reasons     text[] NOT NULL DEFAULT '{}',   -- the registry's text when it rejected or could not verify
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (tcr_brand_id, account)
);
CREATE INDEX brands_list_idx ON brands (org_id, created_at DESC, id DESC);

-- ---------------------------------------------------------------------------------------------------------------------
-- campaigns
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE campaigns (
    id                  uuid PRIMARY KEY,       -- also the registry's referenceId (as hex)
    org_id              uuid NOT NULL REFERENCES organizations (id),
    account             text NOT NULL CHECK (account IN ('live', 'sandbox')),
    brand_id            uuid NOT NULL REFERENCES brands (id),
    tcr_campaign_id     text,
    status              text NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'REJECTED', 'EXPIRED')),
    is_suspended        boolean NOT NULL DEFAULT false, -- ends without the customer; sends and bindings wait
    is_shared           boolean NOT NULL DEFAULT false,
    usecase             text NOT NULL,
    sub_usecases        text[] NOT NULL DEFAULT '{}',
    description         text NOT NULL,
    message_flow        text NOT NULL,
    fields              jsonb NOT NULL DEFAULT '{}',    -- samples, keywords, messages, links, flags, by name
    number_cap          integer NOT NULL,       -- 1 sole proprietor, 49 without a pool, else the pool's
    mno_metadata        jsonb NOT NULL DEFAULT '{}',
    monthly_fee_microcents bigint NOT NULL,
    months_charged      integer NOT NULL DEFAULT 0,     -- numbers the months, so that none is charged twice
    filed_at            timestamptz,            -- as in brands
    filing_misses       integer NOT NULL DEFAULT 0,
    submitted_at        timestamptz,
    activated_at        timestamptz,            -- first approved: the paid months count from this day
    billed_at           timestamptz,
    renews_on           date,
    expired_at          timestamptz,
    rejection_reasons   text[] NOT NULL DEFAULT '{}',
    rejected_at         timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (tcr_campaign_id, account)
);
CREATE INDEX campaigns_list_idx ON campaigns (org_id, created_at DESC, id DESC);
CREATE INDEX campaigns_brand_idx ON campaigns (brand_id);

-- ---------------------------------------------------------------------------------------------------------------------
-- numbers/orders
-- ---------------------------------------------------------------------------------------------------------------------

-- Orders and returns. An order is a resource: it is polled while the carrier works on it, and listed.
CREATE TABLE number_orders (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL REFERENCES organizations (id),
    account             text NOT NULL,
    kind                text NOT NULL CHECK (kind IN ('order', 'bulk', 'return')),
    status              text NOT NULL CHECK (status IN ('processing', 'complete', 'failed')),
    quantity            integer NOT NULL,
    criteria            jsonb NOT NULL,         -- area_code, number_type, pattern of a bulk order
    settings            jsonb NOT NULL,         -- inbound_url, status_url, label, campaign_id for every number
    assigned            text[] NOT NULL DEFAULT '{}',   -- the numbers that it got
    unavailable         text[] NOT NULL DEFAULT '{}',   -- the numbers that it could not get, and why it failed
    available_count     integer,                -- numbers on offer when it failed; null: not failed, or not counted
    round               integer NOT NULL DEFAULT 0,     -- purchases begun: a bulk order tries again with other numbers
    purchase            text[] NOT NULL DEFAULT '{}',   -- numbers of the carrier order in progress; empty: none is
    order_key           text UNIQUE CHECK (length(order_key) <= 40),    -- CustomerOrderId of that carrier order
    submitted_at        timestamptz,            -- to the carrier; null: the carrier certainly has not got it
    lookup_conclusive_at timestamptz,           -- from here on a look-up that finds nothing counts as a miss
    misses              integer NOT NULL DEFAULT 0,     -- look-ups that found nothing; two allow the same key again
    polls               integer NOT NULL DEFAULT 0,
    carrier_order_id    text,
    carrier_response    text,                   -- the last refusal or unparsed response, raw (64 KiB at most)
    created_at          timestamptz NOT NULL,
    finished_at         timestamptz
);
CREATE INDEX number_orders_carrier_idx ON number_orders (carrier_order_id) WHERE status = 'processing';
CREATE INDEX number_orders_list_idx ON number_orders (org_id, created_at DESC, id DESC) WHERE kind <> 'return';

-- ---------------------------------------------------------------------------------------------------------------------
-- numbers: the resource that a customer sees
-- ---------------------------------------------------------------------------------------------------------------------

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
    campaign_id         uuid REFERENCES campaigns (id),     -- the desired campaign; line_options has the observed one
    generation          bigint NOT NULL,        -- +1 with every change of the desired campaign
    desired_at          timestamptz NOT NULL,   -- when it was last changed
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
-- Months that are owed, including those that had begun when a number was released.
CREATE INDEX phone_numbers_owed_idx ON phone_numbers (charged_until)
    WHERE state = 'assigned' OR charged_until <= released_at;
CREATE INDEX phone_numbers_released_idx ON phone_numbers (released_at) WHERE state = 'quarantined';

-- A phone number as the API shows it; events carry it from inside the statement that changes it.
CREATE FUNCTION phone_number_resource(p phone_numbers) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', p.id, 'number', p.number, 'number_type', p.number_type, 'inbound_url', p.inbound_url,
        'status_url', p.status_url, 'label', p.label, 'campaign_id', p.campaign_id,
        'carrier_line_option_status', p.line_option_status,
        'carrier_line_option_propagated_at', wire_time(p.line_option_propagated_at),
        'sms_enabled', p.sms_enabled, 'mms_enabled', p.mms_enabled,
        'created_at', wire_time(p.created_at), 'updated_at', wire_time(p.updated_at))
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- numbers/binding: the reconciler (decision 0009)
-- ---------------------------------------------------------------------------------------------------------------------

-- The carrier's side of one number: what was observed, what is in progress, what comes next. Only the reconciler writes
-- here, except for `due_at`, which attach, detach and release set to wake it.
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
    observed_at         timestamptz,            -- when the newest observation began
    operators           jsonb NOT NULL DEFAULT '{}',    -- status per mobile network operator
    applied_generation  bigint NOT NULL DEFAULT 0,
    op_seq              bigint NOT NULL DEFAULT 0,      -- grows with every submission for this number
    op_order_id         uuid,                   -- the carrier order in progress; null: none is
    op_campaign         text,                   -- null with op_order_id set: an unbind
    op_generation       bigint,
    op_submitted_at     timestamptz,
    op_accepted_at      timestamptz,            -- the order is complete; mobile operators may not have followed yet
    op_deadline_at      timestamptz,
    attempts            integer NOT NULL DEFAULT 0,
    trouble             text,                   -- the API's last_error.trouble
    error_code          text,
    error_text          text,
    differs_count       integer NOT NULL DEFAULT 0,     -- consecutive observations that contradict this row
    differs_since       timestamptz,
    due_at              timestamptz,            -- null: nothing to do until an event or a customer sets it
    lease_token         uuid,
    lease_until         timestamptz,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX line_options_due_idx ON line_options (due_at) WHERE due_at IS NOT NULL;
-- Work is shared out fairly among organizations.
CREATE INDEX line_options_fair_idx ON line_options (org_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX line_options_order_idx ON line_options (op_order_id) WHERE op_order_id IS NOT NULL;
CREATE INDEX line_options_number_idx ON line_options (account, number);
CREATE INDEX line_options_observed_idx ON line_options (observed_campaign) WHERE observed_campaign IS NOT NULL;
ALTER TABLE line_options SET (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 80);

CREATE TABLE line_option_transitions (
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
    state               text NOT NULL
                        CHECK (state IN ('written', 'submitted', 'unknown', 'accepted', 'done', 'refused')),
    carrier_order_id    text,
    size                integer NOT NULL,
    misses              integer NOT NULL DEFAULT 0,     -- look-ups that found nothing; two allow the same key again
    submissions         integer NOT NULL DEFAULT 0,
    polls               integer NOT NULL DEFAULT 0,
    due_at              timestamptz,
    lease_token         uuid,
    lease_until         timestamptz,
    raw                 text,                   -- a response that could not be parsed, raw (64 KiB at most)
    created_at          timestamptz NOT NULL,
    submitted_at        timestamptz,
    finished_at         timestamptz
);
CREATE INDEX carrier_orders_due_idx ON carrier_orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX carrier_orders_carrier_idx ON carrier_orders (carrier_order_id);
CREATE INDEX carrier_orders_finished_idx ON carrier_orders (finished_at) WHERE finished_at IS NOT NULL;     -- retention

CREATE TABLE carrier_order_items (
    order_id            uuid NOT NULL REFERENCES carrier_orders (id) ON DELETE CASCADE,
    phone_number_id     uuid NOT NULL,
    number              text NOT NULL,
    campaign            text,                   -- null: unbind the number
    op_seq              bigint NOT NULL,
    generation          bigint NOT NULL,
    result              text CHECK (result IN ('accepted', 'refused')),
    code                text,
    text                text,
    PRIMARY KEY (order_id, phone_number_id)
);
CREATE INDEX carrier_order_items_number_idx ON carrier_order_items (phone_number_id);

-- Differences between us and the carrier that the drift sweep found.
CREATE TABLE drift_events (
    id                  uuid PRIMARY KEY,
    account             text NOT NULL,
    number              text NOT NULL,
    phone_number_id     uuid,                   -- null: a number that is not ours
    org_id              uuid,
    kind                text NOT NULL
                        CHECK (kind IN ('missing', 'wrong_campaign', 'extra', 'unknown_number', 'sweep_stopped')),
    expected_campaign   text,
    observed_campaign   text,
    found_at            timestamptz NOT NULL,
    resolved_at         timestamptz
);
CREATE INDEX drift_events_found_idx ON drift_events (found_at DESC);
-- One open difference per number.
CREATE UNIQUE INDEX drift_events_open_idx ON drift_events (account, number) WHERE resolved_at IS NULL;

-- Callbacks of carriers and registry, stored raw before they are parsed.
CREATE TABLE carrier_callbacks (
    id                  uuid PRIMARY KEY,
    source              text NOT NULL,
    account             text NOT NULL,
    received_at         timestamptz NOT NULL,
    body                text NOT NULL,
    outcome             text NOT NULL CHECK (outcome IN ('read', 'unreadable', 'unknown_subject'))
);
CREATE INDEX carrier_callbacks_age_idx ON carrier_callbacks (received_at);

-- ---------------------------------------------------------------------------------------------------------------------
-- consent (decision 0022)
-- ---------------------------------------------------------------------------------------------------------------------

-- Whether one contact may receive messages from one number, and since when. Numbers are named without a foreign key:
-- the row of a released number is deleted, but the evidence of consent must outlive it for four years and more.
CREATE TABLE consents (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    phone_number_id     uuid NOT NULL,
    contact_number      text NOT NULL,
    opted_in            boolean NOT NULL,
    opted_in_at         timestamptz,            -- the newest opt-in or reconfirmation: freshness counts from here
    opted_out_at        timestamptz,
    suppressed_by       text CHECK (suppressed_by IN ('keyword', 'natural_language', 'revocation', 'carrier')),
                                                -- null: not suppressed; an attestation lifts an older revocation only
    suppressed_keyword  text,
    source              text NOT NULL,          -- api, inbound_reply, hosted_form, carrier
    consent_method      text CHECK (consent_method IN ('checkbox', 'sms_keyword', 'written', 'verbal', 'attested',
                                                       'double_opt_in', 'hosted_form')),
    agreement_text_hash text,                   -- SHA-256 hex of the newest agreement
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (org_id, phone_number_id, contact_number)
) WITH (fillfactor = 85);
CREATE INDEX consents_list_idx ON consents (org_id, updated_at DESC, id DESC);
CREATE INDEX consents_out_idx ON consents (org_id, updated_at DESC, id DESC) WHERE NOT opted_in;
CREATE INDEX consents_contact_idx ON consents (org_id, contact_number);

-- Append-only: evidence is never changed.
CREATE TABLE consent_history (
    id                  uuid PRIMARY KEY,
    consent_id          uuid NOT NULL REFERENCES consents (id),
    org_id              uuid NOT NULL,
    event               text NOT NULL CHECK (event IN ('opt_in', 'opt_out', 'reconfirm', 'expired')),
    keyword             text,
    source              text NOT NULL,
    raw_event_id        text,                   -- the inbound message, challenge or form token that caused it
    occurred_at         timestamptz NOT NULL,   -- as the evidence claims
    recorded_at         timestamptz NOT NULL,   -- by our clock
    evidence_ip         text,
    evidence_user_agent text,
    evidence_agreement_text text,               -- verbatim
    evidence_agreement_text_hash text,
    evidence_form_url   text,
    evidence_consent_method text
);
CREATE INDEX consent_history_list_idx ON consent_history (consent_id, recorded_at DESC, id DESC);
-- One inbound message, challenge or form is one entry.
CREATE UNIQUE INDEX consent_history_once_idx ON consent_history (consent_id, raw_event_id)
    WHERE raw_event_id IS NOT NULL;

-- How far a contact's STOP reaches: the number that received it, and the campaign, brand or organization of that number
-- at that time. Rows name the scope, not the numbers in it: a number that joins later is reached too. A number that
-- leaves is still reached if the STOP was sent to it, since that is a row of its own.
CREATE TABLE opt_outs (
    org_id              uuid NOT NULL,
    contact_number      text NOT NULL,
    phone_number        text NOT NULL,          -- that received STOP, E.164: it outlives the number's row
    scope_key           text NOT NULL,          -- a number, E.164, or the id of a campaign, brand or organization
    scope               text NOT NULL CHECK (scope IN ('number', 'campaign', 'brand', 'organization')),
    phone_number_id     uuid NOT NULL,
    suppressed_by       text NOT NULL CHECK (suppressed_by IN ('keyword', 'natural_language', 'carrier')),
    keyword             text,
    opted_out_at        timestamptz NOT NULL,
    lifted_for          text[] NOT NULL DEFAULT '{}',   -- other numbers that received START afterwards, E.164
    PRIMARY KEY (org_id, contact_number, phone_number, scope_key)
);

-- ---------------------------------------------------------------------------------------------------------------------
-- optin: double opt-in
-- ---------------------------------------------------------------------------------------------------------------------

-- A confirmation request that was sent and waits for YES.
CREATE TABLE consent_challenges (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    phone_number_id     uuid NOT NULL,
    contact_number      text NOT NULL,
    confirmation_message_id uuid NOT NULL,
    confirmation_text   text NOT NULL,
    agreement_text      text NOT NULL,
    status              text NOT NULL CHECK (status IN ('pending', 'confirmed', 'expired', 'canceled')),
    created_at          timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    ended_at            timestamptz
);
CREATE UNIQUE INDEX consent_challenges_open_idx ON consent_challenges (org_id, phone_number_id, contact_number)
    WHERE status = 'pending';
CREATE INDEX consent_challenges_expiry_idx ON consent_challenges (expires_at) WHERE status = 'pending';

-- ---------------------------------------------------------------------------------------------------------------------
-- lookups: the line type of a number, as a supplier reports it
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE lookups (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    account             text NOT NULL CHECK (account IN ('live', 'sandbox')),
    phone_number        text NOT NULL,
    lookup_type         text NOT NULL CHECK (lookup_type IN ('advanced')),
    status              text NOT NULL CHECK (status IN ('pending', 'processing', 'complete', 'failed')),
    line_type           text CHECK (line_type IN ('MOBILE', 'FIXED', 'VOIP', 'FIXED_VOIP')),
                                                -- kept when the rest is redacted
    result              jsonb,
    result_redacted_at  timestamptz,
    error_code          text,
    error_message       text,
    cost_cents          integer NOT NULL,       -- 0 once it was refunded
    idempotency_key     text,                   -- the request's: it finds the lookup however old it is
    fingerprint         bytea,
    requested_at        timestamptz NOT NULL,
    completed_at        timestamptz
);
CREATE INDEX lookups_list_idx ON lookups (org_id, requested_at DESC, id DESC);
CREATE INDEX lookups_number_idx ON lookups (org_id, phone_number, completed_at DESC) WHERE status = 'complete';
CREATE INDEX lookups_age_idx ON lookups (completed_at) WHERE result IS NOT NULL;
CREATE UNIQUE INDEX lookups_key_idx ON lookups (org_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- ---------------------------------------------------------------------------------------------------------------------
-- guardrails: limits that an organization sets itself beyond the legal ones
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE guardrail_profiles (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    name                text NOT NULL,
    source              text NOT NULL DEFAULT 'customer',
    template_key        text,
    -- Each `*_disabled`: null inherits from the next wider scope; false is on, with the settings after it; true is off.
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
    scope_kind          text NOT NULL
                        CHECK (scope_kind IN ('use_case_default', 'brand', 'campaign', 'pool', 'phone_number')),
    scope_id            uuid NOT NULL,
    profile_id          uuid NOT NULL REFERENCES guardrail_profiles (id),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (org_id, scope_id)
);
CREATE INDEX guardrail_bindings_list_idx ON guardrail_bindings (org_id, created_at DESC, id DESC);
CREATE INDEX guardrail_bindings_profile_idx ON guardrail_bindings (profile_id);

-- ---------------------------------------------------------------------------------------------------------------------
-- compliance: what admission and delivery count per contact
-- ---------------------------------------------------------------------------------------------------------------------

-- What admission knows of a contact, in one row and in json: every message reads and writes it whole, and only the
-- rules look inside. Milliseconds since 1970:
--   sent       {scope id: [when messages to the contact were admitted, oldest first]}, as many as the scope's cap needs
--   disclosed  {number id: when the sender's disclosure was last appended}
CREATE TABLE contact_send_history (
    org_id              uuid NOT NULL,
    contact_number      text NOT NULL,
    history             json NOT NULL,
    PRIMARY KEY (org_id, contact_number)
) WITH (fillfactor = 70);

-- When those messages were really submitted to the carrier: a queue that was blocked may not send them all to one
-- contact when it opens. Apart from the history above, so that workers and admission do not wait for each other.
CREATE TABLE frequency_cap_counters (
    org_id              uuid NOT NULL,
    contact_number      text NOT NULL,
    scope_id            uuid NOT NULL,
    submissions         json NOT NULL,          -- {message id: milliseconds since 1970}
    PRIMARY KEY (org_id, contact_number, scope_id)
) WITH (fillfactor = 50);

-- ---------------------------------------------------------------------------------------------------------------------
-- media
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE media (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    mime_type           text NOT NULL,
    byte_size           integer NOT NULL,       -- as announced; a larger upload is rejected
    state               text NOT NULL CHECK (state IN ('announced', 'stored')),
    upload_token_hash   bytea UNIQUE,           -- single use: null once used
    object_key          text NOT NULL UNIQUE,
    created_at          timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,   -- of the upload link; afterwards of the object
    needed_until        timestamptz,            -- a message that is not sent yet needs it until then, whatever its age
    stored_at           timestamptz
);
CREATE INDEX media_expiry_idx ON media (expires_at);
CREATE INDEX media_org_idx ON media (org_id, stored_at);

-- The recipients that a file was to be sent to: when one of them is erased, this says whether another still needs it.
-- Written when a message with the file requests admission, whether or not it is admitted.
CREATE TABLE media_recipients (
    org_id              uuid NOT NULL,
    media_id            uuid NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    contact_number      text NOT NULL,
    PRIMARY KEY (media_id, contact_number)
);
CREATE INDEX media_recipients_contact_idx ON media_recipients (org_id, contact_number);

-- ---------------------------------------------------------------------------------------------------------------------
-- messages: admission and the messages themselves (decision 0016)
-- ---------------------------------------------------------------------------------------------------------------------

-- One row per organization, locked by every admission, by STOP and by cancel: the admissions of one organization are
-- one history. `state_version` changes with every admission, to a number that is never used again, and with every
-- change of consent (STOP, revocation). While it is the one that a decision was made by, what the decision read holds.
CREATE TABLE send_accounts (
    org_id              uuid PRIMARY KEY,
    state_version       bigint NOT NULL DEFAULT 0,
    admitted_microcents bigint NOT NULL DEFAULT 0,      -- ever; what wallets.settled_microcents lacks of it is held
    second_tokens       double precision NOT NULL DEFAULT 0,
    minute_tokens       double precision NOT NULL DEFAULT 0,
    refilled_at         timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

-- UUIDv7 keys and (org_id, created_at) grow at their right edge, so an insert costs the same with ten million rows.
-- Both updates of a message (sent, delivered) find room in its page and touch no index: it nearly doubles in size.
CREATE TABLE messages (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    account             text NOT NULL CHECK (account IN ('live', 'sandbox')),
    phone_number_id     uuid NOT NULL,
    campaign_id         uuid,                   -- of the sender at admission
    brand_id            uuid,
    kind                text NOT NULL CHECK (kind IN ('customer', 'auto_reply', 'confirmation')),
    sender              text NOT NULL,
    recipient           text NOT NULL,
    text                text,                   -- as the customer wrote it; null: none, or redacted
    appended_text       text,                   -- the sender's disclosure, appended by a guardrail
    channel             text NOT NULL CHECK (channel IN ('sms', 'mms')),
    media               text[] NOT NULL DEFAULT '{}',
    encoding            text NOT NULL,
    segments            integer NOT NULL,
    priority            smallint NOT NULL,      -- 0 high, 1 default, 2 low
    tag                 text,
    metadata            jsonb,
    -- `sending` is derived from message_queue.claimed_at, and stored only if the outcome is unknown.
    status              text NOT NULL
                        CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'undelivered',
                                          'canceled')),
    error_code          text,                   -- canonical (domain notes 5.2)
    carrier_code        text,                   -- the carrier's own
    carrier_text        text,
    carrier_message_id  text,                   -- of the first part
    unit_price_microcents bigint NOT NULL,      -- per segment, frozen
    is_charged          boolean NOT NULL DEFAULT false,
    is_smart            boolean NOT NULL DEFAULT false, -- smart encoding: cheaper characters where that saves a part
    -- The status changes after `queued`: [{"at", "status", "cause", "code", "text"}].
    history             jsonb NOT NULL DEFAULT '[]',
    scheduled_at        timestamptz,
    expires_at          timestamptz NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    sent_at             timestamptz,
    delivered_at        timestamptz,
    finished_at         timestamptz,
    redacted_at         timestamptz
) WITH (fillfactor = 45);
CREATE INDEX messages_list_idx ON messages (org_id, created_at DESC, id DESC);
-- For erasure, which must find every message to one contact: a thousandth of the table's size, at no cost per insert.
CREATE INDEX messages_recipient_idx ON messages USING brin (recipient text_bloom_ops) WITH (autosummarize = on);
-- An index on an empty table begins with a summary of its first pages, which every insert there would unpack, change
-- and pack again: a sixth of a millisecond. Without it they are summarized when they are full, like all others.
SELECT brin_desummarize_range('messages_recipient_idx', 0);
ALTER TABLE messages SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

-- An admitted message as the API process passes it: an array of these is written and read faster than two dozen arrays
-- of columns.
CREATE TYPE admitted_message AS (
    id                  uuid,
    org_id              uuid,
    account             text,
    phone_number_id     uuid,
    campaign_id         uuid,
    brand_id            uuid,
    kind                text,
    sender              text,
    recipient           text,
    text                text,
    appended_text       text,
    channel             text,
    media               text[],
    encoding            text,
    segments            integer,
    priority            smallint,
    tag                 text,
    unit_price_microcents bigint,
    scheduled_at        timestamptz,
    expires_at          timestamptz,
    is_smart            boolean,
    metadata            text,
    queue_id            uuid,
    ready_at            timestamptz,
    history             text                    -- the contact's, if it changed; with its last message of a flush
);

-- A message as the API shows it (messages.schemas.MessageOut); events carry it from inside the statement that changes
-- it.
CREATE FUNCTION message_resource(m messages) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', m.id, 'from', m.sender, 'to', m.recipient, 'text', m.text, 'appended_text', m.appended_text,
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

-- How far retention has come in each organization: everything older is redacted, so that no sweep reads it again.
CREATE TABLE retention_progress (
    org_id              uuid PRIMARY KEY,
    swept_at            timestamptz NOT NULL,
    messages_until      timestamptz,            -- null: nothing yet
    message_media_until timestamptz,
    inbound_until       timestamptz,
    inbound_media_until timestamptz
);

-- ---------------------------------------------------------------------------------------------------------------------
-- delivery (decisions 0017, 0023)
-- ---------------------------------------------------------------------------------------------------------------------

-- Messages that the carrier does not have yet. All messages with one `queue_id` share a rate limit. The row is deleted
-- in the transaction that records the outcome.
CREATE TABLE message_queue (
    message_id          uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    account             text NOT NULL,
    phone_number_id     uuid NOT NULL,
    queue_id            uuid NOT NULL,          -- the campaign's id; for a message without one (a reply), the number's
    brand_id            uuid,
    recipient           text NOT NULL,
    kind                text NOT NULL,
    channel             text NOT NULL,
    segments            integer NOT NULL,
    priority            smallint NOT NULL,
    price_microcents    bigint NOT NULL,        -- of all segments: the amount that is held
    ready_at            timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    attempts            integer NOT NULL DEFAULT 0,     -- deferrals by the carrier
    claimed_at          timestamptz,            -- committed before the message is submitted to the carrier
    claim_token         uuid,                   -- the worker's
    claim_until         timestamptz             -- a claim that outlives its worker is an unknown outcome
) WITH (fillfactor = 70);
CREATE INDEX message_queue_ready_idx ON message_queue (account, org_id, queue_id, priority, ready_at, message_id)
    WHERE claimed_at IS NULL;
CREATE INDEX message_queue_claim_idx ON message_queue (claim_until) WHERE claimed_at IS NOT NULL;
CREATE INDEX message_queue_pair_idx ON message_queue (org_id, phone_number_id, recipient);  -- a contact's, on STOP
CREATE INDEX message_queue_expiry_idx ON message_queue (expires_at);
ALTER TABLE message_queue SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- One row per part that the carrier accepted: receipts name its id. Deleted when no receipt can come any more.
CREATE TABLE message_parts (
    account             text NOT NULL,
    carrier             text NOT NULL,          -- smpp, bandwidth
    carrier_message_id  text NOT NULL,          -- normalized: hexadecimal and decimal forms are one (domain notes 5.1)
    message_id          uuid NOT NULL,
    org_id              uuid NOT NULL,
    part                smallint NOT NULL,
    parts               smallint NOT NULL,
    outcome             text,                   -- final state of this part; null: no receipt yet
    created_at          timestamptz NOT NULL,
    PRIMARY KEY (account, carrier, carrier_message_id)
) WITH (fillfactor = 45);    -- every part is written twice within seconds
CREATE INDEX message_parts_message_idx ON message_parts (message_id);
CREATE INDEX message_parts_age_idx ON message_parts (created_at);   -- no BRIN: freed space is used again

-- Receipts that came before their part was recorded, or that match no message: stored raw, then matched or deleted.
-- `sender`, `pair`, `excerpt` and `submitted_at` repeat what a receipt says of its message, for messages whose id the
-- carrier assigned and we did not record.
CREATE TABLE unmatched_receipts (
    id                  uuid PRIMARY KEY,
    account             text NOT NULL,
    carrier             text NOT NULL,
    carrier_message_id  text NOT NULL,
    message_id          uuid,                   -- if the carrier returns our own id
    status              text NOT NULL,
    error_code          text,
    carrier_code        text,
    raw                 text NOT NULL,
    sender              text NOT NULL DEFAULT '',       -- our number, as the carrier writes it
    pair                text NOT NULL DEFAULT '',       -- digest of both numbers
    excerpt             text NOT NULL DEFAULT '',       -- digest of the beginning of the message
    submitted_at        timestamptz,                    -- by the carrier's clock, in an unknown time zone
    happened_at         timestamptz NOT NULL,
    received_at         timestamptz NOT NULL
);
CREATE INDEX unmatched_receipts_match_idx ON unmatched_receipts (account, carrier, carrier_message_id);
CREATE INDEX unmatched_receipts_message_idx ON unmatched_receipts (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX unmatched_receipts_pair_idx ON unmatched_receipts (account, carrier, pair) WHERE pair <> '';
CREATE INDEX unmatched_receipts_age_idx ON unmatched_receipts (received_at);

-- Messages that the carrier has or may have under an id that we do not know.
CREATE TABLE messages_without_carrier_id (
    message_id          uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    account             text NOT NULL,
    carrier             text NOT NULL,
    pair                text NOT NULL,          -- digest of both numbers
    submitted_at        timestamptz NOT NULL,
    recorded_at         timestamptz NOT NULL
);
CREATE INDEX messages_without_carrier_id_pair_idx ON messages_without_carrier_id (account, carrier, pair);
CREATE INDEX messages_without_carrier_id_age_idx ON messages_without_carrier_id (recorded_at);

-- Token buckets that all workers share: of a campaign, a number, a queue, or the carrier account.
CREATE TABLE send_rate_buckets (
    account             text NOT NULL,
    scope               text NOT NULL,          -- campaign:<id>, number:<id>, queue:<id>, account
    tokens              double precision NOT NULL,
    refilled_at         timestamptz NOT NULL,
    paused_until        timestamptz,            -- the carrier asked to wait
    PRIMARY KEY (account, scope)
) WITH (fillfactor = 50);

-- What one brand sent on one day of a mobile operator's calendar (T-Mobile's cap resets at midnight Pacific).
CREATE TABLE brand_daily_usage (
    brand_id            uuid NOT NULL,
    operator            text NOT NULL,          -- mobile network operator
    day                 date NOT NULL,
    segments            bigint NOT NULL,
    PRIMARY KEY (brand_id, operator, day)
) WITH (fillfactor = 50);

-- ---------------------------------------------------------------------------------------------------------------------
-- inbound
-- ---------------------------------------------------------------------------------------------------------------------

-- Every inbound message as it came. Its unique index makes two deliveries of one message one: the second waits here for
-- the first, and then changes nothing.
CREATE TABLE inbound_raw (
    id                  uuid PRIMARY KEY,
    org_id              uuid,                   -- null: for a number that no organization has
    account             text NOT NULL,
    carrier             text NOT NULL,
    carrier_message_id  text NOT NULL,
    from_number         text NOT NULL,
    to_number           text NOT NULL,
    raw                 bytea NOT NULL,         -- at most 64 KiB; empty once erased
    parsed              jsonb,                  -- if it is to be processed again: as the adapter parsed it
    problem             text,                   -- why it was not processed; null: it was
    received_at         timestamptz NOT NULL,
    UNIQUE (account, carrier, carrier_message_id)
);
CREATE INDEX inbound_raw_age_idx ON inbound_raw (received_at);
CREATE INDEX inbound_raw_contact_idx ON inbound_raw (org_id, from_number);
CREATE INDEX inbound_raw_problem_idx ON inbound_raw (received_at) WHERE problem IS NOT NULL;

CREATE TABLE inbound_messages (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    account             text NOT NULL,
    phone_number_id     uuid NOT NULL,
    from_number         text NOT NULL,
    to_number           text NOT NULL,
    body                text,
    channel             text NOT NULL CHECK (channel IN ('sms', 'mms')),
    media_urls          text[] NOT NULL DEFAULT '{}',
    segment_count       integer NOT NULL,
    opt_out_detected    boolean NOT NULL DEFAULT false,
    opt_out_keyword     text,
    opt_out_method      text CHECK (opt_out_method IN ('keyword', 'natural_language')),
    carrier             text NOT NULL,
    carrier_message_id  text NOT NULL,
    carrier_received_at timestamptz,            -- by the carrier's clock
    received_at         timestamptz NOT NULL,   -- within one conversation it grows in the order of commits
    redacted_at         timestamptz,
    UNIQUE (account, carrier, carrier_message_id)       -- at-least-once carriers: the second delivery is the first
);
CREATE INDEX inbound_messages_list_idx ON inbound_messages (org_id, received_at DESC, id DESC);
CREATE INDEX inbound_messages_from_idx ON inbound_messages (org_id, from_number, received_at DESC, id DESC);
CREATE INDEX inbound_messages_to_idx ON inbound_messages (org_id, to_number, received_at DESC, id DESC);
CREATE INDEX inbound_messages_number_idx ON inbound_messages (org_id, phone_number_id, received_at DESC, id DESC);
CREATE INDEX inbound_messages_opt_out_idx ON inbound_messages (org_id, received_at DESC, id DESC)
    WHERE opt_out_detected;

-- Parts of a long inbound message, until the last one has come, or until it is shown without the missing ones.
CREATE TABLE inbound_parts (
    account             text NOT NULL,
    carrier             text NOT NULL,
    from_number         text NOT NULL,
    to_number           text NOT NULL,
    reference           integer NOT NULL,
    parts               smallint NOT NULL,
    part                smallint NOT NULL,
    body                bytea NOT NULL,         -- UTF-16LE: a cut may have gone through a surrogate pair
    carrier_message_id  text NOT NULL,
    carrier_received_at timestamptz,
    received_at         timestamptz NOT NULL,
    PRIMARY KEY (account, carrier, from_number, to_number, reference, parts, part)
);
CREATE INDEX inbound_parts_age_idx ON inbound_parts (received_at);

-- ---------------------------------------------------------------------------------------------------------------------
-- conversations
-- ---------------------------------------------------------------------------------------------------------------------

-- One row per (our number, contact), written when a message is submitted to the carrier and when one comes in.
CREATE TABLE conversations (
    org_id              uuid NOT NULL,
    phone_number_id     uuid NOT NULL,
    contact_number      text NOT NULL,
    phone_number        text NOT NULL,
    last_message_at     timestamptz NOT NULL,
    last_direction      text NOT NULL CHECK (last_direction IN ('inbound', 'outbound')),
    last_message_id     uuid NOT NULL,
    last_preview        text,
    redacted_at         timestamptz,            -- of the last message's body
    message_count       bigint NOT NULL,
    auto_replies        integer NOT NULL DEFAULT 0,     -- within the hour that began at auto_replies_from
    auto_replies_from   timestamptz,
    PRIMARY KEY (org_id, contact_number, phone_number_id)
) WITH (fillfactor = 70);
CREATE INDEX conversations_list_idx ON conversations (org_id, last_message_at DESC, contact_number, phone_number_id);
CREATE INDEX conversations_number_idx
    ON conversations (org_id, phone_number_id, last_message_at DESC, contact_number);

CREATE TABLE conversation_entries (
    org_id              uuid NOT NULL,
    contact_number      text NOT NULL,
    phone_number_id     uuid NOT NULL,
    at                  timestamptz NOT NULL,
    message_id          uuid NOT NULL,
    direction           text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    PRIMARY KEY (org_id, contact_number, phone_number_id, at, message_id)
);

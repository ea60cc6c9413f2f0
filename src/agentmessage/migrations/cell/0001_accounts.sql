-- Organizations, their keys, their money, and what was done: everything here belongs to one cell.

CREATE TABLE organizations (
    id                      uuid PRIMARY KEY,
    mode                    text NOT NULL CHECK (mode IN ('live', 'sandbox')),
    name                    text NOT NULL,
    billing_email           text,
    plan                    text NOT NULL DEFAULT 'payg',
    throughput_tier         integer NOT NULL DEFAULT 1,
    message_retention_days  integer NOT NULL DEFAULT 90 CHECK (message_retention_days BETWEEN 30 AND 365),
    mms_retention_days      integer NOT NULL DEFAULT 30 CHECK (mms_retention_days BETWEEN 1 AND 365),
    is_commercial           boolean NOT NULL DEFAULT true,
    is_reseller             boolean NOT NULL DEFAULT false,
    quiet_hours             jsonb NOT NULL,
    auto_replies            jsonb NOT NULL,
    created_at              timestamptz NOT NULL,
    updated_at              timestamptz NOT NULL
);

CREATE TABLE api_keys (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL REFERENCES organizations (id),
    label           text NOT NULL,
    prefix          text NOT NULL,
    hash            bytea NOT NULL UNIQUE,
    scopes          text[] NOT NULL,
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz,
    revoked_at      timestamptz
);
CREATE INDEX api_keys_list_idx ON api_keys (org_id, created_at DESC, id DESC);

-- The tables that every request writes carry no foreign key to organizations: organizations are never deleted, and the
-- check would lock one row of them in every transaction of a busy tenant.
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
    PRIMARY KEY (org_id, id)
);
CREATE INDEX audit_log_time_idx ON audit_log (org_id, occurred_at DESC, id DESC);

-- Facts, written in the transaction that makes them true; read by `GET /v1/events`, by webhooks and by listening jobs.
-- `xid` orders them losslessly: a reader stays below pg_snapshot_xmin(), so that a transaction that commits late
-- can never appear behind a reader who has passed its place.
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
CREATE INDEX events_tail_idx ON events (org_id, xid, id);
CREATE INDEX events_family_idx ON events (org_id, family, created_at DESC);

-- Work to be done after the commit. A job is claimed by lease and may run twice; `key` keeps one job per subject.
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

CREATE TABLE idempotency_keys (
    org_id          uuid NOT NULL,
    key             text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint     bytea NOT NULL,             -- SHA-256 of method, path, query and body
    status          integer,                    -- null only inside the transaction that does the work
    headers         jsonb,
    body            bytea,
    subject         uuid,                       -- the resource that a waiting route can tell its answer from
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_keys_age_idx ON idempotency_keys (created_at);

-- The ledger: append-only, double entry. A balance is the sum of its entries; wallets.balance_microcents is that sum,
-- kept in the same transaction so that a spend can be decided under one row lock.
CREATE TABLE wallets (
    org_id              uuid PRIMARY KEY REFERENCES organizations (id),
    balance_microcents  bigint NOT NULL DEFAULT 0,
    lifetime_spend_microcents bigint NOT NULL DEFAULT 0,
    updated_at          timestamptz NOT NULL
);

CREATE TABLE ledger_transactions (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL,
    ts              timestamptz NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('topup', 'debit', 'refund', 'adjustment')),
    amount_microcents bigint NOT NULL,          -- signed, as the wallet sees it
    balance_after_microcents bigint NOT NULL,
    source          text NOT NULL,              -- operator, stripe, number_month, brand_filing, campaign_month, outbound, …
    source_ref      text,
    metadata        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ledger_transactions_list_idx ON ledger_transactions (org_id, ts DESC, id DESC);
CREATE UNIQUE INDEX ledger_transactions_once_idx ON ledger_transactions (org_id, source, source_ref, kind)
    WHERE source_ref IS NOT NULL;               -- nothing is charged, refunded or credited twice

CREATE TABLE ledger_entries (
    transaction_id  uuid NOT NULL REFERENCES ledger_transactions (id),
    org_id          uuid NOT NULL,
    account         text NOT NULL CHECK (account IN ('wallet', 'revenue', 'funding')),
    amount_microcents bigint NOT NULL,
    PRIMARY KEY (transaction_id, account)
);
CREATE INDEX ledger_entries_account_idx ON ledger_entries (org_id, account);

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

CREATE TABLE rate_buckets (
    org_id          uuid NOT NULL,
    bucket          text NOT NULL,
    tokens          double precision NOT NULL,
    refilled_at     timestamptz NOT NULL,
    refused         boolean NOT NULL DEFAULT false,     -- whether the last caller got none
    PRIMARY KEY (org_id, bucket)
);

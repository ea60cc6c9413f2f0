-- Facts on their way out of the house: who is told, what is still to be told, and what was said.

CREATE TABLE webhook_endpoints (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL,
    url             text NOT NULL,
    description     text,
    events          text[] NOT NULL,
    active          boolean NOT NULL,
    api_version     text NOT NULL,
    sealed_secret   bytea NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    deleted_at      timestamptz
);
CREATE INDEX webhook_endpoints_list_idx ON webhook_endpoints (org_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;

-- What an organization signs with where a number's URL is told. The previous one is valid for five minutes more.
CREATE TABLE webhook_secrets (
    org_id                  uuid PRIMARY KEY,
    sealed_secret           bytea NOT NULL,
    rotated_at              timestamptz NOT NULL,
    previous_sealed_secret  bytea,
    previous_valid_until    timestamptz
);

-- One queue for each receiver: an endpoint, or a URL that numbers of an organization name. A dispatcher holds a lane
-- while it works on it, so that what is under way is known to one process and need not be written down.
CREATE TABLE webhook_lanes (
    id              uuid PRIMARY KEY,           -- an endpoint's lane has the endpoint's id
    org_id          uuid NOT NULL,
    number_url      text,                       -- null: an endpoint's
    due_at          timestamptz,                -- when its dispatcher should look again; null: nothing is waiting
    holder          uuid,                       -- the dispatcher that works on it
    failing_since   timestamptz,                -- nothing but failures from then on; null: the last one was good
    disabled_at     timestamptz,                -- of a number's URL; an endpoint's `active` says it
    full_at         timestamptz,                -- too much is waiting: new facts are written off at once
    created_at      timestamptz NOT NULL,
    UNIQUE (org_id, number_url)
) WITH (fillfactor = 70);
CREATE INDEX webhook_lanes_due_idx ON webhook_lanes (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_lanes_holder_idx ON webhook_lanes (holder) WHERE holder IS NOT NULL;

-- What is still to be told. A row goes with its last attempt.
CREATE TABLE webhook_deliveries (
    lane_id         uuid NOT NULL,
    due_at          timestamptz NOT NULL,
    id              uuid NOT NULL,
    org_id          uuid NOT NULL,
    event_id        uuid NOT NULL,              -- the fact whose data is told
    told_as         uuid NOT NULL,              -- the id that the receiver sees: a replay is a new event
    attempts        integer NOT NULL DEFAULT 0, -- made so far
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (lane_id, due_at, id)
);
ALTER TABLE webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- What was said and what came back: one row for each attempt, the reference's `delivery`.
CREATE TABLE webhook_attempts (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL,
    lane_id         uuid NOT NULL,
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
CREATE INDEX webhook_attempts_lane_idx ON webhook_attempts (lane_id, occurred_at DESC, id DESC);
CREATE INDEX webhook_attempts_type_idx ON webhook_attempts (org_id, event_type, occurred_at DESC, id DESC);
CREATE INDEX webhook_attempts_failed_idx ON webhook_attempts (org_id, occurred_at DESC, id DESC)
    WHERE outcome <> 'success';
-- What receivers answered may repeat what they were told: it goes when that is redacted.
CREATE INDEX webhook_attempts_source_idx ON webhook_attempts (source_event_id) WHERE response_body_excerpt IS NOT NULL;
CREATE INDEX webhook_attempts_age_idx ON webhook_attempts USING brin (occurred_at) WITH (autosummarize = on);

-- How far each reader of all organizations' facts has come. A reader takes its row, reads what lies behind its place
-- and writes what follows from it in one transaction, so that every fact is taken exactly once.
CREATE TABLE event_followers (
    name            text PRIMARY KEY,           -- webhooks, metrics
    xid             xid8 NOT NULL,
    id              uuid NOT NULL,
    as_of           timestamptz NOT NULL        -- everything that happened before has been taken
);
-- Nothing that was before is told: numbers had their URLs before anybody told them.
INSERT INTO event_followers (name, xid, id, as_of)
    VALUES ('webhooks', pg_snapshot_xmin(pg_current_snapshot()), '00000000-0000-0000-0000-000000000000', now());
CREATE INDEX events_order_idx ON events (xid, id);

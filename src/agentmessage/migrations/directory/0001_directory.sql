-- The few global look-ups: which cell, which organization, whose key, whose number. Everything else lives in a cell.

CREATE TABLE directory.cells (
    name        text PRIMARY KEY CHECK (name ~ '^cell_[0-9]{2}$'),
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE directory.organizations (
    id          uuid PRIMARY KEY,
    cell        text NOT NULL REFERENCES directory.cells (name),
    mode        text NOT NULL CHECK (mode IN ('live', 'sandbox')),
    twin_id     uuid,                       -- the sandbox of a live organization, and the other way round
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Living keys only: revocation deletes the row, so that a look-up by hash is the whole authentication.
CREATE TABLE directory.api_keys (
    hash        bytea PRIMARY KEY,          -- SHA-256 of the plaintext
    key_id      uuid NOT NULL UNIQUE,
    org_id      uuid NOT NULL REFERENCES directory.organizations (id),
    label       text NOT NULL,
    scopes      text[] NOT NULL
);

-- One row per number that we know of. `account` is the carrier account that holds it: a sandbox number and a live one
-- with the same digits are two numbers. `generation` outlives the owner: the next one starts above it (domain notes 1.7).
CREATE TABLE directory.inventory (
    account     text NOT NULL CHECK (account IN ('live', 'sandbox')),
    number      text NOT NULL CHECK (number ~ '^\+[1-9][0-9]{4,14}$'),
    number_type text NOT NULL CHECK (number_type IN ('local', 'toll_free', 'short_code')),
    state       text NOT NULL CHECK (state IN ('available', 'ordering', 'assigned', 'quarantined', 'retired')),
    org_id      uuid REFERENCES directory.organizations (id),
    cell        text REFERENCES directory.cells (name),
    generation  bigint NOT NULL DEFAULT 0,
    op_seq      bigint NOT NULL DEFAULT 0,
    is_read     boolean NOT NULL DEFAULT true,  -- false: imported, and the carrier was not asked yet what it has there
    available_at timestamptz,               -- end of quarantine
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, number)
);
CREATE INDEX inventory_available_idx ON directory.inventory (account, number_type, number text_pattern_ops)
    WHERE state = 'available';
CREATE INDEX inventory_quarantine_idx ON directory.inventory (available_at) WHERE state = 'quarantined';

-- One token bucket and one circuit breaker per carrier account and kind of call, shared by all workers of all cells.
CREATE TABLE directory.carrier_budgets (
    account     text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('write', 'read', 'breaker')),
    tokens      double precision NOT NULL,
    refilled_at timestamptz NOT NULL,
    refused     boolean NOT NULL DEFAULT false,  -- whether the last caller got none
    failures    integer NOT NULL DEFAULT 0,  -- consecutive; the breaker opens at a threshold
    open_until  timestamptz,                 -- breaker: no call before; then one probe
    PRIMARY KEY (account, kind)
);

-- The drift sweep of each carrier account: one worker at a time pages the whole account and compares.
CREATE TABLE directory.sweeps (
    account     text PRIMARY KEY,
    due_at      timestamptz NOT NULL,
    lease_token uuid,
    lease_until timestamptz,
    began_at    timestamptz,
    finished_at timestamptz,
    result      jsonb                       -- counts of the last sweep, and why it stopped if it did
);
INSERT INTO directory.sweeps (account, due_at) VALUES ('live', now()), ('sandbox', now());

CREATE TABLE directory.worker_heartbeats (
    worker      text PRIMARY KEY,
    beat_at     timestamptz NOT NULL
);

-- Facts about the installation itself that must survive a restart: subscription ids, the seal check, the sweep's place.
CREATE TABLE directory.installation (
    name        text PRIMARY KEY,
    value       jsonb NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- Answers of carriers and registry that nobody understood, as they came: never guessed, shown to the operator.
CREATE TABLE directory.odd_answers (
    id          uuid PRIMARY KEY,
    account     text NOT NULL,
    operation   text NOT NULL,
    reason      text NOT NULL,
    raw         text NOT NULL,              -- at most 64 KiB
    heard_at    timestamptz NOT NULL
);
CREATE INDEX odd_answers_age_idx ON directory.odd_answers (heard_at);

INSERT INTO directory.cells (name) VALUES ('cell_00');

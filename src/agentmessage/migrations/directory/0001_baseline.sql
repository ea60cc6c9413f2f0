-- The directory: the few look-ups that cross cells. Which cell, which organization, whose key, whose number. Everything
-- else lives in a cell.

CREATE TABLE directory.cells (
    name        text PRIMARY KEY CHECK (name ~ '^cell_[0-9]{2}$'),
    created_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO directory.cells (name) VALUES ('cell_00');

-- ---------------------------------------------------------------------------------------------------------------------
-- organizations and keys
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE directory.organizations (
    id          uuid PRIMARY KEY,
    cell        text NOT NULL REFERENCES directory.cells (name),
    mode        text NOT NULL CHECK (mode IN ('live', 'sandbox')),
    twin_id     uuid,                       -- the sandbox of a live organization, and the reverse
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Active keys only: revocation deletes the row, so that a look-up by hash is the whole authentication.
CREATE TABLE directory.api_keys (
    hash        bytea PRIMARY KEY,          -- SHA-256 of the plaintext
    key_id      uuid NOT NULL UNIQUE,
    org_id      uuid NOT NULL REFERENCES directory.organizations (id),
    label       text NOT NULL,
    scopes      text[] NOT NULL
);

-- ---------------------------------------------------------------------------------------------------------------------
-- numbers
-- ---------------------------------------------------------------------------------------------------------------------

-- One row per known number. `account` is the carrier account that holds it: a sandbox number and a live one with the
-- same digits are two numbers. `generation` outlives the owner: the next owner starts above it.
CREATE TABLE directory.inventory (
    account     text NOT NULL CHECK (account IN ('live', 'sandbox')),
    number      text NOT NULL CHECK (number ~ '^\+[1-9][0-9]{4,14}$'),
    number_type text NOT NULL CHECK (number_type IN ('local', 'toll_free', 'short_code')),
    state       text NOT NULL CHECK (state IN ('available', 'ordering', 'assigned', 'quarantined', 'retired')),
    org_id      uuid REFERENCES directory.organizations (id),
    cell        text REFERENCES directory.cells (name),
    generation  bigint NOT NULL DEFAULT 0,
    op_seq      bigint NOT NULL DEFAULT 0,
    is_observed boolean NOT NULL DEFAULT true,  -- false: imported, and the carrier was not asked yet what it has there
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
    is_exhausted boolean NOT NULL DEFAULT false,    -- the last caller got no token
    failures    integer NOT NULL DEFAULT 0, -- consecutive; the breaker opens at a threshold
    open_until  timestamptz,                -- breaker: no call before this instant; then one probe
    PRIMARY KEY (account, kind)
);

-- The drift sweep of each carrier account: one worker at a time pages through the whole account and compares.
CREATE TABLE directory.drift_sweeps (
    account     text PRIMARY KEY,
    due_at      timestamptz NOT NULL,
    lease_token uuid,
    lease_until timestamptz,
    began_at    timestamptz,
    finished_at timestamptz,
    result      jsonb                       -- counts of the last sweep, and the reason if it stopped
);
INSERT INTO directory.drift_sweeps (account, due_at) VALUES ('live', now()), ('sandbox', now());

-- ---------------------------------------------------------------------------------------------------------------------
-- delivery: receipts whose cell is not known (decision 0023)
-- ---------------------------------------------------------------------------------------------------------------------

-- The form in which each carrier writes the ids in its receipts, learned from the receipts that found a message.
CREATE TABLE directory.receipt_id_forms (
    account             text NOT NULL,
    carrier             text NOT NULL,
    form                text NOT NULL,      -- as_is, hex_answers, hex_receipts
    matches             bigint NOT NULL,
    first_at            timestamptz NOT NULL,
    last_at             timestamptz NOT NULL,
    PRIMARY KEY (account, carrier, form)
);

-- Receipts whose id may mean several messages, until the form is learned.
CREATE TABLE directory.undecided_receipts (
    id                  uuid PRIMARY KEY,
    account             text NOT NULL,
    carrier             text NOT NULL,
    carrier_message_id  text NOT NULL,      -- as the carrier writes it
    readings            jsonb NOT NULL,     -- [{"form", "carrier_message_id"}]: the ids that it may mean
    status              text NOT NULL,
    error_code          text,
    carrier_code        text,
    raw                 text NOT NULL,
    sender              text NOT NULL,
    pair                text NOT NULL,      -- digest of both numbers
    excerpt             text NOT NULL,      -- digest of the beginning of the message
    submitted_at        timestamptz,
    happened_at         timestamptz NOT NULL,
    received_at         timestamptz NOT NULL,
    due_at              timestamptz NOT NULL
);
CREATE INDEX undecided_receipts_due_idx ON directory.undecided_receipts (due_at);
CREATE INDEX undecided_receipts_age_idx ON directory.undecided_receipts (received_at);

-- ---------------------------------------------------------------------------------------------------------------------
-- app: the installation itself
-- ---------------------------------------------------------------------------------------------------------------------

-- Values that must survive a restart: subscription ids, the check of the encryption key, the cluster's identity, gauges.
CREATE TABLE directory.installation (
    name        text PRIMARY KEY,
    value       jsonb NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE directory.worker_heartbeats (
    worker      text PRIMARY KEY,
    beat_at     timestamptz NOT NULL,
    -- The worker's connections to carriers: [{"account", "carrier", "channels", "is_up", "room"}].
    carrier_connections jsonb NOT NULL DEFAULT '[]',
    skew_s      double precision NOT NULL DEFAULT 0     -- the worker's clock minus the database's
);

-- Always empty: readiness inserts a filler and rolls back, which fails if the disk has no space.
CREATE TABLE directory.disk_space_probe (filler bytea NOT NULL);
ALTER TABLE directory.disk_space_probe ALTER COLUMN filler SET STORAGE EXTERNAL;

-- Responses of carriers and registry that could not be parsed, raw: never guessed, shown to the operator.
CREATE TABLE directory.unparsed_responses (
    id          uuid PRIMARY KEY,
    account     text NOT NULL,
    operation   text NOT NULL,
    reason      text NOT NULL,
    raw         text NOT NULL,              -- at most 64 KiB
    received_at timestamptz NOT NULL
);
CREATE INDEX unparsed_responses_age_idx ON directory.unparsed_responses (received_at);

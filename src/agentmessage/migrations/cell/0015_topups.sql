-- Money that comes in: who pays at the processor, what was bought, and what is charged by itself.

-- The balance below which the wallet is topped up by itself; null: it is not. Beside the balance, so that the charge
-- that falls through it sees it under the lock it has anyway.
ALTER TABLE wallets ADD COLUMN auto_topup_below_microcents bigint;

CREATE TABLE payers (
    org_id              uuid PRIMARY KEY,
    customer_id         text UNIQUE,            -- the organization at the processor; null: it has never been sent there
    subscription_id     text,
    subscription_status text NOT NULL DEFAULT 'active' CHECK (subscription_status IN ('active', 'past_due', 'canceled')),
    subscription_told_at timestamptz,           -- when the processor saw it so: an older word changes nothing
    updated_at          timestamptz NOT NULL
);

-- One purchase of credit: a checkout that the customer was sent to, or a charge that nobody was present at.
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
CREATE UNIQUE INDEX topups_charge_idx ON topups (org_id) WHERE kind = 'auto' AND state = 'open';    -- one at a time

CREATE TABLE auto_topups (
    org_id          uuid PRIMARY KEY,
    product_id      text NOT NULL,
    amount_cents    bigint NOT NULL,
    threshold_cents bigint NOT NULL,
    is_enabled      boolean NOT NULL,
    failures        integer NOT NULL DEFAULT 0, -- in a row
    last_failure    text,
    next_attempt_at timestamptz,                -- not before, after a failure
    updated_at      timestamptz NOT NULL
);

-- What the processor told, by its ids: the same once more is nothing new.
CREATE TABLE payment_events (
    id              text PRIMARY KEY,
    org_id          uuid NOT NULL,
    kind            text NOT NULL,
    received_at     timestamptz NOT NULL
);
CREATE INDEX payment_events_age_idx ON payment_events (received_at);

-- Months that are owed: also those that had begun when a number was released.
DROP INDEX phone_numbers_charge_idx;
CREATE INDEX phone_numbers_owed_idx ON phone_numbers (charged_until)
    WHERE state = 'assigned' OR charged_until <= released_at;

-- In which form each carrier writes the ids in its receipts, learned from the receipts that found a message.
CREATE TABLE directory.receipt_id_forms (
    account             text NOT NULL,
    carrier             text NOT NULL,
    form                text NOT NULL,          -- as_is, hex_answers, hex_receipts
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
    carrier_message_id  text NOT NULL,          -- as the carrier writes it
    readings            jsonb NOT NULL,         -- [{"form", "carrier_message_id"}]: what it may be in answers
    status              text NOT NULL,
    error_code          text,
    carrier_code        text,
    raw                 text NOT NULL,
    sender              text NOT NULL,
    pair                text NOT NULL,          -- digest of both numbers
    excerpt             text NOT NULL,          -- digest of how the message begins
    submitted_at        timestamptz,
    happened_at         timestamptz NOT NULL,
    received_at         timestamptz NOT NULL,
    look_at             timestamptz NOT NULL
);
CREATE INDEX undecided_receipts_due_idx ON directory.undecided_receipts (look_at);
CREATE INDEX undecided_receipts_age_idx ON directory.undecided_receipts (received_at);

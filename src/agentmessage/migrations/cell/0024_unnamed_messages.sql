-- What a receipt repeats of its message, as digests: for messages whose id the carrier gave and nobody recorded.
ALTER TABLE early_receipts
    ADD COLUMN sender       text NOT NULL DEFAULT '',   -- ours, as the carrier writes it
    ADD COLUMN pair         text NOT NULL DEFAULT '',   -- of both numbers
    ADD COLUMN excerpt      text NOT NULL DEFAULT '',   -- of how the message begins
    ADD COLUMN submitted_at timestamptz;                -- the carrier's time of it, in whatever zone
CREATE INDEX early_receipts_pair_idx ON early_receipts (account, carrier, pair) WHERE pair <> '';

-- Messages that the carrier has or may have under an id that nobody knows.
CREATE TABLE unnamed_messages (
    message_id          uuid PRIMARY KEY,
    org_id              uuid NOT NULL,
    account             text NOT NULL,
    carrier             text NOT NULL,
    pair                text NOT NULL,
    handed_at           timestamptz NOT NULL,
    noted_at            timestamptz NOT NULL
);
CREATE INDEX unnamed_messages_pair_idx ON unnamed_messages (account, carrier, pair);
CREATE INDEX unnamed_messages_age_idx ON unnamed_messages (noted_at);

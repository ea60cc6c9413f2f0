-- Texts in, and the conversations that both directions make.

-- As it came, before anybody understood it; kept for what could not be applied and for the record. Its unique index is
-- what makes two deliveries of one text one: the second waits here for the first and then changes nothing.
CREATE TABLE inbound_raw (
    id                  uuid PRIMARY KEY,
    org_id              uuid,                   -- null: for a number that nobody here holds
    account             text NOT NULL,
    carrier             text NOT NULL,
    carrier_message_id  text NOT NULL,
    from_number         text NOT NULL,
    to_number           text NOT NULL,
    raw                 bytea NOT NULL,         -- at most 64 KiB; empty once erased
    heard               jsonb,                  -- as the adapter read it, where it is to be applied again; else null
    problem             text,                   -- why it was not applied; null: it was
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
    carrier_received_at timestamptz,
    received_at         timestamptz NOT NULL,   -- ours; within one conversation it grows in the order of commits
    redacted_at         timestamptz,
    UNIQUE (account, carrier, carrier_message_id)      -- at-least-once carriers: the second is the first
);
CREATE INDEX inbound_messages_list_idx ON inbound_messages (org_id, received_at DESC, id DESC);
CREATE INDEX inbound_messages_from_idx ON inbound_messages (org_id, from_number, received_at DESC, id DESC);
CREATE INDEX inbound_messages_to_idx ON inbound_messages (org_id, to_number, received_at DESC, id DESC);
CREATE INDEX inbound_messages_number_idx ON inbound_messages (org_id, phone_number_id, received_at DESC, id DESC);
CREATE INDEX inbound_messages_opt_out_idx ON inbound_messages (org_id, received_at DESC, id DESC) WHERE opt_out_detected;

-- Parts of a long inbound text, until the last has come, or has not come for so long that it is shown without.
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

-- One row per (our number, contact), written when a text is handed to the carrier and when one comes in.
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

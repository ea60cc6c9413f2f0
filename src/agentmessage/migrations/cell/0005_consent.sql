-- Who may be texted from which number, how it came about, and who said no.
-- Numbers are named without a foreign key: a released number's row goes away, but the evidence of who agreed to what must
-- outlive it (four years and more, domain notes 3.2).

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
    stamped_at          timestamptz,            -- when the sender's disclosure was last appended to a text
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
    raw_event_id        text,                   -- the inbound message, challenge or form token that it came by
    occurred_at         timestamptz NOT NULL,   -- as claimed by the evidence
    recorded_at         timestamptz NOT NULL,   -- ours
    evidence_ip         text,
    evidence_user_agent text,
    evidence_agreement_text text,               -- word for word
    evidence_agreement_text_hash text,
    evidence_form_url   text,
    evidence_consent_method text
);
CREATE INDEX consent_history_list_idx ON consent_history (consent_id, recorded_at DESC, id DESC);
CREATE UNIQUE INDEX consent_history_once_idx ON consent_history (consent_id, raw_event_id)
    WHERE raw_event_id IS NOT NULL;             -- one message, answer or form is one entry

-- Double opt-in: a question that was texted and waits for YES.
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

-- What kind of line a number is, as asked from a supplier.

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
    cost_cents          integer NOT NULL,       -- 0 once it was given back
    requested_at        timestamptz NOT NULL,
    completed_at        timestamptz
);
CREATE INDEX lookups_list_idx ON lookups (org_id, requested_at DESC, id DESC);
CREATE INDEX lookups_number_idx ON lookups (org_id, phone_number, completed_at DESC) WHERE status = 'complete';
CREATE INDEX lookups_age_idx ON lookups (completed_at) WHERE result IS NOT NULL;

-- How far a contact's STOP reaches: beside the pair that `consents` tells of, over the campaign, the brand or the
-- organization of the number that it was sent to. Rows name what they reach, not the numbers in it: a number that joins
-- later is reached too, and one that leaves is not let go, since the STOP to itself is a row of its own.
ALTER TABLE organizations ADD COLUMN opt_out_scope text NOT NULL DEFAULT 'brand'
    CHECK (opt_out_scope IN ('number', 'campaign', 'brand', 'organization'));

CREATE TABLE opt_outs (
    org_id              uuid NOT NULL,
    contact_number      text NOT NULL,
    phone_number        text NOT NULL,          -- that was told STOP, E.164: it outlives the number's row
    scope_key           text NOT NULL,          -- what it reaches: a number, E.164, or the id of one of the others
    scope               text NOT NULL CHECK (scope IN ('number', 'campaign', 'brand', 'organization')),
    phone_number_id     uuid NOT NULL,
    suppressed_by       text NOT NULL CHECK (suppressed_by IN ('keyword', 'natural_language', 'carrier')),
    keyword             text,
    opted_out_at        timestamptz NOT NULL,
    lifted_for          text[] NOT NULL DEFAULT '{}',   -- other numbers that were told START afterwards, E.164
    PRIMARY KEY (org_id, contact_number, phone_number, scope_key)
);

-- Opt-outs from before reach what they reached: the number itself.
INSERT INTO opt_outs (org_id, contact_number, phone_number, scope_key, scope, phone_number_id, suppressed_by, keyword,
                      opted_out_at)
SELECT c.org_id, c.contact_number, coalesce(n.number, v.phone_number), coalesce(n.number, v.phone_number), 'number',
       c.phone_number_id, c.suppressed_by, c.suppressed_keyword, coalesce(c.opted_out_at, c.updated_at)
FROM consents c
LEFT JOIN phone_numbers n ON n.org_id = c.org_id AND n.id = c.phone_number_id
LEFT JOIN conversations v
  ON v.org_id = c.org_id AND v.contact_number = c.contact_number AND v.phone_number_id = c.phone_number_id
WHERE c.suppressed_by IN ('keyword', 'natural_language', 'carrier') AND coalesce(n.number, v.phone_number) IS NOT NULL
ON CONFLICT DO NOTHING;

-- What admission remembers of a contact, in one row and in json: every text reads and writes it whole, and only the
-- rules look inside. All in milliseconds since 1970:
--   texted   {scope id: [when the contact was texted, oldest first]}, as many as the scope's cap needs
--   stamped  {number id: when the sender's disclosure was last appended}
CREATE TABLE texted_contacts (
    org_id              uuid NOT NULL,
    contact_number      text NOT NULL,
    memory              json NOT NULL,
    PRIMARY KEY (org_id, contact_number)
) WITH (fillfactor = 70);

INSERT INTO texted_contacts (org_id, contact_number, memory)
SELECT org_id, contact_number,
       json_build_object('texted', coalesce(json_object_agg(id, moment) FILTER (WHERE what = 'texted'), '{}'),
                         'stamped', coalesce(json_object_agg(id, moment) FILTER (WHERE what = 'stamped'), '{}'))
FROM (SELECT org_id, contact_number, 'texted' AS what, scope_id AS id, to_json(texted_at) AS moment
      FROM frequency_counters
      UNION ALL
      SELECT org_id, contact_number, 'stamped', phone_number_id,
             to_json((extract(epoch FROM stamped_at) * 1000)::bigint)
      FROM consents WHERE stamped_at IS NOT NULL) remembered
GROUP BY org_id, contact_number;

DROP TABLE frequency_counters;
ALTER TABLE consents DROP COLUMN stamped_at;
ALTER TABLE handover_tallies ALTER COLUMN handed TYPE json USING handed::json;

-- `sending_accounts.version` now changes with every admission, to a number that nobody else ever gives it, and with
-- every change of the law (a STOP, a revocation): who finds the one that it has judged by knows that what it read
-- still holds.

-- An admitted text as it is handed in: an array of these is written and read faster than two dozen arrays of columns.
CREATE TYPE admitted_text AS (
    id                  uuid,
    org_id              uuid,
    account             text,
    phone_number_id     uuid,
    campaign_id         uuid,
    brand_id            uuid,
    kind                text,
    sender              text,
    recipient           text,
    text                text,
    stamp               text,
    channel             text,
    media               text[],
    encoding            text,
    segments            integer,
    priority            smallint,
    tag                 text,
    unit_price_microcents bigint,
    scheduled_at        timestamptz,
    expires_at          timestamptz,
    is_smart            boolean,
    metadata            text,
    lane                uuid,
    ready_at            timestamptz,
    memory              text                    -- the contact's, where it changed; with its last text of a flush
);

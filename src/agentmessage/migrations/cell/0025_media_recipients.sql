-- Whom a file was to be sent to, so that erasing one of them can tell whether it is still anybody's. Written when a
-- message with the file asks to be admitted: whether it was, its row in `messages` tells.
CREATE TABLE media_recipients (
    org_id              uuid NOT NULL,
    media_id            uuid NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    contact_number      text NOT NULL,
    PRIMARY KEY (media_id, contact_number)
);
CREATE INDEX media_recipients_contact_idx ON media_recipients (org_id, contact_number);

INSERT INTO media_recipients (org_id, media_id, contact_number)
SELECT DISTINCT f.org_id, f.id, m.recipient
FROM messages m
CROSS JOIN unnest(m.media) u (url)
JOIN media f ON f.org_id = m.org_id
            AND f.id::text = substring(u.url FROM '/media/[^/]+/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\?until=')
WHERE m.media <> '{}';

-- Forgetting what was said: how far each organization's sweeps have come, and the way from a text to its events.

-- Everything older than the marks is redacted already, so that no sweep looks at it again.
CREATE TABLE retention_marks (
    org_id              uuid PRIMARY KEY,
    swept_at            timestamptz NOT NULL,
    messages_until      timestamptz,            -- null: from the beginning
    message_media_until timestamptz,
    inbound_until       timestamptz,
    inbound_media_until timestamptz
);

CREATE INDEX events_content_idx ON events (resource_id) WHERE family IN ('message', 'inbound_message');

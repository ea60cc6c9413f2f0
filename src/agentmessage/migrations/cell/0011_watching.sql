-- What the operator looks for: texts of which nobody knows whether the carrier took them. They are few, and events are
-- only ever inserted, so the index costs nothing beside the ones that are there.
CREATE INDEX events_unknown_idx ON events (created_at)
    WHERE type = 'message.undelivered' AND data #>> '{error,code}' = 'unknown';

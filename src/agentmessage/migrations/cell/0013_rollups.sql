-- Sums that are kept as they grow, so that a question about a month reads thirty rows and not ten million.

CREATE TABLE metric_buckets (
    org_id          uuid NOT NULL,
    metric          text NOT NULL,              -- as the API names it: messages.outbound.sent, wallet.debit_cents, …
    span            text NOT NULL CHECK (span IN ('minute', 'hour', 'day')),
    bucket_start    timestamptz NOT NULL,       -- UTC; the bucket is half-open
    labels          jsonb NOT NULL,             -- what it can be grouped by: {"channel": "sms"}
    value           bigint NOT NULL,            -- a count, or microcents
    PRIMARY KEY (org_id, metric, span, bucket_start, labels)
) WITH (fillfactor = 80);

-- What time takes away, and what is counted anew. No value is in the index, so that adding to a sum does not touch it.
CREATE INDEX metric_buckets_age_idx ON metric_buckets (span, bucket_start);

-- What an event counts as; null: it is not counted. A text that did not arrive failed, whoever said so.
CREATE FUNCTION counted_as(type text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE type WHEN 'message.sent' THEN 'messages.outbound.sent'
                     WHEN 'message.delivered' THEN 'messages.outbound.delivered'
                     WHEN 'message.failed' THEN 'messages.outbound.failed'
                     WHEN 'message.undelivered' THEN 'messages.outbound.failed'
                     WHEN 'inbound_message.received' THEN 'messages.inbound.received' END
$$;
CREATE FUNCTION counted_under(data jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('channel', data -> 'channel', 'error_code', data #> '{error,code}'))
$$;

-- Texts are counted behind the events, from the first one. Nothing happened before it, so that much is taken already.
INSERT INTO event_followers (name, xid, id, as_of)
SELECT 'metrics', '0', '00000000-0000-0000-0000-000000000000', coalesce(min(created_at), now()) FROM events;

-- Sums that are kept as they grow, so that a question about a month reads thirty rows and not ten million.

CREATE TABLE metric_buckets (
    org_id          uuid NOT NULL,
    metric          text NOT NULL,              -- as the API names it: messages.sent, wallet.debit_cents, …
    span            text NOT NULL CHECK (span IN ('minute', 'hour', 'day')),
    bucket_start    timestamptz NOT NULL,       -- UTC; the bucket is half-open
    labels          jsonb NOT NULL,             -- what it can be grouped by: {"channel": "sms"}
    value           bigint NOT NULL,            -- a count, or microcents
    PRIMARY KEY (org_id, metric, span, bucket_start, labels)
) WITH (fillfactor = 80);

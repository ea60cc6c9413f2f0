-- What was booked before sums were kept is summed now, once and for all; from here on every booking adds itself.

DELETE FROM metric_buckets
WHERE metric IN ('wallet.debit_cents', 'wallet.credit_cents', 'messages.outbound.cost_cents',
                 'messages.inbound.cost_cents');

WITH movements AS (
    SELECT org_id, ts, 'wallet.debit_cents' AS metric, jsonb_build_object('kind', kind) AS labels,
           total_microcents AS value
    FROM usage_rows
    UNION ALL
    SELECT org_id, ts, CASE substr(kind, 1, 3) WHEN 'out' THEN 'messages.outbound.cost_cents'
                                               ELSE 'messages.inbound.cost_cents' END,
           jsonb_build_object('channel', right(kind, 3)), total_microcents
    FROM usage_rows WHERE kind IN ('outbound_sms', 'outbound_mms', 'inbound_sms', 'inbound_mms')
    UNION ALL
    SELECT org_id, ts, CASE WHEN amount_microcents > 0 THEN 'wallet.credit_cents'
                            ELSE 'wallet.debit_cents' END,
           jsonb_build_object('kind', kind), abs(amount_microcents)
    FROM ledger_transactions WHERE kind <> 'debit'
)
INSERT INTO metric_buckets (org_id, metric, span, bucket_start, labels, value)
SELECT m.org_id, m.metric, s.span, date_trunc(s.span, m.ts, 'UTC'), m.labels, sum(m.value)
FROM movements m CROSS JOIN (VALUES ('minute'), ('hour'), ('day')) s (span)
WHERE s.span = 'day' OR m.ts > now() - CASE s.span WHEN 'hour' THEN interval '400 days' ELSE interval '35 days' END
GROUP BY 1, 2, 3, 4, 5 HAVING sum(m.value) <> 0;

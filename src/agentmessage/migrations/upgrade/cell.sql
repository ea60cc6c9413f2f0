-- From cell/0027 of version 0.1 to the baseline: tables, columns, functions and keys inside JSON get the words of the
-- API, the protocols and the field.

ALTER TABLE sending_accounts RENAME TO send_accounts;
ALTER TABLE send_accounts RENAME COLUMN version TO state_version;
ALTER TABLE dispatches RENAME TO message_queue;
ALTER TABLE message_queue RENAME COLUMN campaign_id TO queue_id;
ALTER INDEX dispatches_lane_idx RENAME TO message_queue_ready_idx;
ALTER TABLE messages RENAME COLUMN stamp TO appended_text;
ALTER TABLE carrier_parts RENAME TO message_parts;
ALTER TABLE early_receipts RENAME TO unmatched_receipts;
ALTER TABLE unnamed_messages RENAME TO messages_without_carrier_id;
ALTER TABLE messages_without_carrier_id RENAME COLUMN handed_at TO submitted_at;
ALTER TABLE messages_without_carrier_id RENAME COLUMN noted_at TO recorded_at;
ALTER TABLE pace_buckets RENAME TO send_rate_buckets;
ALTER TABLE daily_volumes RENAME TO brand_daily_usage;
ALTER TABLE rate_buckets RENAME TO api_rate_buckets;
ALTER TABLE api_rate_buckets RENAME COLUMN refused TO is_exhausted;
ALTER TABLE texted_contacts RENAME TO contact_send_history;
ALTER TABLE contact_send_history RENAME COLUMN memory TO history;
ALTER TABLE handover_tallies RENAME TO frequency_cap_counters;
ALTER TABLE frequency_cap_counters RENAME COLUMN handed TO submissions;
ALTER TABLE inbound_raw RENAME COLUMN heard TO parsed;
ALTER TABLE retention_marks RENAME TO retention_progress;
ALTER TABLE event_followers RENAME TO event_cursors;
ALTER TABLE audit_place RENAME TO audit_cursor;
ALTER TABLE webhook_lanes RENAME TO webhook_queues;
ALTER TABLE webhook_deliveries RENAME COLUMN lane_id TO queue_id;
ALTER TABLE webhook_deliveries RENAME COLUMN told_as TO public_event_id;
ALTER TABLE webhook_attempts RENAME COLUMN lane_id TO queue_id;
ALTER INDEX webhook_attempts_lane_idx RENAME TO webhook_attempts_queue_idx;
ALTER TABLE webhook_endpoints RENAME COLUMN sealed_secret TO encrypted_secret;
ALTER TABLE webhook_secrets RENAME COLUMN sealed_secret TO encrypted_secret;
ALTER TABLE webhook_secrets RENAME COLUMN previous_sealed_secret TO previous_encrypted_secret;
ALTER TABLE brands RENAME COLUMN tax_id_sealed TO tax_id_encrypted;
ALTER TABLE payers RENAME TO billing_customers;
ALTER TABLE billing_customers RENAME COLUMN subscription_told_at TO subscription_reported_at;
ALTER TABLE number_orders RENAME COLUMN doubt_at TO lookup_conclusive_at;
ALTER TABLE number_orders RENAME COLUMN carrier_said TO carrier_response;
ALTER TABLE phone_numbers RENAME COLUMN wished_at TO desired_at;
ALTER TABLE line_transitions RENAME TO line_option_transitions;
ALTER TABLE carrier_order_members RENAME TO carrier_order_items;
ALTER TABLE drift_events RENAME COLUMN seen_campaign TO observed_campaign;
ALTER TABLE drift_events RENAME COLUMN healed_at TO resolved_at;

ALTER TYPE admitted_text RENAME TO admitted_message;
ALTER TYPE admitted_message RENAME ATTRIBUTE stamp TO appended_text;
ALTER TYPE admitted_message RENAME ATTRIBUTE lane TO queue_id;
ALTER TYPE admitted_message RENAME ATTRIBUTE memory TO history;
ALTER FUNCTION counted_as RENAME TO event_metric;
ALTER FUNCTION counted_under RENAME TO event_labels;
ALTER FUNCTION refuse_rewriting RENAME TO reject_mutation;
CREATE OR REPLACE FUNCTION reject_mutation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is rejected', tg_table_name, tg_op USING ERRCODE = 'restrict_violation';
END $$;
CREATE OR REPLACE FUNCTION message_resource(m messages) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', m.id, 'from', m.sender, 'to', m.recipient, 'text', m.text, 'appended_text', m.appended_text,
        'channel', m.channel, 'media', to_jsonb(m.media), 'priority', (ARRAY['high', 'default', 'low'])[m.priority + 1],
        'status', m.status,
        'error', CASE WHEN m.error_code IS NOT NULL THEN jsonb_build_object(
            'code', m.error_code, 'carrier_code', m.carrier_code, 'carrier_text', m.carrier_text) END,
        'tag', m.tag, 'metadata', m.metadata, 'phone_number_id', m.phone_number_id, 'campaign_id', m.campaign_id,
        'kind', m.kind, 'segment_count', m.segments, 'encoding', m.encoding, 'smart_encoding', m.is_smart,
        'cost_cents', (m.unit_price_microcents * m.segments + 999999) / 1000000,
        'carrier_message_id', m.carrier_message_id, 'bandwidth_message_id', m.carrier_message_id,
        'scheduled_at', wire_time(m.scheduled_at), 'expires_at', wire_time(m.expires_at),
        'created_at', wire_time(m.created_at), 'sent_at', wire_time(m.sent_at),
        'delivered_at', wire_time(m.delivered_at), 'redacted_at', wire_time(m.redacted_at))
$$;

UPDATE contact_send_history SET history =
    json_build_object('sent', history -> 'texted', 'disclosed', history -> 'stamped');
UPDATE send_rate_buckets SET scope = 'queue:' || substr(scope, 6) WHERE scope LIKE 'lane:%';

-- Constraints and indexes are named after their table and column, as Postgres names them in a new database.
DO $$
DECLARE
    renamed text[];     -- a table, and how the names of its constraints and indexes began and begin
    old text;
BEGIN
    FOREACH renamed SLICE 1 IN ARRAY ARRAY[
        ['send_accounts', 'sending_accounts_version_', 'send_accounts_state_version_'],
        ['send_accounts', 'sending_accounts_', 'send_accounts_'],
        ['message_queue', 'dispatches_campaign_id_', 'message_queue_queue_id_'],
        ['message_queue', 'dispatches_', 'message_queue_'],
        ['message_parts', 'carrier_parts_', 'message_parts_'],
        ['unmatched_receipts', 'early_receipts_', 'unmatched_receipts_'],
        ['messages_without_carrier_id', 'unnamed_messages_handed_at_', 'messages_without_carrier_id_submitted_at_'],
        ['messages_without_carrier_id', 'unnamed_messages_noted_at_', 'messages_without_carrier_id_recorded_at_'],
        ['messages_without_carrier_id', 'unnamed_messages_', 'messages_without_carrier_id_'],
        ['send_rate_buckets', 'pace_buckets_', 'send_rate_buckets_'],
        ['brand_daily_usage', 'daily_volumes_', 'brand_daily_usage_'],
        ['api_rate_buckets', 'rate_buckets_refused_', 'api_rate_buckets_is_exhausted_'],
        ['api_rate_buckets', 'rate_buckets_', 'api_rate_buckets_'],
        ['contact_send_history', 'texted_contacts_memory_', 'contact_send_history_history_'],
        ['contact_send_history', 'texted_contacts_', 'contact_send_history_'],
        ['frequency_cap_counters', 'handover_tallies_handed_', 'frequency_cap_counters_submissions_'],
        ['frequency_cap_counters', 'handover_tallies_', 'frequency_cap_counters_'],
        ['retention_progress', 'retention_marks_', 'retention_progress_'],
        ['event_cursors', 'event_followers_', 'event_cursors_'],
        ['audit_cursor', 'audit_place_', 'audit_cursor_'],
        ['webhook_queues', 'webhook_lanes_', 'webhook_queues_'],
        ['webhook_deliveries', 'webhook_deliveries_lane_id_', 'webhook_deliveries_queue_id_'],
        ['webhook_deliveries', 'webhook_deliveries_told_as_', 'webhook_deliveries_public_event_id_'],
        ['webhook_attempts', 'webhook_attempts_lane_id_', 'webhook_attempts_queue_id_'],
        ['webhook_endpoints', 'webhook_endpoints_sealed_secret_', 'webhook_endpoints_encrypted_secret_'],
        ['webhook_secrets', 'webhook_secrets_sealed_secret_', 'webhook_secrets_encrypted_secret_'],
        ['billing_customers', 'payers_', 'billing_customers_'],
        ['phone_numbers', 'phone_numbers_wished_at_', 'phone_numbers_desired_at_'],
        ['line_option_transitions', 'line_transitions_', 'line_option_transitions_'],
        ['carrier_order_items', 'carrier_order_members_', 'carrier_order_items_']
    ] LOOP
        FOR old IN
            SELECT conname FROM pg_constraint
            WHERE conrelid = to_regclass(renamed[1]) AND starts_with(conname, renamed[2])
        LOOP
            EXECUTE format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', renamed[1], old,
                           renamed[3] || substr(old, length(renamed[2]) + 1));
        END LOOP;
        FOR old IN
            SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = to_regclass(renamed[1]) AND starts_with(c.relname, renamed[2])
        LOOP
            EXECUTE format('ALTER INDEX %I RENAME TO %I', old, renamed[3] || substr(old, length(renamed[2]) + 1));
        END LOOP;
    END LOOP;
END $$;

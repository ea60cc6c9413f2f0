-- A database as version 0.1 left it (directory/0004, cell/0027), with rows in every table that keeps any: made by its
-- migrations and its code, dumped with pg_dump, and written one statement a line. It is never edited.
SET check_function_bodies = false;
CREATE SCHEMA cell_00;
CREATE SCHEMA directory;
CREATE TYPE cell_00.admitted_text AS (id uuid, org_id uuid, account text, phone_number_id uuid, campaign_id uuid, brand_id uuid, kind text, sender text, recipient text, text text, stamp text, channel text, media text[], encoding text, segments integer, priority smallint, tag text, unit_price_microcents bigint, scheduled_at timestamp with time zone, expires_at timestamp with time zone, is_smart boolean, metadata text, lane uuid, ready_at timestamp with time zone, memory text);
CREATE FUNCTION cell_00.counted_as(type text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE type WHEN 'message.sent' THEN 'messages.outbound.sent'
                     WHEN 'message.delivered' THEN 'messages.outbound.delivered'
                     WHEN 'message.failed' THEN 'messages.outbound.failed'
                     WHEN 'message.undelivered' THEN 'messages.outbound.failed'
                     WHEN 'inbound_message.received' THEN 'messages.inbound.received' END
$$;
CREATE FUNCTION cell_00.counted_under(data jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('channel', data -> 'channel', 'error_code', data #> '{error,code}'))
$$;
CREATE TABLE cell_00.messages (id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, phone_number_id uuid NOT NULL, campaign_id uuid, brand_id uuid, kind text NOT NULL, sender text NOT NULL, recipient text NOT NULL, text text, stamp text, channel text NOT NULL, media text[] DEFAULT '{}'::text[] NOT NULL, encoding text NOT NULL, segments integer NOT NULL, priority smallint NOT NULL, tag text, metadata jsonb, status text NOT NULL, error_code text, carrier_code text, carrier_text text, carrier_message_id text, unit_price_microcents bigint NOT NULL, is_charged boolean DEFAULT false NOT NULL, history jsonb DEFAULT '[]'::jsonb NOT NULL, scheduled_at timestamp with time zone, expires_at timestamp with time zone NOT NULL, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, sent_at timestamp with time zone, delivered_at timestamp with time zone, finished_at timestamp with time zone, redacted_at timestamp with time zone, is_smart boolean DEFAULT false NOT NULL, CONSTRAINT messages_account_check CHECK ((account = ANY (ARRAY['live'::text, 'sandbox'::text]))), CONSTRAINT messages_channel_check CHECK ((channel = ANY (ARRAY['sms'::text, 'mms'::text]))), CONSTRAINT messages_kind_check CHECK ((kind = ANY (ARRAY['customer'::text, 'auto_reply'::text, 'confirmation'::text]))), CONSTRAINT messages_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'failed'::text, 'undelivered'::text, 'canceled'::text])))) WITH (fillfactor='45', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_insert_scale_factor='0.05'); CREATE FUNCTION cell_00.message_resource(m cell_00.messages) RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT jsonb_build_object('id', m.id, 'from', m.sender, 'to', m.recipient, 'text', m.text, 'appended_text', m.stamp, 'channel', m.channel, 'media', to_jsonb(m.media), 'priority', (ARRAY['high', 'default', 'low'])[m.priority + 1], 'status', m.status, 'error', CASE WHEN m.error_code IS NOT NULL THEN jsonb_build_object('code', m.error_code, 'carrier_code', m.carrier_code, 'carrier_text', m.carrier_text) END, 'tag', m.tag, 'metadata', m.metadata, 'phone_number_id', m.phone_number_id, 'campaign_id', m.campaign_id, 'kind', m.kind, 'segment_count', m.segments, 'encoding', m.encoding, 'smart_encoding', m.is_smart, 'cost_cents', (m.unit_price_microcents * m.segments + 999999) / 1000000, 'carrier_message_id', m.carrier_message_id, 'bandwidth_message_id', m.carrier_message_id, 'scheduled_at', wire_time(m.scheduled_at), 'expires_at', wire_time(m.expires_at), 'created_at', wire_time(m.created_at), 'sent_at', wire_time(m.sent_at), 'delivered_at', wire_time(m.delivered_at), 'redacted_at', wire_time(m.redacted_at)) $$; CREATE TABLE cell_00.phone_numbers (id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, number text NOT NULL, number_type text NOT NULL, state text NOT NULL, order_id uuid, inbound_url text, status_url text, label text, campaign_id uuid, generation bigint NOT NULL, wished_at timestamp with time zone NOT NULL, line_option_status text, line_option_propagated_at timestamp with time zone, sms_enabled boolean DEFAULT true NOT NULL, mms_enabled boolean DEFAULT true NOT NULL, charged_until timestamp with time zone, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, released_at timestamp with time zone, return_to_carrier boolean DEFAULT false NOT NULL, CONSTRAINT phone_numbers_line_option_status_check CHECK ((line_option_status = ANY (ARRAY['pending'::text, 'propagated'::text, 'failed'::text]))), CONSTRAINT phone_numbers_state_check CHECK ((state = ANY (ARRAY['ordering'::text, 'assigned'::text, 'quarantined'::text]))));
CREATE FUNCTION cell_00.phone_number_resource(p cell_00.phone_numbers) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT jsonb_build_object(
        'id', p.id, 'number', p.number, 'number_type', p.number_type, 'inbound_url', p.inbound_url,
        'status_url', p.status_url, 'label', p.label, 'campaign_id', p.campaign_id,
        'carrier_line_option_status', p.line_option_status,
        'carrier_line_option_propagated_at', wire_time(p.line_option_propagated_at),
        'sms_enabled', p.sms_enabled, 'mms_enabled', p.mms_enabled,
        'created_at', wire_time(p.created_at), 'updated_at', wire_time(p.updated_at))
$$;
CREATE FUNCTION cell_00.refuse_rewriting() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', tg_table_name, tg_op USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION cell_00.require_balance() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'cell_00'
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT transaction_id, org_id, sum(amount_microcents) AS rest,
                   sum(amount_microcents) FILTER (WHERE account = 'wallet') AS moved
            FROM added GROUP BY transaction_id, org_id
        ) e LEFT JOIN ledger_transactions t ON t.id = e.transaction_id AND t.org_id = e.org_id
        WHERE e.rest <> 0 OR t.amount_microcents IS DISTINCT FROM e.moved
    ) THEN
        RAISE EXCEPTION 'entries must cancel each other and agree with their transaction'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION cell_00.wire_time(t timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN date_part('microseconds', t)::bigint % 1000000 = 0 THEN 'Z'
                ELSE to_char(t AT TIME ZONE 'UTC', '.US"Z"') END
$$;
CREATE FUNCTION cell_00.xid_horizon() RETURNS xid8
    LANGUAGE sql STABLE
    AS $$SELECT pg_snapshot_xmin(pg_current_snapshot())$$;
CREATE FUNCTION cell_00.xid_shift() RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$SELECT 0::bigint$$;
CREATE TABLE cell_00.api_keys (id uuid NOT NULL, org_id uuid NOT NULL, label text NOT NULL, prefix text NOT NULL, hash bytea NOT NULL, scopes text[] NOT NULL, created_at timestamp with time zone NOT NULL, last_used_at timestamp with time zone, revoked_at timestamp with time zone, parent_id uuid);
CREATE TABLE cell_00.audit_chains (org_id uuid NOT NULL, length bigint NOT NULL, head bytea NOT NULL, signature bytea NOT NULL) WITH (fillfactor='70'); CREATE TABLE cell_00.audit_log (org_id uuid NOT NULL, id text NOT NULL, occurred_at timestamp with time zone NOT NULL, actor_kind text NOT NULL, actor_label text NOT NULL, action text NOT NULL, resource_type text NOT NULL, resource_id text NOT NULL, reason text, request_id text, payload jsonb, xid xid8 DEFAULT pg_current_xact_id() NOT NULL, CONSTRAINT audit_log_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['customer'::text, 'platform'::text]))));
CREATE TABLE cell_00.audit_place (is_only boolean DEFAULT true NOT NULL, xid xid8 NOT NULL, id text NOT NULL, CONSTRAINT audit_place_is_only_check CHECK (is_only));
CREATE TABLE cell_00.audit_seals (org_id uuid NOT NULL, "position" bigint NOT NULL, row_id text NOT NULL, hash bytea NOT NULL);
CREATE TABLE cell_00.auto_topups (org_id uuid NOT NULL, product_id text NOT NULL, amount_cents bigint NOT NULL, threshold_cents bigint NOT NULL, is_enabled boolean NOT NULL, failures integer DEFAULT 0 NOT NULL, last_failure text, next_attempt_at timestamp with time zone, updated_at timestamp with time zone NOT NULL, monthly_max_cents bigint, CONSTRAINT auto_topups_monthly_max_cents_check CHECK ((monthly_max_cents > 0)));
CREATE TABLE cell_00.brands (id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, tcr_brand_id text, status text NOT NULL, identity_status text, entity_type text NOT NULL, brand_relationship text NOT NULL, display_name text NOT NULL, country text NOT NULL, fields jsonb DEFAULT '{}'::jsonb NOT NULL, tax_id_sealed bytea, tax_id_last4 text, revision integer DEFAULT 1 NOT NULL, applied_revision integer DEFAULT 0 NOT NULL, filings integer DEFAULT 1 NOT NULL, filed_at timestamp with time zone, filing_misses integer DEFAULT 0 NOT NULL, submitted_at timestamp with time zone, verified_at timestamp with time zone, failure_reasons text[] DEFAULT '{}'::text[] NOT NULL, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, is_starter boolean DEFAULT false NOT NULL, CONSTRAINT brands_account_check CHECK ((account = ANY (ARRAY['live'::text, 'sandbox'::text]))), CONSTRAINT brands_identity_status_check CHECK ((identity_status = ANY (ARRAY['SELF_DECLARED'::text, 'UNVERIFIED'::text, 'VERIFIED'::text, 'VETTED_VERIFIED'::text]))), CONSTRAINT brands_status_check CHECK ((status = ANY (ARRAY['PENDING'::text, 'ACTIVE'::text, 'DELETED'::text]))));
CREATE TABLE cell_00.campaigns (id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, brand_id uuid NOT NULL, tcr_campaign_id text, status text NOT NULL, is_suspended boolean DEFAULT false NOT NULL, is_shared boolean DEFAULT false NOT NULL, usecase text NOT NULL, sub_usecases text[] DEFAULT '{}'::text[] NOT NULL, description text NOT NULL, message_flow text NOT NULL, fields jsonb DEFAULT '{}'::jsonb NOT NULL, number_cap integer NOT NULL, mno_metadata jsonb DEFAULT '{}'::jsonb NOT NULL, monthly_fee_microcents bigint NOT NULL, months_charged integer DEFAULT 0 NOT NULL, filed_at timestamp with time zone, filing_misses integer DEFAULT 0 NOT NULL, submitted_at timestamp with time zone, activated_at timestamp with time zone, billed_at timestamp with time zone, renews_on date, expired_at timestamp with time zone, rejection_reasons text[] DEFAULT '{}'::text[] NOT NULL, rejected_at timestamp with time zone, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, CONSTRAINT campaigns_account_check CHECK ((account = ANY (ARRAY['live'::text, 'sandbox'::text]))), CONSTRAINT campaigns_status_check CHECK ((status = ANY (ARRAY['PENDING'::text, 'ACTIVE'::text, 'REJECTED'::text, 'EXPIRED'::text]))));
CREATE TABLE cell_00.carrier_callbacks (id uuid NOT NULL, source text NOT NULL, account text NOT NULL, received_at timestamp with time zone NOT NULL, body text NOT NULL, outcome text NOT NULL, CONSTRAINT carrier_callbacks_outcome_check CHECK ((outcome = ANY (ARRAY['read'::text, 'unreadable'::text, 'unknown_subject'::text]))));
CREATE TABLE cell_00.carrier_order_members (order_id uuid NOT NULL, phone_number_id uuid NOT NULL, number text NOT NULL, campaign text, op_seq bigint NOT NULL, generation bigint NOT NULL, result text, code text, text text, CONSTRAINT carrier_order_members_result_check CHECK ((result = ANY (ARRAY['accepted'::text, 'refused'::text]))));
CREATE TABLE cell_00.carrier_orders (id uuid NOT NULL, account text NOT NULL, order_key text NOT NULL, state text NOT NULL, carrier_order_id text, size integer NOT NULL, misses integer DEFAULT 0 NOT NULL, submissions integer DEFAULT 0 NOT NULL, polls integer DEFAULT 0 NOT NULL, due_at timestamp with time zone, lease_token uuid, lease_until timestamp with time zone, raw text, created_at timestamp with time zone NOT NULL, submitted_at timestamp with time zone, finished_at timestamp with time zone, CONSTRAINT carrier_orders_order_key_check CHECK ((length(order_key) <= 40)), CONSTRAINT carrier_orders_state_check CHECK ((state = ANY (ARRAY['written'::text, 'submitted'::text, 'unknown'::text, 'accepted'::text, 'done'::text, 'refused'::text]))));
CREATE TABLE cell_00.carrier_parts (account text NOT NULL, carrier text NOT NULL, carrier_message_id text NOT NULL, message_id uuid NOT NULL, org_id uuid NOT NULL, part smallint NOT NULL, parts smallint NOT NULL, outcome text, created_at timestamp with time zone NOT NULL) WITH (fillfactor='45'); CREATE TABLE cell_00.consent_challenges (id uuid NOT NULL, org_id uuid NOT NULL, phone_number_id uuid NOT NULL, contact_number text NOT NULL, confirmation_message_id uuid NOT NULL, confirmation_text text NOT NULL, agreement_text text NOT NULL, status text NOT NULL, created_at timestamp with time zone NOT NULL, expires_at timestamp with time zone NOT NULL, ended_at timestamp with time zone, CONSTRAINT consent_challenges_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'confirmed'::text, 'expired'::text, 'canceled'::text]))));
CREATE TABLE cell_00.consent_history (id uuid NOT NULL, consent_id uuid NOT NULL, org_id uuid NOT NULL, event text NOT NULL, keyword text, source text NOT NULL, raw_event_id text, occurred_at timestamp with time zone NOT NULL, recorded_at timestamp with time zone NOT NULL, evidence_ip text, evidence_user_agent text, evidence_agreement_text text, evidence_agreement_text_hash text, evidence_form_url text, evidence_consent_method text, CONSTRAINT consent_history_event_check CHECK ((event = ANY (ARRAY['opt_in'::text, 'opt_out'::text, 'reconfirm'::text, 'expired'::text]))));
CREATE TABLE cell_00.consents (id uuid NOT NULL, org_id uuid NOT NULL, phone_number_id uuid NOT NULL, contact_number text NOT NULL, opted_in boolean NOT NULL, opted_in_at timestamp with time zone, opted_out_at timestamp with time zone, suppressed_by text, suppressed_keyword text, source text NOT NULL, consent_method text, agreement_text_hash text, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, CONSTRAINT consents_consent_method_check CHECK ((consent_method = ANY (ARRAY['checkbox'::text, 'sms_keyword'::text, 'written'::text, 'verbal'::text, 'attested'::text, 'double_opt_in'::text, 'hosted_form'::text]))), CONSTRAINT consents_suppressed_by_check CHECK ((suppressed_by = ANY (ARRAY['keyword'::text, 'natural_language'::text, 'revocation'::text, 'carrier'::text])))) WITH (fillfactor='85'); CREATE TABLE cell_00.conversation_entries (org_id uuid NOT NULL, contact_number text NOT NULL, phone_number_id uuid NOT NULL, at timestamp with time zone NOT NULL, message_id uuid NOT NULL, direction text NOT NULL, CONSTRAINT conversation_entries_direction_check CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text]))));
CREATE TABLE cell_00.conversations (org_id uuid NOT NULL, phone_number_id uuid NOT NULL, contact_number text NOT NULL, phone_number text NOT NULL, last_message_at timestamp with time zone NOT NULL, last_direction text NOT NULL, last_message_id uuid NOT NULL, last_preview text, redacted_at timestamp with time zone, message_count bigint NOT NULL, auto_replies integer DEFAULT 0 NOT NULL, auto_replies_from timestamp with time zone, CONSTRAINT conversations_last_direction_check CHECK ((last_direction = ANY (ARRAY['inbound'::text, 'outbound'::text])))) WITH (fillfactor='70'); CREATE TABLE cell_00.daily_volumes (brand_id uuid NOT NULL, operator text NOT NULL, day date NOT NULL, segments bigint NOT NULL) WITH (fillfactor='50'); CREATE TABLE cell_00.dispatches (message_id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, phone_number_id uuid NOT NULL, campaign_id uuid NOT NULL, brand_id uuid, recipient text NOT NULL, kind text NOT NULL, channel text NOT NULL, segments integer NOT NULL, priority smallint NOT NULL, price_microcents bigint NOT NULL, ready_at timestamp with time zone NOT NULL, expires_at timestamp with time zone NOT NULL, attempts integer DEFAULT 0 NOT NULL, claimed_at timestamp with time zone, claim_token uuid, claim_until timestamp with time zone) WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0'); CREATE TABLE cell_00.drift_events (id uuid NOT NULL, account text NOT NULL, number text NOT NULL, phone_number_id uuid, org_id uuid, kind text NOT NULL, expected_campaign text, seen_campaign text, found_at timestamp with time zone NOT NULL, healed_at timestamp with time zone, CONSTRAINT drift_events_kind_check CHECK ((kind = ANY (ARRAY['missing'::text, 'wrong_campaign'::text, 'extra'::text, 'unknown_number'::text, 'sweep_stopped'::text]))));
CREATE TABLE cell_00.early_receipts (id uuid NOT NULL, account text NOT NULL, carrier text NOT NULL, carrier_message_id text NOT NULL, message_id uuid, status text NOT NULL, error_code text, carrier_code text, raw text NOT NULL, happened_at timestamp with time zone NOT NULL, received_at timestamp with time zone NOT NULL, sender text DEFAULT ''::text NOT NULL, pair text DEFAULT ''::text NOT NULL, excerpt text DEFAULT ''::text NOT NULL, submitted_at timestamp with time zone);
CREATE TABLE cell_00.event_followers (name text NOT NULL, xid xid8 NOT NULL, id uuid NOT NULL, as_of timestamp with time zone NOT NULL);
CREATE TABLE cell_00.events (id uuid NOT NULL, org_id uuid NOT NULL, type text NOT NULL, family text NOT NULL, resource_id uuid NOT NULL, data jsonb NOT NULL, created_at timestamp with time zone NOT NULL, xid xid8 DEFAULT pg_current_xact_id() NOT NULL);
CREATE TABLE cell_00.guardrail_bindings (id uuid NOT NULL, org_id uuid NOT NULL, scope_kind text NOT NULL, scope_id uuid NOT NULL, profile_id uuid NOT NULL, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, CONSTRAINT guardrail_bindings_scope_kind_check CHECK ((scope_kind = ANY (ARRAY['use_case_default'::text, 'brand'::text, 'campaign'::text, 'pool'::text, 'phone_number'::text]))));
CREATE TABLE cell_00.guardrail_pool_members (phone_number_id uuid NOT NULL, pool_id uuid NOT NULL, org_id uuid NOT NULL, added_at timestamp with time zone NOT NULL);
CREATE TABLE cell_00.guardrail_pools (id uuid NOT NULL, org_id uuid NOT NULL, brand_id uuid NOT NULL, name text NOT NULL, slug text NOT NULL, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL);
CREATE TABLE cell_00.guardrail_profiles (id uuid NOT NULL, org_id uuid NOT NULL, name text NOT NULL, source text DEFAULT 'customer'::text NOT NULL, template_key text, quiet_hours_disabled boolean, quiet_hours_start_minute integer, quiet_hours_end_minute integer, quiet_hours_mode text, freq_cap_disabled boolean, freq_cap_window_minutes integer, freq_cap_max_in_window integer, consent_freshness_disabled boolean, consent_freshness_max_age_days integer, autostamp_disabled boolean, autostamp_sender_id_text text, autostamp_cadence text, suppression_disabled boolean, branded_link_advisory_disabled boolean, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, CONSTRAINT guardrail_profiles_autostamp_cadence_check CHECK ((autostamp_cadence = ANY (ARRAY['every'::text, 'first'::text, 'daily'::text]))), CONSTRAINT guardrail_profiles_consent_freshness_max_age_days_check CHECK ((consent_freshness_max_age_days >= 1)), CONSTRAINT guardrail_profiles_freq_cap_max_in_window_check CHECK ((freq_cap_max_in_window >= 1)), CONSTRAINT guardrail_profiles_freq_cap_window_minutes_check CHECK ((freq_cap_window_minutes >= 1)), CONSTRAINT guardrail_profiles_quiet_hours_end_minute_check CHECK (((quiet_hours_end_minute >= 0) AND (quiet_hours_end_minute <= 1439))), CONSTRAINT guardrail_profiles_quiet_hours_mode_check CHECK ((quiet_hours_mode = ANY (ARRAY['reject'::text, 'defer'::text]))), CONSTRAINT guardrail_profiles_quiet_hours_start_minute_check CHECK (((quiet_hours_start_minute >= 0) AND (quiet_hours_start_minute <= 1439))));
CREATE TABLE cell_00.handover_tallies (org_id uuid NOT NULL, contact_number text NOT NULL, scope_id uuid NOT NULL, handed json NOT NULL) WITH (fillfactor='50'); CREATE TABLE cell_00.idempotency_keys (org_id uuid NOT NULL, key text NOT NULL, fingerprint bytea NOT NULL, status integer, headers jsonb, body bytea, subject uuid, created_at timestamp with time zone NOT NULL, CONSTRAINT idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255))));
CREATE TABLE cell_00.inbound_messages (id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, phone_number_id uuid NOT NULL, from_number text NOT NULL, to_number text NOT NULL, body text, channel text NOT NULL, media_urls text[] DEFAULT '{}'::text[] NOT NULL, segment_count integer NOT NULL, opt_out_detected boolean DEFAULT false NOT NULL, opt_out_keyword text, opt_out_method text, carrier text NOT NULL, carrier_message_id text NOT NULL, carrier_received_at timestamp with time zone, received_at timestamp with time zone NOT NULL, redacted_at timestamp with time zone, CONSTRAINT inbound_messages_channel_check CHECK ((channel = ANY (ARRAY['sms'::text, 'mms'::text]))), CONSTRAINT inbound_messages_opt_out_method_check CHECK ((opt_out_method = ANY (ARRAY['keyword'::text, 'natural_language'::text]))));
CREATE TABLE cell_00.inbound_parts (account text NOT NULL, carrier text NOT NULL, from_number text NOT NULL, to_number text NOT NULL, reference integer NOT NULL, parts smallint NOT NULL, part smallint NOT NULL, body bytea NOT NULL, carrier_message_id text NOT NULL, carrier_received_at timestamp with time zone, received_at timestamp with time zone NOT NULL);
CREATE TABLE cell_00.inbound_raw (id uuid NOT NULL, org_id uuid, account text NOT NULL, carrier text NOT NULL, carrier_message_id text NOT NULL, from_number text NOT NULL, to_number text NOT NULL, raw bytea NOT NULL, heard jsonb, problem text, received_at timestamp with time zone NOT NULL);
CREATE TABLE cell_00.jobs (id bigint NOT NULL, kind text NOT NULL, key text NOT NULL, arguments jsonb NOT NULL, run_at timestamp with time zone NOT NULL, attempts integer DEFAULT 0 NOT NULL, lease_token uuid, lease_until timestamp with time zone, last_error text, created_at timestamp with time zone NOT NULL) WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0'); ALTER TABLE cell_00.jobs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME cell_00.jobs_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1);
CREATE TABLE cell_00.ledger_entries (transaction_id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, amount_microcents bigint NOT NULL, CONSTRAINT ledger_entries_account_check CHECK ((account = ANY (ARRAY['wallet'::text, 'revenue'::text, 'funding'::text]))));
CREATE TABLE cell_00.ledger_transactions (id uuid NOT NULL, org_id uuid NOT NULL, ts timestamp with time zone NOT NULL, kind text NOT NULL, amount_microcents bigint NOT NULL, balance_after_microcents bigint NOT NULL, source text NOT NULL, source_ref text, metadata jsonb DEFAULT '{}'::jsonb NOT NULL, CONSTRAINT ledger_transactions_kind_check CHECK ((kind = ANY (ARRAY['topup'::text, 'debit'::text, 'refund'::text, 'adjustment'::text]))));
CREATE TABLE cell_00.line_options (phone_number_id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, number text NOT NULL, phase text NOT NULL, observed text NOT NULL, observed_campaign text, observed_status text DEFAULT 'settled'::text NOT NULL, observed_at timestamp with time zone, operators jsonb DEFAULT '{}'::jsonb NOT NULL, applied_generation bigint DEFAULT 0 NOT NULL, op_seq bigint DEFAULT 0 NOT NULL, op_order_id uuid, op_campaign text, op_generation bigint, op_submitted_at timestamp with time zone, op_accepted_at timestamp with time zone, op_deadline_at timestamp with time zone, attempts integer DEFAULT 0 NOT NULL, trouble text, error_code text, error_text text, differs_count integer DEFAULT 0 NOT NULL, differs_since timestamp with time zone, due_at timestamp with time zone, lease_token uuid, lease_until timestamp with time zone, updated_at timestamp with time zone NOT NULL, CONSTRAINT line_options_check CHECK (((observed = 'present'::text) = (observed_campaign IS NOT NULL))), CONSTRAINT line_options_observed_check CHECK ((observed = ANY (ARRAY['unread'::text, 'absent'::text, 'present'::text]))), CONSTRAINT line_options_observed_status_check CHECK ((observed_status = ANY (ARRAY['settled'::text, 'processing'::text, 'failed'::text]))), CONSTRAINT line_options_phase_check CHECK ((phase = ANY (ARRAY['unbound'::text, 'bind_queued'::text, 'binding'::text, 'propagating'::text, 'bound'::text, 'unbind_queued'::text, 'unbinding'::text, 'backoff'::text, 'blocked'::text, 'unknown'::text])))) WITH (autovacuum_vacuum_scale_factor='0.05', fillfactor='80'); CREATE TABLE cell_00.line_transitions (phone_number_id uuid NOT NULL, id uuid NOT NULL, org_id uuid NOT NULL, occurred_at timestamp with time zone NOT NULL, phase text NOT NULL, generation bigint NOT NULL, note text NOT NULL);
CREATE TABLE cell_00.lookups (id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, phone_number text NOT NULL, lookup_type text NOT NULL, status text NOT NULL, line_type text, result jsonb, result_redacted_at timestamp with time zone, error_code text, error_message text, cost_cents integer NOT NULL, requested_at timestamp with time zone NOT NULL, completed_at timestamp with time zone, idempotency_key text, fingerprint bytea, CONSTRAINT lookups_account_check CHECK ((account = ANY (ARRAY['live'::text, 'sandbox'::text]))), CONSTRAINT lookups_line_type_check CHECK ((line_type = ANY (ARRAY['MOBILE'::text, 'FIXED'::text, 'VOIP'::text, 'FIXED_VOIP'::text]))), CONSTRAINT lookups_lookup_type_check CHECK ((lookup_type = 'advanced'::text)), CONSTRAINT lookups_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'complete'::text, 'failed'::text]))));
CREATE TABLE cell_00.media (id uuid NOT NULL, org_id uuid NOT NULL, mime_type text NOT NULL, byte_size integer NOT NULL, state text NOT NULL, upload_token_hash bytea, object_key text NOT NULL, created_at timestamp with time zone NOT NULL, expires_at timestamp with time zone NOT NULL, needed_until timestamp with time zone, stored_at timestamp with time zone, CONSTRAINT media_state_check CHECK ((state = ANY (ARRAY['announced'::text, 'stored'::text]))));
CREATE TABLE cell_00.media_recipients (org_id uuid NOT NULL, media_id uuid NOT NULL, contact_number text NOT NULL);
CREATE TABLE cell_00.metric_buckets (org_id uuid NOT NULL, metric text NOT NULL, span text NOT NULL, bucket_start timestamp with time zone NOT NULL, labels jsonb NOT NULL, value bigint NOT NULL, CONSTRAINT metric_buckets_span_check CHECK ((span = ANY (ARRAY['minute'::text, 'hour'::text, 'day'::text])))) WITH (fillfactor='80'); CREATE TABLE cell_00.number_orders (id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, kind text NOT NULL, status text NOT NULL, quantity integer NOT NULL, criteria jsonb NOT NULL, settings jsonb NOT NULL, assigned text[] DEFAULT '{}'::text[] NOT NULL, unavailable text[] DEFAULT '{}'::text[] NOT NULL, round integer DEFAULT 0 NOT NULL, purchase text[] DEFAULT '{}'::text[] NOT NULL, order_key text, submitted_at timestamp with time zone, doubt_at timestamp with time zone, misses integer DEFAULT 0 NOT NULL, polls integer DEFAULT 0 NOT NULL, carrier_order_id text, carrier_said text, created_at timestamp with time zone NOT NULL, finished_at timestamp with time zone, available_count integer, CONSTRAINT number_orders_kind_check CHECK ((kind = ANY (ARRAY['order'::text, 'bulk'::text, 'return'::text]))), CONSTRAINT number_orders_order_key_check CHECK ((length(order_key) <= 40)), CONSTRAINT number_orders_status_check CHECK ((status = ANY (ARRAY['processing'::text, 'complete'::text, 'failed'::text]))));
CREATE TABLE cell_00.opt_outs (org_id uuid NOT NULL, contact_number text NOT NULL, phone_number text NOT NULL, scope_key text NOT NULL, scope text NOT NULL, phone_number_id uuid NOT NULL, suppressed_by text NOT NULL, keyword text, opted_out_at timestamp with time zone NOT NULL, lifted_for text[] DEFAULT '{}'::text[] NOT NULL, CONSTRAINT opt_outs_scope_check CHECK ((scope = ANY (ARRAY['number'::text, 'campaign'::text, 'brand'::text, 'organization'::text]))), CONSTRAINT opt_outs_suppressed_by_check CHECK ((suppressed_by = ANY (ARRAY['keyword'::text, 'natural_language'::text, 'carrier'::text]))));
CREATE TABLE cell_00.organizations (id uuid NOT NULL, mode text NOT NULL, name text NOT NULL, billing_email text, plan text DEFAULT 'payg'::text NOT NULL, throughput_tier integer DEFAULT 1 NOT NULL, message_retention_days integer DEFAULT 90 NOT NULL, mms_retention_days integer DEFAULT 30 NOT NULL, is_commercial boolean DEFAULT true NOT NULL, is_reseller boolean DEFAULT false NOT NULL, quiet_hours jsonb NOT NULL, auto_replies jsonb NOT NULL, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, throughput_per_sec integer, throughput_per_min integer, opt_out_scope text DEFAULT 'brand'::text NOT NULL, CONSTRAINT organizations_message_retention_days_check CHECK (((message_retention_days >= 30) AND (message_retention_days <= 365))), CONSTRAINT organizations_mms_retention_days_check CHECK (((mms_retention_days >= 1) AND (mms_retention_days <= 365))), CONSTRAINT organizations_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'sandbox'::text]))), CONSTRAINT organizations_opt_out_scope_check CHECK ((opt_out_scope = ANY (ARRAY['number'::text, 'campaign'::text, 'brand'::text, 'organization'::text]))), CONSTRAINT organizations_throughput_per_min_check CHECK ((throughput_per_min > 0)), CONSTRAINT organizations_throughput_per_sec_check CHECK ((throughput_per_sec > 0)));
CREATE TABLE cell_00.pace_buckets (account text NOT NULL, scope text NOT NULL, tokens double precision NOT NULL, refilled_at timestamp with time zone NOT NULL, paused_until timestamp with time zone) WITH (fillfactor='50'); CREATE TABLE cell_00.payers (org_id uuid NOT NULL, customer_id text, subscription_id text, subscription_status text DEFAULT 'active'::text NOT NULL, subscription_told_at timestamp with time zone, updated_at timestamp with time zone NOT NULL, CONSTRAINT payers_subscription_status_check CHECK ((subscription_status = ANY (ARRAY['active'::text, 'past_due'::text, 'canceled'::text]))));
CREATE TABLE cell_00.payment_events (id text NOT NULL, org_id uuid NOT NULL, kind text NOT NULL, received_at timestamp with time zone NOT NULL);
CREATE TABLE cell_00.rate_buckets (org_id uuid NOT NULL, bucket text NOT NULL, tokens double precision NOT NULL, refilled_at timestamp with time zone NOT NULL, refused boolean DEFAULT false NOT NULL);
CREATE TABLE cell_00.retention_marks (org_id uuid NOT NULL, swept_at timestamp with time zone NOT NULL, messages_until timestamp with time zone, message_media_until timestamp with time zone, inbound_until timestamp with time zone, inbound_media_until timestamp with time zone);
CREATE TABLE cell_00.sending_accounts (org_id uuid NOT NULL, version bigint DEFAULT 0 NOT NULL, admitted_microcents bigint DEFAULT 0 NOT NULL, second_tokens double precision DEFAULT 0 NOT NULL, minute_tokens double precision DEFAULT 0 NOT NULL, refilled_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL) WITH (fillfactor='50'); CREATE TABLE cell_00.texted_contacts (org_id uuid NOT NULL, contact_number text NOT NULL, memory json NOT NULL) WITH (fillfactor='70'); CREATE TABLE cell_00.topups (id uuid NOT NULL, org_id uuid NOT NULL, kind text NOT NULL, state text NOT NULL, product_id text NOT NULL, amount_cents bigint NOT NULL, success_url text, cancel_url text, session_id text, session_url text, customer_id text, payment_method text, payment_id text, failure text, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, CONSTRAINT topups_amount_cents_check CHECK ((amount_cents > 0)), CONSTRAINT topups_kind_check CHECK ((kind = ANY (ARRAY['checkout'::text, 'auto'::text]))), CONSTRAINT topups_state_check CHECK ((state = ANY (ARRAY['open'::text, 'paid'::text, 'failed'::text]))));
CREATE TABLE cell_00.unnamed_messages (message_id uuid NOT NULL, org_id uuid NOT NULL, account text NOT NULL, carrier text NOT NULL, pair text NOT NULL, handed_at timestamp with time zone NOT NULL, noted_at timestamp with time zone NOT NULL);
CREATE TABLE cell_00.usage_rows (id uuid NOT NULL, org_id uuid NOT NULL, ts timestamp with time zone NOT NULL, kind text NOT NULL, quantity bigint NOT NULL, unit_cost_microcents bigint NOT NULL, total_microcents bigint NOT NULL, ref_kind text, ref_id uuid, metadata jsonb DEFAULT '{}'::jsonb NOT NULL);
CREATE TABLE cell_00.wallets (org_id uuid NOT NULL, balance_microcents bigint DEFAULT 0 NOT NULL, lifetime_spend_microcents bigint DEFAULT 0 NOT NULL, updated_at timestamp with time zone NOT NULL, settled_microcents bigint DEFAULT 0 NOT NULL, auto_topup_below_microcents bigint, provisional_spend_microcents bigint DEFAULT 0 NOT NULL);
CREATE TABLE cell_00.webhook_attempts (id uuid NOT NULL, org_id uuid NOT NULL, lane_id uuid NOT NULL, kind text NOT NULL, source_event_id uuid NOT NULL, event_id uuid NOT NULL, event_type text NOT NULL, url text NOT NULL, attempt integer NOT NULL, outcome text NOT NULL, response_status integer, response_time_ms integer, request_body_sha256 bytea, request_body_bytes integer, response_body_excerpt text, request_headers jsonb NOT NULL, error text, occurred_at timestamp with time zone NOT NULL, CONSTRAINT webhook_attempts_kind_check CHECK ((kind = ANY (ARRAY['endpoint'::text, 'number'::text]))), CONSTRAINT webhook_attempts_outcome_check CHECK ((outcome = ANY (ARRAY['success'::text, 'retry'::text, 'dead'::text]))));
CREATE TABLE cell_00.webhook_deliveries (lane_id uuid NOT NULL, due_at timestamp with time zone NOT NULL, id uuid NOT NULL, org_id uuid NOT NULL, event_id uuid NOT NULL, told_as uuid NOT NULL, attempts integer DEFAULT 0 NOT NULL, created_at timestamp with time zone NOT NULL) WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0'); CREATE TABLE cell_00.webhook_endpoints (id uuid NOT NULL, org_id uuid NOT NULL, url text NOT NULL, description text, events text[] NOT NULL, active boolean NOT NULL, api_version text NOT NULL, sealed_secret bytea NOT NULL, created_at timestamp with time zone NOT NULL, updated_at timestamp with time zone NOT NULL, deleted_at timestamp with time zone);
CREATE TABLE cell_00.webhook_lanes (id uuid NOT NULL, org_id uuid NOT NULL, number_url text, due_at timestamp with time zone, holder uuid, failing_since timestamp with time zone, disabled_at timestamp with time zone, full_at timestamp with time zone, created_at timestamp with time zone NOT NULL) WITH (fillfactor='70'); CREATE TABLE cell_00.webhook_secrets (org_id uuid NOT NULL, sealed_secret bytea NOT NULL, rotated_at timestamp with time zone NOT NULL, previous_sealed_secret bytea, previous_valid_until timestamp with time zone);
CREATE TABLE directory.api_keys (hash bytea NOT NULL, key_id uuid NOT NULL, org_id uuid NOT NULL, label text NOT NULL, scopes text[] NOT NULL);
CREATE TABLE directory.carrier_budgets (account text NOT NULL, kind text NOT NULL, tokens double precision NOT NULL, refilled_at timestamp with time zone NOT NULL, refused boolean DEFAULT false NOT NULL, failures integer DEFAULT 0 NOT NULL, open_until timestamp with time zone, CONSTRAINT carrier_budgets_kind_check CHECK ((kind = ANY (ARRAY['write'::text, 'read'::text, 'breaker'::text]))));
CREATE TABLE directory.cells (name text NOT NULL, created_at timestamp with time zone DEFAULT now() NOT NULL, CONSTRAINT cells_name_check CHECK ((name ~ '^cell_[0-9]{2}$'::text)));
CREATE TABLE directory.installation (name text NOT NULL, value jsonb NOT NULL, updated_at timestamp with time zone DEFAULT now() NOT NULL);
CREATE TABLE directory.inventory (account text NOT NULL, number text NOT NULL, number_type text NOT NULL, state text NOT NULL, org_id uuid, cell text, generation bigint DEFAULT 0 NOT NULL, op_seq bigint DEFAULT 0 NOT NULL, is_read boolean DEFAULT true NOT NULL, available_at timestamp with time zone, created_at timestamp with time zone DEFAULT now() NOT NULL, updated_at timestamp with time zone DEFAULT now() NOT NULL, CONSTRAINT inventory_account_check CHECK ((account = ANY (ARRAY['live'::text, 'sandbox'::text]))), CONSTRAINT inventory_number_check CHECK ((number ~ '^\+[1-9][0-9]{4,14}$'::text)), CONSTRAINT inventory_number_type_check CHECK ((number_type = ANY (ARRAY['local'::text, 'toll_free'::text, 'short_code'::text]))), CONSTRAINT inventory_state_check CHECK ((state = ANY (ARRAY['available'::text, 'ordering'::text, 'assigned'::text, 'quarantined'::text, 'retired'::text]))));
CREATE TABLE directory.migrations (schema text NOT NULL, number integer NOT NULL, name text NOT NULL, checksum text NOT NULL, applied_at timestamp with time zone DEFAULT now() NOT NULL);
CREATE TABLE directory.odd_answers (id uuid NOT NULL, account text NOT NULL, operation text NOT NULL, reason text NOT NULL, raw text NOT NULL, heard_at timestamp with time zone NOT NULL);
CREATE TABLE directory.organizations (id uuid NOT NULL, cell text NOT NULL, mode text NOT NULL, twin_id uuid, created_at timestamp with time zone DEFAULT now() NOT NULL, CONSTRAINT organizations_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'sandbox'::text]))));
CREATE TABLE directory.receipt_id_forms (account text NOT NULL, carrier text NOT NULL, form text NOT NULL, matches bigint NOT NULL, first_at timestamp with time zone NOT NULL, last_at timestamp with time zone NOT NULL);
CREATE TABLE directory.space_proofs (filler bytea NOT NULL);
ALTER TABLE ONLY directory.space_proofs ALTER COLUMN filler SET STORAGE EXTERNAL;
CREATE TABLE directory.sweeps (account text NOT NULL, due_at timestamp with time zone NOT NULL, lease_token uuid, lease_until timestamp with time zone, began_at timestamp with time zone, finished_at timestamp with time zone, result jsonb);
CREATE TABLE directory.undecided_receipts (id uuid NOT NULL, account text NOT NULL, carrier text NOT NULL, carrier_message_id text NOT NULL, readings jsonb NOT NULL, status text NOT NULL, error_code text, carrier_code text, raw text NOT NULL, sender text NOT NULL, pair text NOT NULL, excerpt text NOT NULL, submitted_at timestamp with time zone, happened_at timestamp with time zone NOT NULL, received_at timestamp with time zone NOT NULL, look_at timestamp with time zone NOT NULL);
CREATE TABLE directory.worker_heartbeats (worker text NOT NULL, beat_at timestamp with time zone NOT NULL, lines jsonb DEFAULT '[]'::jsonb NOT NULL, skew_s double precision DEFAULT 0 NOT NULL);
INSERT INTO cell_00.api_keys VALUES
	('01a23245-e9be-71c7-943e-53e5b2b3b5fe', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'test', 'am_live_nqb8', '\x00a0e15882ce24bbd32bc317c81a8319bea12a7437fc57c4d3ac5d797b750c34', '{messages:send,messages:read,messages:erase,conversations:read,consent:read,consent:write,lookups:read,lookups:write,numbers:read,numbers:write,brands:read,brands:write,campaigns:read,campaigns:write,webhooks:read,webhooks:write,apikeys:read,apikeys:write,billing:read,billing:write,org:read,org:admin:write,audit:read,metrics:read,events:read}', '2026-12-01 15:42:52.294937+00', NULL, NULL, NULL);
INSERT INTO cell_00.audit_chains VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 1, '\x01', '\x02');
INSERT INTO cell_00.audit_log VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '01M8S4BTCEYD5ZPR3KKT1ZHAVE', '2026-12-01 15:42:52.294937+00', 'platform', 'platform', 'organization.create', 'organization', '01a23245-e983-7015-8b11-5c128c3e5f7b', NULL, NULL, NULL, '10'),
	('01a23245-e983-7015-8b11-5c13f27a62ab', '01M8S4BTCFFP8P5T131W2ETW96', '2026-12-01 15:42:52.294937+00', 'platform', 'platform', 'organization.create', 'organization', '01a23245-e983-7015-8b11-5c13f27a62ab', NULL, NULL, NULL, '10'),
	('01a23245-e983-7015-8b11-5c13f27a62ab', '01M8S4BTCZAMNDHBCEG04MV87Z', '2026-12-01 15:42:52.294937+00', 'platform', 'platform', 'wallet.credit', 'wallet', '01a23245-e983-7015-8b11-5c13f27a62ab', NULL, NULL, '{"source": "signup", "source_ref": "01a23245-e983-7015-8b11-5c13f27a62ab", "amount_microcents": 100000000000}', '10'),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '01M8S4BTDSJZRWVZ77082P0Q7X', '2026-12-01 15:42:52.294937+00', 'platform', 'platform', 'wallet.credit', 'wallet', '01a23245-e983-7015-8b11-5c128c3e5f7b', NULL, NULL, '{"source": "operator", "source_ref": "test", "amount_microcents": 100000000000}', '10'),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '01M8S4BTE4CZ2FSWM8701TVC3S', '2026-12-01 15:42:52.294937+00', 'platform', 'platform', 'api_key.create', 'api_key', '01a23245-e9be-71c7-943e-53e5b2b3b5fe', NULL, NULL, '{"label": "test", "prefix": "am_live_nqb8", "scopes": ["messages:send", "messages:read", "messages:erase", "conversations:read", "consent:read", "consent:write", "lookups:read", "lookups:write", "numbers:read", "numbers:write", "brands:read", "brands:write", "campaigns:read", "campaigns:write", "webhooks:read", "webhooks:write", "apikeys:read", "apikeys:write", "billing:read", "billing:write", "org:read", "org:admin:write", "audit:read", "metrics:read", "events:read"], "replaces": null, "parent_id": null}', '10'),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '01M8S4BTFFAGMAR89YE3TR824A', '2026-12-01 15:42:52.401649+00', 'customer', 'api_key:01a23245-e9be-71c7-943e-53e5b2b3b5fe (test)', 'guardrail_profile.create', 'guardrail_profile', '01a23245-e9ee-74d4-bca5-b29a641d44fc', NULL, '01M8S4BTFB2F36MHE4G5NPKQM1', '{"after": {"name": "Caps", "quiet_hours_mode": null, "autostamp_cadence": "daily", "freq_cap_disabled": false, "autostamp_disabled": false, "quiet_hours_disabled": null, "suppression_disabled": null, "freq_cap_max_in_window": 20, "quiet_hours_end_minute": null, "freq_cap_window_minutes": 60, "autostamp_sender_id_text": "Acme Dental", "quiet_hours_start_minute": null, "consent_freshness_disabled": null, "branded_link_advisory_disabled": null, "consent_freshness_max_age_days": null}}', '10'),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '01M8S4BTFTF4XFAVRPWYRTR3CA', '2026-12-01 15:42:52.411877+00', 'customer', 'api_key:01a23245-e9be-71c7-943e-53e5b2b3b5fe (test)', 'webhook_endpoint.create', 'webhook_endpoint', '01a23245-e9f9-7554-9f99-075a703d4c3b', NULL, '01M8S4BTFPVRJR0900HBDJ47X3', '{"url": "https://customer.example/hook", "active": true, "events": ["message.sent"]}', '10');
INSERT INTO cell_00.audit_place VALUES
	(true, '0', '');
INSERT INTO cell_00.audit_seals VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 1, '01ROW', '\x01');
INSERT INTO cell_00.auto_topups VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'prod_1', 5000, 1000, true, 0, NULL, NULL, '2026-11-30 10:00:00+00', 50000);
INSERT INTO cell_00.brands VALUES
	('01a23245-e9ce-72e3-9b2e-1d804b12189b', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', 'B12189B', 'ACTIVE', 'VERIFIED', 'PRIVATE_PROFIT', 'BASIC_ACCOUNT', 'Acme', 'US', '{}', '\x0102', '6789', 1, 1, 1, '2026-12-01 15:42:52.369798+00', 0, '2026-12-01 15:42:52.369798+00', NULL, '{}', '2026-12-01 15:42:52.369798+00', '2026-12-01 15:42:52.369798+00', false);
INSERT INTO cell_00.campaigns VALUES
	('01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d804b12189b', 'C1FA23B', 'ACTIVE', false, true, 'MARKETING', '{}', 'Weekly offers to customers who asked for them.', 'Customers tick a box at checkout and agree to weekly offers.', '{"sample1": "Acme: 20 percent off this week. Reply STOP to opt out."}', 49, '{}', 1000000000, 1, '2026-12-01 15:42:52.373024+00', 0, '2026-12-01 15:42:52.373024+00', '2026-12-01 15:42:52.373032+00', NULL, NULL, NULL, '{}', NULL, '2026-12-01 15:42:52.373024+00', '2026-12-01 15:42:52.373024+00');
INSERT INTO cell_00.carrier_callbacks VALUES
	('00000000-0000-7000-8000-000000000103', 'bandwidth', 'live', '2026-11-30 10:00:00+00', '<xml/>', 'read');
INSERT INTO cell_00.carrier_order_members VALUES
	('00000000-0000-7000-8000-000000000104', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '+14155550123', 'CTCR1', 1, 1, 'accepted', NULL, NULL);
INSERT INTO cell_00.carrier_orders VALUES
	('00000000-0000-7000-8000-000000000104', 'live', 'key-1', 'accepted', 'order-1', 1, 0, 1, 0, '2026-11-30 10:00:00+00', NULL, NULL, NULL, '2026-11-30 10:00:00+00', '2026-11-30 10:00:00+00', NULL);
INSERT INTO cell_00.carrier_parts VALUES
	('live', 'smpp', 'a001', '01a23245-e9fa-71f5-85c9-89fded4fc543', '01a23245-e983-7015-8b11-5c128c3e5f7b', 1, 1, NULL, '2026-12-01 15:42:52.475681+00'),
	('live', 'smpp', 'a002', '01a23245-e9fa-71f5-85c9-89fea1c93cc2', '01a23245-e983-7015-8b11-5c128c3e5f7b', 1, 1, NULL, '2026-12-01 15:42:52.475681+00'),
	('live', 'smpp', 'a000', '01a23245-e9fa-71f5-85c9-89fc01ce1d7f', '01a23245-e983-7015-8b11-5c128c3e5f7b', 1, 1, 'delivered', '2026-12-01 15:42:52.475681+00');
INSERT INTO cell_00.consent_challenges VALUES
	('00000000-0000-7000-8000-000000000105', '01a23245-e983-7015-8b11-5c128c3e5f7b', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '+12125550190', '00000000-0000-7000-8000-000000000106', 'Reply YES', 'I agree', 'pending', '2026-11-30 10:00:00+00', '2026-12-30 10:00:00+00', NULL);
INSERT INTO cell_00.consent_history VALUES
	('00000000-0000-7000-8000-000000000107', '01a23245-e9e3-70f2-8ae0-6d7d1464354d', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'opt_in', NULL, 'api', NULL, '2026-11-30 10:00:00+00', '2026-11-30 10:00:00+00', '192.0.2.1', NULL, 'I agree', NULL, NULL, 'written');
INSERT INTO cell_00.consents VALUES
	('01a23245-e9e3-70f2-8ae0-6d7d1464354d', '01a23245-e983-7015-8b11-5c128c3e5f7b', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '+12125550188', true, '2026-12-01 15:42:52.391015+00', NULL, NULL, NULL, 'api', 'attested', NULL, '2026-12-01 15:42:52.391025+00', '2026-12-01 15:42:52.391025+00');
INSERT INTO cell_00.conversation_entries VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '+12125550188', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '2026-12-01 15:42:52.475681+00', '01a23245-e9fa-71f5-85c9-89fc01ce1d7f', 'outbound'),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '+12125550188', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '2026-12-01 15:42:52.475681+00', '01a23245-e9fa-71f5-85c9-89fded4fc543', 'outbound'),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '+12125550188', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '2026-12-01 15:42:52.475681+00', '01a23245-e9fa-71f5-85c9-89fea1c93cc2', 'outbound');
INSERT INTO cell_00.conversations VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '+12125550188', '+14155550123', '2026-12-01 15:42:52.475681+00', 'outbound', '01a23245-e9fa-71f5-85c9-89fea1c93cc2', 'Acme: three', NULL, 3, 0, NULL);
INSERT INTO cell_00.daily_volumes VALUES
	('01a23245-e9ce-72e3-9b2e-1d804b12189b', 't-mobile', '2026-11-30', 7);
INSERT INTO cell_00.dispatches VALUES
	('01a23245-ea88-7448-bf5a-5c948c3fd08e', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', '01a23245-e9ce-72e3-9b2e-1d804b12189b', '+12125550188', 'customer', 'sms', 1, 1, 1000000, '2026-12-01 15:42:52.555704+00', '2026-12-01 19:42:52.555704+00', 0, NULL, NULL, NULL),
	('01a23245-ea91-738f-8249-28a2ef370b56', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e9ce-72e3-9b2e-1d804b12189b', '+12125550188', 'customer', 'sms', 1, 1, 1000000, '2026-12-01 16:42:52.564638+00', '2026-12-01 20:42:52.564638+00', 0, NULL, NULL, NULL);
INSERT INTO cell_00.drift_events VALUES
	('00000000-0000-7000-8000-000000000108', 'live', '+14155550123', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'wrong_campaign', 'CTCR1', 'CTCR2', '2026-11-30 10:00:00+00', '2026-11-30 11:00:00+00');
INSERT INTO cell_00.early_receipts VALUES
	('01a23245-ea87-719e-b3fa-d94cd8220fd7', 'live', 'smpp', 'ffff01', NULL, 'delivered', NULL, '000', 'id:ffff01 sub:001 dlvrd:001 submit date:2612011542 done date:2612011542 stat:DELIVRD err:000', '2026-12-01 15:42:52.54793+00', '2026-12-01 15:42:52.554327+00', '14155550123', '0ed9e815ab12eeae', '', '2026-12-01 15:42:00+00');
INSERT INTO cell_00.event_followers VALUES
	('webhooks', '9', '00000000-0000-0000-0000-000000000000', '2026-12-01 15:42:51.701248+00'),
	('metrics', '10', '00000000-0000-0000-0000-000000000000', '2026-12-01 15:42:51.798314+00');
INSERT INTO cell_00.events VALUES
	('01a23245-e9c4-707b-bc4c-cbd541bfe43c', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'api_key.created', 'api_key', '01a23245-e9be-71c7-943e-53e5b2b3b5fe', '{"id": "01a23245-e9be-71c7-943e-53e5b2b3b5fe", "label": "test", "org_id": "01a23245-e983-7015-8b11-5c128c3e5f7b", "prefix": "am_live_nqb8", "scopes": ["messages:send", "messages:read", "messages:erase", "conversations:read", "consent:read", "consent:write", "lookups:read", "lookups:write", "numbers:read", "numbers:write", "brands:read", "brands:write", "campaigns:read", "campaigns:write", "webhooks:read", "webhooks:write", "apikeys:read", "apikeys:write", "billing:read", "billing:write", "org:read", "org:admin:write", "audit:read", "metrics:read", "events:read"], "parent_id": null, "created_at": "2026-12-01T15:42:52.294937Z", "revoked_at": null, "last_used_at": null}', '2026-12-01 15:42:52.294937+00', '10'),
	('01a23245-ea41-7548-b31f-4d1527dde4a9', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'message.sent', 'message', '01a23245-e9fa-71f5-85c9-89fc01ce1d7f', '{"id": "01a23245-e9fa-71f5-85c9-89fc01ce1d7f", "to": "+12125550188", "tag": null, "from": "+14155550123", "kind": "customer", "text": "Acme: one", "error": null, "media": [], "status": "sent", "channel": "sms", "sent_at": "2026-12-01T15:42:52.475681Z", "encoding": "gsm7", "metadata": null, "priority": "default", "cost_cents": 1, "created_at": "2026-12-01T15:42:52.414229Z", "expires_at": "2026-12-01T19:42:52.414229Z", "campaign_id": "01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b", "redacted_at": null, "delivered_at": null, "scheduled_at": null, "appended_text": "\nAcme Dental", "segment_count": 1, "smart_encoding": false, "phone_number_id": "01a23245-e9ce-72e3-9b2e-1d7eda9a62c8", "carrier_message_id": "a000", "bandwidth_message_id": "a000"}', '2026-12-01 15:42:52.475681+00', '10'),
	('01a23245-ea42-737b-ab80-bb9df2e03122', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'message.sent', 'message', '01a23245-e9fa-71f5-85c9-89fded4fc543', '{"id": "01a23245-e9fa-71f5-85c9-89fded4fc543", "to": "+12125550188", "tag": null, "from": "+14155550123", "kind": "customer", "text": "Acme: two", "error": null, "media": [], "status": "sent", "channel": "sms", "sent_at": "2026-12-01T15:42:52.475681Z", "encoding": "gsm7", "metadata": null, "priority": "default", "cost_cents": 1, "created_at": "2026-12-01T15:42:52.414229Z", "expires_at": "2026-12-01T19:42:52.414229Z", "campaign_id": "01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b", "redacted_at": null, "delivered_at": null, "scheduled_at": null, "appended_text": null, "segment_count": 1, "smart_encoding": false, "phone_number_id": "01a23245-e9ce-72e3-9b2e-1d7eda9a62c8", "carrier_message_id": "a001", "bandwidth_message_id": "a001"}', '2026-12-01 15:42:52.475681+00', '10'),
	('01a23245-ea42-737b-ab80-bb9e3f1765eb', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'message.sent', 'message', '01a23245-e9fa-71f5-85c9-89fea1c93cc2', '{"id": "01a23245-e9fa-71f5-85c9-89fea1c93cc2", "to": "+12125550188", "tag": null, "from": "+14155550123", "kind": "customer", "text": "Acme: three", "error": null, "media": [], "status": "sent", "channel": "sms", "sent_at": "2026-12-01T15:42:52.475681Z", "encoding": "gsm7", "metadata": null, "priority": "default", "cost_cents": 1, "created_at": "2026-12-01T15:42:52.414229Z", "expires_at": "2026-12-01T19:42:52.414229Z", "campaign_id": "01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b", "redacted_at": null, "delivered_at": null, "scheduled_at": null, "appended_text": null, "segment_count": 1, "smart_encoding": false, "phone_number_id": "01a23245-e9ce-72e3-9b2e-1d7eda9a62c8", "carrier_message_id": "a002", "bandwidth_message_id": "a002"}', '2026-12-01 15:42:52.475681+00', '10'),
	('01a23245-ea82-7163-9397-81beb679c775', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'message.delivered', 'message', '01a23245-e9fa-71f5-85c9-89fc01ce1d7f', '{"id": "01a23245-e9fa-71f5-85c9-89fc01ce1d7f", "to": "+12125550188", "tag": null, "from": "+14155550123", "kind": "customer", "text": "Acme: one", "error": null, "media": [], "status": "delivered", "channel": "sms", "sent_at": "2026-12-01T15:42:52.475681Z", "encoding": "gsm7", "metadata": null, "priority": "default", "cost_cents": 1, "created_at": "2026-12-01T15:42:52.414229Z", "expires_at": "2026-12-01T19:42:52.414229Z", "campaign_id": "01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b", "redacted_at": null, "delivered_at": "2026-12-01T15:42:52.538218Z", "scheduled_at": null, "appended_text": "\nAcme Dental", "segment_count": 1, "smart_encoding": false, "phone_number_id": "01a23245-e9ce-72e3-9b2e-1d7eda9a62c8", "carrier_message_id": "a000", "bandwidth_message_id": "a000"}', '2026-12-01 15:42:52.538218+00', '10');
INSERT INTO cell_00.guardrail_bindings VALUES
	('00000000-0000-7000-8000-000000000100', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'use_case_default', '01a23245-e983-7015-8b11-5c128c3e5f7b', '01a23245-e9ee-74d4-bca5-b29a641d44fc', '2026-12-01 15:42:52.400899+00', '2026-12-01 15:42:52.400899+00');
INSERT INTO cell_00.guardrail_pool_members VALUES
	('01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '00000000-0000-7000-8000-000000000109', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-11-30 10:00:00+00');
INSERT INTO cell_00.guardrail_pools VALUES
	('00000000-0000-7000-8000-000000000109', '01a23245-e983-7015-8b11-5c128c3e5f7b', '01a23245-e9ce-72e3-9b2e-1d804b12189b', 'Pool', 'pool', '2026-11-30 10:00:00+00', '2026-11-30 10:00:00+00');
INSERT INTO cell_00.guardrail_profiles VALUES
	('01a23245-e9ee-74d4-bca5-b29a641d44fc', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'Caps', 'customer', NULL, NULL, NULL, NULL, NULL, false, 60, 20, NULL, NULL, false, 'Acme Dental', 'daily', NULL, NULL, '2026-12-01 15:42:52.401649+00', '2026-12-01 15:42:52.401649+00');
INSERT INTO cell_00.handover_tallies VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '+12125550188', '01a23245-e983-7015-8b11-5c128c3e5f7b', '{"01a23245-e9fa-71f5-85c9-89fc01ce1d7f":1796139772457,"01a23245-e9fa-71f5-85c9-89fded4fc543":1796139772457,"01a23245-e9fa-71f5-85c9-89fea1c93cc2":1796139772457}');
INSERT INTO cell_00.idempotency_keys VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'key-1', '\x01', 202, '{}', '\x7b7d', NULL, '2026-11-30 10:00:00+00');
INSERT INTO cell_00.inbound_messages VALUES
	('00000000-0000-7000-8000-000000000111', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '+12125550188', '+14155550123', 'Hello', 'sms', '{}', 1, false, NULL, NULL, 'smpp', 'in-2', NULL, '2026-11-30 10:00:00+00', NULL);
INSERT INTO cell_00.inbound_parts VALUES
	('live', 'smpp', '+12125550188', '+14155550123', 1, 2, 1, '\x4800', 'in-3', NULL, '2026-11-30 10:00:00+00');
INSERT INTO cell_00.inbound_raw VALUES
	('00000000-0000-7000-8000-000000000110', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', 'smpp', 'in-1', '+12125550188', '+14155550123', '\x53', '{"text": "S"}', 'failed', '2026-11-30 10:00:00+00');
INSERT INTO cell_00.jobs OVERRIDING SYSTEM VALUE VALUES
	(1, 'optin.expire', 'c', '{"challenge_id": "00000000-0000-7000-8000-000000000105"}', '2030-01-01 00:00:00+00', 0, NULL, NULL, NULL, '2026-11-30 10:00:00+00');
INSERT INTO cell_00.ledger_entries VALUES
	('01a23245-e993-7148-b1ef-efdfc6cec307', '01a23245-e983-7015-8b11-5c13f27a62ab', 'wallet', 100000000000),
	('01a23245-e993-7148-b1ef-efdfc6cec307', '01a23245-e983-7015-8b11-5c13f27a62ab', 'funding', -100000000000),
	('01a23245-e9b8-7758-847e-8c47eb4ffa5f', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet', 100000000000),
	('01a23245-e9b8-7758-847e-8c47eb4ffa5f', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'funding', -100000000000),
	('01a23245-ea39-73bc-a8bb-a249f2efc6fa', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet', -1000000),
	('01a23245-ea39-73bc-a8bb-a24aa96c4258', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet', -1000000),
	('01a23245-ea39-73bc-a8bb-a24b187057f0', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet', -1000000),
	('01a23245-ea39-73bc-a8bb-a249f2efc6fa', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'revenue', 1000000),
	('01a23245-ea39-73bc-a8bb-a24aa96c4258', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'revenue', 1000000),
	('01a23245-ea39-73bc-a8bb-a24b187057f0', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'revenue', 1000000);
INSERT INTO cell_00.ledger_transactions VALUES
	('01a23245-e993-7148-b1ef-efdfc6cec307', '01a23245-e983-7015-8b11-5c13f27a62ab', '2026-12-01 15:42:52.294938+00', 'adjustment', 100000000000, 100000000000, 'signup', '01a23245-e983-7015-8b11-5c13f27a62ab', '{}'),
	('01a23245-e9b8-7758-847e-8c47eb4ffa5f', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-12-01 15:42:52.294938+00', 'topup', 100000000000, 100000000000, 'operator', 'test', '{}'),
	('01a23245-ea39-73bc-a8bb-a249f2efc6fa', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-12-01 15:42:52.475681+00', 'debit', -1000000, 99999000000, 'outbound', '01a23245-e9fa-71f5-85c9-89fc01ce1d7f', '{"usage_id": "01a23245-ea39-73bc-a8bb-a24c5a7bf771", "usage_kind": "outbound_sms"}'),
	('01a23245-ea39-73bc-a8bb-a24aa96c4258', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-12-01 15:42:52.475681+00', 'debit', -1000000, 99998000000, 'outbound', '01a23245-e9fa-71f5-85c9-89fded4fc543', '{"usage_id": "01a23245-ea39-73bc-a8bb-a24d4b63bc2b", "usage_kind": "outbound_sms"}'),
	('01a23245-ea39-73bc-a8bb-a24b187057f0', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-12-01 15:42:52.475681+00', 'debit', -1000000, 99997000000, 'outbound', '01a23245-e9fa-71f5-85c9-89fea1c93cc2', '{"usage_id": "01a23245-ea39-73bc-a8bb-a24e689c6c8f", "usage_kind": "outbound_sms"}');
INSERT INTO cell_00.line_options VALUES
	('01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '+14155550123', 'bind_queued', 'absent', NULL, 'settled', NULL, '{}', 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, '2026-11-30 10:00:00+00');
INSERT INTO cell_00.line_transitions VALUES
	('01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '00000000-0000-7000-8000-000000000112', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-11-30 10:00:00+00', 'bind_queued', 1, 'attached');
INSERT INTO cell_00.lookups VALUES
	('00000000-0000-7000-8000-000000000113', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '+12125550188', 'advanced', 'complete', 'MOBILE', '{"line_type": "MOBILE"}', NULL, NULL, NULL, 1, '2026-11-30 10:00:00+00', '2026-11-30 10:00:01+00', 'lookup-1', '\x01');
INSERT INTO cell_00.media VALUES
	('00000000-0000-7000-8000-000000000114', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'image/png', 9, 'stored', NULL, 'object-1', '2026-11-30 10:00:00+00', '2026-12-30 10:00:00+00', NULL, '2026-11-30 10:00:00+00');
INSERT INTO cell_00.media_recipients VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '00000000-0000-7000-8000-000000000114', '+12125550188');
INSERT INTO cell_00.messages VALUES
	('01a23245-e9fa-71f5-85c9-89fded4fc543', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', '01a23245-e9ce-72e3-9b2e-1d804b12189b', 'customer', '+14155550123', '+12125550188', 'Acme: two', NULL, 'sms', '{}', 'gsm7', 1, 1, NULL, NULL, 'sent', NULL, NULL, NULL, 'a001', 1000000, true, '[{"at": "2026-12-01T15:42:52.475681+00:00", "code": null, "text": null, "cause": "accepted_by_carrier", "status": "sent"}]', NULL, '2026-12-01 19:42:52.414229+00', '2026-12-01 15:42:52.414229+00', '2026-12-01 15:42:52.475681+00', '2026-12-01 15:42:52.475681+00', NULL, NULL, NULL, false),
	('01a23245-e9fa-71f5-85c9-89fea1c93cc2', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', '01a23245-e9ce-72e3-9b2e-1d804b12189b', 'customer', '+14155550123', '+12125550188', 'Acme: three', NULL, 'sms', '{}', 'gsm7', 1, 1, NULL, NULL, 'sent', NULL, NULL, NULL, 'a002', 1000000, true, '[{"at": "2026-12-01T15:42:52.475681+00:00", "code": null, "text": null, "cause": "accepted_by_carrier", "status": "sent"}]', NULL, '2026-12-01 19:42:52.414229+00', '2026-12-01 15:42:52.414229+00', '2026-12-01 15:42:52.475681+00', '2026-12-01 15:42:52.475681+00', NULL, NULL, NULL, false),
	('01a23245-e9fa-71f5-85c9-89fc01ce1d7f', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', '01a23245-e9ce-72e3-9b2e-1d804b12189b', 'customer', '+14155550123', '+12125550188', 'Acme: one', '
Acme Dental', 'sms', '{}', 'gsm7', 1, 1, NULL, NULL, 'delivered', NULL, '000', NULL, 'a000', 1000000, true, '[{"at": "2026-12-01T15:42:52.475681+00:00", "code": null, "text": null, "cause": "accepted_by_carrier", "status": "sent"}, {"at": "2026-12-01T15:42:52.538218+00:00", "code": "000", "text": null, "cause": "receipt", "status": "delivered"}]', NULL, '2026-12-01 19:42:52.414229+00', '2026-12-01 15:42:52.414229+00', '2026-12-01 15:42:52.538218+00', '2026-12-01 15:42:52.475681+00', '2026-12-01 15:42:52.538218+00', '2026-12-01 15:42:52.538218+00', NULL, false),
	('01a23245-ea88-7448-bf5a-5c948c3fd08e', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', '01a23245-e9ce-72e3-9b2e-1d804b12189b', 'customer', '+14155550123', '+12125550188', 'Acme: waits', NULL, 'sms', '{}', 'gsm7', 1, 1, NULL, NULL, 'queued', NULL, NULL, NULL, NULL, 1000000, false, '[]', NULL, '2026-12-01 19:42:52.555704+00', '2026-12-01 15:42:52.555704+00', '2026-12-01 15:42:52.555704+00', NULL, NULL, NULL, NULL, false),
	('01a23245-ea91-738f-8249-28a2ef370b56', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', '01a23245-e9ce-72e3-9b2e-1d804b12189b', 'customer', '+14155550123', '+12125550188', 'Acme: later', NULL, 'sms', '{}', 'gsm7', 1, 1, NULL, NULL, 'queued', NULL, NULL, NULL, NULL, 1000000, false, '[]', '2026-12-01 16:42:52.564638+00', '2026-12-01 20:42:52.564638+00', '2026-12-01 15:42:52.564802+00', '2026-12-01 15:42:52.564802+00', NULL, NULL, NULL, NULL, false);
INSERT INTO cell_00.metric_buckets VALUES
	('01a23245-e983-7015-8b11-5c13f27a62ab', 'wallet.credit_cents', 'day', '2026-12-01 00:00:00+00', '{"kind": "adjustment"}', 100000000000),
	('01a23245-e983-7015-8b11-5c13f27a62ab', 'wallet.credit_cents', 'hour', '2026-12-01 15:00:00+00', '{"kind": "adjustment"}', 100000000000),
	('01a23245-e983-7015-8b11-5c13f27a62ab', 'wallet.credit_cents', 'minute', '2026-12-01 15:42:00+00', '{"kind": "adjustment"}', 100000000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet.credit_cents', 'day', '2026-12-01 00:00:00+00', '{"kind": "topup"}', 100000000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet.credit_cents', 'hour', '2026-12-01 15:00:00+00', '{"kind": "topup"}', 100000000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet.credit_cents', 'minute', '2026-12-01 15:42:00+00', '{"kind": "topup"}', 100000000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'messages.outbound.cost_cents', 'day', '2026-12-01 00:00:00+00', '{"channel": "sms"}', 3000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'messages.outbound.cost_cents', 'hour', '2026-12-01 15:00:00+00', '{"channel": "sms"}', 3000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'messages.outbound.cost_cents', 'minute', '2026-12-01 15:42:00+00', '{"channel": "sms"}', 3000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet.debit_cents', 'day', '2026-12-01 00:00:00+00', '{"kind": "outbound_sms"}', 3000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet.debit_cents', 'hour', '2026-12-01 15:00:00+00', '{"kind": "outbound_sms"}', 3000000),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'wallet.debit_cents', 'minute', '2026-12-01 15:42:00+00', '{"kind": "outbound_sms"}', 3000000);
INSERT INTO cell_00.number_orders VALUES
	('00000000-0000-7000-8000-000000000115', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', 'order', 'processing', 1, '{}', '{}', '{}', '{}', 1, '{+14155550124}', 'key-2', '2026-11-30 10:00:00+00', '2026-11-30 10:00:30+00', 1, 2, NULL, 'time-out', '2026-11-30 10:00:00+00', NULL, NULL);
INSERT INTO cell_00.opt_outs VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '+12125550190', '+14155550123', '+14155550123', 'number', '01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', 'keyword', 'STOP', '2026-11-30 10:00:00+00', '{}');
INSERT INTO cell_00.organizations VALUES
	('01a23245-e983-7015-8b11-5c13f27a62ab', 'sandbox', 'Acme', NULL, 'payg', 1, 90, 30, true, false, '{"end": "08:00", "mode": "reject", "start": "21:00", "enabled": false}', '{"enabled": true, "help_text": null, "stop_text": null, "start_text": null}', '2026-12-01 15:42:52.294937+00', '2026-12-01 15:42:52.294937+00', NULL, NULL, 'brand'),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', 'Acme', NULL, 'payg', 1, 90, 30, true, false, '{"end": "08:00", "mode": "reject", "start": "21:00", "enabled": false}', '{"enabled": true, "help_text": null, "stop_text": null, "start_text": null}', '2026-12-01 15:42:52.294937+00', '2026-12-01 15:42:52.294937+00', 100000, 1000000, 'brand');
INSERT INTO cell_00.pace_buckets VALUES
	('live', 'lane:01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', 1.5, '2026-11-30 10:00:00+00', '2026-11-30 10:01:00+00');
INSERT INTO cell_00.payers VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'cus_1', 'sub_1', 'past_due', '2026-11-30 10:00:00+00', '2026-11-30 10:00:00+00');
INSERT INTO cell_00.payment_events VALUES
	('evt_1', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'invoice.payment_failed', '2026-11-30 10:00:00+00');
INSERT INTO cell_00.phone_numbers VALUES
	('01a23245-e9ce-72e3-9b2e-1d7eda9a62c8', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', '+14155550123', 'local', 'assigned', '00000000-0000-7000-8000-000000000115', NULL, NULL, NULL, '01a23245-e9ce-72e3-9b2e-1d7fdb1fa23b', 1, '2026-12-01 15:42:52.376283+00', 'propagated', '2026-12-01 15:42:52.376283+00', true, true, NULL, '2026-12-01 15:42:52.376283+00', '2026-12-01 15:42:52.376283+00', NULL, false);
INSERT INTO cell_00.rate_buckets VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'media_uploads', 2.5, '2026-11-30 10:00:00+00', true);
INSERT INTO cell_00.retention_marks VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-11-30 10:00:00+00', '2026-08-30 10:00:00+00', NULL, NULL, NULL);
INSERT INTO cell_00.sending_accounts VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 2376931270281103801, 5000000, 99999, 999999, '2026-12-01 15:42:52.564802+00');
INSERT INTO cell_00.texted_contacts VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '+12125550188', '{"texted":{"01a23245-e983-7015-8b11-5c128c3e5f7b":[1796139772414,1796139772414,1796139772414,1796139772555,1796143372564]},"stamped":{"01a23245-e9ce-72e3-9b2e-1d7eda9a62c8":1796139772414}}');
INSERT INTO cell_00.topups VALUES
	('00000000-0000-7000-8000-000000000116', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'checkout', 'paid', 'prod_1', 5000, 'https://a.example', 'https://b.example', 'cs_1', 'https://c.example', 'cus_1', NULL, 'pi_1', NULL, '2026-11-30 10:00:00+00', '2026-11-30 10:00:00+00');
INSERT INTO cell_00.unnamed_messages VALUES
	('01a23245-e9fa-71f5-85c9-89fded4fc543', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'live', 'smpp', 'pair', '2026-11-30 10:00:00+00', '2026-11-30 10:00:01+00');
INSERT INTO cell_00.usage_rows VALUES
	('01a23245-ea39-73bc-a8bb-a24c5a7bf771', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-12-01 15:42:52.475681+00', 'outbound_sms', 1, 1000000, 1000000, 'message', '01a23245-e9fa-71f5-85c9-89fc01ce1d7f', '{"resource_id": "01a23245-e9fa-71f5-85c9-89fc01ce1d7f"}'),
	('01a23245-ea39-73bc-a8bb-a24d4b63bc2b', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-12-01 15:42:52.475681+00', 'outbound_sms', 1, 1000000, 1000000, 'message', '01a23245-e9fa-71f5-85c9-89fded4fc543', '{"resource_id": "01a23245-e9fa-71f5-85c9-89fded4fc543"}'),
	('01a23245-ea39-73bc-a8bb-a24e689c6c8f', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-12-01 15:42:52.475681+00', 'outbound_sms', 1, 1000000, 1000000, 'message', '01a23245-e9fa-71f5-85c9-89fea1c93cc2', '{"resource_id": "01a23245-e9fa-71f5-85c9-89fea1c93cc2"}');
INSERT INTO cell_00.wallets VALUES
	('01a23245-e983-7015-8b11-5c13f27a62ab', 100000000000, 0, '2026-12-01 15:42:52.294938+00', 0, NULL, 0),
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 99997000000, 3000000, '2026-12-01 15:42:52.475681+00', 3000000, NULL, 0);
INSERT INTO cell_00.webhook_attempts VALUES
	('00000000-0000-7000-8000-000000000117', '01a23245-e983-7015-8b11-5c128c3e5f7b', '01a23245-e9f9-7554-9f99-075a703d4c3b', 'endpoint', '00000000-0000-7000-8000-000000000118', '00000000-0000-7000-8000-000000000119', 'message.sent', 'https://customer.example/hook', 1, 'retry', 500, 12, '\x01', 2, 'no', '{}', NULL, '2026-11-30 10:00:00+00');
INSERT INTO cell_00.webhook_deliveries VALUES
	('01a23245-e9f9-7554-9f99-075a703d4c3b', '2030-01-01 00:00:00+00', '00000000-0000-7000-8000-000000000120', '01a23245-e983-7015-8b11-5c128c3e5f7b', '00000000-0000-7000-8000-000000000118', '00000000-0000-7000-8000-000000000119', 1, '2026-11-30 10:00:00+00');
INSERT INTO cell_00.webhook_endpoints VALUES
	('01a23245-e9f9-7554-9f99-075a703d4c3b', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'https://customer.example/hook', NULL, '{message.sent}', true, '2026-04-01', '\x012e1e9f2ee5e6e7a63417bb5125304de93339d71732c6aa8197275d58a947f8c873237e894314ffa6121d696650c31241ee7ac4c29dcaab9915eea2ce8b830a0e099044e0bbf50ee3087e32e5', '2026-12-01 15:42:52.411877+00', '2026-12-01 15:42:52.411877+00', NULL);
INSERT INTO cell_00.webhook_lanes VALUES
	('01a23245-e9f9-7554-9f99-075a703d4c3b', '01a23245-e983-7015-8b11-5c128c3e5f7b', NULL, NULL, NULL, NULL, NULL, NULL, '2026-12-01 15:42:52.411877+00');
INSERT INTO cell_00.webhook_secrets VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', '\x01', '2026-11-30 10:00:00+00', '\x02', '2026-11-30 10:05:00+00');
INSERT INTO directory.api_keys VALUES
	('\x00a0e15882ce24bbd32bc317c81a8319bea12a7437fc57c4d3ac5d797b750c34', '01a23245-e9be-71c7-943e-53e5b2b3b5fe', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'test', '{messages:send,messages:read,messages:erase,conversations:read,consent:read,consent:write,lookups:read,lookups:write,numbers:read,numbers:write,brands:read,brands:write,campaigns:read,campaigns:write,webhooks:read,webhooks:write,apikeys:read,apikeys:write,billing:read,billing:write,org:read,org:admin:write,audit:read,metrics:read,events:read}');
INSERT INTO directory.carrier_budgets VALUES
	('live', 'write', 9.5, '2026-11-30 10:00:00+00', true, 0, NULL);
INSERT INTO directory.cells VALUES
	('cell_00', '2026-12-01 15:42:50.939789+00');
INSERT INTO directory.installation VALUES
	('writing', 'true', '2026-12-01 15:42:52.306992+00');
INSERT INTO directory.inventory VALUES
	('live', '+14155550123', 'local', 'assigned', '01a23245-e983-7015-8b11-5c128c3e5f7b', 'cell_00', 1, 0, false, NULL, '2026-12-01 15:42:52.387029+00', '2026-12-01 15:42:52.387029+00');
INSERT INTO directory.migrations VALUES
	('directory', 1, '0001_directory', 'f0b46d613d0a7d0d6b2212d39fe2b478ea08e7131f5ccf17a27d941e3e65bc29', '2026-12-01 15:42:50.939789+00'),
	('directory', 2, '0002_lines', 'cfd3d6daa89d59787773e0ce1f7a6e8381c14b13b295d9b290f45c08fad50c62', '2026-12-01 15:42:51.018825+00'),
	('directory', 3, '0003_receipt_ids', 'ad44347f77976e404ad0842b2da9a2acb7454c1dee22a2ec5a976654e2a4d4a4', '2026-12-01 15:42:51.019594+00'),
	('directory', 4, '0004_watch', 'b6d54da450d2353b16f24bd589a0909ae82b4827901eeeaab14cee5c80a44627', '2026-12-01 15:42:51.041721+00'),
	('cell_00', 1, '0001_accounts', '73a4f613ac9294b785716c54400f98aeb238d40071bcf09cc39b14fea99f223c', '2026-12-01 15:42:51.052058+00'),
	('cell_00', 2, '0002_registration', '058890cbdb33d584f1e094016be86a3b1b13c33f01feb7abc5234f1d4ffcf3a3', '2026-12-01 15:42:51.230575+00'),
	('cell_00', 3, '0003_numbers', 'a79c5c0c73daf6ef66a969a45ec368d33f2da43813c90d395f422c18df7d9d9b', '2026-12-01 15:42:51.26417+00'),
	('cell_00', 4, '0004_upkeep', '56845c7a1d8a301d8e3b6c6ee4bd381f227a38b6057a1e914b63e363153ed35d', '2026-12-01 15:42:51.363557+00'),
	('cell_00', 5, '0005_consent', 'e393faf6b8afd8303dfdc4b9fb836abaab294df911f0819ca1dc68a87cebb986', '2026-12-01 15:42:51.374196+00'),
	('cell_00', 6, '0006_guardrails', '19bedd6f303084408b27391fb6cca835fedde4d191ad0bd4642c127c85f8bd40', '2026-12-01 15:42:51.403941+00'),
	('cell_00', 7, '0007_messages', 'e9e18566d758a02f955df8a05014e330db0bfa864aed58fc016a8542227bbc95', '2026-12-01 15:42:51.448972+00'),
	('cell_00', 8, '0008_inbound', '2de2c386181b6d8c6fdd41c577c7a7cd3c7a608ea9b0d6cc9ccd5225a0714bb6', '2026-12-01 15:42:51.582505+00'),
	('cell_00', 9, '0009_lookups', '0e3e39ae6abb64e0d54813ce6b7e5a0a4f4b186f249f43a8521892459d6df58c', '2026-12-01 15:42:51.657438+00'),
	('cell_00', 10, '0010_retention', 'c3b032c09f1f2a3ba3cc9a84172d403cc23505ca6e3ce0077c2f22d202a4c7f1', '2026-12-01 15:42:51.682791+00'),
	('cell_00', 11, '0011_watching', 'e7cc75482d6b02794a1fe744bd00ec2d2922cb9bd8f4371ed6907b05c6347c6a', '2026-12-01 15:42:51.691717+00'),
	('cell_00', 12, '0012_webhooks', '9eaa2b3ad5e3e61296f7da0fa1bcf6ab2a8724a8aa54ddecd5fd54f992153488', '2026-12-01 15:42:51.701248+00'),
	('cell_00', 13, '0013_rollups', 'a050e2007a370ca7cb42de4a0cf65c592ce5db4e1188673b6b7367406aea7f82', '2026-12-01 15:42:51.798314+00'),
	('cell_00', 14, '0014_ledger', 'dc95284197e32f842dc8e0fdc08ab77b94574a30e8d70bc1287b30d5f66f0ccf', '2026-12-01 15:42:51.810357+00'),
	('cell_00', 15, '0015_topups', '01eb925c9a600994853c28eaacb2df17dcf732275673c35cbff97e8b0fc6fcaf', '2026-12-01 15:42:51.818682+00'),
	('cell_00', 16, '0016_audit_chain', '30d16b5ae5e2cb536ed1707484956fa3c109ac4ed08a517f5d004529ed330bfc', '2026-12-01 15:42:51.865861+00'),
	('cell_00', 17, '0017_contacts', '605fdb489e839468a5c88e5bcc3ea0591b8b967e597004fe44e294cab7f59017', '2026-12-01 15:42:51.909824+00'),
	('cell_00', 18, '0018_sums_of_bookings', '51d7f1246bc322c3bdd5e322968ab552e0fe29744ca9bfd69e471ee83dabd92f', '2026-12-01 15:42:51.931746+00'),
	('cell_00', 19, '0019_horizon', '00adcb3d899a73ec5e74de818132cc57b375139e02cbc5d9f0c9c340059b1cda', '2026-12-01 15:42:51.942193+00'),
	('cell_00', 20, '0020_money_that_may_return', 'ccdf63bd42ce43c97bccfd5b2a3f1adb96a6eab6a4f4f941f87d551680645891', '2026-12-01 15:42:51.943081+00'),
	('cell_00', 21, '0021_orders_can_be_seen', '4b34ec687996d70e724c5437727a60380f5323f25ff57035d7718ba6c3c6a9ab', '2026-12-01 15:42:51.945475+00'),
	('cell_00', 22, '0022_opt_outs', '9b77bc55c6f7e9979fca48a538251cb5fb667306fe4c8e9951954daa2674b29e', '2026-12-01 15:42:51.950146+00'),
	('cell_00', 23, '0023_keys', 'e0d19a0933ab5a83c1ec0c063ef285a52cb811c4bd9ba3ad65c88765c0cc8c61', '2026-12-01 15:42:51.96712+00'),
	('cell_00', 24, '0024_unnamed_messages', '427313890f4fae861a5817b46d4ec452482254faa4fa508578600ab39f8bb60a', '2026-12-01 15:42:51.981208+00'),
	('cell_00', 25, '0025_media_recipients', '9d65ed2f189f133dda7c2612d4784f36150b486db5048b110f654c262b56a577', '2026-12-01 15:42:52.000391+00'),
	('cell_00', 26, '0026_sandboxes_begin', '4f5eb32a00761541d609952567958d7307de0d785afe6ddaca1d1217a7092ef1', '2026-12-01 15:42:52.019214+00'),
	('cell_00', 27, '0027_topup_ceiling', '9fe5bb69865d8b70464f2cca18596bc8cee8a0575265310d227ea7f7318c5f9e', '2026-12-01 15:42:52.026026+00');
INSERT INTO directory.odd_answers VALUES
	('00000000-0000-7000-8000-000000000101', 'live', 'registry.brands', 'unknown status', '{"status": "?"}', '2026-11-30 10:00:00+00');
INSERT INTO directory.organizations VALUES
	('01a23245-e983-7015-8b11-5c128c3e5f7b', 'cell_00', 'live', '01a23245-e983-7015-8b11-5c13f27a62ab', '2026-12-01 15:42:52.294937+00'),
	('01a23245-e983-7015-8b11-5c13f27a62ab', 'cell_00', 'sandbox', '01a23245-e983-7015-8b11-5c128c3e5f7b', '2026-12-01 15:42:52.294937+00');
INSERT INTO directory.receipt_id_forms VALUES
	('live', 'smpp', 'as_is', 3, '2026-11-30 10:00:00+00', '2026-11-30 11:00:00+00');
INSERT INTO directory.sweeps VALUES
	('live', '2026-12-01 15:42:50.939789+00', NULL, NULL, NULL, NULL, NULL),
	('sandbox', '2026-12-01 15:42:50.939789+00', NULL, NULL, NULL, NULL, NULL);
INSERT INTO directory.undecided_receipts VALUES
	('00000000-0000-7000-8000-000000000102', 'live', 'smpp', '10', '[{"form": "hex_answers", "carrier_message_id": "a"}]', 'delivered', NULL, '000', 'id:10', '14155550123', 'pair', 'excerpt', NULL, '2026-11-30 10:00:00+00', '2026-11-30 10:00:00+00', '2026-11-30 10:01:00+00');
INSERT INTO directory.worker_heartbeats VALUES
	('host/1', '2026-11-30 10:00:00+00', '[{"room": 9, "is_up": true, "account": "live", "carrier": "smpp", "channels": ["sms"]}]', 0.1);
SELECT pg_catalog.setval('cell_00.jobs_id_seq', 1, true);
ALTER TABLE ONLY cell_00.api_keys ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);
ALTER TABLE ONLY cell_00.api_keys ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.audit_chains ADD CONSTRAINT audit_chains_pkey PRIMARY KEY (org_id);
ALTER TABLE ONLY cell_00.audit_log ADD CONSTRAINT audit_log_pkey PRIMARY KEY (org_id, id);
ALTER TABLE ONLY cell_00.audit_place ADD CONSTRAINT audit_place_pkey PRIMARY KEY (is_only);
ALTER TABLE ONLY cell_00.audit_seals ADD CONSTRAINT audit_seals_pkey PRIMARY KEY (org_id, "position");
ALTER TABLE ONLY cell_00.auto_topups ADD CONSTRAINT auto_topups_pkey PRIMARY KEY (org_id);
ALTER TABLE ONLY cell_00.brands ADD CONSTRAINT brands_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.brands ADD CONSTRAINT brands_tcr_brand_id_account_key UNIQUE (tcr_brand_id, account);
ALTER TABLE ONLY cell_00.campaigns ADD CONSTRAINT campaigns_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.campaigns ADD CONSTRAINT campaigns_tcr_campaign_id_account_key UNIQUE (tcr_campaign_id, account);
ALTER TABLE ONLY cell_00.carrier_callbacks ADD CONSTRAINT carrier_callbacks_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.carrier_order_members ADD CONSTRAINT carrier_order_members_pkey PRIMARY KEY (order_id, phone_number_id);
ALTER TABLE ONLY cell_00.carrier_orders ADD CONSTRAINT carrier_orders_order_key_key UNIQUE (order_key);
ALTER TABLE ONLY cell_00.carrier_orders ADD CONSTRAINT carrier_orders_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.carrier_parts ADD CONSTRAINT carrier_parts_pkey PRIMARY KEY (account, carrier, carrier_message_id);
ALTER TABLE ONLY cell_00.consent_challenges ADD CONSTRAINT consent_challenges_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.consent_history ADD CONSTRAINT consent_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.consents ADD CONSTRAINT consents_org_id_phone_number_id_contact_number_key UNIQUE (org_id, phone_number_id, contact_number);
ALTER TABLE ONLY cell_00.consents ADD CONSTRAINT consents_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.conversation_entries ADD CONSTRAINT conversation_entries_pkey PRIMARY KEY (org_id, contact_number, phone_number_id, at, message_id);
ALTER TABLE ONLY cell_00.conversations ADD CONSTRAINT conversations_pkey PRIMARY KEY (org_id, contact_number, phone_number_id);
ALTER TABLE ONLY cell_00.daily_volumes ADD CONSTRAINT daily_volumes_pkey PRIMARY KEY (brand_id, operator, day);
ALTER TABLE ONLY cell_00.dispatches ADD CONSTRAINT dispatches_pkey PRIMARY KEY (message_id);
ALTER TABLE ONLY cell_00.drift_events ADD CONSTRAINT drift_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.early_receipts ADD CONSTRAINT early_receipts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.event_followers ADD CONSTRAINT event_followers_pkey PRIMARY KEY (name);
ALTER TABLE ONLY cell_00.events ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.guardrail_bindings ADD CONSTRAINT guardrail_bindings_org_id_scope_id_key UNIQUE (org_id, scope_id);
ALTER TABLE ONLY cell_00.guardrail_bindings ADD CONSTRAINT guardrail_bindings_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.guardrail_pool_members ADD CONSTRAINT guardrail_pool_members_pkey PRIMARY KEY (phone_number_id);
ALTER TABLE ONLY cell_00.guardrail_pools ADD CONSTRAINT guardrail_pools_org_id_slug_key UNIQUE (org_id, slug);
ALTER TABLE ONLY cell_00.guardrail_pools ADD CONSTRAINT guardrail_pools_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.guardrail_profiles ADD CONSTRAINT guardrail_profiles_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.handover_tallies ADD CONSTRAINT handover_tallies_pkey PRIMARY KEY (org_id, contact_number, scope_id);
ALTER TABLE ONLY cell_00.idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (org_id, key);
ALTER TABLE ONLY cell_00.inbound_messages ADD CONSTRAINT inbound_messages_account_carrier_carrier_message_id_key UNIQUE (account, carrier, carrier_message_id);
ALTER TABLE ONLY cell_00.inbound_messages ADD CONSTRAINT inbound_messages_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.inbound_parts ADD CONSTRAINT inbound_parts_pkey PRIMARY KEY (account, carrier, from_number, to_number, reference, parts, part);
ALTER TABLE ONLY cell_00.inbound_raw ADD CONSTRAINT inbound_raw_account_carrier_carrier_message_id_key UNIQUE (account, carrier, carrier_message_id);
ALTER TABLE ONLY cell_00.inbound_raw ADD CONSTRAINT inbound_raw_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.jobs ADD CONSTRAINT jobs_kind_key_key UNIQUE (kind, key);
ALTER TABLE ONLY cell_00.jobs ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.ledger_entries ADD CONSTRAINT ledger_entries_pkey PRIMARY KEY (transaction_id, account);
ALTER TABLE ONLY cell_00.ledger_transactions ADD CONSTRAINT ledger_transactions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.line_options ADD CONSTRAINT line_options_pkey PRIMARY KEY (phone_number_id);
ALTER TABLE ONLY cell_00.line_transitions ADD CONSTRAINT line_transitions_pkey PRIMARY KEY (phone_number_id, id);
ALTER TABLE ONLY cell_00.lookups ADD CONSTRAINT lookups_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.media ADD CONSTRAINT media_object_key_key UNIQUE (object_key);
ALTER TABLE ONLY cell_00.media ADD CONSTRAINT media_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.media_recipients ADD CONSTRAINT media_recipients_pkey PRIMARY KEY (media_id, contact_number);
ALTER TABLE ONLY cell_00.media ADD CONSTRAINT media_upload_token_hash_key UNIQUE (upload_token_hash);
ALTER TABLE ONLY cell_00.messages ADD CONSTRAINT messages_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.metric_buckets ADD CONSTRAINT metric_buckets_pkey PRIMARY KEY (org_id, metric, span, bucket_start, labels);
ALTER TABLE ONLY cell_00.number_orders ADD CONSTRAINT number_orders_order_key_key UNIQUE (order_key);
ALTER TABLE ONLY cell_00.number_orders ADD CONSTRAINT number_orders_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.opt_outs ADD CONSTRAINT opt_outs_pkey PRIMARY KEY (org_id, contact_number, phone_number, scope_key);
ALTER TABLE ONLY cell_00.organizations ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.pace_buckets ADD CONSTRAINT pace_buckets_pkey PRIMARY KEY (account, scope);
ALTER TABLE ONLY cell_00.payers ADD CONSTRAINT payers_customer_id_key UNIQUE (customer_id);
ALTER TABLE ONLY cell_00.payers ADD CONSTRAINT payers_pkey PRIMARY KEY (org_id);
ALTER TABLE ONLY cell_00.payment_events ADD CONSTRAINT payment_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.phone_numbers ADD CONSTRAINT phone_numbers_account_number_key UNIQUE (account, number);
ALTER TABLE ONLY cell_00.phone_numbers ADD CONSTRAINT phone_numbers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.rate_buckets ADD CONSTRAINT rate_buckets_pkey PRIMARY KEY (org_id, bucket);
ALTER TABLE ONLY cell_00.retention_marks ADD CONSTRAINT retention_marks_pkey PRIMARY KEY (org_id);
ALTER TABLE ONLY cell_00.sending_accounts ADD CONSTRAINT sending_accounts_pkey PRIMARY KEY (org_id);
ALTER TABLE ONLY cell_00.texted_contacts ADD CONSTRAINT texted_contacts_pkey PRIMARY KEY (org_id, contact_number);
ALTER TABLE ONLY cell_00.topups ADD CONSTRAINT topups_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.unnamed_messages ADD CONSTRAINT unnamed_messages_pkey PRIMARY KEY (message_id);
ALTER TABLE ONLY cell_00.usage_rows ADD CONSTRAINT usage_rows_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.wallets ADD CONSTRAINT wallets_pkey PRIMARY KEY (org_id);
ALTER TABLE ONLY cell_00.webhook_attempts ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.webhook_deliveries ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (lane_id, due_at, id);
ALTER TABLE ONLY cell_00.webhook_endpoints ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.webhook_lanes ADD CONSTRAINT webhook_lanes_org_id_number_url_key UNIQUE (org_id, number_url);
ALTER TABLE ONLY cell_00.webhook_lanes ADD CONSTRAINT webhook_lanes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cell_00.webhook_secrets ADD CONSTRAINT webhook_secrets_pkey PRIMARY KEY (org_id);
ALTER TABLE ONLY directory.api_keys ADD CONSTRAINT api_keys_key_id_key UNIQUE (key_id);
ALTER TABLE ONLY directory.api_keys ADD CONSTRAINT api_keys_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY directory.carrier_budgets ADD CONSTRAINT carrier_budgets_pkey PRIMARY KEY (account, kind);
ALTER TABLE ONLY directory.cells ADD CONSTRAINT cells_pkey PRIMARY KEY (name);
ALTER TABLE ONLY directory.installation ADD CONSTRAINT installation_pkey PRIMARY KEY (name);
ALTER TABLE ONLY directory.inventory ADD CONSTRAINT inventory_pkey PRIMARY KEY (account, number);
ALTER TABLE ONLY directory.migrations ADD CONSTRAINT migrations_pkey PRIMARY KEY (schema, number);
ALTER TABLE ONLY directory.odd_answers ADD CONSTRAINT odd_answers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY directory.organizations ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY directory.receipt_id_forms ADD CONSTRAINT receipt_id_forms_pkey PRIMARY KEY (account, carrier, form);
ALTER TABLE ONLY directory.sweeps ADD CONSTRAINT sweeps_pkey PRIMARY KEY (account);
ALTER TABLE ONLY directory.undecided_receipts ADD CONSTRAINT undecided_receipts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY directory.worker_heartbeats ADD CONSTRAINT worker_heartbeats_pkey PRIMARY KEY (worker);
CREATE INDEX api_keys_list_idx ON cell_00.api_keys USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX api_keys_parent_idx ON cell_00.api_keys USING btree (org_id, parent_id) WHERE (parent_id IS NOT NULL);
CREATE INDEX audit_log_order_idx ON cell_00.audit_log USING btree (xid, id);
CREATE INDEX audit_log_time_idx ON cell_00.audit_log USING btree (org_id, occurred_at DESC, id DESC);
CREATE INDEX brands_list_idx ON cell_00.brands USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX campaigns_brand_idx ON cell_00.campaigns USING btree (brand_id);
CREATE INDEX campaigns_list_idx ON cell_00.campaigns USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX carrier_callbacks_age_idx ON cell_00.carrier_callbacks USING btree (received_at);
CREATE INDEX carrier_order_members_number_idx ON cell_00.carrier_order_members USING btree (phone_number_id);
CREATE INDEX carrier_orders_carrier_idx ON cell_00.carrier_orders USING btree (carrier_order_id);
CREATE INDEX carrier_orders_due_idx ON cell_00.carrier_orders USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX carrier_orders_finished_idx ON cell_00.carrier_orders USING btree (finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX carrier_parts_age_idx ON cell_00.carrier_parts USING btree (created_at);
CREATE INDEX carrier_parts_message_idx ON cell_00.carrier_parts USING btree (message_id);
CREATE INDEX consent_challenges_expiry_idx ON cell_00.consent_challenges USING btree (expires_at) WHERE (status = 'pending'::text);
CREATE UNIQUE INDEX consent_challenges_open_idx ON cell_00.consent_challenges USING btree (org_id, phone_number_id, contact_number) WHERE (status = 'pending'::text);
CREATE INDEX consent_history_list_idx ON cell_00.consent_history USING btree (consent_id, recorded_at DESC, id DESC);
CREATE UNIQUE INDEX consent_history_once_idx ON cell_00.consent_history USING btree (consent_id, raw_event_id) WHERE (raw_event_id IS NOT NULL);
CREATE INDEX consents_contact_idx ON cell_00.consents USING btree (org_id, contact_number);
CREATE INDEX consents_list_idx ON cell_00.consents USING btree (org_id, updated_at DESC, id DESC);
CREATE INDEX consents_out_idx ON cell_00.consents USING btree (org_id, updated_at DESC, id DESC) WHERE (NOT opted_in);
CREATE INDEX conversations_list_idx ON cell_00.conversations USING btree (org_id, last_message_at DESC, contact_number, phone_number_id);
CREATE INDEX conversations_number_idx ON cell_00.conversations USING btree (org_id, phone_number_id, last_message_at DESC, contact_number);
CREATE INDEX dispatches_claim_idx ON cell_00.dispatches USING btree (claim_until) WHERE (claimed_at IS NOT NULL);
CREATE INDEX dispatches_expiry_idx ON cell_00.dispatches USING btree (expires_at);
CREATE INDEX dispatches_lane_idx ON cell_00.dispatches USING btree (account, org_id, campaign_id, priority, ready_at, message_id) WHERE (claimed_at IS NULL);
CREATE INDEX dispatches_pair_idx ON cell_00.dispatches USING btree (org_id, phone_number_id, recipient);
CREATE INDEX drift_events_found_idx ON cell_00.drift_events USING btree (found_at DESC);
CREATE UNIQUE INDEX drift_events_open_idx ON cell_00.drift_events USING btree (account, number) WHERE (healed_at IS NULL);
CREATE INDEX early_receipts_age_idx ON cell_00.early_receipts USING btree (received_at);
CREATE INDEX early_receipts_match_idx ON cell_00.early_receipts USING btree (account, carrier, carrier_message_id);
CREATE INDEX early_receipts_message_idx ON cell_00.early_receipts USING btree (message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX early_receipts_pair_idx ON cell_00.early_receipts USING btree (account, carrier, pair) WHERE (pair <> ''::text);
CREATE INDEX events_age_idx ON cell_00.events USING brin (created_at) WITH (autosummarize='on');
CREATE INDEX events_content_idx ON cell_00.events USING btree (resource_id) WHERE (family = ANY (ARRAY['message'::text, 'inbound_message'::text]));
CREATE INDEX events_family_idx ON cell_00.events USING btree (org_id, family, created_at DESC);
CREATE INDEX events_order_idx ON cell_00.events USING btree (xid, id);
CREATE INDEX events_tail_idx ON cell_00.events USING btree (org_id, xid, id);
CREATE INDEX events_unknown_idx ON cell_00.events USING btree (created_at) WHERE ((type = 'message.undelivered'::text) AND ((data #>> '{error,code}'::text[]) = 'unknown'::text));
CREATE INDEX guardrail_bindings_list_idx ON cell_00.guardrail_bindings USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX guardrail_bindings_profile_idx ON cell_00.guardrail_bindings USING btree (profile_id);
CREATE INDEX guardrail_pool_members_pool_idx ON cell_00.guardrail_pool_members USING btree (pool_id, phone_number_id);
CREATE INDEX guardrail_pools_list_idx ON cell_00.guardrail_pools USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX guardrail_profiles_list_idx ON cell_00.guardrail_profiles USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX idempotency_keys_age_idx ON cell_00.idempotency_keys USING btree (created_at);
CREATE INDEX inbound_messages_from_idx ON cell_00.inbound_messages USING btree (org_id, from_number, received_at DESC, id DESC);
CREATE INDEX inbound_messages_list_idx ON cell_00.inbound_messages USING btree (org_id, received_at DESC, id DESC);
CREATE INDEX inbound_messages_number_idx ON cell_00.inbound_messages USING btree (org_id, phone_number_id, received_at DESC, id DESC);
CREATE INDEX inbound_messages_opt_out_idx ON cell_00.inbound_messages USING btree (org_id, received_at DESC, id DESC) WHERE opt_out_detected;
CREATE INDEX inbound_messages_to_idx ON cell_00.inbound_messages USING btree (org_id, to_number, received_at DESC, id DESC);
CREATE INDEX inbound_parts_age_idx ON cell_00.inbound_parts USING btree (received_at);
CREATE INDEX inbound_raw_age_idx ON cell_00.inbound_raw USING btree (received_at);
CREATE INDEX inbound_raw_contact_idx ON cell_00.inbound_raw USING btree (org_id, from_number);
CREATE INDEX inbound_raw_problem_idx ON cell_00.inbound_raw USING btree (received_at) WHERE (problem IS NOT NULL);
CREATE INDEX jobs_due_idx ON cell_00.jobs USING btree (run_at, id);
CREATE INDEX ledger_transactions_list_idx ON cell_00.ledger_transactions USING btree (org_id, ts DESC, id DESC);
CREATE UNIQUE INDEX ledger_transactions_once_idx ON cell_00.ledger_transactions USING btree (org_id, source, source_ref, kind) WHERE (source_ref IS NOT NULL);
CREATE INDEX ledger_transactions_rare_idx ON cell_00.ledger_transactions USING btree (org_id, kind, ts DESC, id DESC) WHERE (kind <> 'debit'::text);
CREATE INDEX line_options_due_idx ON cell_00.line_options USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX line_options_fair_idx ON cell_00.line_options USING btree (org_id, due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX line_options_number_idx ON cell_00.line_options USING btree (account, number);
CREATE INDEX line_options_observed_idx ON cell_00.line_options USING btree (observed_campaign) WHERE (observed_campaign IS NOT NULL);
CREATE INDEX line_options_order_idx ON cell_00.line_options USING btree (op_order_id) WHERE (op_order_id IS NOT NULL);
CREATE INDEX lookups_age_idx ON cell_00.lookups USING btree (completed_at) WHERE (result IS NOT NULL);
CREATE UNIQUE INDEX lookups_key_idx ON cell_00.lookups USING btree (org_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX lookups_list_idx ON cell_00.lookups USING btree (org_id, requested_at DESC, id DESC);
CREATE INDEX lookups_number_idx ON cell_00.lookups USING btree (org_id, phone_number, completed_at DESC) WHERE (status = 'complete'::text);
CREATE INDEX media_expiry_idx ON cell_00.media USING btree (expires_at);
CREATE INDEX media_org_idx ON cell_00.media USING btree (org_id, stored_at);
CREATE INDEX media_recipients_contact_idx ON cell_00.media_recipients USING btree (org_id, contact_number);
CREATE INDEX messages_list_idx ON cell_00.messages USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX messages_recipient_idx ON cell_00.messages USING brin (recipient text_bloom_ops) WITH (autosummarize='on');
CREATE INDEX metric_buckets_age_idx ON cell_00.metric_buckets USING btree (span, bucket_start);
CREATE INDEX number_orders_carrier_idx ON cell_00.number_orders USING btree (carrier_order_id) WHERE (status = 'processing'::text);
CREATE INDEX number_orders_list_idx ON cell_00.number_orders USING btree (org_id, created_at DESC, id DESC) WHERE (kind <> 'return'::text);
CREATE INDEX payment_events_age_idx ON cell_00.payment_events USING btree (received_at);
CREATE INDEX phone_numbers_campaign_idx ON cell_00.phone_numbers USING btree (campaign_id, created_at DESC, id DESC) WHERE (campaign_id IS NOT NULL);
CREATE INDEX phone_numbers_list_idx ON cell_00.phone_numbers USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX phone_numbers_order_idx ON cell_00.phone_numbers USING btree (order_id) WHERE (state = 'ordering'::text);
CREATE INDEX phone_numbers_owed_idx ON cell_00.phone_numbers USING btree (charged_until) WHERE ((state = 'assigned'::text) OR (charged_until <= released_at));
CREATE INDEX phone_numbers_released_idx ON cell_00.phone_numbers USING btree (released_at) WHERE (state = 'quarantined'::text);
CREATE UNIQUE INDEX topups_charge_idx ON cell_00.topups USING btree (org_id) WHERE ((kind = 'auto'::text) AND (state = 'open'::text));
CREATE UNIQUE INDEX topups_payment_idx ON cell_00.topups USING btree (payment_id) WHERE (payment_id IS NOT NULL);
CREATE INDEX unnamed_messages_age_idx ON cell_00.unnamed_messages USING btree (noted_at);
CREATE INDEX unnamed_messages_pair_idx ON cell_00.unnamed_messages USING btree (account, carrier, pair);
CREATE INDEX usage_rows_list_idx ON cell_00.usage_rows USING btree (org_id, ts DESC, id DESC);
CREATE INDEX usage_rows_rare_idx ON cell_00.usage_rows USING btree (org_id, kind, ts DESC, id DESC) WHERE (kind <> 'outbound_sms'::text);
CREATE INDEX webhook_attempts_age_idx ON cell_00.webhook_attempts USING brin (occurred_at) WITH (autosummarize='on');
CREATE INDEX webhook_attempts_failed_idx ON cell_00.webhook_attempts USING btree (org_id, occurred_at DESC, id DESC) WHERE (outcome <> 'success'::text);
CREATE INDEX webhook_attempts_lane_idx ON cell_00.webhook_attempts USING btree (lane_id, occurred_at DESC, id DESC);
CREATE INDEX webhook_attempts_list_idx ON cell_00.webhook_attempts USING btree (org_id, occurred_at DESC, id DESC);
CREATE INDEX webhook_attempts_source_idx ON cell_00.webhook_attempts USING btree (source_event_id) WHERE (response_body_excerpt IS NOT NULL);
CREATE INDEX webhook_attempts_type_idx ON cell_00.webhook_attempts USING btree (org_id, event_type, occurred_at DESC, id DESC);
CREATE INDEX webhook_endpoints_list_idx ON cell_00.webhook_endpoints USING btree (org_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX webhook_lanes_due_idx ON cell_00.webhook_lanes USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX webhook_lanes_holder_idx ON cell_00.webhook_lanes USING btree (holder) WHERE (holder IS NOT NULL);
CREATE INDEX inventory_available_idx ON directory.inventory USING btree (account, number_type, number text_pattern_ops) WHERE (state = 'available'::text);
CREATE INDEX inventory_quarantine_idx ON directory.inventory USING btree (available_at) WHERE (state = 'quarantined'::text);
CREATE INDEX odd_answers_age_idx ON directory.odd_answers USING btree (heard_at);
CREATE INDEX undecided_receipts_age_idx ON directory.undecided_receipts USING btree (received_at);
CREATE INDEX undecided_receipts_due_idx ON directory.undecided_receipts USING btree (look_at);
CREATE TRIGGER audit_chains_stay BEFORE DELETE OR TRUNCATE ON cell_00.audit_chains FOR EACH STATEMENT EXECUTE FUNCTION cell_00.refuse_rewriting();
ALTER TABLE cell_00.audit_chains ENABLE ALWAYS TRIGGER audit_chains_stay;
CREATE TRIGGER audit_log_is_final BEFORE DELETE OR UPDATE OR TRUNCATE ON cell_00.audit_log FOR EACH STATEMENT EXECUTE FUNCTION cell_00.refuse_rewriting();
ALTER TABLE cell_00.audit_log ENABLE ALWAYS TRIGGER audit_log_is_final;
CREATE TRIGGER audit_seals_are_final BEFORE DELETE OR UPDATE OR TRUNCATE ON cell_00.audit_seals FOR EACH STATEMENT EXECUTE FUNCTION cell_00.refuse_rewriting();
ALTER TABLE cell_00.audit_seals ENABLE ALWAYS TRIGGER audit_seals_are_final;
CREATE TRIGGER ledger_entries_are_final BEFORE DELETE OR UPDATE OR TRUNCATE ON cell_00.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION cell_00.refuse_rewriting();
ALTER TABLE cell_00.ledger_entries ENABLE ALWAYS TRIGGER ledger_entries_are_final;
CREATE TRIGGER ledger_entries_balance AFTER INSERT ON cell_00.ledger_entries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION cell_00.require_balance();
ALTER TABLE cell_00.ledger_entries ENABLE ALWAYS TRIGGER ledger_entries_balance;
CREATE TRIGGER ledger_transactions_are_final BEFORE DELETE OR UPDATE OR TRUNCATE ON cell_00.ledger_transactions FOR EACH STATEMENT EXECUTE FUNCTION cell_00.refuse_rewriting();
ALTER TABLE cell_00.ledger_transactions ENABLE ALWAYS TRIGGER ledger_transactions_are_final;
CREATE TRIGGER usage_rows_are_final BEFORE DELETE OR UPDATE OR TRUNCATE ON cell_00.usage_rows FOR EACH STATEMENT EXECUTE FUNCTION cell_00.refuse_rewriting();
ALTER TABLE cell_00.usage_rows ENABLE ALWAYS TRIGGER usage_rows_are_final;
ALTER TABLE ONLY cell_00.api_keys ADD CONSTRAINT api_keys_org_id_fkey FOREIGN KEY (org_id) REFERENCES cell_00.organizations(id);
ALTER TABLE ONLY cell_00.api_keys ADD CONSTRAINT api_keys_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES cell_00.api_keys(id);
ALTER TABLE ONLY cell_00.brands ADD CONSTRAINT brands_org_id_fkey FOREIGN KEY (org_id) REFERENCES cell_00.organizations(id);
ALTER TABLE ONLY cell_00.campaigns ADD CONSTRAINT campaigns_brand_id_fkey FOREIGN KEY (brand_id) REFERENCES cell_00.brands(id);
ALTER TABLE ONLY cell_00.campaigns ADD CONSTRAINT campaigns_org_id_fkey FOREIGN KEY (org_id) REFERENCES cell_00.organizations(id);
ALTER TABLE ONLY cell_00.carrier_order_members ADD CONSTRAINT carrier_order_members_order_id_fkey FOREIGN KEY (order_id) REFERENCES cell_00.carrier_orders(id) ON DELETE CASCADE;
ALTER TABLE ONLY cell_00.consent_history ADD CONSTRAINT consent_history_consent_id_fkey FOREIGN KEY (consent_id) REFERENCES cell_00.consents(id);
ALTER TABLE ONLY cell_00.guardrail_bindings ADD CONSTRAINT guardrail_bindings_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES cell_00.guardrail_profiles(id);
ALTER TABLE ONLY cell_00.guardrail_pool_members ADD CONSTRAINT guardrail_pool_members_phone_number_id_fkey FOREIGN KEY (phone_number_id) REFERENCES cell_00.phone_numbers(id) ON DELETE CASCADE;
ALTER TABLE ONLY cell_00.guardrail_pool_members ADD CONSTRAINT guardrail_pool_members_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES cell_00.guardrail_pools(id) ON DELETE CASCADE;
ALTER TABLE ONLY cell_00.guardrail_pools ADD CONSTRAINT guardrail_pools_brand_id_fkey FOREIGN KEY (brand_id) REFERENCES cell_00.brands(id);
ALTER TABLE ONLY cell_00.line_options ADD CONSTRAINT line_options_org_id_fkey FOREIGN KEY (org_id) REFERENCES cell_00.organizations(id);
ALTER TABLE ONLY cell_00.line_options ADD CONSTRAINT line_options_phone_number_id_fkey FOREIGN KEY (phone_number_id) REFERENCES cell_00.phone_numbers(id) ON DELETE CASCADE;
ALTER TABLE ONLY cell_00.line_transitions ADD CONSTRAINT line_transitions_phone_number_id_fkey FOREIGN KEY (phone_number_id) REFERENCES cell_00.phone_numbers(id) ON DELETE CASCADE;
ALTER TABLE ONLY cell_00.media_recipients ADD CONSTRAINT media_recipients_media_id_fkey FOREIGN KEY (media_id) REFERENCES cell_00.media(id) ON DELETE CASCADE;
ALTER TABLE ONLY cell_00.number_orders ADD CONSTRAINT number_orders_org_id_fkey FOREIGN KEY (org_id) REFERENCES cell_00.organizations(id);
ALTER TABLE ONLY cell_00.phone_numbers ADD CONSTRAINT phone_numbers_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES cell_00.campaigns(id);
ALTER TABLE ONLY cell_00.phone_numbers ADD CONSTRAINT phone_numbers_order_id_fkey FOREIGN KEY (order_id) REFERENCES cell_00.number_orders(id);
ALTER TABLE ONLY cell_00.phone_numbers ADD CONSTRAINT phone_numbers_org_id_fkey FOREIGN KEY (org_id) REFERENCES cell_00.organizations(id);
ALTER TABLE ONLY cell_00.wallets ADD CONSTRAINT wallets_org_id_fkey FOREIGN KEY (org_id) REFERENCES cell_00.organizations(id);
ALTER TABLE ONLY directory.api_keys ADD CONSTRAINT api_keys_org_id_fkey FOREIGN KEY (org_id) REFERENCES directory.organizations(id);
ALTER TABLE ONLY directory.inventory ADD CONSTRAINT inventory_cell_fkey FOREIGN KEY (cell) REFERENCES directory.cells(name);
ALTER TABLE ONLY directory.inventory ADD CONSTRAINT inventory_org_id_fkey FOREIGN KEY (org_id) REFERENCES directory.organizations(id);
ALTER TABLE ONLY directory.organizations ADD CONSTRAINT organizations_cell_fkey FOREIGN KEY (cell) REFERENCES directory.cells(name);

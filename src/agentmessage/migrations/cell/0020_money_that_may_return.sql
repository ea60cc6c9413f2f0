-- What is charged for an outcome that is still open is given back when it fails. Until it is known it earns no tier.
ALTER TABLE wallets ADD COLUMN provisional_spend_microcents bigint NOT NULL DEFAULT 0;

-- Numbers, campaigns and fees are found among millions of messages, which need no index of their own for it.
CREATE INDEX usage_rows_rare_idx ON usage_rows (org_id, kind, ts DESC, id DESC) WHERE kind <> 'outbound_sms';

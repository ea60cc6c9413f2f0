-- An API key that was made by another one names it, so that it can end with it and be found from it.
ALTER TABLE api_keys ADD COLUMN parent_id uuid REFERENCES api_keys (id);
CREATE INDEX api_keys_parent_idx ON api_keys (org_id, parent_id) WHERE parent_id IS NOT NULL;

-- A lookup is found by the Idempotency-Key it was asked under, however long ago that was.
ALTER TABLE lookups ADD COLUMN idempotency_key text, ADD COLUMN fingerprint bytea;
CREATE UNIQUE INDEX lookups_key_idx ON lookups (org_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

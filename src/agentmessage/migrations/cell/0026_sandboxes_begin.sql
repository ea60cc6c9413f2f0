-- A sandbox begins with a brand of its own, which keeps nobody from registering one, and a number that can send.
ALTER TABLE brands ADD COLUMN is_starter boolean NOT NULL DEFAULT false;

-- Sandboxes that were made before get theirs too.
INSERT INTO jobs (kind, key, arguments, run_at, created_at)
SELECT 'sandbox.begin', id::text, jsonb_build_object('org_id', id), now(), now() FROM organizations WHERE mode = 'sandbox'
ON CONFLICT (kind, key) DO NOTHING;

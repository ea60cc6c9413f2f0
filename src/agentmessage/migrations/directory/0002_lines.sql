-- How a worker's lines to carriers of texts stand, as of its last beat: [{"account","carrier","channels","is_up","room"}].
ALTER TABLE directory.worker_heartbeats ADD COLUMN lines jsonb NOT NULL DEFAULT '[]';

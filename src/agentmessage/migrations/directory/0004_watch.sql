-- How far the clock of a worker's machine was ahead of the database's at its last beat; negative: behind.
ALTER TABLE directory.worker_heartbeats ADD COLUMN skew_s double precision NOT NULL DEFAULT 0;

-- Nothing is ever kept here: readiness writes a filler and takes it back, which needs space on the disk.
CREATE TABLE directory.space_proofs (filler bytea NOT NULL);
ALTER TABLE directory.space_proofs ALTER COLUMN filler SET STORAGE EXTERNAL;

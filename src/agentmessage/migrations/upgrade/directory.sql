-- From directory/0004 of version 0.1 to the baseline: tables and columns get the words of the protocols and the field.
-- Heartbeats are dropped: workers write them every few seconds, and their JSON changed too.

ALTER TABLE directory.odd_answers RENAME TO unparsed_responses;
ALTER TABLE directory.unparsed_responses RENAME COLUMN heard_at TO received_at;
ALTER TABLE directory.sweeps RENAME TO drift_sweeps;
ALTER TABLE directory.space_proofs RENAME TO disk_space_probe;
ALTER TABLE directory.undecided_receipts RENAME COLUMN look_at TO due_at;
ALTER TABLE directory.inventory RENAME COLUMN is_read TO is_observed;
ALTER TABLE directory.carrier_budgets RENAME COLUMN refused TO is_exhausted;
ALTER TABLE directory.worker_heartbeats RENAME COLUMN lines TO carrier_connections;
DELETE FROM directory.worker_heartbeats;

-- Constraints and indexes are named after their table and column, as Postgres names them in a new database.
DO $$
DECLARE
    renamed text[];     -- a table, and how the names of its constraints and indexes began and begin
    old text;
BEGIN
    FOREACH renamed SLICE 1 IN ARRAY ARRAY[
        ['unparsed_responses', 'odd_answers_heard_at_', 'unparsed_responses_received_at_'],
        ['unparsed_responses', 'odd_answers_', 'unparsed_responses_'],
        ['drift_sweeps', 'sweeps_', 'drift_sweeps_'],
        ['disk_space_probe', 'space_proofs_', 'disk_space_probe_'],
        ['undecided_receipts', 'undecided_receipts_look_at_', 'undecided_receipts_due_at_'],
        ['inventory', 'inventory_is_read_', 'inventory_is_observed_'],
        ['carrier_budgets', 'carrier_budgets_refused_', 'carrier_budgets_is_exhausted_'],
        ['worker_heartbeats', 'worker_heartbeats_lines_', 'worker_heartbeats_carrier_connections_']
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

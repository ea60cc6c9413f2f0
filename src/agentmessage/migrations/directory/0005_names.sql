-- Tables and columns get the words of the protocols and the field. Heartbeats are written anew every few seconds.

ALTER TABLE directory.odd_answers RENAME TO unparsed_responses;
ALTER TABLE directory.unparsed_responses RENAME COLUMN heard_at TO received_at;
ALTER TABLE directory.sweeps RENAME TO drift_sweeps;
ALTER TABLE directory.space_proofs RENAME TO disk_space_probe;
ALTER TABLE directory.undecided_receipts RENAME COLUMN look_at TO due_at;
ALTER TABLE directory.inventory RENAME COLUMN is_read TO is_observed;
ALTER TABLE directory.carrier_budgets RENAME COLUMN refused TO is_exhausted;
ALTER TABLE directory.worker_heartbeats RENAME COLUMN lines TO carrier_connections;
DELETE FROM directory.worker_heartbeats;

DO $$
DECLARE item record;
BEGIN
    CREATE TEMPORARY TABLE renamed (table_name text, old text, new text) ON COMMIT DROP;
    INSERT INTO renamed VALUES
        ('unparsed_responses', 'odd_answers_heard_at_', 'unparsed_responses_received_at_'),
        ('unparsed_responses', 'odd_answers_', 'unparsed_responses_'),
        ('drift_sweeps', 'sweeps_', 'drift_sweeps_'),
        ('disk_space_probe', 'space_proofs_', 'disk_space_probe_'),
        ('undecided_receipts', 'undecided_receipts_look_at_', 'undecided_receipts_due_at_'),
        ('inventory', 'inventory_is_read_', 'inventory_is_observed_'),
        ('carrier_budgets', 'carrier_budgets_refused_', 'carrier_budgets_is_exhausted_'),
        ('worker_heartbeats', 'worker_heartbeats_lines_', 'worker_heartbeats_carrier_connections_');
    FOR item IN
        SELECT DISTINCT ON (c.oid) c.conrelid::regclass AS owner, c.conname AS old,
               r.new || substr(c.conname, length(r.old) + 1) AS new
        FROM pg_constraint c JOIN renamed r ON c.conrelid = to_regclass(r.table_name) AND starts_with(c.conname, r.old)
        ORDER BY c.oid, length(r.old) DESC
    LOOP
        EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', item.owner, item.old, item.new);
    END LOOP;
    FOR item IN
        SELECT DISTINCT ON (i.indexrelid) i.indexrelid::regclass AS index, r.new || substr(c.relname, length(r.old) + 1) AS new
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN renamed r ON i.indrelid = to_regclass(r.table_name) AND starts_with(c.relname, r.old)
        ORDER BY i.indexrelid, length(r.old) DESC
    LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', item.index, item.new);
    END LOOP;
END $$;

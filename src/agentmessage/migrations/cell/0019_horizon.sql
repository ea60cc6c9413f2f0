-- Events and audit rows are ordered by their transactions. Below the horizon nothing can appear any more.
-- In a database that was restored into another cluster, migrations/restored.py moves the horizon and the numbers of new
-- rows by a constant, the shift, so that what is new comes after what was restored.
CREATE FUNCTION xid_horizon() RETURNS xid8 LANGUAGE sql STABLE
    AS 'SELECT pg_snapshot_xmin(pg_current_snapshot())';
CREATE FUNCTION xid_shift() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint';

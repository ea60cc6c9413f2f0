-- The audit log is written once. Each organization's rows form a chain: a seal proves its row and all seals before it,
-- so that whoever changes, removes or slips in a row, even as the owner of the tables, is found out.

ALTER TABLE audit_log ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX audit_log_order_idx ON audit_log (xid, id);

CREATE TABLE audit_seals (
    org_id          uuid NOT NULL,
    position        bigint NOT NULL,            -- from 1, without gaps
    row_id          text NOT NULL,              -- of the audit_log row of that organization
    hash            bytea NOT NULL,             -- HMAC-SHA256 of the hash before, the position and the row
    PRIMARY KEY (org_id, position)
);

-- How long each chain is and how it ends. The signature is made with a key that is not in the database, so that the end
-- of a chain cannot be cut off by writing an earlier end here.
CREATE TABLE audit_chains (
    org_id          uuid PRIMARY KEY,
    length          bigint NOT NULL,
    head            bytea NOT NULL,             -- the last seal's hash
    signature       bytea NOT NULL              -- HMAC-SHA256 of organization, length and head
) WITH (fillfactor = 70);

CREATE TRIGGER audit_log_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER audit_seals_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER audit_chains_stay BEFORE DELETE OR TRUNCATE ON audit_chains
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_is_final;
ALTER TABLE audit_seals ENABLE ALWAYS TRIGGER audit_seals_are_final;
ALTER TABLE audit_chains ENABLE ALWAYS TRIGGER audit_chains_stay;

-- Up to which row all are sealed. Rows follow in the order of their transactions; those from before the chain come first.
CREATE TABLE audit_place (
    is_only         boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    xid             xid8 NOT NULL,
    id              text NOT NULL
);
INSERT INTO audit_place (xid, id) VALUES ('0', '');

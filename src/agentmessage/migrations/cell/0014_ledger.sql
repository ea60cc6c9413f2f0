-- The ledger is written once: what it holds is changed and taken away by nobody, the owner of the tables included. A
-- mistake is put right by another booking.

CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', tg_table_name, tg_op USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_transactions_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER ledger_entries_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER usage_rows_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON usage_rows
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
-- Also in a session that calls itself a replica, which fires no ordinary trigger.
ALTER TABLE ledger_transactions ENABLE ALWAYS TRIGGER ledger_transactions_are_final;
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_entries_are_final;
ALTER TABLE usage_rows ENABLE ALWAYS TRIGGER usage_rows_are_final;

-- The entries of a transaction come in one statement, cancel each other, and move the wallet by what their transaction
-- says. One look at all of them at once costs less than the foreign key did, which looked at each by itself.
CREATE FUNCTION require_balance() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

CREATE TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_balance();
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_entries_balance;
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_transaction_id_fkey;

DROP INDEX ledger_entries_account_idx;          -- written for every text, read by nobody

-- Top-ups, refunds and adjustments are found among millions of debits, which need no index of their own for it.
CREATE INDEX ledger_transactions_rare_idx ON ledger_transactions (org_id, kind, ts DESC, id DESC)
    WHERE kind <> 'debit';

-- How much is charged by itself in a calendar month (UTC) at most; null: ten times the amount.
ALTER TABLE auto_topups ADD COLUMN monthly_max_cents bigint CHECK (monthly_max_cents > 0);

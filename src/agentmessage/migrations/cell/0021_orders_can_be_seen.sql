-- An order for numbers is a resource: it is polled while the carrier works on it, and listed.
CREATE INDEX number_orders_list_idx ON number_orders (org_id, created_at DESC, id DESC) WHERE kind <> 'return';

-- How many numbers could have been had when an order failed; null: it did not fail, or nobody counted.
ALTER TABLE number_orders ADD COLUMN available_count integer;

-- What housekeeping asks for every half a minute must not read whole tables.

CREATE INDEX carrier_orders_finished_idx ON carrier_orders (finished_at) WHERE finished_at IS NOT NULL;
-- A block range index: events are written in the order of their time, and every request of a customer writes one.
CREATE INDEX events_age_idx ON events USING brin (created_at) WITH (autosummarize = on);

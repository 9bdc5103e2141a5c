-- phase: expand
-- A constant default is stored once in the catalog: no row is rewritten, and the
-- version that does not know the column goes on inserting.
ALTER TABLE users ADD COLUMN tier text NOT NULL DEFAULT 'free';

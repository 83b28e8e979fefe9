-- Rows came back on the server that are gone here, because a purge lost against a restore on another device.
-- What fetches them may be cut off by the end of the program, so it is written down that it has to be done.
ALTER TABLE account ADD COLUMN mending INTEGER NOT NULL DEFAULT 0 CHECK (mending IN (0, 1));
-- The server was told that operations up to this number are settled: it does none of them any more. What is
-- sent later has a higher one.
ALTER TABLE account ADD COLUMN acked INTEGER NOT NULL DEFAULT 0;

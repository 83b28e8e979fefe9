-- What a simulated life needs of a real server: a clock, chance, and a word to refuse, all from outside.
-- The functions under test stay as the migrations made them; only what they ask the time and the dice is ours.

-- The time is what the session says it is: whatever asks by name, from inside a function, asks these.
-- `transaction_timestamp` and `now` stand still within a transaction because the setting is made once in it.
ALTER FUNCTION pg_catalog.now() RENAME TO real_now;
ALTER FUNCTION pg_catalog.transaction_timestamp() RENAME TO real_transaction_timestamp;
ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO real_clock_timestamp;
CREATE FUNCTION pg_catalog.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN coalesce(current_setting('sim.now_ms', true), '') = '' THEN pg_catalog.real_now()
                ELSE timestamptz 'epoch'
                     + current_setting('sim.now_ms', true)::bigint * interval '1 millisecond' END
$$;
CREATE FUNCTION pg_catalog.transaction_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.now()
$$;
CREATE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.now()
$$;
-- Defaults were bound to the real one when the table was made.
ALTER TABLE public.devices ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();

-- Autovacuum may shorten a table in the middle of a life, and locks it for longer than anything here waits.
DO $$
DECLARE
    one regclass;
BEGIN
    FOR one IN SELECT oid FROM pg_class
                WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'sync'::regnamespace, 'auth'::regnamespace) LOOP
        EXECUTE format('ALTER TABLE %s SET (vacuum_truncate = false, toast.vacuum_truncate = false)', one);
    END LOOP;
END
$$;

CREATE SCHEMA sim;
GRANT USAGE ON SCHEMA sim TO PUBLIC;
CREATE SEQUENCE sim.chance;
GRANT ALL ON SEQUENCE sim.chance TO PUBLIC;
CREATE FUNCTION sim.draw() RETURNS bigint LANGUAGE sql VOLATILE SET search_path = '' AS $$
    SELECT ('x' || substr(md5(coalesce(current_setting('sim.seed', true), '')
                              || nextval('sim.chance')), 1, 16))::bit(64)::bigint
           & 9223372036854775807
$$;
CREATE OR REPLACE FUNCTION sync.nonce() RETURNS bigint LANGUAGE sql VOLATILE SET search_path = '' AS $$
    SELECT sim.draw()
$$;

-- Now and then a lock does not come, and nobody is to blame.
CREATE FUNCTION sim.stumble() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF sim.draw() % 61 = 0 THEN
        RAISE deadlock_detected;
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER stumble BEFORE INSERT OR UPDATE ON public.conversations
    FOR EACH ROW EXECUTE FUNCTION sim.stumble();
CREATE TRIGGER stumble BEFORE INSERT OR UPDATE ON public.messages
    FOR EACH ROW EXECUTE FUNCTION sim.stumble();

ALTER TABLE public.conversations
    ADD CONSTRAINT "a word that is refused" CHECK (position(U&'\+01F6AB' IN title) = 0);
ALTER TABLE public.messages
    ADD CONSTRAINT "a word that is refused" CHECK (position(U&'\+01F6AB' IN content) = 0);

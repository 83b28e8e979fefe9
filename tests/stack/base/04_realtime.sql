-- The schema of Supabase Realtime: the table that broadcasts pass through, and what sends them.

CREATE SCHEMA realtime AUTHORIZATION supabase_admin;
GRANT USAGE ON SCHEMA realtime TO anon, authenticated, service_role, postgres;
GRANT CREATE, USAGE ON SCHEMA realtime TO supabase_realtime_admin WITH GRANT OPTION;

CREATE TABLE realtime.messages (
    topic text NOT NULL,                          -- without the `realtime:` of the wire
    extension text NOT NULL,                      -- 'broadcast' or 'presence'
    payload jsonb,
    event text,
    private boolean DEFAULT false,
    updated_at timestamp without time zone NOT NULL DEFAULT timezone('utc', now()),
    inserted_at timestamp without time zone NOT NULL DEFAULT timezone('utc', now()),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    binary_payload bytea,
    skip_broadcast boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id, inserted_at),
    CONSTRAINT messages_payload_exclusive CHECK (payload IS NULL OR binary_payload IS NULL)
) PARTITION BY RANGE (inserted_at);
CREATE INDEX messages_inserted_at_topic_index
    ON realtime.messages (inserted_at DESC, topic)
    WHERE extension = 'broadcast' AND private IS TRUE;

ALTER TABLE realtime.messages OWNER TO supabase_realtime_admin;
-- On, and without a policy: no private channel works until a migration says who may hear it.
ALTER TABLE realtime.messages ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON realtime.messages TO anon, authenticated, service_role;
GRANT ALL ON realtime.messages TO postgres;

-- A partition a day (UTC), as the server makes them when it connects: from yesterday to three days
-- ahead, and none older than three days.
CREATE FUNCTION realtime.stack_partitions() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    day date;
    name text;
BEGIN
    FOR name IN
        SELECT inhrelid::regclass::text
          FROM pg_catalog.pg_inherits
         WHERE inhparent = 'realtime.messages'::regclass
    LOOP
        IF to_date(right(name, 10), 'YYYY_MM_DD') < timezone('utc', now())::date - 3 THEN
            EXECUTE 'DROP TABLE ' || name;
        END IF;
    END LOOP;
    FOR offset_days IN -1..3 LOOP
        day := timezone('utc', now())::date + offset_days;
        name := 'messages_' || to_char(day, 'YYYY_MM_DD');
        IF to_regclass('realtime.' || name) IS NULL THEN
            EXECUTE format('CREATE TABLE realtime.%I PARTITION OF realtime.messages'
                           ' FOR VALUES FROM (%L) TO (%L)', name, day, day + 1);
            EXECUTE format('ALTER TABLE realtime.%I OWNER TO supabase_realtime_admin', name);
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION realtime.stack_partitions() FROM PUBLIC;
SELECT realtime.stack_partitions();

CREATE FUNCTION realtime.topic() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT NULLIF(current_setting('realtime.topic', true), '')::text
$$;

-- A failure is a warning and a lost message, never the caller's: that is how the real one is.
-- It runs with the caller's rights, so that row-level security may be what refuses.
CREATE FUNCTION realtime.send(payload jsonb, event text, topic text, private boolean DEFAULT true)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    message_id uuid;
BEGIN
    message_id := gen_random_uuid();
    IF NOT (payload ? 'id') THEN
        payload := jsonb_set(payload, '{id}', to_jsonb(message_id));
    END IF;
    PERFORM set_config('realtime.topic', topic, true);
    INSERT INTO realtime.messages (id, payload, event, topic, private, extension)
    VALUES (message_id, payload, event, topic, private, 'broadcast');
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'WarnSendingBroadcastMessage: %', SQLERRM;
END
$$;

CREATE FUNCTION realtime.send_binary(
    payload bytea, event text, topic text, private boolean DEFAULT true
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('realtime.topic', topic, true);
    INSERT INTO realtime.messages (binary_payload, event, topic, private, extension)
    VALUES (payload, event, topic, private, 'broadcast');
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'WarnSendingBroadcastMessage: %', SQLERRM;
END
$$;

CREATE FUNCTION realtime.broadcast_changes(
    topic_name text, event_name text, operation text, table_name text, table_schema text,
    new record, old record, level text DEFAULT 'ROW'
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF level = 'STATEMENT' THEN
        RAISE EXCEPTION 'function can only be triggered for each row, not for each statement';
    END IF;
    IF operation NOT IN ('INSERT', 'UPDATE', 'DELETE') THEN
        RAISE EXCEPTION 'Unexpected operation type: %', operation;
    END IF;
    PERFORM realtime.send(
        jsonb_build_object('old_record', old, 'record', new, 'operation', operation,
                           'table', table_name, 'schema', table_schema),
        event_name, topic_name);
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION 'Failed to process the row: %', SQLERRM;
END
$$;

ALTER FUNCTION realtime.topic() OWNER TO supabase_realtime_admin;
ALTER FUNCTION realtime.send(jsonb, text, text, boolean) OWNER TO supabase_realtime_admin;
ALTER FUNCTION realtime.send_binary(bytea, text, text, boolean) OWNER TO supabase_realtime_admin;

-- The real server reads the write-ahead log; the stand-in is told. Both speak after the commit and
-- in the order of commits, and of one transaction in the order of its rows.
CREATE PUBLICATION supabase_realtime_messages_publication FOR TABLE realtime.messages;
CREATE FUNCTION realtime.stack_tell() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF new.event IS NOT NULL AND new.private IS NOT NULL
       AND (new.payload IS NOT NULL OR new.binary_payload IS NOT NULL) THEN
        PERFORM pg_catalog.pg_notify('stack_realtime', new.id || ' ' || new.inserted_at);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER stack_tell AFTER INSERT ON realtime.messages
    FOR EACH ROW EXECUTE FUNCTION realtime.stack_tell();

-- Who acts in these tests, and how: included by every file with \ir, inside its transaction.
--
-- Ann and Bob are users with a device each; Rita's device is revoked; Ada is an administrator; Dan is
-- disabled. pg_temp.try(role, who, statement) runs a statement as somebody and answers with what came of
-- it: the number of rows, or the SQLSTATE (for our own refusals with their code, as 'PT403 user_disabled').

\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET client_min_messages = warning;
SET search_path = public, extensions;

CREATE TABLE pg_temp.actor (name text PRIMARY KEY, id uuid, session uuid, device uuid);
INSERT INTO pg_temp.actor
SELECT name, md5('user ' || name)::uuid, md5('session ' || name)::uuid, md5('device ' || name)::uuid
  FROM unnest(ARRAY['ann', 'bob', 'rita', 'ada', 'dan']) AS name;
GRANT SELECT ON pg_temp.actor TO PUBLIC;

INSERT INTO auth.users (instance_id, id, aud, role, email)
SELECT '00000000-0000-0000-0000-000000000000', id, 'authenticated', 'authenticated',
       name || '@example.org'
  FROM pg_temp.actor;
INSERT INTO auth.sessions (id, user_id, created_at, updated_at, user_agent, ip)
SELECT session, id, now(), now(), 'Tidemark/0.1', '203.0.113.7' FROM pg_temp.actor;

CREATE FUNCTION pg_temp.id(name text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT a.id FROM pg_temp.actor AS a WHERE a.name = $1
$$;
CREATE FUNCTION pg_temp.device(name text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT a.device FROM pg_temp.actor AS a WHERE a.name = $1
$$;

-- Becomes somebody: 'ann' and so on; 'anon', 'service'; 'nobody' takes it back.
CREATE FUNCTION pg_temp.be(who text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a pg_temp.actor;
BEGIN
    SELECT * INTO a FROM pg_temp.actor WHERE name = who;
    PERFORM set_config('request.jwt.claims', CASE
        WHEN who = 'nobody' THEN ''
        WHEN who = 'anon' THEN '{"role": "anon"}'
        WHEN who = 'service' THEN '{"role": "service_role"}'
        ELSE json_build_object('sub', a.id, 'role', 'authenticated', 'session_id', a.session)::text
    END, true);
    EXECUTE 'SET LOCAL ROLE ' || CASE who
        WHEN 'nobody' THEN 'NONE' WHEN 'anon' THEN 'anon' WHEN 'service' THEN 'service_role'
        ELSE 'authenticated' END;
END
$$;

CREATE FUNCTION pg_temp.try(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    rows bigint;
BEGIN
    PERFORM pg_temp.be(who);
    EXECUTE statement;
    GET DIAGNOSTICS rows = ROW_COUNT;
    PERFORM pg_temp.be('nobody');
    RETURN rows;
EXCEPTION WHEN OTHERS THEN
    PERFORM pg_temp.be('nobody');
    RETURN sqlstate || CASE WHEN sqlstate LIKE 'PT%' THEN ' ' || sqlerrm ELSE '' END;
END
$$;

-- What a call answers to somebody.
CREATE FUNCTION pg_temp.ask(who text, call text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    PERFORM pg_temp.be(who);
    EXECUTE 'SELECT (' || call || ')::jsonb' INTO answer;
    PERFORM pg_temp.be('nobody');
    RETURN answer;
END
$$;

-- What sync_push takes.
CREATE FUNCTION pg_temp.batch(
    device uuid, acked_through bigint, ops jsonb, scope uuid DEFAULT NULL, known jsonb DEFAULT NULL
) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('device', device, 'acked_through', acked_through, 'ops', ops, 'scope', scope,
                              'known', known)
$$;

-- Pushes operations as somebody; answers with {n: [outcome, detail]}.
CREATE FUNCTION pg_temp.push(who text, ops jsonb, acked bigint DEFAULT 0) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(o ->> 0, o - 0)
              FROM jsonb_array_elements(pg_temp.ask(who, format(
                       'public.sync_push(pg_temp.batch(%L, %s, %L))', pg_temp.device(who), acked, ops)) -> 'outcomes')
                   AS o);
END
$$;

-- Short for an operation; what is left out is empty.
CREATE FUNCTION pg_temp.op(
    n bigint, kind text, tbl text, id uuid, fields jsonb DEFAULT '{}', clocks jsonb DEFAULT '{}',
    base jsonb DEFAULT '{}', queue text DEFAULT NULL
) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('n', n, 'kind', kind, 'tbl', tbl, 'id', id, 'fields', fields,
                              'clocks', clocks, 'base', base, 'queue', COALESCE(queue, id::text))
$$;
CREATE FUNCTION pg_temp.conversation(title text DEFAULT 'Untitled') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('title', title, 'title_by', 'auto', 'model', NULL, 'system_prompt', NULL,
        'pinned', false, 'archived', false, 'trashed_ms', NULL, 'origin', NULL,
        'continuation_id', NULL, 'metadata', NULL, 'created_ms', 1763735855123)
$$;
CREATE FUNCTION pg_temp.message(
    conversation uuid, content text DEFAULT 'Hello', state text DEFAULT 'done', device uuid DEFAULT NULL
) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('conversation_id', conversation, 'parent_id', NULL, 'continues_id', NULL,
        'role', 'assistant', 'content', content, 'content_raw', NULL, 'parts', NULL, 'model', NULL,
        'state', state, 'tokens_in', NULL, 'tokens_out', NULL, 'first_token_ms', NULL,
        'cost_micros', NULL, 'metadata', NULL, 'device_id', device, 'created_ms', 1763735855124,
        'finished_ms', NULL, 'trashed_ms', NULL)
$$;
-- This moment as a clock, and so many milliseconds later.
CREATE FUNCTION pg_temp.clock(later_ms bigint DEFAULT 0) RETURNS bigint LANGUAGE sql AS $$
    SELECT (round(date_part('epoch', now()) * 1000)::bigint + later_ms) << 16
$$;
CREATE FUNCTION pg_temp.uuid(name text) RETURNS uuid LANGUAGE sql AS $$ SELECT md5(name)::uuid $$;

-- Everybody's device says hello; then standing changes.
SELECT count(pg_temp.ask(name, format('public.sync_hello(%L, 1)', json_build_object('id', device,
       'name', name, 'platform', 'linux', 'app_version', '0.1')))) AS hellos
  FROM pg_temp.actor \gset
UPDATE public.profiles SET role = 'admin' WHERE user_id = pg_temp.id('ada');
UPDATE public.profiles SET state = 'disabled' WHERE user_id = pg_temp.id('dan');
UPDATE public.devices SET revoked_at = now() WHERE user_id = pg_temp.id('rita');

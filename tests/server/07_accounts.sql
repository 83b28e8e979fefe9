-- Sign-up, hello, sessions, devices, limits, the trash's end, an administrator's calls, summaries.
BEGIN;
\ir actors.sql
SELECT plan(56);

CREATE FUNCTION pg_temp.hello(who text, device text, schema integer DEFAULT 1) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try(who, format('SELECT public.sync_hello(%L, %s)', json_build_object('id', device,
        'name', 'x', 'platform', 'linux', 'app_version', '1'), schema))
$$;

-- Sign-up makes a profile, and never fails because of us.
INSERT INTO auth.users (id, email, raw_user_meta_data)
VALUES (pg_temp.uuid('eve'), 'eve@example.org', jsonb_build_object('registration_source', repeat('desktop', 20)));
SELECT is((SELECT role || ' ' || state || ' ' || left(registration_source, 7) FROM profiles WHERE user_id = pg_temp.uuid('eve')),
          'user active desktop', 'a profile');
SELECT is((SELECT seq FROM sync.head WHERE scope = pg_temp.uuid('eve')), 0::bigint, 'and an empty scope');
SAVEPOINT broken;
ALTER TABLE profiles ADD CONSTRAINT broken CHECK (false) NOT VALID;
SELECT lives_ok($$INSERT INTO auth.users (id, email) VALUES (pg_temp.uuid('fay'), 'fay@example.org')$$,
                'a sign-up without a profile');
ALTER TABLE profiles DROP CONSTRAINT broken;
INSERT INTO auth.sessions (id, user_id) VALUES (pg_temp.uuid('fay'), pg_temp.uuid('fay'));
INSERT INTO pg_temp.actor VALUES ('fay', pg_temp.uuid('fay'), pg_temp.uuid('fay'), pg_temp.uuid('fay device'));
SELECT is(pg_temp.hello('fay', pg_temp.device('fay')::text), '1', 'is made good by the first hello');
SELECT is((SELECT count(*) FROM profiles WHERE user_id = pg_temp.uuid('fay')), 1::bigint, 'so that there is one');
ROLLBACK TO broken;

-- Hello.
SELECT is(pg_temp.ask('ann', format('public.sync_hello(%L)', json_build_object('id', pg_temp.device('ann'))))
              - ARRAY['server_ms', 'head'],
          jsonb_build_object('schema', '[1, 1]'::jsonb, 'user_id', pg_temp.id('ann'), 'role', 'user', 'state', 'active',
                             'horizon', 0, 'acked_through', 0, 'numbered_through', 0), 'what a hello tells');
SELECT is((SELECT name FROM devices WHERE user_id = pg_temp.id('ann')), 'ann', 'a later hello renames nothing');
SELECT is(pg_temp.hello('bob', pg_temp.device('ann')::text), 'PT403 device_unknown', 'another user''s device');
SELECT is(pg_temp.hello('rita', pg_temp.device('rita')::text), 'PT403 device_revoked', 'a revoked device');
SELECT is(pg_temp.hello('rita', pg_temp.uuid('new')::text), 'PT403 device_revoked', 'its session as another device');
SELECT is(pg_temp.hello('dan', pg_temp.device('dan')::text), 'PT403 user_disabled', 'a disabled user');
SELECT is(pg_temp.hello('anon', pg_temp.device('ann')::text), '42501', 'nobody');
SELECT is(pg_temp.hello('ann', pg_temp.device('ann')::text, 0), 'PT400 schema_too_old', 'an app that is too old');
SELECT is(pg_temp.hello('ann', pg_temp.device('ann')::text, 2), 'PT400 schema_too_new', 'an app that is too new');
SELECT is(pg_temp.hello('ann', id), 'PT400 invalid_device', format('no device: %s', id)) FROM unnest(ARRAY[NULL, 'me']) AS id;
SELECT pg_temp.push('ann', jsonb_build_array(pg_temp.op(7, 'put', 'conversations', pg_temp.uuid('c'), pg_temp.conversation())), 5) IS NULL AS n \gset
SELECT is(pg_temp.ask('ann', format('public.sync_hello(%L)', json_build_object('id', pg_temp.device('ann'))))
          @> '{"acked_through": 5, "numbered_through": 7}', true, 'what is settled, and what has been numbered');

-- A session speaks for the device that said hello last; a device has the session that did.
SELECT is(pg_temp.hello('ann', pg_temp.uuid('second')::text), '1', 'another device in the same session');
SELECT is(pg_temp.try('ann', 'SELECT public.sync_push(pg_temp.batch(pg_temp.device(''ann''), 0, ''[]''))'), 'PT403 device_unknown', 'the first is out');
SELECT is(pg_temp.hello('ann', pg_temp.device('ann')::text), '1', 'until it says hello again');
SELECT is(pg_temp.try('ann', 'SELECT public.sync_push(pg_temp.batch(pg_temp.device(''ann''), 0, ''[]''))'), '1', 'and is in');

-- Sessions.
INSERT INTO auth.sessions (id, user_id, created_at, refreshed_at, user_agent, ip)
VALUES (pg_temp.uuid('laptop'), pg_temp.id('ann'), now() - interval '2 days', (now() - interval '1 day') AT TIME ZONE 'UTC', 'Laptop', '2001:db8::1');
SELECT is((SELECT jsonb_agg(s - ARRAY['created_ms', 'refreshed_ms']) FROM jsonb_array_elements(pg_temp.ask('ann', 'public.list_sessions()')) AS s),
    jsonb_build_array(
        jsonb_build_object('id', (SELECT session FROM pg_temp.actor WHERE name = 'ann'), 'ip', '203.0.113.7', 'user_agent', 'Tidemark/0.1',
                           'device_id', pg_temp.device('ann'), 'device_name', 'ann', 'current', true),
        jsonb_build_object('id', pg_temp.uuid('laptop'), 'ip', '2001:db8::1', 'user_agent', 'Laptop',
                           'device_id', NULL, 'device_name', NULL, 'current', false)), 'one''s sessions, and no other''s');
SELECT is((pg_temp.ask('ann', 'public.list_sessions()') #>> '{1,refreshed_ms}')::bigint,
          round(date_part('epoch', now() - interval '1 day') * 1000)::bigint, 'when it was refreshed');
SELECT is(pg_temp.ask('bob', format('public.end_session(%L)', pg_temp.uuid('laptop'))), '{"ended": false}', 'not another''s');
SELECT is(pg_temp.ask('ann', format('public.end_session(%L)', pg_temp.uuid('laptop'))), '{"ended": true}', 'one''s own ends');
SELECT is((SELECT count(*) FROM auth.sessions WHERE user_id = pg_temp.id('ann')), 1::bigint, 'that one alone');

-- Devices.
SELECT is((SELECT jsonb_agg(d - ARRAY['created_ms', 'last_seen_ms'] ORDER BY d ->> 'name') FROM jsonb_array_elements(pg_temp.ask('bob', 'public.list_devices()')) AS d),
    (SELECT jsonb_agg(jsonb_build_object('id', d.id, 'name', d.name, 'platform', d.platform, 'app_version', d.app_version, 'revoked_ms', NULL) ORDER BY d.name)
       FROM public.devices AS d WHERE d.user_id = pg_temp.id('bob')), 'one''s devices, and no other''s');
SELECT is((SELECT bool_and((d ->> 'last_seen_ms')::bigint BETWEEN 1 AND sync.server_ms()) FROM jsonb_array_elements(pg_temp.ask('ann', 'public.list_devices()')) AS d),
    true, 'when each was last seen');

-- Revoking.
SELECT is(pg_temp.ask('bob', format('public.revoke_device(%L)', pg_temp.device('ann'))), '{"revoked": false}', 'not another''s device');
SELECT is(pg_temp.ask('ann', format('public.revoke_device(%L)', pg_temp.device('ann'))), '{"revoked": true}', 'one''s own');
SELECT is(pg_temp.try('ann', 'SELECT public.sync_pull()'), 'PT403 device_revoked', 'its next request is refused, and told why');
SELECT is(pg_temp.try('ann', 'SELECT FROM public.devices'), '0', 'tables too');
SELECT is((SELECT count(*) FROM auth.sessions WHERE user_id = pg_temp.id('ann')), 0::bigint, 'its session is over');
SELECT is((SELECT c.op::text FROM sync.change AS c WHERE c.scope = pg_temp.id('ann') AND c.row_id = pg_temp.device('ann')), 'U',
          'and the other devices hear of it');

-- Limits.
UPDATE sync.bound SET value = 3 WHERE name = 'calls_per_minute';
UPDATE sync.calls SET calls = 0;
SELECT is(pg_temp.try('bob', 'SELECT public.sync_push(pg_temp.batch(pg_temp.device(''bob''), 0, ''[]''))'), CASE WHEN i <= 3 THEN '1' ELSE 'PT429 too_many_calls' END,
          format('push %s of a minute that has three', i)) FROM generate_series(1, 4) AS i;
UPDATE sync.calls SET minute = minute - interval '1 minute';
SELECT is(pg_temp.try('bob', 'SELECT public.sync_push(pg_temp.batch(pg_temp.device(''bob''), 0, ''[]''))'), '1', 'the next minute');
UPDATE sync.bound SET value = 1200 WHERE name = 'calls_per_minute';
UPDATE sync.bound SET value = 1 WHERE name = 'devices_per_user';
SELECT is(pg_temp.hello('bob', pg_temp.uuid('many')::text), 'PT403 too_many_devices', 'a device too many');

-- The trash is emptied after 30 days, by whoever writes.
INSERT INTO conversations (user_id, id, trashed_at) SELECT pg_temp.id('bob'), pg_temp.uuid('t' || i), now() FROM generate_series(1, 2) AS i;
INSERT INTO messages (user_id, id, conversation_id, role, content, state)
SELECT pg_temp.id('bob'), pg_temp.uuid('tm' || i), pg_temp.uuid('t1'), 'user', '', 'done' FROM generate_series(1, 1500) AS i;
UPDATE conversations SET purge_after = now() - interval '1 second' WHERE id = pg_temp.uuid('t1');
SELECT pg_temp.push('bob', '[]') IS NULL AS n \gset
SELECT is((SELECT count(*) FROM messages WHERE user_id = pg_temp.id('bob')), 500::bigint, 'a bounded piece at a time');
SELECT pg_temp.push('bob', '[]') IS NULL AS n \gset
SELECT is((SELECT array_agg(id) FROM conversations WHERE user_id = pg_temp.id('bob')), ARRAY[pg_temp.uuid('t2')], 'what is due, and no more');
SELECT is((SELECT count(*) FROM sync.change WHERE scope = pg_temp.id('bob') AND op = 'D'), 1501::bigint, 'with tombstones');

-- An administrator.
SELECT is(pg_temp.try('bob', 'SELECT public.admin_health()'), 'PT403 forbidden', 'health is not for everybody');
SELECT is(pg_temp.ask('ada', 'public.admin_health()') ->> 'users', '6', 'but for an administrator');
SELECT is(pg_temp.try('bob', format('SELECT public.admin_set_user_state(%L, ''disabled'')', pg_temp.id('ada'))), 'PT403 forbidden', 'nobody disables');
SELECT is(pg_temp.try('ada', format('SELECT public.admin_set_user_state(%L, ''disabled'')', pg_temp.id('ada'))), 'PT400 own_account', 'nor an administrator herself');
SELECT is(pg_temp.ask('ada', format('public.admin_set_user_state(%L, ''disabled'')', pg_temp.id('bob'))),
          jsonb_build_object('user_id', pg_temp.id('bob'), 'state', 'disabled'), 'an administrator does');
SELECT is(pg_temp.try('bob', 'SELECT public.sync_pull()'), 'PT403 user_disabled', 'at once');
SELECT is(pg_temp.ask('service', format('public.admin_set_user_state(%L, ''active'')', pg_temp.id('bob'))) ->> 'state', 'active', 'and takes it back');
INSERT INTO usage_logs (user_id, id, conversation_id, message_id, model, tokens_in, cost_micros)
VALUES (pg_temp.id('bob'), gen_random_uuid(), pg_temp.uuid('t2'), gen_random_uuid(), 'x', 5, 7);
CREATE FUNCTION pg_temp.sees(who text, view text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM pg_temp.be(who);
    EXECUTE 'SELECT count(*) FROM public.' || view INTO n;
    PERFORM pg_temp.be('nobody');
    RETURN n;
END
$$;
SELECT is(pg_temp.sees('ada', 'user_summaries'), 6::bigint, 'an administrator sees accounts');
SELECT is(pg_temp.sees('bob', 'user_summaries'), 1::bigint, 'a user one''s own');
SELECT is(pg_temp.sees('bob', 'conversation_summaries'), 1::bigint, 'and one''s conversations');

-- Deleting one's account.
INSERT INTO storage.objects (bucket_id, name) VALUES ('user-files', pg_temp.id('bob') || '/a.txt');
SELECT is(pg_temp.try('bob', 'SELECT public.delete_account()'), 'PT409 files_left', 'not while there are files');
SET LOCAL storage.allow_delete_query = 'true';
DELETE FROM storage.objects;
SELECT is(pg_temp.try('bob', 'SELECT public.delete_account()'), '1', 'then');
SELECT is((SELECT count(*) FROM sync.wire WHERE user_id = pg_temp.id('bob')) + (SELECT count(*) FROM auth.users WHERE id = pg_temp.id('bob')),
          0::bigint, 'and all of it');

SELECT * FROM finish();
ROLLBACK;

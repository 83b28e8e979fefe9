-- H12: table × verb × role, then the same with rights that nobody should have given, then functions,
-- Storage and Realtime.
BEGIN;
\ir actors.sql
SELECT plan(447);

-- A row of Ann's and one of Rita's in every table.
CREATE FUNCTION pg_temp.fill(who uuid, tag text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversations (user_id, id, title) VALUES (who, md5(tag || 'c')::uuid, 'Secret title');
    INSERT INTO messages (user_id, id, conversation_id, role, content, state)
    VALUES (who, md5(tag || 'm')::uuid, md5(tag || 'c')::uuid, 'user', 'Secret', 'done');
    INSERT INTO documents (user_id, id, title, state) VALUES (who, md5(tag || 'd')::uuid, 'Doc', 'ready');
    INSERT INTO files (user_id, id, name) VALUES (who, md5(tag || 'f')::uuid, 'a.txt');
    INSERT INTO conversation_files (user_id, conversation_id, file_id)
    VALUES (who, md5(tag || 'c')::uuid, md5(tag || 'f')::uuid);
    INSERT INTO uploads (user_id, id, bucket, path)
    VALUES (who, md5(tag || 'u')::uuid, 'user-files', who || '/a.txt');
    INSERT INTO user_preferences (user_id, id, key, value)
    VALUES (who, sync.setting_id('theme'), 'theme', '"dark"');
    INSERT INTO usage_logs (user_id, id, conversation_id, message_id, model)
    VALUES (who, md5(tag || 'g')::uuid, md5(tag || 'c')::uuid, md5(tag || 'm')::uuid, 'local/x');
END
$$;
SELECT count(pg_temp.fill(pg_temp.id(who), who || ' ')) AS filled
  FROM unnest(ARRAY['ann', 'rita', 'dan']) AS who \gset

-- What each table's four statements are, on a row of this owner.
CREATE FUNCTION pg_temp.statement(tbl text, verb text, owner uuid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE verb
        WHEN 'select' THEN format('SELECT FROM public.%I WHERE user_id = %L', tbl, owner)
        WHEN 'update' THEN format('UPDATE public.%I SET user_id = user_id WHERE user_id = %L', tbl, owner)
        WHEN 'delete' THEN format('DELETE FROM public.%I WHERE user_id = %L', tbl, owner)
        ELSE format(CASE tbl
            WHEN 'profiles' THEN 'INSERT INTO public.profiles (user_id, role) VALUES (%L, ''admin'')'
            WHEN 'conversations' THEN 'INSERT INTO public.conversations (user_id, id) VALUES (%L, gen_random_uuid())'
            WHEN 'messages' THEN 'INSERT INTO public.messages (user_id, id, conversation_id, role, content, state) VALUES (%L, gen_random_uuid(), gen_random_uuid(), ''user'', '''', ''done'')'
            WHEN 'documents' THEN 'INSERT INTO public.documents (user_id, id, title, state) VALUES (%L, gen_random_uuid(), '''', '''')'
            WHEN 'files' THEN 'INSERT INTO public.files (user_id, id, name) VALUES (%L, gen_random_uuid(), '''')'
            WHEN 'conversation_files' THEN 'INSERT INTO public.conversation_files (user_id, conversation_id, file_id) SELECT user_id, id, md5(''ann f'')::uuid FROM public.conversations WHERE user_id = %L AND id <> md5(''ann c'')::uuid'
            WHEN 'uploads' THEN 'INSERT INTO public.uploads (user_id, id, bucket, path) VALUES (%L, gen_random_uuid(), ''user-files'', '''')'
            WHEN 'user_preferences' THEN 'INSERT INTO public.user_preferences (user_id, id, key, value) VALUES (%L, sync.setting_id(''new''), ''new'', ''1'')'
            WHEN 'usage_logs' THEN 'INSERT INTO public.usage_logs (user_id, id, conversation_id, message_id, model) VALUES (%L, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '''')'
            WHEN 'devices' THEN 'INSERT INTO public.devices (user_id, id, name, platform, app_version) VALUES (%L, gen_random_uuid(), '''', '''', '''')'
            END, owner) END
$$;
CREATE TABLE pg_temp.matrix AS
SELECT t.tbl, v.verb, w.who, CASE w.who WHEN 'rita' THEN pg_temp.id('rita') WHEN 'dan' THEN pg_temp.id('dan')
                                        ELSE pg_temp.id('ann') END AS owner
  FROM unnest(ARRAY['profiles', 'conversations', 'messages', 'documents', 'files', 'conversation_files',
                    'uploads', 'user_preferences', 'usage_logs', 'devices']) AS t (tbl),
       unnest(ARRAY['select', 'insert', 'update', 'delete']) AS v (verb),
       unnest(ARRAY['anon', 'ann', 'bob', 'rita', 'dan', 'ada', 'service']) AS w (who);

-- Each attempt is undone, so that the next one finds everything as it was.
CREATE FUNCTION pg_temp.attempt(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    result := pg_temp.try(who, statement);
    RAISE EXCEPTION USING ERRCODE = 'UN000', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'UN000' THEN
    RETURN sqlerrm;
END
$$;

SELECT is(pg_temp.attempt(who, pg_temp.statement(tbl, verb, owner)),
          CASE WHEN who = 'anon' THEN '42501'
               WHEN who = 'service' THEN CASE WHEN verb = 'insert' AND tbl = 'profiles' THEN '23505'
                                              WHEN verb = 'insert' AND tbl = 'conversation_files' THEN '0'
                                              ELSE '1' END
               WHEN verb <> 'select' THEN '42501'
               WHEN who = 'ann' THEN '1'
               WHEN who = 'ada' AND tbl IN ('profiles', 'usage_logs', 'devices') THEN '1'
               ELSE '0' END,
          format('%s: %s by %s', tbl, verb, who))
  FROM pg_temp.matrix
 ORDER BY tbl, verb, who;

-- As if somebody had granted too much: the policies alone still keep everybody to their own rows.
GRANT ALL ON ALL TABLES IN SCHEMA public TO authenticated;
SELECT is(pg_temp.attempt(who, pg_temp.statement(tbl, verb, owner)),
          CASE WHEN who = 'ann' AND tbl = 'profiles'
                    THEN CASE verb WHEN 'select' THEN '1' WHEN 'insert' THEN '42501' ELSE '0' END
               WHEN who = 'ann' AND verb = 'insert' AND tbl = 'conversation_files' THEN '0'
               WHEN who = 'ann' THEN '1'
               WHEN verb = 'insert' AND tbl = 'conversation_files' THEN '0'
               WHEN verb = 'insert' THEN '42501'
               ELSE '0' END,
          format('%s, granted by mistake: %s by %s', tbl, verb, who))
  FROM pg_temp.matrix
 WHERE who IN ('ann', 'bob') AND NOT (tbl IN ('devices') AND verb = 'delete' AND who = 'ann')
   AND verb <> 'select'
 ORDER BY tbl, verb, who;
SELECT is(pg_temp.attempt('bob', format('UPDATE public.conversations SET user_id = %L', pg_temp.id('ann'))),
          '0', 'nobody gives a row away that he has not');
SELECT is(pg_temp.attempt('ann', format('UPDATE public.conversations SET user_id = %L', pg_temp.id('bob'))),
          '42501', 'nobody gives a row to somebody else');
SELECT is(pg_temp.attempt('bob', format($$INSERT INTO public.conversations (user_id, id) VALUES (%L, %L)
              ON CONFLICT (user_id, id) DO UPDATE SET title = 'mine'$$, pg_temp.id('ann'), md5('ann c'))),
          '42501', 'an upsert on a foreign row');
SELECT is(pg_temp.attempt('ann', $$UPDATE public.profiles SET role = 'admin'$$), '0',
          'nobody makes himself an administrator');
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM authenticated;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO authenticated;

-- An id that somebody else has is not taken.
SELECT is(pg_temp.push('bob', jsonb_build_array(pg_temp.op(1, 'put', 'conversations', md5('ann c')::uuid,
              pg_temp.conversation('Bob''s')))) #>> '{1,0}', 'applied', 'Bob uses the id of Ann''s row');
SELECT is((SELECT title FROM conversations WHERE user_id = pg_temp.id('ann')), 'Secret title',
          'and Ann''s is untouched');

-- Functions: a scope that is not one's own, and every way of not being in good standing.
CREATE TABLE pg_temp.call AS
SELECT name, format(call, pg_temp.id('ann')) AS foreign_call, format(call, NULL) AS own_call
  FROM (VALUES ('sync_pull', 'public.sync_pull(scope => %L)'),
               ('sync_snapshot', 'public.sync_snapshot(''messages'', scope => %L)'),
               ('sync_push', 'public.sync_push(pg_temp.batch(pg_temp.device(''bob''), 0, ''[]'', %L))'),
               ('sync_anchor', 'public.sync_anchor(''[]'', %L)'),
               ('sync_manifest', 'public.sync_manifest(''messages'', scope => %L)'),
               ('sync_rows', 'public.sync_rows(''messages'', ARRAY[]::uuid[], %L)'),
               ('sync_digest', 'public.sync_digest(scope => %L)')) AS c (name, call);
GRANT SELECT ON pg_temp.call TO PUBLIC;
SELECT is(pg_temp.try('bob', 'SELECT ' || foreign_call), 'PT403 scope_forbidden',
          name || ' of another user''s scope') FROM pg_temp.call;
SELECT is(pg_temp.try('ada', 'SELECT ' || foreign_call), 'PT403 scope_forbidden',
          name || ' of another user''s scope, by an administrator') FROM pg_temp.call;
SELECT is(pg_temp.try('anon', 'SELECT ' || own_call), '42501', name || ' by nobody') FROM pg_temp.call;
SELECT is(pg_temp.try('rita', 'SELECT ' || own_call), 'PT403 device_revoked',
          name || ' by a revoked device') FROM pg_temp.call;
SELECT is(pg_temp.try('dan', 'SELECT ' || own_call), 'PT403 user_disabled',
          name || ' by a disabled user') FROM pg_temp.call;
SELECT is(pg_temp.try('service', 'SELECT ' || own_call), 'PT400 scope_missing',
          name || ' by the service role, who must say for whom') FROM pg_temp.call;
SELECT is(pg_temp.try('service', replace('SELECT ' || foreign_call, pg_temp.id('ann')::text, gen_random_uuid()::text)), 'PT404 no_such_user',
          name || ' on behalf of nobody') FROM pg_temp.call;
SELECT is(pg_temp.ask('service', foreign_call) IS NOT NULL, true,
          name || ' by the service role on Ann''s behalf') FROM pg_temp.call WHERE name <> 'sync_push';
SELECT is(pg_temp.try('bob', format('SELECT public.sync_push(pg_temp.batch(%L, 0, ''[]''))', pg_temp.device('ann'))),
          'PT403 device_unknown', 'a push as another user''s device');
DELETE FROM auth.sessions WHERE user_id = pg_temp.id('bob');
SELECT is(pg_temp.try('bob', 'SELECT ' || own_call), 'PT401 session_ended',
          name || ' with a token whose session has ended') FROM pg_temp.call;
SELECT is(pg_temp.try('bob', 'SELECT FROM public.conversations'), '0',
          'a table with a token whose session has ended');
INSERT INTO auth.sessions (id, user_id) SELECT session, id FROM pg_temp.actor WHERE name = 'bob';

-- Nothing of the schema `sync` is written by hand, and only one's own is read.
SELECT is(pg_temp.try('ann', 'UPDATE sync.head SET seq = 0'), '42501', 'a head is not set');
SELECT is(pg_temp.try('ann', 'SELECT FROM sync.ledger'), '42501', 'a ledger is not read');
SELECT is(pg_temp.try('ann', 'SELECT sync.bump(pg_temp.id(''bob''))'), '42501', 'a scope is not bumped');
SELECT is(pg_temp.try('ann', format('SELECT FROM sync.change WHERE scope = %L', pg_temp.id('rita'))), '0',
          'another scope''s changes');
SELECT is(pg_temp.try('ann', format('SELECT FROM sync.wire WHERE user_id = %L', pg_temp.id('rita'))), '0',
          'another user''s rows on the wire');
SELECT is(pg_temp.try('ada', format('SELECT FROM sync.wire WHERE user_id = %L AND code <= 5',
          pg_temp.id('ann'))), '0', 'an administrator reads nothing that anybody wrote');
SELECT is(pg_temp.try('ada', 'SELECT FROM public.conversation_summaries'), '0',
          'an administrator sees no conversation''s title');

-- Storage: one's own folder, and no way around it.
CREATE FUNCTION pg_temp.object(who text, name text, bucket text DEFAULT 'user-files') RETURNS text
LANGUAGE sql AS $$
    SELECT pg_temp.attempt(who, format('INSERT INTO storage.objects (bucket_id, name) VALUES (%L, %L)',
                                       bucket, name))
$$;
SELECT is(pg_temp.object('ann', pg_temp.id('ann') || '/a.txt'), '1', 'one''s own folder');
SELECT is(pg_temp.object('ann', pg_temp.id('ann') || '/a/b.txt', 'generated-files'), '1', 'a folder in it');
SELECT is(pg_temp.object('ann', name), '42501', 'not ' || name)
  FROM unnest(ARRAY[pg_temp.id('bob') || '/a.txt', pg_temp.id('ann')::text, 'a.txt', '',
                    pg_temp.id('ann') || '/../' || pg_temp.id('bob') || '/a.txt',
                    pg_temp.id('ann') || '/./a.txt', pg_temp.id('ann') || '//a.txt',
                    pg_temp.id('ann') || '/', pg_temp.id('ann') || '/..',
                    '/' || pg_temp.id('ann') || '/a.txt',
                    upper(pg_temp.id('ann')::text) || '/a.txt']) AS name;
SELECT is(pg_temp.object('ann', pg_temp.id('ann') || '/a.txt', 'elsewhere'), '42501', 'another bucket');
SELECT is(pg_temp.object('anon', pg_temp.id('ann') || '/a.txt'), '42501', 'nobody stores');
SELECT is(pg_temp.object('rita', pg_temp.id('rita') || '/a.txt'), '42501', 'a revoked device stores');
INSERT INTO storage.objects (bucket_id, name) VALUES ('user-files', pg_temp.id('ann') || '/b.txt');
SELECT is(pg_temp.attempt('ann', 'SELECT FROM storage.objects'), '1', 'one''s own file');
SELECT is(pg_temp.attempt('bob', 'SELECT FROM storage.objects'), '0', 'another''s file');
SELECT is(pg_temp.attempt('bob', 'UPDATE storage.objects SET metadata = ''{}'''), '0', 'change another''s file');
SELECT is(pg_temp.attempt('ann', format('UPDATE storage.objects SET name = %L', pg_temp.id('bob') || '/b.txt')),
          '42501', 'move a file into another''s folder');
SELECT is(allowed_mime_types, ARRAY['text/*', 'application/pdf', 'image/*', 'audio/*', 'application/json',
              'application/epub+zip',
              'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
              'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
              'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
          'what user files may be') FROM storage.buckets WHERE id = 'user-files';
SELECT results_eq('SELECT id, public, file_size_limit FROM storage.buckets ORDER BY id',
    $$VALUES ('generated-files', false, 10485760::bigint), ('user-files', false, 52428800)$$,
    'both buckets are private, 10 and 50 MB');

-- Realtime: the probe that its server inserts when a channel is joined, seen through the policy.
CREATE FUNCTION pg_temp.joins(who text, topic text, extension text DEFAULT 'broadcast') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    probe uuid := gen_random_uuid();
BEGIN
    INSERT INTO realtime.messages (id, topic, extension) VALUES (probe, topic, extension);
    PERFORM set_config('realtime.topic', topic, true);
    RETURN pg_temp.try(who, format('SELECT FROM realtime.messages WHERE id = %L', probe));
END
$$;
SELECT is(pg_temp.joins('ann', 'sync:' || pg_temp.id('ann')), '1', 'one''s own doorbell');
SELECT is(pg_temp.joins('bob', 'sync:' || pg_temp.id('ann')), '0', 'another''s doorbell');
SELECT is(pg_temp.joins('ada', 'sync:' || pg_temp.id('ann')), '0', 'an administrator at another''s doorbell');
SELECT is(pg_temp.joins('anon', 'sync:' || pg_temp.id('ann')), '0', 'nobody at a doorbell');
SELECT is(pg_temp.joins('rita', 'sync:' || pg_temp.id('rita')), '0', 'a revoked device at its doorbell');
SELECT is(pg_temp.joins('dan', 'sync:' || pg_temp.id('dan')), '0', 'a disabled user at his doorbell');
SELECT is(pg_temp.joins('ann', 'sync:' || pg_temp.id('ann'), 'presence'), '0', 'no presence');
SELECT is(pg_temp.joins('ann', 'room'), '0', 'no other channel');
SELECT is(pg_temp.try('ann', format($$INSERT INTO realtime.messages (topic, extension, event, payload, private)
              VALUES ('sync:%s', 'broadcast', 'head', '{}', true)$$, pg_temp.id('ann'))), '42501',
          'nobody rings by hand');

SELECT * FROM finish();
ROLLBACK;

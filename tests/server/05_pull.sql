-- What a device reads: pages, cursors, restored heads, the horizon, snapshots, manifests, rows.
BEGIN;
\ir actors.sql
SELECT plan(74);

CREATE FUNCTION pg_temp.next_transaction() RETURNS void LANGUAGE sql AS $$
    UPDATE sync.head SET xid = NULL
$$;
CREATE FUNCTION pg_temp.pull(after jsonb DEFAULT NULL, max integer DEFAULT NULL, who text DEFAULT 'ann')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT pg_temp.ask(who, format('public.sync_pull(%L, %L)', after, max))
$$;

-- Bob's rows are there to be missed.
INSERT INTO conversations (user_id, id, title) VALUES (pg_temp.id('bob'), pg_temp.uuid('b'), 'Bob''s');
SELECT count(pg_temp.next_transaction()) AS n \gset
INSERT INTO conversations (user_id, id, title, created_at) VALUES (pg_temp.id('ann'), pg_temp.uuid('c'), 'Ann''s', '2025-11-21 14:37:35.123Z');
INSERT INTO messages (user_id, id, conversation_id, role, content, state, created_at, clocks)
SELECT pg_temp.id('ann'), pg_temp.uuid('m' || i), pg_temp.uuid('c'), 'user', 'm' || i, 'done',
       '2025-11-21Z'::timestamptz + i * interval '1 minute', '{}'
  FROM generate_series(1, 25) AS i;

SELECT pg_temp.pull() AS all_of_it \gset
SELECT is(jsonb_array_length(:'all_of_it'::jsonb -> 'changes'), 27, 'the device, the conversation, 25 messages');
SELECT is(:'all_of_it'::jsonb @> '{"known": true, "below_horizon": false, "has_more": false, "schema": [1, 1], "horizon": 0}',
          true, 'and nothing more');
SELECT is(:'all_of_it'::jsonb -> 'cursor', (:'all_of_it'::jsonb -> 'head') || '{"tbl": null, "row_id": null}',
          'the cursor is at the head');
SELECT is(:'all_of_it'::jsonb #> '{changes,1}', jsonb_build_array('conversations',
              :'all_of_it'::jsonb #> '{head,seq}', 'U', pg_temp.uuid('c'), jsonb_build_array(
              pg_temp.uuid('c'), 'Ann''s', 'auto', NULL, NULL, false, false, NULL, NULL, NULL, NULL, 1763735855123,
              (SELECT round(date_part('epoch', updated_at) * 1000)::bigint FROM conversations WHERE user_id = pg_temp.id('ann')),
              (SELECT clocks FROM conversations WHERE user_id = pg_temp.id('ann')))),
          'a change, column by column');
SELECT is(:'all_of_it'::jsonb #> '{columns,conversations}', (SELECT to_jsonb(
              ARRAY['id'] || fields || ARRAY['updated_ms', 'clocks']) FROM sync.kind WHERE code = 1),
          'the columns say what is where');
SELECT is((SELECT bool_and(jsonb_array_length(c -> 4) = jsonb_array_length(:'all_of_it'::jsonb -> 'columns' -> (c ->> 0)))
             FROM jsonb_array_elements(:'all_of_it'::jsonb -> 'changes') AS c), true, 'each row has so many values');

-- Page by page, also inside a transaction: all of it, once, in order.
CREATE FUNCTION pg_temp.pages(max integer, OUT rows jsonb, OUT pages integer) LANGUAGE plpgsql AS $$
DECLARE
    page jsonb := '{"has_more": true}';
BEGIN
    rows := '[]';
    pages := 0;
    WHILE (page ->> 'has_more')::boolean LOOP
        page := pg_temp.pull(page -> 'cursor', max);
        rows := rows || (page -> 'changes');
        pages := pages + 1;
    END LOOP;
END
$$;
SELECT is((pg_temp.pages(n)).rows, :'all_of_it'::jsonb -> 'changes', format('pages of %s', n))
  FROM unnest(ARRAY[1, 2, 7, 26, 27, 28]) AS n;
SELECT is((pg_temp.pages(7)).pages, 4, '27 rows are four pages of seven');
SELECT is(jsonb_array_length(pg_temp.pull(NULL, 0) -> 'changes'), 1, 'a page has at least one row');

-- Large rows make short pages, a row larger than a page is a page.
SELECT count(pg_temp.next_transaction()) AS n \gset
UPDATE messages SET content = repeat('x', 1000000)
 WHERE user_id = pg_temp.id('ann') AND content IN ('m1', 'm2', 'm3', 'm4', 'm5');
SELECT is(jsonb_array_length(pg_temp.pull(:'all_of_it'::jsonb -> 'cursor', 2000) -> 'changes'), 2, 'two of 1 MB are a page');
SELECT is((SELECT count(*) FROM jsonb_array_elements((pg_temp.pages(2000)).rows)), 27::bigint, 'and none is left out');
UPDATE messages SET content = id::text WHERE user_id = pg_temp.id('ann');

-- An idle pull, a deletion, a row that left.
SELECT pg_temp.pull() -> 'cursor' AS cursor \gset
SELECT is(pg_temp.pull(:'cursor') -> 'changes', '[]', 'nothing new');
SELECT count(pg_temp.next_transaction()) AS n \gset
DELETE FROM messages WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('m1');
UPDATE messages SET user_id = pg_temp.id('bob') WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('m2');
SELECT is((SELECT jsonb_agg(c - 1 ORDER BY c ->> 2) FROM jsonb_array_elements(pg_temp.pull(:'cursor') -> 'changes') AS c),
          jsonb_build_array(jsonb_build_array('messages', 'D', pg_temp.uuid('m1'), NULL),
                            jsonb_build_array('messages', 'X', pg_temp.uuid('m2'), NULL)), 'D and X have no row');

-- Cursors that the server does not know.
SELECT is(pg_temp.pull(:'cursor'::jsonb || '{"nonce": 1}') @> '{"known": false, "changes": [], "has_more": false}', true,
          'another nonce under the same seq');
SELECT is(pg_temp.pull(:'cursor'::jsonb || '{"seq": 1000}') @> '{"known": false, "changes": []}', true, 'a seq above the head');
SELECT is(pg_temp.pull(:'cursor'::jsonb || '{"seq": 1000}') -> 'cursor', :'cursor'::jsonb || '{"seq": 1000}', 'leave the cursor where it was');
SELECT is(jsonb_array_length(pg_temp.pull('{"seq": 0, "nonce": 0}') -> 'changes'), 27, 'seq 0 is the beginning');

-- A restored server: the head is where it was, seqs come again with other nonces, the anchor is found.
SELECT pg_temp.pull() -> 'cursor' AS ahead \gset
DELETE FROM sync.txn WHERE scope = pg_temp.id('ann') AND seq > (:'cursor'::jsonb ->> 'seq')::bigint;
UPDATE sync.head SET seq = (:'cursor'::jsonb ->> 'seq')::bigint, nonce = (:'cursor'::jsonb ->> 'nonce')::bigint, xid = NULL
 WHERE scope = pg_temp.id('ann');
SELECT is(pg_temp.pull(:'ahead') ->> 'known', 'false', 'the device is ahead of a restored server');
INSERT INTO conversations (user_id, id) VALUES (pg_temp.id('ann'), pg_temp.uuid('new'));
SELECT is(pg_temp.pull(:'ahead') ->> 'known', 'false', 'and still when the seq is reached again');
-- So is one that knows the cursor, and not what a push was answered with.
CREATE FUNCTION pg_temp.pull_knowing(after jsonb, known jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT pg_temp.ask('ann', format('public.sync_pull(%L, 100, known => %L)', after, known))
$$;
SELECT is(pg_temp.pull_knowing(:'cursor', :'ahead') @> '{"known": false, "changes": [], "below_horizon": false}', true,
          'a push that is lost tells it too');
SELECT is(pg_temp.pull_knowing(NULL, :'ahead') ->> 'known', 'false', 'from the beginning as well');
SELECT is(pg_temp.pull_knowing(:'cursor', :'cursor') ->> 'known', 'true', 'a point that is known');
SELECT is(pg_temp.pull_knowing(:'cursor', '{"seq": 0, "nonce": 7}') ->> 'known', 'true', 'the beginning is known');
SELECT is(pg_temp.try('ann', format(call || ', known => %L)', :'ahead')), 'PT409 unknown_point', call || ') is of another history')
  FROM unnest(ARRAY['SELECT public.sync_snapshot(''messages''', 'SELECT public.sync_manifest(''messages''',
                    'SELECT public.sync_rows(''messages'', ''{}''']) AS call;
SELECT is(pg_temp.try('ann', format(call || ', known => %L)', :'cursor')) ~ '^PT', false, call || ') knows it')
  FROM unnest(ARRAY['SELECT public.sync_snapshot(''messages''', 'SELECT public.sync_manifest(''messages''',
                    'SELECT public.sync_rows(''messages'', ''{}''']) AS call;
SELECT is(pg_temp.ask('ann', format('public.sync_anchor(%L)', jsonb_build_array(
              jsonb_build_array(:'ahead'::jsonb -> 'seq', :'ahead'::jsonb -> 'nonce'),
              jsonb_build_array(:'cursor'::jsonb -> 'seq', :'cursor'::jsonb -> 'nonce'), '[1, 5]'::jsonb))) -> 'known',
          jsonb_build_array(:'cursor'::jsonb -> 'seq', :'cursor'::jsonb -> 'nonce'), 'the highest point that both know');
SELECT is(pg_temp.ask('ann', 'public.sync_anchor(''[[1, 5]]'')') -> 'known', 'null', 'none');

-- Snapshots.
CREATE FUNCTION pg_temp.snapshot(tbl text, max integer) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    page jsonb := '{"has_more": true}';
    ids jsonb := '[]';
BEGIN
    WHILE (page ->> 'has_more')::boolean LOOP
        page := pg_temp.ask('ann', format('public.sync_snapshot(%L, %L, %s)', tbl, page -> 'after', max));
        ids := ids || COALESCE((SELECT jsonb_agg(r -> 1) FROM jsonb_array_elements(page -> 'rows') AS r), '[]');
    END LOOP;
    RETURN ids;
END
$$;
SELECT is(pg_temp.snapshot('messages', n), (SELECT jsonb_agg(id ORDER BY created_at DESC, id DESC)
              FROM messages WHERE user_id = pg_temp.id('ann')), format('messages, latest first, in pages of %s', n))
  FROM unnest(ARRAY[1, 5, 1000]) AS n;
SELECT is(pg_temp.snapshot('conversations', 1), (SELECT jsonb_agg(id ORDER BY updated_at DESC, id DESC)
              FROM conversations WHERE user_id = pg_temp.id('ann')), 'conversations, by recency');
SELECT is(pg_temp.snapshot('devices', 1), jsonb_build_array(pg_temp.device('ann')), 'devices, by id');
SELECT is(pg_temp.ask('ann', 'public.sync_snapshot(''messages'', NULL, 1)') #> '{rows,0,0}',
          (SELECT to_jsonb(c.seq) FROM sync.change AS c WHERE c.scope = pg_temp.id('ann') AND c.row_id = pg_temp.uuid('m25')),
          'with the seq of each row');
SELECT is(pg_temp.try('ann', 'SELECT public.sync_snapshot(''secrets'')'), 'PT400 unknown_table', 'of what is no table');
SELECT is(pg_temp.try('ann', format('SELECT FROM sync.latest(2::smallint, %L, ''infinity'', pg_temp.uuid(''x''), 9)', pg_temp.id('bob'))),
          'PT403 scope_forbidden', 'what runs with the owner''s rights tells nobody of another''s rows');

-- Single rows; a manifest.
SELECT is((SELECT jsonb_agg(r -> 1 ORDER BY r ->> 1) FROM jsonb_array_elements(pg_temp.ask('ann', format(
              'public.sync_rows(''messages'', ARRAY[%L, %L, %L, %L]::uuid[])', pg_temp.uuid('m3'), pg_temp.uuid('m1'),
              pg_temp.uuid('m4'), pg_temp.uuid('b'))) -> 'rows') AS r),
          (SELECT jsonb_agg(i ORDER BY i) FROM unnest(ARRAY[pg_temp.uuid('m3'), pg_temp.uuid('m4')]) AS i),
          'what there is of what was asked for');
SELECT is(pg_temp.ask('ann', format('public.sync_rows(''messages'', ARRAY[%L]::uuid[])', pg_temp.uuid('m3'))) -> 'has_more', 'false', 'and that is all');
SAVEPOINT large;
UPDATE messages SET content = repeat('x', 1000000) WHERE user_id = pg_temp.id('ann') AND content = id::text AND id IN (pg_temp.uuid('m6'), pg_temp.uuid('m7'), pg_temp.uuid('m8'));
SELECT pg_temp.ask('ann', format('public.sync_rows(''messages'', ARRAY[%L, %L, %L]::uuid[])', pg_temp.uuid('m6'), pg_temp.uuid('m7'), pg_temp.uuid('m8'))) AS large \gset
ROLLBACK TO large;
SELECT is(jsonb_array_length(:'large'::jsonb -> 'rows') || ' ' || (:'large'::jsonb ->> 'has_more'), '2 true', 'unless there was no room');
SELECT pg_temp.ask('ann', 'public.sync_manifest(''messages'', NULL, 10)') AS manifest \gset
SELECT is(:'manifest'::jsonb - 'rows', jsonb_build_object('has_more', true, 'count', 23, 'user_id', pg_temp.id('ann'),
              'head', pg_temp.pull() -> 'head'), 'a manifest: how many, whose, at which head');
SELECT is((SELECT jsonb_agg(r -> 0) FROM jsonb_array_elements(:'manifest'::jsonb -> 'rows') AS r),
          (SELECT jsonb_agg(m.id ORDER BY m.id) FROM (SELECT id FROM messages WHERE user_id = pg_temp.id('ann') ORDER BY id LIMIT 10) AS m),
          'by id');
SELECT is(:'manifest'::jsonb #> '{rows,0,2}', (SELECT to_jsonb(encode(hash, 'hex')) FROM sync.wire_messages
           WHERE user_id = pg_temp.id('ann') ORDER BY id LIMIT 1), 'with content hashes');

-- What a call reads, on tables that nobody has analysed: ranges of an index and one row for each key. (The
-- planner once took an index of all of a user's messages for as good as the key: 48 s for a page.)
INSERT INTO messages (user_id, id, conversation_id, role, content, state, clocks)
SELECT pg_temp.id('ann'), gen_random_uuid(), pg_temp.uuid('large'), 'user', 'x', 'done', '{}' FROM generate_series(1, 5000);
CREATE FUNCTION pg_temp.read_by(who text, call text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    -- What an index scan reads is counted at the index.
    tables regclass[] := (SELECT array_agg(DISTINCT t) || array_agg(DISTINCT i.indexrelid::regclass)
        FROM unnest('{public.messages,public.conversations,sync.change,sync.txn,sync.head}'::regclass[]) AS t
        JOIN pg_index AS i ON i.indrelid = t);
    before bigint := (SELECT sum(pg_stat_get_xact_tuples_returned(t) + pg_stat_get_xact_tuples_fetched(t)) FROM unnest(tables) AS t);
    answer jsonb := pg_temp.ask(who, call);
BEGIN
    RETURN (SELECT sum(pg_stat_get_xact_tuples_returned(t) + pg_stat_get_xact_tuples_fetched(t)) FROM unnest(tables) AS t) - before;
END
$$;
SELECT cmp_ok(pg_temp.read_by(who, format(call, CASE who WHEN 'service' THEN pg_temp.id('ann') END)), '<', 1500::bigint,
              format('%s by %s reads what it tells', split_part(call, '(', 1), who))
  FROM unnest(ARRAY['ann', 'service']) AS who,
       unnest(ARRAY['public.sync_pull(NULL, 100, %L)', 'public.sync_snapshot(''messages'', NULL, 100, %L)',
                    'public.sync_snapshot(''conversations'', NULL, 100, %L)',
                    'public.sync_manifest(''messages'', pg_temp.uuid(''x''), 100, %L)']) AS call;
-- The same with statistics, which make other plans of the same query.
ANALYZE public.messages, public.conversations, sync.change, sync.txn, sync.head;
SELECT cmp_ok(pg_temp.read_by(who, format(call, CASE who WHEN 'service' THEN pg_temp.id('ann') END)), '<', 1500::bigint,
              format('%s by %s reads no more of analysed tables', split_part(call, '(', 1), who))
  FROM unnest(ARRAY['ann', 'service']) AS who,
       unnest(ARRAY['public.sync_pull(NULL, 100, %L)', 'public.sync_snapshot(''messages'', NULL, 100, %L)',
                    'public.sync_snapshot(''conversations'', NULL, 100, %L)',
                    'public.sync_manifest(''messages'', pg_temp.uuid(''x''), 100, %L)']) AS call;

-- A page is in order, however its parts are joined.
CREATE FUNCTION pg_temp.in_order(page jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT bool_and(o.later IS NOT FALSE)
      FROM (SELECT ((c.change ->> 1)::bigint, k.code, (c.change ->> 3)::uuid)
                   > lag(((c.change ->> 1)::bigint, k.code, (c.change ->> 3)::uuid)) OVER (ORDER BY c.place) AS later
              FROM jsonb_array_elements(page -> 'changes') WITH ORDINALITY AS c (change, place)
              JOIN sync.kind AS k ON k.wire = c.change ->> 0) AS o
$$;
SET LOCAL enable_nestloop = off;
DISCARD PLANS;
SELECT is(pg_temp.in_order(pg_temp.pull(NULL, 2000)), true, 'in order where nothing is looked up row by row');
SET LOCAL enable_hashjoin = off;
DISCARD PLANS;
SELECT is(pg_temp.in_order(pg_temp.pull(NULL, 2000)), true, 'in order where all is merged');
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_nestloop = on;
DISCARD PLANS;

-- The horizon: 90 days, moved by a push.
UPDATE sync.txn SET at = now() - interval '91 days' WHERE scope = pg_temp.id('ann') AND seq <= (:'cursor'::jsonb ->> 'seq')::bigint;
SELECT pg_temp.push('ann', '[]') IS NULL AS n \gset
SELECT is(pg_temp.pull() -> 'horizon', :'cursor'::jsonb -> 'seq', 'what is older is forgotten');
SELECT is(pg_temp.pull(:'cursor') @> '{"known": true, "below_horizon": false}', true, 'who stands at the horizon has seen it all');
SELECT is(pg_temp.pull('{"seq": 1, "nonce": 7}') @> '{"known": true, "below_horizon": true, "changes": [], "has_more": false}', true,
          'who stands below has to compare');
SELECT is(pg_temp.pull_knowing('{"seq": 1, "nonce": 7}', '{"seq": 2, "nonce": 7}') ->> 'known', 'true', 'nothing is said of a point that is forgotten');
SELECT is(pg_temp.pull_knowing('{"seq": 1, "nonce": 7}', '{"seq": 9000000, "nonce": 7}') @> '{"known": false, "below_horizon": true, "changes": []}', true,
          'but of one above the horizon');
SELECT is((SELECT count(*) FROM sync.txn WHERE scope = pg_temp.id('ann') AND seq < (:'cursor'::jsonb ->> 'seq')::bigint), 0::bigint,
          'the versions below are gone');

SELECT * FROM finish();
ROLLBACK;

-- What the change table and the heads say after every kind of write.
BEGIN;
\ir actors.sql
SELECT plan(35);

-- As if a new transaction had begun: within one, a scope has one seq.
CREATE FUNCTION pg_temp.next_transaction() RETURNS void LANGUAGE sql AS $$
    UPDATE sync.head SET xid = NULL
$$;
CREATE FUNCTION pg_temp.seq(name text) RETURNS bigint LANGUAGE sql AS $$
    SELECT h.seq FROM sync.head AS h WHERE h.scope = pg_temp.id(name)
$$;
CREATE FUNCTION pg_temp.said(name text, id uuid) RETURNS text LANGUAGE sql AS $$
    SELECT c.op || (c.seq - pg_temp.seq(name)) FROM sync.change AS c
     WHERE c.scope = pg_temp.id(name) AND c.row_id = id
$$;
SELECT count(pg_temp.next_transaction()) AS n \gset
SELECT pg_temp.seq('ann') AS before \gset

-- One transaction, one seq, whatever it writes.
INSERT INTO conversations (user_id, id) VALUES (pg_temp.id('ann'), pg_temp.uuid('c1'));
SELECT is(pg_temp.seq('ann'), (:before + 1)::bigint, 'a write makes a seq');
INSERT INTO messages (user_id, id, conversation_id, role, content, state)
SELECT pg_temp.id('ann'), pg_temp.uuid('m' || i), pg_temp.uuid('c1'), 'user', 'x', 'done'
  FROM generate_series(1, 3) AS i;
SELECT is(pg_temp.seq('ann'), (:before + 1)::bigint, 'a second write of the transaction has the same');
SELECT is(pg_temp.said('ann', pg_temp.uuid('m3')), 'U0', 'and its rows say so');
SELECT is((SELECT count(*) FROM sync.txn WHERE scope = pg_temp.id('ann') AND seq = :before + 1), 1::bigint,
          'the transaction is noted once');
SELECT is((SELECT t.nonce FROM sync.txn AS t WHERE scope = pg_temp.id('ann') AND seq = :before + 1),
          (SELECT h.nonce FROM sync.head AS h WHERE scope = pg_temp.id('ann')), 'with the head''s nonce');

SELECT count(pg_temp.next_transaction()) AS n \gset
UPDATE messages SET metadata = '{}' WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('m1');
SELECT is(pg_temp.said('ann', pg_temp.uuid('m1')), 'U0', 'an update is a change');
SELECT is(pg_temp.said('ann', pg_temp.uuid('m2')), 'U-1', 'of its row alone');
DELETE FROM messages WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('m2');
SELECT is(pg_temp.said('ann', pg_temp.uuid('m2')), 'D0', 'a deletion leaves a tombstone');
INSERT INTO messages (user_id, id, conversation_id, role, content, state)
VALUES (pg_temp.id('ann'), pg_temp.uuid('m2'), pg_temp.uuid('c1'), 'user', 'x', 'done');
SELECT is(pg_temp.said('ann', pg_temp.uuid('m2')), 'U0', 'which goes when the row is back');

-- The xid alone proves nothing: after a logical restore it comes again.
UPDATE sync.head SET at = at - interval '1 hour';
SELECT pg_temp.seq('ann') AS before \gset
UPDATE messages SET metadata = '{"a": 1}' WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('m1');
SELECT is(pg_temp.seq('ann'), (:before + 1)::bigint, 'the same xid at another time is another transaction');

-- A savepoint that is rolled back takes its version along.
SELECT count(pg_temp.next_transaction()) AS n \gset
SELECT pg_temp.seq('ann') AS before \gset
SAVEPOINT tried;
UPDATE messages SET metadata = NULL WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('m1');
ROLLBACK TO tried;
SELECT is(pg_temp.seq('ann'), :before::bigint, 'what is rolled back was no version');

-- The owner's scope, whoever writes; several owners in one statement.
SELECT pg_temp.seq('ada') AS ada, pg_temp.seq('bob') AS bob \gset
SELECT pg_temp.be('ada') IS NOT NULL AS n \gset
SELECT pg_temp.be('service') IS NOT NULL AS n \gset
INSERT INTO conversations (user_id, id) SELECT pg_temp.id(who), pg_temp.uuid('shared')
  FROM unnest(ARRAY['bob', 'ann']) AS who;
SELECT pg_temp.be('nobody') IS NOT NULL AS n \gset
SELECT is(pg_temp.said('ann', pg_temp.uuid('shared')), 'U0', 'the service role''s write is in Ann''s scope');
SELECT is(pg_temp.said('bob', pg_temp.uuid('shared')), 'U0', 'and in Bob''s');
SELECT is(pg_temp.seq('ada'), :ada::bigint, 'and in nobody else''s');

-- A row that is given away.
SELECT count(pg_temp.next_transaction()) AS n \gset
UPDATE conversations SET user_id = pg_temp.id('bob') WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('c1');
SELECT is(pg_temp.said('ann', pg_temp.uuid('c1')), 'X0', 'it left the one scope');
SELECT is(pg_temp.said('bob', pg_temp.uuid('c1')), 'U0', 'and came into the other');

-- Who has no profile has no rows, and TRUNCATE would leave no tombstones.
SELECT throws_ok($$INSERT INTO conversations (user_id, id) VALUES (gen_random_uuid(), gen_random_uuid())$$,
                 '23503', NULL, 'a row of nobody');
SELECT throws_ok('TRUNCATE messages', NULL, NULL, 'TRUNCATE is refused');

-- Clocks of writers that send none.
SELECT is((SELECT array_agg(k ORDER BY k) FROM conversations, jsonb_object_keys(clocks) AS k
            WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared')),
          (SELECT array_agg(r ORDER BY r) FROM sync.kind, unnest(registers) AS r WHERE code = 1),
          'a new row has a clock in each register');
UPDATE conversations SET clocks = clocks || '{"title": 9000000000000000000}'
 WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared');
SELECT clocks AS before FROM conversations
 WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared') \gset
UPDATE conversations SET title = 'New' WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared');
SELECT is((SELECT clocks ->> 'title' FROM conversations
            WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared')), '9000000000000000001',
          'a change is later than what it replaces, even in the future');
SELECT is((SELECT clocks - 'title' FROM conversations
            WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared')), :'before'::jsonb - 'title',
          'and only its register');
UPDATE conversations SET title_by = 'person' WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared');
SELECT is((SELECT clocks ->> 'title' FROM conversations
            WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared')), '9000000000000000002',
          'title and who set it are one register');
UPDATE messages SET content = 'y' WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('m1');
SELECT is((SELECT content FROM messages WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('m1')), 'y',
          'a body has no clock');

-- Purging is planned by the server's time.
UPDATE conversations SET trashed_at = '2001-01-01Z' WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared');
SELECT is((SELECT purge_after FROM conversations WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared')),
          now() + interval '30 days', 'a device that is 25 years behind empties no trash');
UPDATE conversations SET trashed_at = NULL WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared');
SELECT is((SELECT purge_after FROM conversations WHERE user_id = pg_temp.id('ann') AND id = pg_temp.uuid('shared')),
          NULL, 'out of the trash, out of the plan');

-- Revoked stays revoked.
UPDATE devices SET revoked_at = NULL WHERE user_id = pg_temp.id('rita');
SELECT isnt((SELECT revoked_at FROM devices WHERE user_id = pg_temp.id('rita')), NULL, 'nobody takes it back');

-- The doorbell: once for a transaction and scope, and a broken one costs nothing.
SELECT count(pg_temp.next_transaction()) AS n \gset
DELETE FROM realtime.messages;
UPDATE messages SET metadata = '{"b": 1}' WHERE user_id = pg_temp.id('ann');
UPDATE messages SET metadata = '{"b": 2}' WHERE user_id = pg_temp.id('ann');
SELECT results_eq($$SELECT topic, event, private, payload - 'id' FROM realtime.messages$$,
    format('SELECT %L, ''head'', true, %L::jsonb', 'sync:' || pg_temp.id('ann'),
           json_build_object('seq', pg_temp.seq('ann'))), 'it rings once, with the seq and nothing else');
SELECT count(pg_temp.next_transaction()) AS n \gset
SAVEPOINT quiet;
SELECT string_agg(format('DROP TABLE realtime.%I CASCADE', c.relname), '; ') AS drop_partitions
  FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'realtime.messages'::regclass \gset
SET LOCAL ROLE supabase_realtime_admin;
:drop_partitions;
RESET ROLE;
SELECT lives_ok(format('UPDATE messages SET metadata = NULL WHERE user_id = %L', pg_temp.id('ann')),
                'a doorbell without a partition costs no write');
ROLLBACK TO quiet;
SET LOCAL ROLE supabase_realtime_admin;
DROP FUNCTION realtime.send(jsonb, text, text, boolean);
RESET ROLE;
SELECT lives_ok(format('UPDATE messages SET metadata = NULL WHERE user_id = %L', pg_temp.id('ann')),
                'nor does one that is not there');
ROLLBACK TO quiet;

-- An update of a wide row stays on its page: no index of messages holds what changes.
INSERT INTO messages (user_id, id, conversation_id, role, content, state)
SELECT pg_temp.id('bob'), pg_temp.uuid('hot' || i), pg_temp.uuid('hot'), 'user', 'x', 'streaming' FROM generate_series(1, 1000) AS i;
SELECT pg_stat_get_xact_tuples_hot_updated('messages'::regclass) AS hot \gset
UPDATE messages SET content = 'y', state = 'done' WHERE user_id = pg_temp.id('bob') AND conversation_id = pg_temp.uuid('hot') AND id < '10000000-0000-0000-0000-000000000000';
SELECT cmp_ok(pg_stat_get_xact_tuples_hot_updated('messages'::regclass) - :hot, '>=', (SELECT count(*) * 9 / 10 FROM messages
    WHERE user_id = pg_temp.id('bob') AND content = 'y'), 'updates of bodies are HOT');

-- Every live row has an entry, and every entry a row: what the manifest relies on.
SELECT is_empty($$SELECT k.code, w.id FROM sync.wire AS w JOIN sync.kind AS k ON k.code = w.code
    WHERE NOT EXISTS (SELECT FROM sync.change AS c WHERE c.scope = w.user_id AND c.tbl = w.code
                         AND c.row_id = w.id AND c.op = 'U')$$, 'each row has its entry');
SELECT is_empty($$SELECT c.tbl, c.row_id FROM sync.change AS c WHERE c.op = 'U'
    AND NOT EXISTS (SELECT FROM sync.wire AS w WHERE w.code = c.tbl AND w.user_id = c.scope
                       AND w.id = c.row_id)$$, 'each entry has its row');

-- A user who goes leaves nothing.
DELETE FROM auth.users WHERE id = pg_temp.id('ann');
SELECT is((SELECT count(*) FROM sync.wire WHERE user_id = pg_temp.id('ann')), 0::bigint, 'no rows');
SELECT is((SELECT count(*) FROM sync.change WHERE scope = pg_temp.id('ann'))
          + (SELECT count(*) FROM sync.txn WHERE scope = pg_temp.id('ann'))
          + (SELECT count(*) FROM sync.head WHERE scope = pg_temp.id('ann'))
          + (SELECT count(*) FROM sync.ledger WHERE user_id = pg_temp.id('ann'))
          + (SELECT count(*) FROM sync.device WHERE user_id = pg_temp.id('ann')), 0::bigint, 'and no traces');
SELECT isnt((SELECT count(*) FROM sync.change WHERE scope = pg_temp.id('bob')), 0::bigint, 'of hers alone');

SELECT * FROM finish();
ROLLBACK;

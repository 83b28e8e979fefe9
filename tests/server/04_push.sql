-- sync_push: each outcome, the ledger, the rules of merging.
BEGIN;
\ir actors.sql
SELECT plan(103);

CREATE FUNCTION pg_temp.row(who text, tbl text, id uuid) RETURNS jsonb LANGUAGE sql AS $$
    SELECT w.fields FROM sync.wire AS w JOIN sync.kind AS k ON k.code = w.code
     WHERE k.wire = tbl AND w.user_id = pg_temp.id(who) AND w.id = row.id
$$;
-- A push of one operation: 'outcome code-or-reason'.
CREATE FUNCTION pg_temp.one(who text, op jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', o ->> 0, o #>> '{1,code}', o #>> '{1,reason}')
      FROM (SELECT pg_temp.push(who, jsonb_build_array(op)) -> (op ->> 'n') AS o) AS a
$$;

-- applied
SELECT pg_temp.push('ann', jsonb_build_array(
    pg_temp.op(1, 'put', 'conversations', pg_temp.uuid('c'), pg_temp.conversation('First'),
               format('{"title": %s}', pg_temp.clock())::jsonb),
    pg_temp.op(2, 'put', 'messages', pg_temp.uuid('m'), pg_temp.message(pg_temp.uuid('c'), 'Grüße 🌊')
               || jsonb_build_object('content_raw', 'AAECAw==', 'parts', '[{"b":1,"a":"é"}]',
                                     'tokens_in', 12, 'finished_ms', 1763735855999),
               queue => pg_temp.uuid('c')::text))) AS first \gset
SELECT is(:'first'::jsonb #>> '{1,0}', 'applied', 'a conversation');
SELECT is(:'first'::jsonb #>> '{2,0}', 'applied', 'a message');
SELECT is((:'first'::jsonb #> '{2,1}') - 'nonce', jsonb_build_object('seq',
          (SELECT h.seq FROM sync.head AS h WHERE h.scope = pg_temp.id('ann'))), 'with the head''s seq');
SELECT is(pg_temp.row('ann', 'messages', pg_temp.uuid('m')) @> jsonb_build_object('content', 'Grüße 🌊',
              'content_raw', 'AAECAw==', 'parts', '[{"a": "é", "b": 1}]', 'tokens_in', 12,
              'created_ms', 1763735855124, 'finished_ms', 1763735855999, 'trashed_ms', NULL), true,
          'it comes back as it went, JSON in the server''s normal form');

-- The ledger: again, and beyond the mark.
SELECT is(pg_temp.push('ann', jsonb_build_array(
    pg_temp.op(1, 'put', 'conversations', pg_temp.uuid('c'), pg_temp.conversation('First')))) -> '1',
    :'first'::jsonb -> '1', 'the same number again: the same outcome');
SELECT pg_temp.one('ann', pg_temp.op(3, 'patch', 'conversations', pg_temp.uuid('c'), '{"title": "Second", "title_by": "auto"}',
    format('{"title": %s}', pg_temp.clock(1))::jsonb)) AS n \gset
SELECT is((SELECT count(*) FROM sync.ledger WHERE user_id = pg_temp.id('ann')), 3::bigint, 'outcomes are kept');
SELECT is(pg_temp.push('ann', '[]', 2), NULL, 'an empty push');
SELECT is((SELECT array_agg(n) FROM sync.ledger WHERE user_id = pg_temp.id('ann')), '{3}'::bigint[],
          'what the device has is forgotten');
SELECT is(pg_temp.one('ann', pg_temp.op(2, 'purge', 'messages', pg_temp.uuid('m'))), 'done',
          'at or below the mark nothing is done');
SELECT is(pg_temp.push('ann', '[]', 0), NULL, 'a lower mark');
SELECT is((SELECT acked_through FROM sync.device WHERE user_id = pg_temp.id('ann')), 2::bigint,
          'the mark never goes back');
SELECT is(pg_temp.one('ann', pg_temp.op(3, 'put', 'conversations', pg_temp.uuid('other'), pg_temp.conversation())),
          'applied', 'a number that a copied data folder gives to another row is another operation');

-- Registers: later wins, equal stays, earlier is told.
SELECT is(pg_temp.one('ann', pg_temp.op(10, 'patch', 'conversations', pg_temp.uuid('c'), '{"pinned": true}',
          format('{"pinned": %s}', pg_temp.clock(5))::jsonb)), 'applied', 'a register without a clock');
SELECT is(pg_temp.one('ann', pg_temp.op(11, 'patch', 'conversations', pg_temp.uuid('c'), '{"pinned": false}',
          format('{"pinned": %s}', pg_temp.clock(4))::jsonb)), 'merged', 'an earlier clock loses');
SELECT is(pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) ->> 'pinned', 'true', 'and changes nothing');
SELECT is(pg_temp.one('ann', pg_temp.op(12, 'patch', 'conversations', pg_temp.uuid('c'), '{"pinned": false}',
          format('{"pinned": %s}', pg_temp.clock(5))::jsonb)), 'merged', 'an equal clock loses');
SELECT is(pg_temp.one('ann', pg_temp.op(13, 'patch', 'conversations', pg_temp.uuid('c'), '{"pinned": true}',
          format('{"pinned": %s}', pg_temp.clock(5))::jsonb)), 'applied', 'the same again is no conflict');
SELECT pg_temp.push('ann', jsonb_build_array(pg_temp.op(14, 'patch', 'conversations', pg_temp.uuid('c'),
    '{"pinned": false, "archived": true, "model": "local/x"}',
    format('{"pinned": %s, "archived": %s, "model": %s}', pg_temp.clock(4), pg_temp.clock(4), pg_temp.clock(4))::jsonb)))
    -> '14' AS mixed \gset
SELECT is(:'mixed'::jsonb ->> 0, 'merged', 'some win and some lose');
SELECT is(:'mixed'::jsonb #> '{1,row}', pg_temp.row('ann', 'conversations', pg_temp.uuid('c'))
          || jsonb_build_object('seq', :'mixed'::jsonb #> '{1,seq}'), 'the row comes along');
SELECT is(:'mixed'::jsonb #> '{1,row}' @> '{"pinned": true, "archived": true, "model": "local/x"}', true,
          'each register by its own clock');
SELECT pg_temp.push('ann', jsonb_build_array(pg_temp.op(15, 'patch', 'conversations', pg_temp.uuid('c'),
    '{"model": "local/y", "archived": false}',
    format('{"model": %s, "archived": %s}', pg_temp.clock(6), pg_temp.clock(6))::jsonb,
    format('{"archived": %s}', pg_temp.clock(4))::jsonb))) -> '15' AS won \gset
SELECT is(:'won'::jsonb #> '{1,lost}', '{"model": "local/x"}', 'what it replaced without having seen it is told');
SELECT is(:'won'::jsonb ->> 0, 'applied', 'and it has won');

-- Titles: a person beats a machine, then the clock.
SELECT is(pg_temp.one('ann', pg_temp.op(20, 'patch', 'conversations', pg_temp.uuid('c'),
          '{"title": "Mine", "title_by": "person"}', '{"title": 1}')), 'applied', 'a person beats a later machine');
SELECT is(pg_temp.one('ann', pg_temp.op(21, 'patch', 'conversations', pg_temp.uuid('c'),
          '{"title": "Theirs", "title_by": "auto"}', format('{"title": %s}', pg_temp.clock(9))::jsonb)), 'merged',
          'a machine never beats a person');
SELECT is(pg_temp.one('ann', pg_temp.op(22, 'patch', 'conversations', pg_temp.uuid('c'),
          '{"title": "Mine too", "title_by": "person"}', format('{"title": %s}', pg_temp.clock(9))::jsonb)), 'applied',
          'between persons the clock decides');
SELECT is(pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) @> '{"title": "Mine too", "title_by": "person"}',
          true, 'title and who set it go together');

-- Nothing to write, nothing written.
SELECT h.seq AS before FROM sync.head AS h WHERE h.scope = pg_temp.id('ann') \gset
UPDATE sync.head SET xid = NULL WHERE scope = pg_temp.id('ann');
SELECT is(pg_temp.one('ann', pg_temp.op(23, 'ensure', 'conversations', pg_temp.uuid('c'),
          pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) - ARRAY['id', 'clocks'],
          pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) -> 'clocks')), 'applied', 'ensure of what is there');
SELECT is((SELECT h.seq FROM sync.head AS h WHERE h.scope = pg_temp.id('ann')), :before::bigint, 'writes nothing');

-- What was written before the account was attached has seen nothing of the account.
SELECT pg_temp.push('ann', jsonb_build_array(pg_temp.op(24, 'ensure', 'conversations', pg_temp.uuid('c'),
    pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) - ARRAY['id', 'clocks'] || '{"model": "local/z"}',
    (pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) -> 'clocks')
        || format('{"model": %s}', pg_temp.clock(9))::jsonb))) -> '24' AS offered \gset
SELECT is(:'offered'::jsonb ->> 0, 'applied', 'an ensure with a later clock wins');
SELECT is(:'offered'::jsonb #> '{1,lost}', '{"model": "local/y"}', 'and what it replaced is told');

-- Bodies.
SELECT is(pg_temp.one('ann', pg_temp.op(30, 'patch', 'messages', pg_temp.uuid('m'), '{"content": "other"}')),
          'conflict final', 'a final body is final');
SELECT is(pg_temp.one('ann', pg_temp.op(31, 'patch', 'messages', pg_temp.uuid('m'), '{"content": "Grüße 🌊"}')),
          'applied', 'the same body is no conflict');
SELECT is(pg_temp.one('ann', pg_temp.op(32, 'put', 'messages', pg_temp.uuid('m2'),
          pg_temp.message(pg_temp.uuid('c'), '', 'queued', pg_temp.device('ann')))), 'applied', 'an unfinished one');
SELECT is(pg_temp.one('ann', pg_temp.op(33, 'patch', 'messages', pg_temp.uuid('m2'),
          '{"content": "Half", "state": "streaming"}')), 'applied', 'changes on its device');
SELECT is(pg_temp.one('ann', pg_temp.op(34, 'put', 'messages', pg_temp.uuid('m3'),
          pg_temp.message(pg_temp.uuid('c'), '', 'queued', pg_temp.uuid('another device')))), 'applied',
          'one of another device');
SELECT pg_temp.push('ann', jsonb_build_array(pg_temp.op(35, 'patch', 'messages', pg_temp.uuid('m3'),
    '{"content": "Mine", "state": "done", "metadata": "{}"}', format('{"metadata": %s}', pg_temp.clock())::jsonb)))
    -> '35' AS refused \gset
SELECT is(:'refused'::jsonb #>> '{1,reason}', 'not_owner', 'does not change here');
SELECT is(:'refused'::jsonb #> '{1,row}' @> '{"content": "", "metadata": "{}"}', true,
          'its registers do, and the row comes along');
SELECT is(pg_temp.one('ann', pg_temp.op(36, 'ensure', 'messages', pg_temp.uuid('m3'),
          pg_temp.message(pg_temp.uuid('c'), 'Older', 'streaming', pg_temp.uuid('another device')))), 'merged',
          'an unfinished body that somebody else re-offers');
SELECT is(pg_temp.row('ann', 'messages', pg_temp.uuid('m3')) ->> 'content', '', 'is not taken');
SELECT is(pg_temp.one('ann', pg_temp.op(37, 'ensure', 'messages', pg_temp.uuid('m3'),
          pg_temp.message(pg_temp.uuid('c'), 'Restored', 'done', pg_temp.uuid('another device')))), 'merged',
          'a final one');
SELECT is(pg_temp.row('ann', 'messages', pg_temp.uuid('m3')) ->> 'content', 'Restored', 'is');
SELECT is(pg_temp.one('ann', pg_temp.op(38, 'put', 'messages', pg_temp.uuid('m3'),
          pg_temp.message(pg_temp.uuid('c'), 'Another', 'done'))), 'conflict final', 'a put over a final body');
-- What does not take effect, and is no conflict, comes back as it stands: the device would go on with its own.
CREATE FUNCTION pg_temp.offered(n integer, kind text, change jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.one('ann', pg_temp.op(n, kind, 'messages', pg_temp.uuid('m3'), r.fields - ARRAY['id', 'clocks'] || change, r.fields -> 'clocks'))
      FROM (SELECT pg_temp.row('ann', 'messages', pg_temp.uuid('m3'))) AS r (fields)
$$;
SELECT is(pg_temp.offered(100, 'ensure', '{}'), 'applied', 'the same row');
SELECT is(pg_temp.offered(101, 'put', '{"content": "Half", "state": "streaming"}'), 'merged', 'an older state of a final body');
SELECT is(pg_temp.offered(102, 'ensure', '{"created_ms": 1}'), 'merged', 'another time of making');
SELECT is(pg_temp.one('ann', pg_temp.op(39, 'patch', 'messages', pg_temp.uuid('m3'),
          jsonb_build_object('parent_id', pg_temp.uuid('m')))), 'rejected invalid', 'a parent never changes');

-- Rejected, each for its reason; and nobody else suffers.
SELECT is(pg_temp.one('ann', pg_temp.op(40, 'put', 'nonsense', pg_temp.uuid('x'))), 'rejected unknown_table', 'a table');
SELECT is(pg_temp.one('ann', pg_temp.op(41, 'upsert', 'messages', pg_temp.uuid('x'))), 'rejected unknown_kind', 'a kind');
SELECT is(pg_temp.one('ann', pg_temp.op(42, 'put', 'messages', pg_temp.uuid('x'))), 'rejected invalid', 'fields missing');
SELECT is(pg_temp.one('ann', pg_temp.op(43, 'put', 'messages', pg_temp.uuid('x'),
          pg_temp.message(pg_temp.uuid('c')) || '{"colour": 1}')), 'rejected invalid', 'a field that we do not know');
SELECT is(pg_temp.one('ann', pg_temp.op(44, 'put', 'messages', pg_temp.uuid('x'),
          pg_temp.message(pg_temp.uuid('c')) || '{"role": "boss"}')), 'rejected invalid', 'a role that is none');
SELECT is(pg_temp.one('ann', pg_temp.op(45, 'put', 'messages', pg_temp.uuid('x'),
          pg_temp.message(pg_temp.uuid('c'), repeat('x', 1048577)))), 'rejected too_large', 'over 1 MiB');
SELECT is(pg_temp.one('ann', pg_temp.op(46, 'put', 'messages', pg_temp.uuid('full'),
          pg_temp.message(pg_temp.uuid('c'), repeat('x', 1048576)))), 'applied', '1 MiB');
SELECT is(pg_temp.one('ann', pg_temp.op(47, 'put', 'messages', pg_temp.uuid('x'),
          pg_temp.message(pg_temp.uuid('c')) || '{"metadata": "{"}')), 'rejected invalid', 'JSON that is none');
SELECT is(pg_temp.one('ann', pg_temp.op(48, 'put', 'messages', pg_temp.uuid('x'),
          pg_temp.message(pg_temp.uuid('c')) || '{"created_ms": 9223372036854775807}')), 'rejected invalid', 'a time beyond time');
SELECT is(pg_temp.one('ann', pg_temp.op(49, 'put', 'messages', pg_temp.uuid('x'),
          pg_temp.message(pg_temp.uuid('c')) || '{"content_raw": "###"}')), 'rejected invalid', 'base64 that is none');
SELECT is(pg_temp.one('ann', pg_temp.op(50, 'patch', 'messages', pg_temp.uuid('never'), '{"metadata": "{}"}')),
          'rejected missing', 'a patch of a row that never was');
SELECT is(pg_temp.one('ann', pg_temp.op(51, 'patch', 'messages', pg_temp.uuid('m'), '{"metadata": "{}"}',
          '{"metadata": "soon"}')), 'rejected invalid', 'a clock that is no number');
SELECT is(pg_temp.one('ann', pg_temp.op(52, 'patch', 'messages', pg_temp.uuid('m'), '{"metadata": "{}"}',
          '{"metadata": -1}')), 'rejected invalid', 'a clock before time');
SELECT is(pg_temp.one('ann', jsonb_build_object('n', 53, 'kind', 'put', 'tbl', 'messages', 'id', 'me',
          'fields', '{}'::jsonb)), 'rejected invalid', 'an id that is none');
SELECT is(pg_temp.one('ann', pg_temp.op(54, 'put', 'settings', pg_temp.uuid('x'), '{"key": "theme", "value": "1"}')),
          'rejected invalid', 'a setting under an id that is not its key''s');
SELECT is(pg_temp.one('ann', pg_temp.op(55, 'put', 'settings', sync.setting_id('local.x'),
          '{"key": "local.x", "value": "1"}')), 'rejected invalid', 'a setting that stays at home');
SELECT is(pg_temp.one('ann', pg_temp.op(56, 'put', 'settings', sync.setting_id('theme'),
          '{"key": "theme", "value": "{\"b\": 1,  \"a\": 2}"}')), 'applied', 'a setting');
SELECT is(pg_temp.row('ann', 'settings', sync.setting_id('theme')) ->> 'value', '{"a": 2, "b": 1}', 'in normal form');
SELECT is(pg_temp.one('ann', pg_temp.op(57, 'purge', 'usage', pg_temp.uuid('x'))), 'rejected forbidden', 'usage is kept');

-- Queues: behind a rejected operation nothing passes, elsewhere all does; children before parents.
SELECT (SELECT jsonb_object_agg(key, value ->> 0) FROM jsonb_each(pg_temp.push('ann', jsonb_build_array(
    pg_temp.op(60, 'put', 'messages', pg_temp.uuid('q1'), '{}', queue => 'a'),
    pg_temp.op(61, 'put', 'messages', pg_temp.uuid('q2'), pg_temp.message(pg_temp.uuid('c')), queue => 'a'),
    pg_temp.op(62, 'put', 'messages', pg_temp.uuid('q3'), pg_temp.message(pg_temp.uuid('unborn')), queue => 'b'),
    pg_temp.op(63, 'put', 'conversations', pg_temp.uuid('unborn'), pg_temp.conversation(), queue => 'b'))))) AS queued \gset
SELECT is(:'queued'::jsonb, '{"60": "rejected", "61": "behind", "62": "applied", "63": "applied"}', 'queues');
SELECT is(pg_temp.push('ann', jsonb_build_array(
    pg_temp.op(60, 'put', 'messages', pg_temp.uuid('q1'), '{}', queue => 'a'),
    pg_temp.op(61, 'put', 'messages', pg_temp.uuid('q2'), pg_temp.message(pg_temp.uuid('c')), queue => 'a'))) #>> '{61,0}',
    'behind', 'a repeated rejection holds its queue too');
SELECT is(pg_temp.push('ann', jsonb_build_array(
    pg_temp.op(61, 'put', 'messages', pg_temp.uuid('q2'), pg_temp.message(pg_temp.uuid('c')), queue => 'a'))) #>> '{61,0}',
    'applied', 'which goes on when the rejected one is parked');

-- The trash, purging, and what meets a purged row.
SELECT pg_temp.one('ann', pg_temp.op(70, 'patch', 'conversations', pg_temp.uuid('c'), '{"trashed_ms": 1763735855123}',
    format('{"trashed_ms": %s}', pg_temp.clock(-50))::jsonb)) AS n \gset
SELECT pg_temp.one('ann', pg_temp.op(71, 'ensure', 'messages', pg_temp.uuid('m4'), pg_temp.message(pg_temp.uuid('c')))) AS n \gset
SELECT is(pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) ->> 'trashed_ms', '1763735855123', 'an ensure leaves it in the trash');
SELECT is((SELECT jsonb_object_agg(key, value ->> 0) FROM jsonb_each(pg_temp.push('ann', jsonb_build_array(
    pg_temp.op(171, 'patch', 'conversations', pg_temp.uuid('c'), '{"archived": false}', queue => 'c'),
    pg_temp.op(172, 'ensure', 'messages', pg_temp.uuid('m6'), pg_temp.message(pg_temp.uuid('c')), queue => 'c'))))),
    '{"171": "applied", "172": "applied"}', 'also one that is done singly, behind a patch');
SELECT is(pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) ->> 'trashed_ms', '1763735855123', 'leaves it there');
SELECT pg_temp.one('ann', pg_temp.op(173, 'put', 'messages', pg_temp.uuid('m7'), pg_temp.message(pg_temp.uuid('c')),
    format('{"trashed_ms": %s}', pg_temp.clock(-60))::jsonb)) AS n \gset
SELECT is(pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) ->> 'trashed_ms', '1763735855123', 'a message that was written before leaves it there');
SELECT pg_temp.one('ann', pg_temp.op(72, 'put', 'messages', pg_temp.uuid('m5'), pg_temp.message(pg_temp.uuid('c')))) AS n \gset
SELECT is(pg_temp.row('ann', 'conversations', pg_temp.uuid('c')) ->> 'trashed_ms', NULL, 'a new message takes it out');
SELECT is(pg_temp.one('ann', pg_temp.op(73, 'purge', 'conversations', pg_temp.uuid('c'),
          clocks => format('{"trashed_ms": %s}', pg_temp.clock(-1))::jsonb)), 'merged', 'a purge that had not seen that loses');
SELECT is(pg_temp.one('ann', pg_temp.op(74, 'purge', 'conversations', pg_temp.uuid('c'),
          clocks => format('{"trashed_ms": %s}', pg_temp.clock(50))::jsonb)), 'applied', 'a later one does not');
SELECT is((SELECT count(*) FROM messages WHERE user_id = pg_temp.id('ann') AND conversation_id = pg_temp.uuid('c')),
          0::bigint, 'messages go along');
SELECT is(pg_temp.one('ann', pg_temp.op(75, 'patch', 'conversations', pg_temp.uuid('c'), '{"pinned": true}')), 'gone', 'a patch');
SELECT is(pg_temp.one('ann', pg_temp.op(76, 'put', 'conversations', pg_temp.uuid('c'), pg_temp.conversation())), 'gone', 'a put');
SELECT is(pg_temp.one('ann', pg_temp.op(77, 'ensure', 'messages', pg_temp.uuid('m'), pg_temp.message(pg_temp.uuid('c')))), 'gone', 'an ensure');
SELECT is(pg_temp.one('ann', pg_temp.op(78, 'purge', 'conversations', pg_temp.uuid('c'))), 'applied', 'a second purge');
SELECT is(pg_temp.one('ann', pg_temp.op(79, 'purge', 'messages', pg_temp.uuid('lost'))), 'applied', 'a tombstone that a restore lost');
SELECT is(pg_temp.one('ann', pg_temp.op(80, 'ensure', 'messages', pg_temp.uuid('lost'), pg_temp.message(pg_temp.uuid('z')))), 'gone', 'holds');
SELECT is(pg_temp.one('ann', pg_temp.op(81, 'put', 'messages', pg_temp.uuid('late'), pg_temp.message(pg_temp.uuid('c')))), 'gone', 'a new message in it: nobody would ever see it');
SELECT is(pg_temp.one('ann', pg_temp.op(82, 'put', 'messages', pg_temp.uuid('early'), pg_temp.message(pg_temp.uuid('not yet')))), 'applied', 'one that is there before its conversation is welcome');
SELECT is(pg_temp.one('ann', pg_temp.op(83, 'purge', 'conversations', pg_temp.uuid('not yet'))), 'applied', 'a conversation that never came');
SELECT is((SELECT count(*) FROM messages WHERE user_id = pg_temp.id('ann') AND conversation_id = pg_temp.uuid('not yet')),
          0::bigint, 'takes what came of it along');
SELECT is((SELECT array_agg(DISTINCT op) FROM sync.change WHERE scope = pg_temp.id('ann')
              AND row_id IN (pg_temp.uuid('not yet'), pg_temp.uuid('early'))), '{D}'::"char"[], 'for all to hear of');

-- Clocks far ahead are shifted as a whole, and told.
SELECT pg_temp.push('ann', jsonb_build_array(
    pg_temp.op(90, 'put', 'conversations', pg_temp.uuid('f1'), pg_temp.conversation(), format('{"title": %s}', pg_temp.clock(31536000000))::jsonb),
    pg_temp.op(91, 'patch', 'conversations', pg_temp.uuid('other'), '{"archived": true}', format('{"archived": %s}', pg_temp.clock(31535999000))::jsonb)))
    AS shifted \gset
SELECT cmp_ok((:'shifted'::jsonb #>> '{90,1,clocks,title}')::bigint >> 16, '<=', sync.server_ms() + 60000, 'no clock stays a year ahead');
SELECT is(((:'shifted'::jsonb #>> '{90,1,clocks,title}')::bigint - (:'shifted'::jsonb #>> '{91,1,clocks,archived}')::bigint) >> 16,
          1000::bigint, 'and their distance is kept');
SELECT pg_sleep(0.02);
SELECT is(pg_temp.push('ann', jsonb_build_array(
    pg_temp.op(90, 'put', 'conversations', pg_temp.uuid('f1'), pg_temp.conversation(), format('{"title": %s}', pg_temp.clock(31536000000))::jsonb),
    pg_temp.op(91, 'patch', 'conversations', pg_temp.uuid('other'), '{"archived": true}', format('{"archived": %s}', pg_temp.clock(31535999000))::jsonb))),
    :'shifted'::jsonb, 'the same batch later: the clocks that were stored');
SELECT is(pg_temp.row('ann', 'conversations', pg_temp.uuid('f1')) #> '{clocks,title}', :'shifted'::jsonb #> '{90,1,clocks,title}', 'it is what is stored');
SELECT is(pg_temp.push('ann', jsonb_build_array(pg_temp.op(92, 'patch', 'conversations', pg_temp.uuid('f1'), '{"pinned": true}',
    format('{"pinned": %s}', pg_temp.clock(30000))::jsonb))) #> '{92,1,clocks}', NULL, 'half a minute is nothing');

-- Devices: revoked is for good; usage never changes.
SELECT is(pg_temp.one('ann', pg_temp.op(93, 'patch', 'devices', pg_temp.device('ann'), '{"revoked_ms": 1}')), 'rejected invalid',
          'a device is not revoked in passing');
SELECT is(pg_temp.one('ann', pg_temp.op(94, 'patch', 'devices', pg_temp.device('ann'), '{"name": "Desk"}')), 'applied', 'but renamed');

-- The whole call.
SELECT is(pg_temp.try('ann', $$SELECT public.sync_push(pg_temp.batch(pg_temp.device('ann'), 0, '{}'))$$), 'PT400 invalid_batch', 'no array');
SELECT is(pg_temp.try('ann', $$SELECT public.sync_push(pg_temp.batch(pg_temp.device('ann'), 0, '[{"n": "1"}]'))$$), 'PT400 invalid_batch', 'no number');
SELECT is(pg_temp.try('ann', $$SELECT public.sync_push(pg_temp.batch(pg_temp.device('ann'), 0, (SELECT jsonb_agg(jsonb_build_object('n', i))
          FROM generate_series(1, 1001) AS i)))$$), 'PT413 batch_too_large', 'too many');

-- The point that a device names: one that the server does not know, or has left behind, stops the batch.
SELECT jsonb_build_object('seq', h.seq, 'nonce', h.nonce) AS head FROM sync.head AS h WHERE h.scope = pg_temp.id('ann') \gset
CREATE FUNCTION pg_temp.after(known jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try('ann', format('SELECT public.sync_push(pg_temp.batch(pg_temp.device(''ann''), 0, %L, known => %L))',
        jsonb_build_array(pg_temp.op(95, 'put', 'conversations', pg_temp.uuid('point'), pg_temp.conversation())), known))
$$;
SELECT is(pg_temp.after(:'head'::jsonb || '{"nonce": 1}'), 'PT409 unknown_point', 'a point with another nonce');
SELECT is(pg_temp.after('{"seq": 9000000, "nonce": 1}'), 'PT409 unknown_point', 'a point above the head');
SELECT is(pg_temp.row('ann', 'conversations', pg_temp.uuid('point')), NULL, 'nothing is done');
SELECT is(pg_temp.after(:'head'), '1', 'the point where the server is');
SELECT is(pg_temp.after('{"seq": 0, "nonce": 5}'), '1', 'the beginning');
UPDATE sync.head AS h SET horizon = h.seq + 1 WHERE h.scope = pg_temp.id('ann');
SELECT is(pg_temp.after(:'head'), 'PT409 unknown_point', 'a point below the horizon');

SELECT * FROM finish();
ROLLBACK;

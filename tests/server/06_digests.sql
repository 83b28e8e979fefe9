-- Content hashes and sync digests, against the vectors of tests/fixtures/sync/digests.json, which were
-- computed apart from this and from the core. Runs from the root, or with -v vectors="$(cat …)".
BEGIN;
\if :{?vectors}
\else
    \set vectors `cat tests/fixtures/sync/digests.json`
\endif
\ir actors.sql
SELECT plan(11);

SELECT set_config('test.vectors', :'vectors', true) IS NULL AS n \gset
CREATE FUNCTION pg_temp.vectors() RETURNS jsonb LANGUAGE sql AS $$
    SELECT current_setting('test.vectors')::jsonb
$$;
SELECT cmp_ok(jsonb_array_length(pg_temp.vectors() -> 'rows'), '>=', 16, 'there are vectors');

-- The rows go in by sync_push, as any others; Ann's own device would be one too many.
DELETE FROM devices WHERE user_id = pg_temp.id('ann');
DELETE FROM sync.change WHERE scope = pg_temp.id('ann');
SELECT is((SELECT jsonb_agg(DISTINCT o -> 1) FROM jsonb_array_elements(pg_temp.ask('service', format(
    'public.sync_push(pg_temp.batch(NULL, 0, %L, %L))',
    (SELECT jsonb_agg(pg_temp.op(v.n, 'put', v.row ->> 'tbl', (v.row #>> '{row,id}')::uuid, (v.row -> 'row') - 'id'))
       FROM jsonb_array_elements(pg_temp.vectors() -> 'rows') WITH ORDINALITY AS v (row, n)),
    pg_temp.id('ann'))) -> 'outcomes') AS o), '["applied"]', 'all of them are taken');
UPDATE sync.change AS c SET seq = (v.row ->> 'seq')::bigint
  FROM jsonb_array_elements(pg_temp.vectors() -> 'rows') AS v (row)
 WHERE c.scope = pg_temp.id('ann') AND c.row_id = (v.row #>> '{row,id}')::uuid;

SELECT is((SELECT jsonb_agg(w.fields - ARRAY['updated_ms', 'clocks'] ORDER BY w.code, w.id) FROM sync.wire AS w
            WHERE w.user_id = pg_temp.id('ann')),
          (SELECT jsonb_agg(v.row -> 'row' ORDER BY k.code, (v.row #>> '{row,id}')::uuid)
             FROM jsonb_array_elements(pg_temp.vectors() -> 'rows') AS v (row)
             JOIN sync.kind AS k ON k.wire = v.row ->> 'tbl'), 'each comes back as it went');
SELECT is((SELECT jsonb_agg(encode(w.hash, 'hex') ORDER BY w.code, w.id) FROM sync.wire AS w
            WHERE w.user_id = pg_temp.id('ann')),
          (SELECT jsonb_agg(v.row -> 'content_hash' ORDER BY k.code, (v.row #>> '{row,id}')::uuid)
             FROM jsonb_array_elements(pg_temp.vectors() -> 'rows') AS v (row)
             JOIN sync.kind AS k ON k.wire = v.row ->> 'tbl'), 'content hashes');
SELECT is(pg_temp.ask('ann', 'public.sync_digest()') -> 'conversations', pg_temp.vectors() -> 'conversations',
          'a digest for each conversation, also for one that is not there yet');
SELECT is(pg_temp.ask('ann', 'public.sync_digest()') -> 'others', pg_temp.vectors() -> 'others',
          'and one for each other table');
SELECT is(pg_temp.ask('ann', 'public.sync_digest(NULL, 1)') @> jsonb_build_object('has_more', true, 'conversations',
              jsonb_build_array(pg_temp.vectors() #> '{conversations,0}')), true, 'page by page');
SELECT is(pg_temp.ask('ann', format('public.sync_digest(%L)', pg_temp.vectors() #>> '{conversations,0,0}'))
              - 'head', jsonb_build_object('has_more', false, 'others', '{}'::jsonb, 'conversations',
              (pg_temp.vectors() -> 'conversations') - 0), 'the next page');
SELECT is(pg_temp.ask('bob', 'public.sync_digest()') #> '{others,documents}', pg_temp.vectors() -> 'empty', 'of nothing');
SELECT is((SELECT jsonb_object_agg(key, sync.setting_id(key)) FROM jsonb_object_keys(pg_temp.vectors() -> 'setting_ids') AS key),
          pg_temp.vectors() -> 'setting_ids', 'ids of settings');
SELECT is((SELECT hash FROM sync.wire_messages WHERE user_id = pg_temp.id('ann') LIMIT 1) IS NOT NULL, true, 'a hash is there');

SELECT * FROM finish();
ROLLBACK;

-- What a device reads. All are STABLE and one statement: one snapshot for the whole answer, so that a
-- row is never newer than the head beside it. All run with the caller's rights, under its policies,
-- and filter by the scope all the same. Each answers with one document: hosted projects cut sets off.
--
-- Those that carry rows are plpgsql, so that a connection plans them once: planning costs as much as some
-- hundred rows. And they answer with a set, of that one document: of any other function PostgREST aggregates
-- the answer and takes element 0 out again, for which PostgreSQL reads the whole page once more. (ROWS 1 would
-- tell it that there is one.)
--
-- Values that a plan must not depend on stand in one-row CTEs and are asked for by scalar subqueries (where a
-- policy comes first, an index is not asked for an expression, however constant), and the planner is
-- told to keep to the order of an index: so each page is a range of one, and each row of it one
-- look-up, whatever the statistics say. (Left alone, it would rather sort all that a user has, for each
-- page anew, where it believes that to be little. Its penalties for what is off would set off the JIT.)

-- At most this many rows or about this many bytes make a page; one row always fits.
CREATE OR REPLACE FUNCTION sync.page_rows(max integer) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT least(greatest(COALESCE(max, 1000), 1), 2000)
$$;
CREATE OR REPLACE FUNCTION sync.page_bytes() RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT 2097152::bigint
$$;
CREATE OR REPLACE FUNCTION sync.server_ms() RETURNS bigint
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT round(date_part('epoch', clock_timestamp()) * 1000)::bigint
$$;

CREATE OR REPLACE FUNCTION public.sync_pull(
    after jsonb DEFAULT NULL, max integer DEFAULT NULL, scope uuid DEFAULT NULL, known jsonb DEFAULT NULL
) RETURNS SETOF json LANGUAGE plpgsql STABLE SECURITY INVOKER ROWS 2
SET search_path = '' SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY
WITH me AS MATERIALIZED (
    -- Seq 0 is the beginning, whatever the nonce: nothing has come from there.
    SELECT sync.caller(sync_pull.scope) AS scope,
           CASE WHEN (sync_pull.after ->> 'seq')::bigint <> 0 THEN sync_pull.after END AS after,
           sync.page_rows(max) AS rows, sync.page_bytes() AS bytes
), head AS MATERIALIZED (
    SELECT h.seq, h.nonce, h.horizon FROM sync.head AS h WHERE h.scope = (SELECT me.scope FROM me)
), place AS MATERIALIZED (
    SELECT COALESCE((me.after ->> 'seq')::bigint, 0) AS seq,
           CASE WHEN me.after IS NULL THEN 0
                ELSE COALESCE((SELECT k.code FROM sync.kind AS k WHERE k.wire = me.after ->> 'tbl'),
                              32767) END::smallint AS tbl,
           COALESCE((me.after ->> 'row_id')::uuid, CASE WHEN me.after IS NULL
                THEN '00000000-0000-0000-0000-000000000000'
                ELSE 'ffffffff-ffff-ffff-ffff-ffffffffffff' END::uuid) AS row_id,
           me.after IS NOT NULL AND (me.after ->> 'seq')::bigint < head.horizon AS below,
           sync.knows(me.scope, me.after, true) AND sync.knows(me.scope, sync_pull.known, true) AS known
      FROM me, head
), page AS MATERIALIZED (
    SELECT c.seq, c.tbl, c.row_id, c.op, c.bytes
      FROM sync.change AS c
     WHERE c.scope = (SELECT me.scope FROM me)
       AND (c.seq, c.tbl, c.row_id) > ((SELECT p.seq FROM place AS p), (SELECT p.tbl FROM place AS p),
                                       (SELECT p.row_id FROM place AS p))
       AND (SELECT p.known AND NOT p.below FROM place AS p)
     ORDER BY c.seq, c.tbl, c.row_id
     LIMIT (SELECT me.rows + 1 FROM me)
), cut AS (
    SELECT page.*, row_number() OVER w AS place, sum(page.bytes + 100) OVER w AS sum
      FROM page
    WINDOW w AS (ORDER BY page.seq, page.tbl, page.row_id ROWS UNBOUNDED PRECEDING)
), kept AS MATERIALIZED (
    SELECT cut.*
      FROM cut
     WHERE cut.place = 1
        OR (cut.place <= (SELECT me.rows FROM me) AND cut.sum <= (SELECT me.bytes FROM me))
     ORDER BY cut.place
), last AS (
    SELECT (SELECT count(*) FROM page) > (SELECT count(*) FROM kept) AS has_more, k.*
      FROM (VALUES (1)) AS one
      LEFT JOIN (SELECT * FROM kept ORDER BY place DESC LIMIT 1) AS k ON true
)
SELECT json_build_object(
           'head', json_build_object('seq', head.seq, 'nonce', head.nonce),
           'horizon', head.horizon,
           'server_ms', sync.server_ms(),
           'schema', json_build_array(1, 1),
           'has_more', last.has_more,
           'known', place.known,
           'below_horizon', place.below,
           'columns', (SELECT json_object_agg(k.wire, k.columns ORDER BY k.code) FROM sync.kind AS k),
           'changes', COALESCE((
               SELECT json_agg(json_build_array(
                          n.wire, k.seq, k.op::text, k.row_id,
                          (SELECT w.row FROM sync.wire AS w
                            WHERE k.op = 'U' AND w.code = k.tbl AND w.id = k.row_id
                              AND w.user_id = (SELECT me.scope FROM me)))
                              ORDER BY k.place)
                 FROM kept AS k
                 JOIN sync.kind AS n ON n.code = k.tbl
           ), '[]'),
           'cursor', CASE
               WHEN NOT place.known OR place.below THEN sync_pull.after::json
               WHEN last.has_more THEN json_build_object(
                   'seq', last.seq,
                   'nonce', (SELECT t.nonce FROM sync.txn AS t
                              WHERE t.scope = me.scope AND t.seq = last.seq),
                   'tbl', (SELECT n.wire FROM sync.kind AS n WHERE n.code = last.tbl),
                   'row_id', last.row_id)
               ELSE json_build_object('seq', head.seq, 'nonce', head.nonce, 'tbl', NULL, 'row_id', NULL)
           END)
  FROM me, head, place, last;
END
$$;

-- Which rows of a scope come next, latest first: conversations (1) by their change, messages (2) by their
-- making. With the owner's rights: under a policy the planner puts no function of a column into an index's
-- range unless it is leakproof, and uuid_hash is not, so that each page read and sorted every row of every
-- user. It tells times and ids alone, and only the caller's; the rows are read under the policies.
CREATE OR REPLACE FUNCTION sync.latest(code smallint, scope uuid, at timestamptz, id uuid, max integer)
RETURNS TABLE (moment timestamptz, row_id uuid) LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
SET search_path = '' SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    me CONSTANT uuid := sync.caller(latest.scope);
BEGIN
    IF latest.code = 1 THEN
        RETURN QUERY
        SELECT c.updated_at, c.id
          FROM public.conversations AS c
         WHERE uuid_hash(c.user_id) = uuid_hash(me) AND c.user_id IS NOT DISTINCT FROM me
           AND (c.updated_at, c.id) < (latest.at, latest.id)
         ORDER BY c.updated_at DESC, c.id DESC
         LIMIT latest.max;
    ELSIF latest.code = 2 THEN
        RETURN QUERY
        SELECT m.created_at, m.id
          FROM public.messages AS m
         WHERE uuid_hash(m.user_id) = uuid_hash(me) AND m.user_id IS NOT DISTINCT FROM me
           AND (m.created_at, m.id) < (latest.at, latest.id)
         ORDER BY m.created_at DESC, m.id DESC
         LIMIT latest.max;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION public.sync_snapshot(
    tbl text, after jsonb DEFAULT NULL, max integer DEFAULT NULL, scope uuid DEFAULT NULL, known jsonb DEFAULT NULL
) RETURNS SETOF json LANGUAGE plpgsql STABLE SECURITY INVOKER ROWS 2
SET search_path = '' SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY
WITH me AS MATERIALIZED (
    SELECT sync.reader(sync_snapshot.scope, sync_snapshot.known) AS scope, sync.page_rows(max) AS rows,
           sync.page_bytes() AS bytes, k.code, k.columns, NULLIF(after, 'null') AS after
      FROM (VALUES (1)) AS one
      LEFT JOIN sync.kind AS k ON k.wire = sync_snapshot.tbl
), place AS MATERIALIZED (
    SELECT COALESCE(timestamptz 'epoch' + (me.after ->> 'at_ms')::bigint * interval '1 millisecond',
                    'infinity') AS at,
           COALESCE((me.after ->> 'id')::uuid, CASE WHEN me.code IN (1, 2)
                THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
                ELSE '00000000-0000-0000-0000-000000000000' END::uuid) AS id
      FROM me
), page AS MATERIALIZED (
    (SELECT l.moment AS at, l.row_id AS id
       FROM sync.latest((SELECT me.code FROM me), (SELECT me.scope FROM me), (SELECT p.at FROM place AS p),
                        (SELECT p.id FROM place AS p), (SELECT me.rows + 1 FROM me)) AS l
      WHERE (SELECT me.code <= 2 FROM me))
    UNION ALL
    (SELECT NULL, c.row_id
       FROM sync.change AS c
      WHERE (SELECT me.code > 2 FROM me) AND c.scope = (SELECT me.scope FROM me)
        AND c.tbl = (SELECT me.code FROM me)
        AND c.row_id > (SELECT p.id FROM place AS p) AND c.op = 'U'
      ORDER BY c.row_id
      LIMIT (SELECT me.rows + 1 FROM me))
), sized AS (
    SELECT p.at, p.id, v.seq, row_number() OVER w AS place, sum(v.bytes + 100) OVER w AS sum
      FROM page AS p
     CROSS JOIN LATERAL (SELECT c.seq, c.bytes FROM sync.change AS c
                          WHERE c.scope = (SELECT me.scope FROM me)
                            AND c.tbl = (SELECT me.code FROM me) AND c.row_id = p.id
                         OFFSET 0) AS v
    WINDOW w AS (ROWS UNBOUNDED PRECEDING)
), kept AS MATERIALIZED (
    SELECT sized.*
      FROM sized
     WHERE sized.place = 1
        OR (sized.place <= (SELECT me.rows FROM me) AND sized.sum <= (SELECT me.bytes FROM me))
), more AS (
    SELECT (SELECT count(*) FROM page) > (SELECT count(*) FROM kept) AS has_more
)
SELECT json_build_object(
           'columns', CASE WHEN me.code IS NULL THEN to_json(sync.refuse(400, 'unknown_table')::text)
                           ELSE to_json(me.columns) END,
           'rows', COALESCE((
               SELECT json_agg(json_build_array(k.seq, k.id, CASE (SELECT me.code FROM me)
                          -- Nearly all rows are messages: the other tables' parts of the view cost a tenth.
                          WHEN 2 THEN (SELECT w.row FROM sync.wire_messages AS w
                                        WHERE w.id = k.id AND w.user_id = (SELECT me.scope FROM me))
                          ELSE (SELECT w.row FROM sync.wire AS w
                                 WHERE w.code = (SELECT me.code FROM me) AND w.id = k.id
                                   AND w.user_id = (SELECT me.scope FROM me)) END))
                 -- Sorted before the rows are made, which are heavier.
                 FROM (SELECT kept.* FROM kept ORDER BY kept.place) AS k
           ), '[]'),
           'after', CASE WHEN more.has_more THEN (
               SELECT json_build_object('at_ms', round(date_part('epoch', k.at) * 1000)::bigint,
                                        'id', k.id)
                 FROM kept AS k WHERE k.place = (SELECT count(*) FROM kept)) END,
           'has_more', more.has_more)
  FROM me, more;
END
$$;

CREATE OR REPLACE FUNCTION public.sync_rows(
    tbl text, ids uuid[], scope uuid DEFAULT NULL, known jsonb DEFAULT NULL
) RETURNS SETOF json LANGUAGE plpgsql STABLE SECURITY INVOKER ROWS 2
SET search_path = '' SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY
WITH me AS MATERIALIZED (
    SELECT sync.reader(sync_rows.scope, sync_rows.known) AS scope, k.code, k.columns
      FROM (VALUES (1)) AS one
      LEFT JOIN sync.kind AS k ON k.wire = sync_rows.tbl
), wanted AS MATERIALIZED (
    SELECT i.id FROM unnest(ids[1:2000]) AS i (id)
), found AS MATERIALIZED (
    SELECT w.id, v.seq, v.bytes
      FROM (SELECT DISTINCT wanted.id FROM wanted) AS w
     CROSS JOIN LATERAL (SELECT c.seq, c.bytes FROM sync.change AS c
                          WHERE c.scope = (SELECT me.scope FROM me)
                            AND c.tbl = (SELECT me.code FROM me) AND c.row_id = w.id AND c.op = 'U'
                         OFFSET 0) AS v
), kept AS MATERIALIZED (
    SELECT f.id, f.seq
      FROM (SELECT found.*, row_number() OVER n AS place, sum(found.bytes + 100) OVER n AS sum
              FROM found WINDOW n AS (ORDER BY found.id)) AS f
     WHERE f.place = 1 OR f.sum <= sync.page_bytes()
)
SELECT json_build_object(
           'columns', CASE WHEN me.code IS NULL THEN to_json(sync.refuse(400, 'unknown_table')::text)
                           ELSE to_json(me.columns) END,
           'rows', COALESCE((
               SELECT json_agg(json_build_array(f.seq, f.id,
                          (SELECT w.row FROM sync.wire AS w
                            WHERE w.code = (SELECT me.code FROM me) AND w.id = f.id
                              AND w.user_id = (SELECT me.scope FROM me))))
                 FROM kept AS f
           ), '[]'),
           -- What there was no room for is not there either: it has to be asked for again.
           'has_more', (SELECT count(*) FROM kept) < (SELECT count(*) FROM found)
                       OR cardinality(ids) > 2000)
  FROM me;
END
$$;

CREATE OR REPLACE FUNCTION public.sync_anchor(points jsonb, scope uuid DEFAULT NULL)
RETURNS json LANGUAGE sql STABLE SECURITY INVOKER
SET search_path = '' SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
AS $$
WITH me AS MATERIALIZED (SELECT sync.caller(sync_anchor.scope) AS scope)
SELECT json_build_object(
           'known', (SELECT json_build_array(t.seq, t.nonce)
                       FROM (SELECT (p.point ->> 0)::bigint AS seq, (p.point ->> 1)::bigint AS nonce
                               FROM jsonb_array_elements(points) WITH ORDINALITY AS p (point, place)
                              WHERE p.place <= 10000) AS p
                       JOIN sync.txn AS t ON t.scope = (SELECT me.scope FROM me)
                                         AND t.seq = p.seq AND t.nonce = p.nonce
                      ORDER BY t.seq DESC LIMIT 1),
           'head', (SELECT json_build_object('seq', h.seq, 'nonce', h.nonce) FROM sync.head AS h
                     WHERE h.scope = me.scope))
  FROM me
$$;

CREATE OR REPLACE FUNCTION public.sync_manifest(
    tbl text, after uuid DEFAULT NULL, max integer DEFAULT NULL, scope uuid DEFAULT NULL, known jsonb DEFAULT NULL
) RETURNS json LANGUAGE sql STABLE SECURITY INVOKER
SET search_path = '' SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
AS $$
WITH me AS MATERIALIZED (
    SELECT sync.reader(sync_manifest.scope, sync_manifest.known) AS scope, sync.page_rows(max) AS rows, k.code,
           COALESCE(sync_manifest.after, '00000000-0000-0000-0000-000000000000') AS after
      FROM (VALUES (1)) AS one
      LEFT JOIN sync.kind AS k ON k.wire = sync_manifest.tbl
), page AS MATERIALIZED (
    SELECT c.row_id, c.seq
      FROM sync.change AS c
     WHERE c.scope = (SELECT me.scope FROM me) AND c.tbl = (SELECT me.code FROM me)
       AND c.row_id > (SELECT me.after FROM me) AND c.op = 'U'
     ORDER BY c.row_id
     LIMIT (SELECT me.rows + 1 FROM me)
)
SELECT json_build_object(
           'rows', CASE WHEN me.code IS NULL THEN to_json(sync.refuse(400, 'unknown_table')::text)
                        ELSE COALESCE((
               SELECT json_agg(json_build_array(p.row_id, p.seq,
                          (SELECT encode(w.hash, 'hex') FROM sync.wire AS w
                            WHERE w.code = (SELECT me.code FROM me) AND w.id = p.row_id
                              AND w.user_id = (SELECT me.scope FROM me))))
                 FROM (SELECT * FROM page ORDER BY page.row_id LIMIT (SELECT me.rows FROM me)) AS p
           ), '[]') END,
           'has_more', (SELECT count(*) FROM page) > me.rows,
           'head', (SELECT json_build_object('seq', h.seq, 'nonce', h.nonce) FROM sync.head AS h
                     WHERE h.scope = me.scope),
           'count', CASE WHEN sync_manifest.after IS NULL THEN (   -- once is enough, and it is not for nothing
               SELECT count(*) FROM sync.change AS c
                WHERE c.scope = me.scope AND c.tbl = me.code AND c.op = 'U') END,
           'user_id', me.scope)
  FROM me
$$;

CREATE OR REPLACE FUNCTION public.sync_digest(
    after uuid DEFAULT NULL, max integer DEFAULT NULL, scope uuid DEFAULT NULL
) RETURNS json LANGUAGE sql STABLE SECURITY INVOKER
SET search_path = '' SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
AS $$
WITH me AS MATERIALIZED (
    SELECT sync.caller(sync_digest.scope) AS scope, least(sync.page_rows(max), 1000) AS rows,
           COALESCE(after, '00000000-0000-0000-0000-000000000000') AS after
), ids AS MATERIALIZED (
    -- A message may be there before its conversation.
    SELECT i.id
      FROM ((SELECT c.id FROM public.conversations AS c
              WHERE c.user_id = (SELECT me.scope FROM me) AND c.id > (SELECT me.after FROM me)
              ORDER BY c.id LIMIT (SELECT me.rows + 1 FROM me))
            UNION
            (SELECT DISTINCT m.conversation_id FROM public.messages AS m
              WHERE m.user_id = (SELECT me.scope FROM me)
                AND m.conversation_id > (SELECT me.after FROM me)
              ORDER BY m.conversation_id LIMIT (SELECT me.rows + 1 FROM me))) AS i
     ORDER BY i.id
     LIMIT (SELECT me.rows + 1 FROM me)
)
SELECT json_build_object(
           'conversations', COALESCE((
               SELECT json_agg(json_build_array(i.id, encode(sha256(
                          COALESCE((SELECT '\x01'::bytea || uuid_send(w.id) || int8send(
                                               (SELECT v.seq FROM sync.change AS v
                                                 WHERE v.scope = w.user_id AND v.tbl = 1
                                                   AND v.row_id = w.id)) || w.hash
                                      FROM sync.wire_conversations AS w
                                     WHERE w.user_id = (SELECT me.scope FROM me) AND w.id = i.id), '')
                          || COALESCE((SELECT string_agg('\x02'::bytea || uuid_send(m.id) || int8send(
                                               (SELECT v.seq FROM sync.change AS v
                                                 WHERE v.scope = m.user_id AND v.tbl = 2
                                                   AND v.row_id = m.id))
                                               || (SELECT w.hash FROM sync.wire_messages AS w
                                                    WHERE w.user_id = m.user_id AND w.id = m.id),
                                               ''::bytea ORDER BY m.id)
                                      FROM public.messages AS m
                                     WHERE m.user_id IS NOT DISTINCT FROM (SELECT me.scope FROM me)
                                       AND m.conversation_id = i.id), '')), 'hex')))
                 FROM (SELECT * FROM ids ORDER BY ids.id LIMIT (SELECT me.rows FROM me)) AS i
           ), '[]'),
           'others', CASE WHEN sync_digest.after IS NOT NULL THEN '{}'::json ELSE (
               SELECT json_object_agg(k.wire, encode(sha256(COALESCE((
                          SELECT string_agg(set_byte('\x00'::bytea, 0, k.code) || uuid_send(v.row_id)
                                            || int8send(v.seq)
                                            || (SELECT w.hash FROM sync.wire AS w
                                                 WHERE w.code = v.tbl AND w.user_id = v.scope
                                                   AND w.id = v.row_id),
                                            ''::bytea ORDER BY v.row_id)
                            FROM sync.change AS v
                           WHERE v.scope = (SELECT me.scope FROM me) AND v.tbl = k.code
                             AND v.op = 'U'), '')), 'hex') ORDER BY k.code)
                 FROM sync.kind AS k
                WHERE k.code > 2) END,
           'has_more', (SELECT count(*) FROM ids) > me.rows,
           'head', (SELECT json_build_object('seq', h.seq, 'nonce', h.nonce) FROM sync.head AS h
                     WHERE h.scope = me.scope))
  FROM me
$$;

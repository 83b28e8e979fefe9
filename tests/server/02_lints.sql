-- What Supabase's database lints look for, as far as it matters here; each must find nothing. The names
-- are theirs (splinter).
BEGIN;
\ir actors.sql
SELECT plan(19);

CREATE VIEW pg_temp.ours AS
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind, c.relrowsecurity, c.reloptions
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('public', 'sync') AND c.relkind IN ('r', 'p', 'v', 'm');
CREATE VIEW pg_temp.functions AS
SELECT p.*, n.nspname AS schema
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname IN ('public', 'sync');

SELECT is_empty($$SELECT schema, name FROM pg_temp.ours WHERE relkind = 'r' AND NOT relrowsecurity$$,
    'rls_disabled_in_public');
SELECT is_empty($$SELECT schema, name FROM pg_temp.ours AS o WHERE relkind = 'r'
    AND NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = o.oid)$$, 'rls_enabled_no_policy');
SELECT is_empty($$SELECT polrelid::regclass FROM pg_policy AS p JOIN pg_temp.ours AS o ON o.oid = p.polrelid
    WHERE NOT o.relrowsecurity$$, 'policy_exists_rls_disabled');
SELECT is_empty($$SELECT schemaname, tablename, policyname FROM pg_policies
    WHERE (schemaname IN ('public', 'sync') OR policyname LIKE 'tidemark%')
      AND (regexp_replace(COALESCE(qual, '') || COALESCE(with_check, ''),
               'SELECT (auth\.(uid|jwt|role)|realtime\.topic|sync\.[a-z_]+)\(\)', '', 'g')
           ~ '(auth\.(uid|jwt|role)|realtime\.topic|sync\.[a-z_]+)\(\)')$$, 'auth_rls_initplan');
SELECT is_empty($$SELECT tablename, cmd FROM pg_policies
    WHERE schemaname IN ('public', 'sync') GROUP BY 1, 2 HAVING count(*) > 1$$,
    'multiple_permissive_policies');
SELECT is_empty($$SELECT schemaname, tablename, policyname FROM pg_policies
    WHERE (schemaname IN ('public', 'sync') OR policyname LIKE 'tidemark%')
      AND roles <> '{authenticated}'$$, 'no policy for everybody');
SELECT is_empty($$SELECT tablename FROM pg_policies WHERE cmd = 'UPDATE' AND with_check IS NULL
    AND (schemaname IN ('public', 'sync') OR policyname LIKE 'tidemark%')$$,
    'an update is checked before and after');
SELECT set_eq($$SELECT tablename || ' ' || cmd FROM pg_policies WHERE schemaname = 'public'$$,
    $$SELECT name || ' ' || verb FROM pg_temp.ours, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'])
        AS verb WHERE schema = 'public' AND relkind = 'r'$$, 'a policy for each table and verb');
SELECT is_empty($$SELECT schema, name FROM pg_temp.ours WHERE relkind = 'v'
    AND NOT COALESCE('security_invoker=true' = ANY (reloptions), false)$$, 'security_definer_view');
SELECT is_empty($$SELECT schema, name FROM pg_temp.ours WHERE relkind = 'm'$$, 'materialized_view_in_api');
SELECT is_empty($$SELECT schema, proname FROM pg_temp.functions
    WHERE NOT COALESCE('search_path=""' = ANY (proconfig), false)$$, 'function_search_path_mutable');
SELECT is_empty($$SELECT proname FROM pg_temp.functions WHERE schema = 'public' AND prosecdef$$,
    'security_definer_function_executable: none in the exposed schema');
SELECT is_empty($$SELECT schema, proname FROM pg_temp.functions
    WHERE has_function_privilege('anon', oid, 'EXECUTE')$$, 'nothing is executable by anon');
SELECT set_eq($$SELECT proname::text FROM pg_temp.functions
        WHERE schema = 'sync' AND prosecdef AND has_function_privilege('authenticated', oid, 'EXECUTE')$$,
    ARRAY['fault', 'in_good_standing', 'is_admin', 'caller', 'latest', 'push', 'hello', 'list_sessions',
          'list_devices', 'end_session', 'revoke_device', 'delete_account', 'set_user_state', 'health'],
    'what runs with the owner''s rights for a user is this list');
SELECT is_empty($$SELECT c.conrelid::regclass, c.conname FROM pg_constraint AS c
    JOIN pg_temp.ours AS o ON o.oid = c.conrelid
    WHERE c.contype = 'f' AND NOT EXISTS (
        SELECT FROM pg_index AS i WHERE i.indrelid = c.conrelid
           AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey)$$,
    'unindexed_foreign_keys');
SELECT is_empty($$SELECT o.name FROM pg_temp.ours AS o WHERE o.relkind = 'r'
    AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = o.oid AND i.indisprimary)$$,
    'no_primary_key');
SELECT is_empty($$SELECT i.indrelid::regclass FROM pg_index AS i JOIN pg_temp.ours AS o ON o.oid = i.indrelid
    GROUP BY i.indrelid, i.indkey, i.indpred::text, i.indexprs::text HAVING count(*) > 1$$,
    'duplicate_index');
SELECT is_empty($$SELECT o.name, a.attname FROM pg_temp.ours AS o JOIN pg_attribute AS a ON a.attrelid = o.oid
    WHERE o.schema = 'public' AND a.attnum > 0
      AND (a.attname ~* 'password|secret|api_?key|ssn|credit_card|access_token|refresh_token|encrypted'
           OR (o.name NOT IN ('uploads') AND a.attname IN ('email', 'phone', 'ip_address')))$$,
    'sensitive_columns_exposed, auth_users_exposed');
SELECT is_empty($$SELECT t.tgrelid::regclass, t.tgname FROM pg_trigger AS t
    JOIN sync.kind AS k ON t.tgrelid = ('public.' || quote_ident(k.name))::regclass
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'O'
    UNION ALL
    SELECT k.name::regclass, e.name FROM sync.kind AS k,
           unnest(ARRAY['note_insert', 'note_update', 'note_delete', 'note_leave', 'refuse_truncate']) AS e (name)
     WHERE NOT EXISTS (SELECT FROM pg_trigger AS t
                        WHERE t.tgrelid = ('public.' || quote_ident(k.name))::regclass AND t.tgname = e.name)$$,
    'every synced table notes its changes');

SELECT * FROM finish();
ROLLBACK;

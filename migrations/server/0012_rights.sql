-- Rights on the schema `sync` and on our functions. Last, so that nothing that the files before it made
-- is left open: a project grants everything in `public` to everybody unless told otherwise.

GRANT USAGE ON SCHEMA sync TO authenticated, service_role;
REVOKE ALL ON ALL TABLES IN SCHEMA sync FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA sync FROM PUBLIC, anon, authenticated, service_role;

DO $$
DECLARE
    name text;
    -- Not `=`: it would be counted twice beside the functions' own condition (see 0001, Indexes).
    own text := 'scope IS NOT DISTINCT FROM (SELECT auth.uid()) AND (SELECT sync.in_good_standing())';
BEGIN
    FOREACH name IN ARRAY ARRAY['head', 'txn', 'change', 'kind', 'device', 'calls', 'bound', 'ledger'] LOOP
        EXECUTE format('ALTER TABLE sync.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('DROP POLICY IF EXISTS own_select ON sync.%I', name);
        EXECUTE format('CREATE POLICY own_select ON sync.%I FOR SELECT TO authenticated USING (%s)', name,
            CASE WHEN name IN ('head', 'txn', 'change') THEN own
                 WHEN name = 'kind' THEN 'true' ELSE 'false' END);
    END LOOP;
END
$$;

-- What the reading functions look at with the caller's rights.
GRANT SELECT ON sync.head, sync.txn, sync.change, sync.kind, sync.wire, sync.wire_conversations,
    sync.wire_messages, sync.wire_documents, sync.wire_files, sync.wire_user_preferences,
    sync.wire_usage_logs, sync.wire_devices TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION sync.caller(uuid), sync.reader(uuid, jsonb), sync.knows(uuid, jsonb, boolean),
    sync.refuse(integer, text), sync.fault(),
    sync.latest(smallint, uuid, timestamptz, uuid, integer),
    sync.in_good_standing(), sync.is_admin(), sync.page_rows(integer), sync.page_bytes(),
    sync.server_ms(), sync.content_hash(text[]) TO authenticated, service_role;
-- What triggers and constraints call with the rights of whoever writes.
GRANT EXECUTE ON FUNCTION sync.clock(), sync.setting_id(text) TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION sync.push(uuid, bigint, jsonb, uuid, jsonb), sync.hello(jsonb, integer)
    TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION sync.list_sessions(), sync.list_devices(), sync.end_session(uuid), sync.revoke_device(uuid),
    sync.delete_account(), sync.set_user_state(uuid, text), sync.health()
    TO authenticated, service_role;

DO $$
DECLARE
    signature regprocedure;
BEGIN
    FOR signature IN
        SELECT p.oid FROM pg_catalog.pg_proc AS p
         WHERE p.pronamespace = 'public'::regnamespace
           AND p.proname IN ('sync_hello', 'sync_pull', 'sync_snapshot', 'sync_push', 'sync_anchor',
                             'sync_manifest', 'sync_rows', 'sync_digest', 'list_sessions', 'list_devices',
                             'end_session', 'revoke_device', 'delete_account',
                             'admin_set_user_state', 'admin_health')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, anon', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO authenticated, service_role', signature);
    END LOOP;
END
$$;

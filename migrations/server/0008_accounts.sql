-- What a client cannot do otherwise: its user's sessions, devices and account; an administrator's calls.
-- The thin functions in `public` are called by name through PostgREST; those in `sync` do the work.

CREATE OR REPLACE FUNCTION sync.list_sessions() RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT COALESCE(json_agg(json_build_object(
               'id', s.id,
               'created_ms', round(date_part('epoch', s.created_at) * 1000)::bigint,
               'refreshed_ms', round(date_part('epoch', COALESCE(
                   s.refreshed_at AT TIME ZONE 'UTC', s.created_at)) * 1000)::bigint,
               'ip', host(s.ip), 'user_agent', s.user_agent,
               'device_id', b.device_id, 'device_name', d.name,
               'current', s.id = (auth.jwt() ->> 'session_id')::uuid)
               ORDER BY COALESCE(s.refreshed_at AT TIME ZONE 'UTC', s.created_at) DESC, s.id), '[]')
      FROM auth.sessions AS s
      LEFT JOIN sync.device AS b ON b.session_id = s.id AND b.user_id = s.user_id
      LEFT JOIN public.devices AS d ON d.user_id = b.user_id AND d.id = b.device_id
     WHERE s.user_id = sync.caller(NULL)
       AND (s.not_after IS NULL OR s.not_after > now())
$$;

CREATE OR REPLACE FUNCTION sync.list_devices() RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT COALESCE(json_agg(json_build_object(
               'id', d.id, 'name', d.name, 'platform', d.platform, 'app_version', d.app_version,
               'created_ms', round(date_part('epoch', d.created_at) * 1000)::bigint,
               'last_seen_ms', round(date_part('epoch', b.last_seen_at) * 1000)::bigint,
               'revoked_ms', round(date_part('epoch', d.revoked_at) * 1000)::bigint)
               ORDER BY b.last_seen_at DESC NULLS LAST, d.id), '[]')
      FROM public.devices AS d
      LEFT JOIN sync.device AS b ON b.user_id = d.user_id AND b.device_id = d.id
     WHERE d.user_id = sync.caller(NULL)
$$;

CREATE OR REPLACE FUNCTION sync.end_session(session uuid) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    me uuid := sync.caller(NULL);
BEGIN
    -- Its refresh tokens go with it; its access token is refused from now on (sync.fault).
    DELETE FROM auth.sessions AS s WHERE s.id = session AND s.user_id = me;
    RETURN json_build_object('ended', FOUND);
END
$$;

CREATE OR REPLACE FUNCTION sync.revoke_device(device uuid) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    me uuid := sync.caller(NULL);
    revoked boolean;
BEGIN
    UPDATE public.devices AS d SET revoked_at = now()
     WHERE d.user_id = me AND d.id = device AND d.revoked_at IS NULL;
    revoked := FOUND;
    -- The binding stays, so that the session's token is told why it is refused.
    DELETE FROM auth.sessions AS s
     USING sync.device AS b
     WHERE b.user_id = me AND b.device_id = device AND s.id = b.session_id AND s.user_id = me;
    RETURN json_build_object('revoked', revoked);
END
$$;

-- The account and all that is its own (sync.forget). Files belong to Storage, and only its own interface
-- deletes their bytes: while there are any, nothing is deleted, or they would be left to nobody.
CREATE OR REPLACE FUNCTION sync.delete_account() RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    me uuid := sync.caller(NULL);
BEGIN
    IF EXISTS (SELECT FROM storage.objects AS o
                WHERE o.bucket_id IN ('user-files', 'generated-files')
                  AND o.name LIKE me || '/%') THEN
        PERFORM sync.refuse(409, 'files_left');
    END IF;
    DELETE FROM auth.users AS u WHERE u.id = me;
    RETURN json_build_object('deleted', true);
END
$$;

-- Raises unless the caller is an administrator in good standing, or the service role.
CREATE OR REPLACE FUNCTION sync.demand_admin() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF auth.role() IS DISTINCT FROM 'service_role' THEN
        PERFORM sync.caller(NULL);
        IF NOT sync.is_admin() THEN
            PERFORM sync.refuse(403, 'forbidden');
        END IF;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION sync.set_user_state(who uuid, state text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM sync.demand_admin();
    IF state IS NULL OR state NOT IN ('active', 'disabled') THEN
        PERFORM sync.refuse(400, 'invalid_state');
    ELSIF who = auth.uid() THEN
        PERFORM sync.refuse(400, 'own_account');      -- nobody locks the door from outside
    END IF;
    UPDATE public.profiles AS p SET state = set_user_state.state, updated_at = now()
     WHERE p.user_id = who;
    IF NOT FOUND THEN
        PERFORM sync.refuse(404, 'no_such_user');
    END IF;
    RETURN json_build_object('user_id', who, 'state', state);
END
$$;

-- Numbers about the server, and none of anybody's words.
CREATE OR REPLACE FUNCTION sync.health() RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM sync.demand_admin();
    RETURN (SELECT json_build_object(
        'server_ms', sync.server_ms(),
        'users', (SELECT count(*) FROM public.profiles),
        'disabled', (SELECT count(*) FROM public.profiles AS p WHERE p.state = 'disabled'),
        'devices', (SELECT count(*) FROM public.devices),
        'devices_seen_today', (SELECT count(*) FROM sync.device AS b
                                WHERE b.last_seen_at > now() - interval '1 day'),
        'conversations', (SELECT count(*) FROM public.conversations),
        -- Counting millions would take the server's time; what the last ANALYZE saw is near enough.
        'messages', (SELECT greatest(c.reltuples, 0)::bigint FROM pg_catalog.pg_class AS c
                      WHERE c.oid = 'public.messages'::regclass),
        'ledger', (SELECT count(*) FROM sync.ledger),
        'database_bytes', pg_catalog.pg_database_size(current_database())));
END
$$;

CREATE OR REPLACE FUNCTION public.list_sessions()
RETURNS json LANGUAGE sql STABLE SECURITY INVOKER SET search_path = '' AS $$
    SELECT sync.list_sessions()
$$;
CREATE OR REPLACE FUNCTION public.list_devices()
RETURNS json LANGUAGE sql STABLE SECURITY INVOKER SET search_path = '' AS $$
    SELECT sync.list_devices()
$$;
CREATE OR REPLACE FUNCTION public.end_session(id uuid)
RETURNS json LANGUAGE sql VOLATILE SECURITY INVOKER SET search_path = '' AS $$
    SELECT sync.end_session(id)
$$;
CREATE OR REPLACE FUNCTION public.revoke_device(id uuid)
RETURNS json LANGUAGE sql VOLATILE SECURITY INVOKER SET search_path = '' AS $$
    SELECT sync.revoke_device(id)
$$;
-- PostgREST takes this setting for the transaction: a large account is more than the usual eight
-- seconds' work.
CREATE OR REPLACE FUNCTION public.delete_account()
RETURNS json LANGUAGE sql VOLATILE SECURITY INVOKER
SET search_path = '' SET statement_timeout = '10min' AS $$
    SELECT sync.delete_account()
$$;
CREATE OR REPLACE FUNCTION public.admin_set_user_state(user_id uuid, state text)
RETURNS json LANGUAGE sql VOLATILE SECURITY INVOKER SET search_path = '' AS $$
    SELECT sync.set_user_state(user_id, state)
$$;
CREATE OR REPLACE FUNCTION public.admin_health()
RETURNS json LANGUAGE sql STABLE SECURITY INVOKER SET search_path = '' AS $$
    SELECT sync.health()
$$;

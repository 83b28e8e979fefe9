-- Who may do what. One question is asked everywhere: are this user's profile, this token's session
-- and the device behind it in good standing? An access token is honoured by PostgREST until it
-- expires, whatever happened to its session; asking here is what makes a revocation work at once.

-- What the server knows of a device beside its synced row: written at every push, so kept apart.
CREATE TABLE IF NOT EXISTS sync.device (
    user_id       uuid NOT NULL REFERENCES public.profiles (user_id) ON DELETE CASCADE,
    device_id     uuid NOT NULL,
    session_id    uuid UNIQUE,                        -- the session that said hello last
    acked_through bigint NOT NULL DEFAULT 0,          -- operations up to this one are settled
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, device_id)
) WITH (fillfactor = 50);

-- Calls of a user in the current minute.
CREATE TABLE IF NOT EXISTS sync.calls (
    user_id uuid PRIMARY KEY REFERENCES public.profiles (user_id) ON DELETE CASCADE,
    minute  timestamptz NOT NULL,
    calls   integer NOT NULL
) WITH (fillfactor = 50);

-- What an operator may change.
CREATE TABLE IF NOT EXISTS sync.bound (
    name  text PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO sync.bound (name, value) VALUES
    ('calls_per_minute', 1200),                       -- pushes and hellos of one user
    ('ops_per_batch', 1000),
    ('bytes_per_batch', 8388608),
    ('devices_per_user', 1000)
ON CONFLICT (name) DO NOTHING;

-- What is wrong with the caller: NULL, or the code to refuse with. The caller's own words are the
-- token's; everything else is looked up.
CREATE OR REPLACE FUNCTION sync.fault() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    claims jsonb := auth.jwt();
    me uuid := auth.uid();
    session uuid := (claims ->> 'session_id')::uuid;
BEGIN
    IF me IS NULL OR session IS NULL THEN
        RETURN 'not_signed_in';
    ELSIF NOT EXISTS (SELECT FROM public.profiles AS p
                       WHERE p.user_id = me AND p.state = 'active') THEN
        RETURN CASE WHEN EXISTS (SELECT FROM public.profiles AS p WHERE p.user_id = me)
                    THEN 'user_disabled' ELSE 'not_signed_in' END;
    ELSIF EXISTS (SELECT FROM sync.device AS b
                    JOIN public.devices AS d ON d.user_id = b.user_id AND d.id = b.device_id
                   WHERE b.session_id = session AND d.revoked_at IS NOT NULL) THEN
        RETURN 'device_revoked';
    ELSIF NOT EXISTS (SELECT FROM auth.sessions AS s
                       WHERE s.id = session AND s.user_id = me
                         AND (s.not_after IS NULL OR s.not_after > now())) THEN
        RETURN 'session_ended';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION sync.in_good_standing() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT sync.fault() IS NULL
$$;

CREATE OR REPLACE FUNCTION sync.is_admin() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT EXISTS (SELECT FROM public.profiles AS p
                    WHERE p.user_id = auth.uid() AND p.role = 'admin')
       AND sync.fault() IS NULL
$$;

-- Ends the call with an HTTP status, and a code in place of the message.
CREATE OR REPLACE FUNCTION sync.refuse(status integer, code text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PT' || status, MESSAGE = code;
END
$$;

-- The scope that the caller may work in: its own; the service role names one. Raises otherwise, so
-- that an empty answer always means that there is nothing.
CREATE OR REPLACE FUNCTION sync.caller(scope uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    fault text;
BEGIN
    IF auth.role() = 'service_role' THEN
        IF scope IS NULL THEN
            PERFORM sync.refuse(400, 'scope_missing');
        ELSIF NOT EXISTS (SELECT FROM sync.head AS h WHERE h.scope = caller.scope) THEN
            PERFORM sync.refuse(404, 'no_such_user');
        END IF;
        RETURN scope;
    END IF;
    fault := sync.fault();
    IF fault IS NOT NULL THEN
        PERFORM sync.refuse(CASE WHEN fault IN ('not_signed_in', 'session_ended') THEN 401
                                 ELSE 403 END, fault);
    ELSIF scope <> auth.uid() THEN
        PERFORM sync.refuse(403, 'scope_forbidden');
    END IF;
    RETURN auth.uid();
END
$$;

-- Whether the server has been at a point that a device saw. One that has not was put back from a copy since.
-- Of a point below the horizon nobody can tell any more: `forgotten` says what to take it for.
CREATE OR REPLACE FUNCTION sync.knows(owner uuid, point jsonb, forgotten boolean) RETURNS boolean
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT COALESCE((point ->> 'seq')::bigint, 0) = 0
        OR EXISTS (SELECT FROM sync.head AS h
                    WHERE h.scope = owner
                      AND CASE WHEN (point ->> 'seq')::bigint < h.horizon THEN forgotten
                               ELSE EXISTS (SELECT FROM sync.txn AS t
                                             WHERE t.scope = h.scope AND t.seq = (point ->> 'seq')::bigint
                                               AND t.nonce = (point ->> 'nonce')::bigint AND t.seq <= h.seq) END)
$$;

-- The caller, for a call that reads rows: they are of the history that the caller has seen so far, or none are read.
CREATE OR REPLACE FUNCTION sync.reader(scope uuid, known jsonb) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    me CONSTANT uuid := sync.caller(scope);
BEGIN
    IF NOT sync.knows(me, known, true) THEN
        PERFORM sync.refuse(409, 'unknown_point');
    END IF;
    RETURN me;
END
$$;

-- Counts a call that writes. What a refused call counted is rolled back with it.
CREATE OR REPLACE FUNCTION sync.count_call(me uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    made integer;
BEGIN
    INSERT INTO sync.calls AS c (user_id, minute, calls)
    VALUES (me, date_trunc('minute', now()), 1)
    ON CONFLICT (user_id) DO UPDATE
        SET minute = excluded.minute,
            calls = CASE WHEN c.minute = excluded.minute THEN c.calls + 1 ELSE 1 END
    RETURNING calls INTO made;
    IF made > (SELECT b.value FROM sync.bound AS b WHERE b.name = 'calls_per_minute') THEN
        PERFORM sync.refuse(429, 'too_many_calls');
    END IF;
END
$$;

-- A profile and its scope, where they are missing.
CREATE OR REPLACE FUNCTION sync.welcome(me uuid, source text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.profiles (user_id, registration_source)
    VALUES (me, COALESCE(left(NULLIF(source, ''), 40), 'unknown'))
    ON CONFLICT DO NOTHING;
    WITH made AS (
        INSERT INTO sync.head (scope, seq, nonce, at) VALUES (me, 0, 0, now())
        ON CONFLICT DO NOTHING
        RETURNING *
    )
    INSERT INTO sync.txn (scope, seq, nonce, at) SELECT m.scope, m.seq, m.nonce, m.at FROM made AS m;
END
$$;

-- Nobody's sign-up fails because of us: a profile that could not be made is made at the first hello.
CREATE OR REPLACE FUNCTION sync.welcome_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM sync.welcome(new.id, COALESCE(new.raw_user_meta_data ->> 'registration_source',
                                          new.raw_app_meta_data ->> 'provider'));
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'a user signed up without a profile: %', SQLERRM;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER tidemark_welcome AFTER INSERT ON auth.users
    FOR EACH ROW EXECUTE FUNCTION sync.welcome_user();
DO $$
BEGIN
    PERFORM sync.welcome(u.id, u.raw_app_meta_data ->> 'provider')
       FROM auth.users AS u
      WHERE NOT EXISTS (SELECT FROM sync.head AS h WHERE h.scope = u.id);
END
$$;

-- All that is a user's goes with the profile, which goes with the user. The head goes first: its lock
-- waits for writers, and without it none of the deletions below is worth a tombstone.
CREATE OR REPLACE FUNCTION sync.forget() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    name text;
BEGIN
    DELETE FROM sync.head AS h WHERE h.scope = old.user_id;
    FOR name IN SELECT k.name FROM sync.kind AS k ORDER BY k.code DESC LOOP
        EXECUTE format('DELETE FROM public.%I WHERE user_id = $1', name) USING old.user_id;
    END LOOP;
    DELETE FROM sync.change AS c WHERE c.scope = old.user_id;
    DELETE FROM sync.txn AS t WHERE t.scope = old.user_id;
    DELETE FROM sync.ledger AS l WHERE l.user_id = old.user_id;
    RETURN old;
END
$$;
CREATE OR REPLACE TRIGGER forget BEFORE DELETE ON public.profiles
    FOR EACH ROW EXECUTE FUNCTION sync.forget();

-- Rights. Everything of ours is closed, then opened a crack: users read their rows, and write through
-- sync_push, which runs with the owner's rights and checks for itself. The policies cover all verbs
-- all the same, so that a grant made by mistake opens nothing but one's own rows.
DO $$
DECLARE
    name text;
    own text := 'user_id = (SELECT auth.uid()) AND (SELECT sync.in_good_standing())';
    sees text;
BEGIN
    FOREACH name IN ARRAY ARRAY['profiles', 'conversations', 'messages', 'documents', 'files',
        'conversation_files', 'uploads', 'user_preferences', 'usage_logs', 'devices']
    LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, anon, authenticated', name);
        EXECUTE format('GRANT SELECT ON public.%I TO authenticated', name);
        EXECUTE format('REVOKE ALL ON public.%I FROM service_role', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO service_role', name);
        -- An administrator sees accounts, usage and devices. Nothing that anybody wrote.
        sees := CASE WHEN name IN ('profiles', 'usage_logs', 'devices')
                     THEN '(' || own || ') OR (SELECT sync.is_admin())' ELSE own END;
        EXECUTE format('DROP POLICY IF EXISTS own_select ON public.%I', name);
        EXECUTE format('DROP POLICY IF EXISTS own_insert ON public.%I', name);
        EXECUTE format('DROP POLICY IF EXISTS own_update ON public.%I', name);
        EXECUTE format('DROP POLICY IF EXISTS own_delete ON public.%I', name);
        EXECUTE format('CREATE POLICY own_select ON public.%I FOR SELECT TO authenticated'
            ' USING (%s)', name, sees);
        -- Nobody makes, changes or deletes a profile: a role is not one's own to choose.
        EXECUTE format('CREATE POLICY own_insert ON public.%I FOR INSERT TO authenticated'
            ' WITH CHECK (%s)', name, CASE name WHEN 'profiles' THEN 'false' ELSE own END);
        EXECUTE format('CREATE POLICY own_update ON public.%I FOR UPDATE TO authenticated'
            ' USING (%2$s) WITH CHECK (%2$s)', name, CASE name WHEN 'profiles' THEN 'false' ELSE own END);
        EXECUTE format('CREATE POLICY own_delete ON public.%I FOR DELETE TO authenticated'
            ' USING (%s)', name, CASE name WHEN 'profiles' THEN 'false' ELSE own END);
    END LOOP;
END
$$;

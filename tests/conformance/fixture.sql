-- What the suite needs of a database: a table under row-level security, a topic, and ways to ring.
-- May be applied twice, and to any project that is there to be tested.

CREATE TABLE IF NOT EXISTS public.conformance_notes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id uuid NOT NULL DEFAULT auth.uid(),
    body text NOT NULL
);
ALTER TABLE public.conformance_notes ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own ON public.conformance_notes;
CREATE POLICY own ON public.conformance_notes TO authenticated
    USING (owner_id = (SELECT auth.uid())) WITH CHECK (owner_id = (SELECT auth.uid()));

CREATE TABLE IF NOT EXISTS public.conformance_members (
    topic text NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (topic, user_id)
);
ALTER TABLE public.conformance_members ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own ON public.conformance_members;
CREATE POLICY own ON public.conformance_members TO authenticated
    USING (user_id = (SELECT auth.uid())) WITH CHECK (user_id = (SELECT auth.uid()));

DROP POLICY IF EXISTS conformance_listen ON realtime.messages;
CREATE POLICY conformance_listen ON realtime.messages FOR SELECT TO authenticated
    USING (realtime.messages.extension = 'broadcast'
           AND EXISTS (SELECT FROM public.conformance_members m
                        WHERE m.user_id = (SELECT auth.uid())
                          AND m.topic = (SELECT realtime.topic())));

CREATE OR REPLACE FUNCTION public.conformance_ring(topic text, event text, payload jsonb, private boolean DEFAULT true)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    SELECT realtime.send(payload, event, topic, private)
$$;

CREATE OR REPLACE FUNCTION public.conformance_ring_and_fail(topic text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM realtime.send('{"never": true}', 'changed', topic, true);
    RAISE EXCEPTION 'rolled back';
END
$$;

-- As the caller, who has no policy for INSERT.
CREATE OR REPLACE FUNCTION public.conformance_ring_as_caller(topic text)
RETURNS text LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    PERFORM realtime.send('{"never": true}', 'changed', topic, true);
    RETURN 'went on';
END
$$;

CREATE OR REPLACE FUNCTION public.conformance_many() RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = '' AS $$ SELECT generate_series(1, 1500) $$;

-- Where nobody else asks for it.
NOTIFY pgrst, 'reload schema';

-- What the peers of `./dev bench sync` read and write: the columns of public.messages, and the two that
-- RxDB's plugin asks for, with the policy that Supabase's documentation recommends and the index that
-- their queries want.

CREATE TABLE public.peer_messages (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL DEFAULT auth.uid(),
    conversation_id uuid NOT NULL,
    parent_id       uuid,
    continues_id    uuid,
    role            text NOT NULL,
    content         text NOT NULL,
    content_raw     text,
    parts           jsonb,
    model           text,
    state           text NOT NULL,
    tokens_in       bigint,
    tokens_out      bigint,
    first_token_ms  bigint,
    cost_micros     bigint,
    metadata        jsonb,
    device_id       uuid,
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    finished_at     timestamptz(3),
    trashed_at      timestamptz(3),
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    _modified       timestamptz NOT NULL DEFAULT now(),
    _deleted        boolean NOT NULL DEFAULT false
);
CREATE INDEX peer_messages_modified ON public.peer_messages (_modified, id);
ALTER TABLE public.peer_messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.peer_messages TO authenticated
    USING (user_id = (SELECT auth.uid())) WITH CHECK (user_id = (SELECT auth.uid()));
GRANT SELECT, INSERT, UPDATE ON public.peer_messages TO authenticated;

-- The limit of a push: the same rows into the same table with its triggers, and nothing else.
CREATE FUNCTION public.bench_insert(rows jsonb) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    WITH inserted AS (
        INSERT INTO public.messages (user_id, id, conversation_id, role, content, state, clocks)
        SELECT auth.uid(), r.id, r.conversation_id, r.role, r.content, r.state, r.clocks
          FROM jsonb_to_recordset(rows) AS r (
              id uuid, conversation_id uuid, role text, content text, state text, clocks jsonb)
        RETURNING 1)
    SELECT count(*) FROM inserted
$$;

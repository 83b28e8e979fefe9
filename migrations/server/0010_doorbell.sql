-- Who may listen to a scope's doorbell: its user, with a token in good standing. Asked when a channel is
-- joined and when its token changes, with a probe row that has a topic and an extension and nothing else.
-- Nobody may ring by hand: there is no policy for INSERT.

DO $$
BEGIN
    IF to_regclass('realtime.messages') IS NULL THEN
        RAISE WARNING 'this project has no Realtime; devices will poll';
        RETURN;
    END IF;
    DROP POLICY IF EXISTS tidemark_listen ON realtime.messages;
    CREATE POLICY tidemark_listen ON realtime.messages FOR SELECT TO authenticated
        USING (extension = 'broadcast'
               AND (SELECT realtime.topic()) = 'sync:' || (SELECT auth.uid())
               AND (SELECT sync.in_good_standing()));
END
$$;

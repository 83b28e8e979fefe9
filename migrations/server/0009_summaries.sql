-- Summaries. Each shows what the asking role may see of the tables under it.

CREATE OR REPLACE VIEW public.conversation_summaries WITH (security_invoker = true) AS
SELECT c.user_id,
       c.id,
       c.title,
       c.archived,
       c.trashed_at,
       c.created_at,
       m.messages,
       COALESCE(m.active_at, c.created_at) AS active_at,
       u.answers,
       u.tokens_in,
       u.tokens_out,
       u.cost_micros
  FROM public.conversations AS c
 CROSS JOIN LATERAL (
           SELECT count(*) AS messages, max(t.created_at) AS active_at
             FROM public.messages AS t
            WHERE t.user_id = c.user_id AND t.conversation_id = c.id AND t.trashed_at IS NULL
       ) AS m
 CROSS JOIN LATERAL (
           SELECT count(*) AS answers, COALESCE(sum(t.tokens_in), 0) AS tokens_in,
                  COALESCE(sum(t.tokens_out), 0) AS tokens_out,
                  COALESCE(sum(t.cost_micros), 0) AS cost_micros
             FROM public.usage_logs AS t
            WHERE t.user_id = c.user_id AND t.conversation_id = c.id
       ) AS u;

-- For an administrator a row for each account; for anybody else their own. From the usage log and the
-- devices alone: what was said, and how often, is nobody's business.
CREATE OR REPLACE VIEW public.user_summaries WITH (security_invoker = true) AS
SELECT p.user_id,
       p.role,
       p.state,
       p.registration_source,
       p.created_at,
       d.devices,
       u.answers,
       u.tokens_in,
       u.tokens_out,
       u.cost_micros,
       u.used_at
  FROM public.profiles AS p
 CROSS JOIN LATERAL (
           SELECT count(*) AS devices FROM public.devices AS t
            WHERE t.user_id = p.user_id AND t.revoked_at IS NULL
       ) AS d
 CROSS JOIN LATERAL (
           SELECT count(*) AS answers, COALESCE(sum(t.tokens_in), 0) AS tokens_in,
                  COALESCE(sum(t.tokens_out), 0) AS tokens_out,
                  COALESCE(sum(t.cost_micros), 0) AS cost_micros, max(t.created_at) AS used_at
             FROM public.usage_logs AS t
            WHERE t.user_id = p.user_id
       ) AS u;

REVOKE ALL ON public.conversation_summaries, public.user_summaries FROM PUBLIC, anon, authenticated;
GRANT SELECT ON public.conversation_summaries, public.user_summaries TO authenticated, service_role;

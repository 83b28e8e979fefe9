-- How a row looks on its way, and what its bytes hash to: docs/sync.md, "Tables on the wire" and
-- "Digests". One view for each table, so that there is one place to read, and so that a query pays
-- only for the columns that it asks for. They show what the asking role may see.

-- SHA-256 over the fields: 00 where null, else 01, the length in bytes as 32 bits, the text.
CREATE OR REPLACE FUNCTION sync.content_hash(VARIADIC fields text[]) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT sha256(string_agg(
               CASE WHEN f.value IS NULL THEN '\x00'::bytea
                    ELSE '\x01'::bytea || int4send(octet_length(f.value)) || convert_to(f.value, 'UTF8')
               END, ''::bytea ORDER BY f.place))
      FROM unnest(fields) WITH ORDINALITY AS f (value, place)
$$;

CREATE OR REPLACE VIEW sync.wire_conversations WITH (security_invoker = true) AS
SELECT t.user_id,
       t.id,
       json_build_array(
           t.id, t.title, t.title_by, t.model, t.system_prompt, t.pinned, t.archived,
           round(date_part('epoch', t.trashed_at) * 1000)::bigint, t.origin::text,
           t.continuation_id, t.metadata::text,
           round(date_part('epoch', t.created_at) * 1000)::bigint,
           round(date_part('epoch', t.updated_at) * 1000)::bigint, t.clocks
       ) AS row,
       jsonb_build_object(
           'id', t.id, 'title', t.title, 'title_by', t.title_by, 'model', t.model,
           'system_prompt', t.system_prompt, 'pinned', t.pinned, 'archived', t.archived,
           'trashed_ms', round(date_part('epoch', t.trashed_at) * 1000)::bigint,
           'origin', t.origin::text, 'continuation_id', t.continuation_id,
           'metadata', t.metadata::text,
           'created_ms', round(date_part('epoch', t.created_at) * 1000)::bigint,
           'updated_ms', round(date_part('epoch', t.updated_at) * 1000)::bigint,
           'clocks', t.clocks
       ) AS fields,
       sync.content_hash(
           t.title, t.title_by, t.model, t.system_prompt, t.pinned::integer::text,
           t.archived::integer::text,
           (round(date_part('epoch', t.trashed_at) * 1000)::bigint)::text, t.origin::text,
           t.continuation_id, t.metadata::text,
           (round(date_part('epoch', t.created_at) * 1000)::bigint)::text
       ) AS hash
  FROM public.conversations AS t;

CREATE OR REPLACE VIEW sync.wire_messages WITH (security_invoker = true) AS
SELECT t.user_id,
       t.id,
       json_build_array(
           t.id, t.conversation_id, t.parent_id, t.continues_id, t.role, t.content,
           translate(encode(t.content_raw, 'base64'), E'\n', ''), t.parts::text, t.model,
           t.state, t.tokens_in, t.tokens_out, t.first_token_ms, t.cost_micros,
           t.metadata::text, t.device_id,
           round(date_part('epoch', t.created_at) * 1000)::bigint,
           round(date_part('epoch', t.finished_at) * 1000)::bigint,
           round(date_part('epoch', t.trashed_at) * 1000)::bigint,
           round(date_part('epoch', t.updated_at) * 1000)::bigint, t.clocks
       ) AS row,
       jsonb_build_object(
           'id', t.id, 'conversation_id', t.conversation_id, 'parent_id', t.parent_id,
           'continues_id', t.continues_id, 'role', t.role, 'content', t.content,
           'content_raw', translate(encode(t.content_raw, 'base64'), E'\n', ''),
           'parts', t.parts::text, 'model', t.model, 'state', t.state,
           'tokens_in', t.tokens_in, 'tokens_out', t.tokens_out,
           'first_token_ms', t.first_token_ms, 'cost_micros', t.cost_micros,
           'metadata', t.metadata::text, 'device_id', t.device_id,
           'created_ms', round(date_part('epoch', t.created_at) * 1000)::bigint,
           'finished_ms', round(date_part('epoch', t.finished_at) * 1000)::bigint,
           'trashed_ms', round(date_part('epoch', t.trashed_at) * 1000)::bigint,
           'updated_ms', round(date_part('epoch', t.updated_at) * 1000)::bigint,
           'clocks', t.clocks
       ) AS fields,
       sync.content_hash(
           t.conversation_id::text, t.parent_id::text, t.continues_id::text, t.role,
           t.content, translate(encode(t.content_raw, 'base64'), E'\n', ''), t.parts::text,
           t.model, t.state, t.tokens_in::text, t.tokens_out::text, t.first_token_ms::text,
           t.cost_micros::text, t.metadata::text, t.device_id::text,
           (round(date_part('epoch', t.created_at) * 1000)::bigint)::text,
           (round(date_part('epoch', t.finished_at) * 1000)::bigint)::text,
           (round(date_part('epoch', t.trashed_at) * 1000)::bigint)::text
       ) AS hash
  FROM public.messages AS t;

CREATE OR REPLACE VIEW sync.wire_documents WITH (security_invoker = true) AS
SELECT t.user_id,
       t.id,
       json_build_array(
           t.id, t.conversation_id, t.title, t.mime, t.sha256, t.bytes, t.pages, t.state,
           t.origin::text, t.metadata::text,
           round(date_part('epoch', t.created_at) * 1000)::bigint,
           round(date_part('epoch', t.trashed_at) * 1000)::bigint,
           round(date_part('epoch', t.updated_at) * 1000)::bigint, t.clocks
       ) AS row,
       jsonb_build_object(
           'id', t.id, 'conversation_id', t.conversation_id, 'title', t.title,
           'mime', t.mime, 'sha256', t.sha256, 'bytes', t.bytes, 'pages', t.pages,
           'state', t.state, 'origin', t.origin::text, 'metadata', t.metadata::text,
           'created_ms', round(date_part('epoch', t.created_at) * 1000)::bigint,
           'trashed_ms', round(date_part('epoch', t.trashed_at) * 1000)::bigint,
           'updated_ms', round(date_part('epoch', t.updated_at) * 1000)::bigint,
           'clocks', t.clocks
       ) AS fields,
       sync.content_hash(
           t.conversation_id::text, t.title, t.mime, t.sha256, t.bytes::text,
           t.pages::text, t.state, t.origin::text, t.metadata::text,
           (round(date_part('epoch', t.created_at) * 1000)::bigint)::text,
           (round(date_part('epoch', t.trashed_at) * 1000)::bigint)::text
       ) AS hash
  FROM public.documents AS t;

CREATE OR REPLACE VIEW sync.wire_files WITH (security_invoker = true) AS
SELECT t.user_id,
       t.id,
       json_build_array(
           t.id, t.document_id, t.message_id, t.name, t.mime, t.sha256, t.bytes,
           t.storage_path, t.origin::text,
           round(date_part('epoch', t.created_at) * 1000)::bigint,
           round(date_part('epoch', t.updated_at) * 1000)::bigint, t.clocks
       ) AS row,
       jsonb_build_object(
           'id', t.id, 'document_id', t.document_id, 'message_id', t.message_id,
           'name', t.name, 'mime', t.mime, 'sha256', t.sha256, 'bytes', t.bytes,
           'storage_path', t.storage_path, 'origin', t.origin::text,
           'created_ms', round(date_part('epoch', t.created_at) * 1000)::bigint,
           'updated_ms', round(date_part('epoch', t.updated_at) * 1000)::bigint,
           'clocks', t.clocks
       ) AS fields,
       sync.content_hash(
           t.document_id::text, t.message_id::text, t.name, t.mime, t.sha256,
           t.bytes::text, t.storage_path, t.origin::text,
           (round(date_part('epoch', t.created_at) * 1000)::bigint)::text
       ) AS hash
  FROM public.files AS t;

CREATE OR REPLACE VIEW sync.wire_user_preferences WITH (security_invoker = true) AS
SELECT t.user_id,
       t.id,
       json_build_array(
           t.id, t.key, t.value::text,
           round(date_part('epoch', t.updated_at) * 1000)::bigint, t.clocks
       ) AS row,
       jsonb_build_object(
           'id', t.id, 'key', t.key, 'value', t.value::text,
           'updated_ms', round(date_part('epoch', t.updated_at) * 1000)::bigint,
           'clocks', t.clocks
       ) AS fields,
       sync.content_hash(
           t.key, t.value::text
       ) AS hash
  FROM public.user_preferences AS t;

CREATE OR REPLACE VIEW sync.wire_usage_logs WITH (security_invoker = true) AS
SELECT t.user_id,
       t.id,
       json_build_array(
           t.id, t.conversation_id, t.message_id, t.model, t.tokens_in, t.tokens_out,
           t.first_token_ms, t.cost_micros,
           round(date_part('epoch', t.created_at) * 1000)::bigint,
           round(date_part('epoch', t.created_at) * 1000)::bigint
       ) AS row,
       jsonb_build_object(
           'id', t.id, 'conversation_id', t.conversation_id, 'message_id', t.message_id,
           'model', t.model, 'tokens_in', t.tokens_in, 'tokens_out', t.tokens_out,
           'first_token_ms', t.first_token_ms, 'cost_micros', t.cost_micros,
           'created_ms', round(date_part('epoch', t.created_at) * 1000)::bigint,
           'updated_ms', round(date_part('epoch', t.created_at) * 1000)::bigint
       ) AS fields,
       sync.content_hash(
           t.conversation_id::text, t.message_id::text, t.model, t.tokens_in::text,
           t.tokens_out::text, t.first_token_ms::text, t.cost_micros::text,
           (round(date_part('epoch', t.created_at) * 1000)::bigint)::text
       ) AS hash
  FROM public.usage_logs AS t;

CREATE OR REPLACE VIEW sync.wire_devices WITH (security_invoker = true) AS
SELECT t.user_id,
       t.id,
       json_build_array(
           t.id, t.name, t.platform, t.app_version,
           round(date_part('epoch', t.created_at) * 1000)::bigint,
           round(date_part('epoch', t.revoked_at) * 1000)::bigint,
           round(date_part('epoch', t.updated_at) * 1000)::bigint, t.clocks
       ) AS row,
       jsonb_build_object(
           'id', t.id, 'name', t.name, 'platform', t.platform,
           'app_version', t.app_version,
           'created_ms', round(date_part('epoch', t.created_at) * 1000)::bigint,
           'revoked_ms', round(date_part('epoch', t.revoked_at) * 1000)::bigint,
           'updated_ms', round(date_part('epoch', t.updated_at) * 1000)::bigint,
           'clocks', t.clocks
       ) AS fields,
       sync.content_hash(
           t.name, t.platform, t.app_version,
           (round(date_part('epoch', t.created_at) * 1000)::bigint)::text,
           (round(date_part('epoch', t.revoked_at) * 1000)::bigint)::text
       ) AS hash
  FROM public.devices AS t;

-- All of them. A query that names a code opens one table, the others cost a comparison.
CREATE OR REPLACE VIEW sync.wire WITH (security_invoker = true) AS
SELECT 1 AS code, w.* FROM sync.wire_conversations AS w
UNION ALL SELECT 2, w.* FROM sync.wire_messages AS w
UNION ALL SELECT 3, w.* FROM sync.wire_documents AS w
UNION ALL SELECT 4, w.* FROM sync.wire_files AS w
UNION ALL SELECT 5, w.* FROM sync.wire_user_preferences AS w
UNION ALL SELECT 6, w.* FROM sync.wire_usage_logs AS w
UNION ALL SELECT 7, w.* FROM sync.wire_devices AS w;

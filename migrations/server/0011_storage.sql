-- Buckets and who may use them. A path begins with its owner's id. Storage does not normalise paths, and
-- one of its stores takes `..` as a name like any other: a path with an empty part, `.` or `..` is refused.

INSERT INTO storage.buckets (id, name, public, file_size_limit, allowed_mime_types) VALUES
    ('user-files', 'user-files', false, 52428800, ARRAY[
        'text/*', 'application/pdf', 'image/*', 'audio/*', 'application/json', 'application/epub+zip',
        'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
        'application/vnd.openxmlformats-officedocument.presentationml.presentation']),
    ('generated-files', 'generated-files', false, 10485760, ARRAY['text/*', 'application/json'])
ON CONFLICT (id) DO UPDATE
    SET public = excluded.public, file_size_limit = excluded.file_size_limit,
        allowed_mime_types = excluded.allowed_mime_types;

DO $$
DECLARE
    verb text;
    own text := $q$bucket_id IN ('user-files', 'generated-files')
        AND (storage.foldername(name))[1] = (SELECT auth.uid())::text
        AND name !~ '(^|/)\.{0,2}(/|$)'
        AND (SELECT sync.in_good_standing())$q$;
BEGIN
    FOREACH verb IN ARRAY ARRAY['select', 'insert', 'update', 'delete'] LOOP
        EXECUTE format('DROP POLICY IF EXISTS tidemark_%s ON storage.objects', verb);
        EXECUTE format('CREATE POLICY tidemark_%1$s ON storage.objects FOR %1$s TO authenticated %2$s %3$s',
            verb,
            CASE WHEN verb <> 'insert' THEN 'USING (' || own || ')' END,
            CASE WHEN verb IN ('insert', 'update') THEN 'WITH CHECK (' || own || ')' END);
    END LOOP;
END
$$;

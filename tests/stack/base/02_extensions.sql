-- Extensions live in a schema of their own, which the roles of the API may use.

CREATE SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role;
GRANT ALL ON SCHEMA extensions TO postgres;

CREATE EXTENSION pgcrypto WITH SCHEMA extensions;
CREATE EXTENSION "uuid-ossp" WITH SCHEMA extensions;
CREATE EXTENSION pg_stat_statements WITH SCHEMA extensions;

-- A hosted project lets `postgres` install it; here only a superuser could, so it is there already
-- wherever the machine has the package.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pgtap') THEN
        CREATE EXTENSION pgtap WITH SCHEMA extensions;
    END IF;
END
$$;

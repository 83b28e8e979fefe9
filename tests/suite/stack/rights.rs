//! What our SQL may do in a project, and what it may not: the same here as on a hosted one.

use serde_json::json;
use tidemark_tests::stack::Stack;

use super::{Answer, ask, bare, count, database, http, sign_up};

async fn refused(db: &tokio_postgres::Client, sql: &str) -> String {
    let error = db.batch_execute(sql).await.expect_err(sql);
    error.code().map(|code| code.code().to_owned()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_without_the_rights_of_a_superuser() {
    let stack = Stack::launch(bare()).await.expect("it starts");
    let db = database(&stack.database_url()).await;
    for sql in [
        "ALTER TABLE auth.users ADD COLUMN mine text",
        "CREATE TABLE auth.mine ()",
        "CREATE FUNCTION public.mine() RETURNS void LANGUAGE c AS 'x', 'y'",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "SET session_replication_role = replica",
    ] {
        assert_eq!(refused(&db, sql).await, "42501", "{sql}");
    }
    db.batch_execute(
        "CREATE POLICY mine ON realtime.messages FOR SELECT TO authenticated USING (true);
         CREATE POLICY mine ON storage.objects FOR SELECT TO authenticated USING (true);
         INSERT INTO storage.buckets (id, name) VALUES ('files', 'files');
         CREATE SCHEMA mine;
         CREATE TABLE public.mine (id uuid REFERENCES auth.users ON DELETE CASCADE);",
    )
    .await
    .expect("what a migration needs is allowed");
    let direct = "DELETE FROM storage.buckets";
    assert_eq!(refused(&db, direct).await, "42501");
    let nobody: Option<uuid::Uuid> =
        db.query_one("SELECT auth.uid()", &[]).await.expect("no error").get(0);
    assert_eq!(nobody, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_on_users_has_the_rights_of_auth_alone_unless_it_says_otherwise() {
    let stack = Stack::launch(bare()).await.expect("it starts");
    let (db, root) =
        (database(&stack.database_url()).await, database(&stack.superuser_url()).await);
    db.batch_execute(
        "CREATE TABLE public.welcomed (id uuid);
         REVOKE ALL ON public.welcomed FROM PUBLIC, supabase_auth_admin;
         CREATE FUNCTION public.welcome() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             INSERT INTO public.welcomed VALUES (new.id);
             RETURN NULL;
         END $$;
         CREATE TRIGGER welcome AFTER INSERT ON auth.users
             FOR EACH ROW EXECUTE FUNCTION public.welcome();",
    )
    .await
    .expect("a trigger is allowed");
    let who = json!({ "email": "ann@example.org", "password": "of this test" });
    let answer = ask(&stack, "/auth/v1/signup", None, Some(who)).await;
    assert_eq!((answer.status, answer.code()), (500, "unexpected_failure"));
    assert_eq!(answer.text("message"), "Database error saving new user");
    assert_eq!(count(&root, "auth.users").await, 0);

    db.batch_execute("ALTER FUNCTION public.welcome() SECURITY DEFINER SET search_path = ''")
        .await
        .expect("its owner may");
    sign_up(&stack, "ann").await;
    assert_eq!(count(&db, "public.welcomed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_rows_that_sql_lists_and_ends() {
    let stack = Stack::launch(bare()).await.expect("it starts");
    let db = database(&stack.database_url()).await;
    let ann = sign_up(&stack, "ann").await;
    let refreshed = http()
        .post(format!("{}/auth/v1/token?grant_type=refresh_token", stack.url()))
        .header("apikey", stack.anon_key())
        .header("user-agent", "tidemark/1 (test)")
        .header("x-forwarded-for", "2001:db8::7, 10.0.0.1")
        .json(&json!({ "refresh_token": ann.text("refresh_token") }))
        .send()
        .await
        .expect("an answer");
    let body = refreshed.json().await.expect("JSON");
    let refreshed = Answer { status: 200, body };
    let row = db
        .query_one(
            "SELECT host(ip), user_agent, refreshed_at IS NOT NULL
               FROM auth.sessions WHERE user_id::text = $1",
            &[&ann.body["user"]["id"].as_str()],
        )
        .await
        .expect("one session");
    assert_eq!(row.get::<_, &str>(0), "2001:db8::7");
    assert_eq!(row.get::<_, &str>(1), "tidemark/1 (test)");
    assert!(row.get::<_, bool>(2));

    db.execute("DELETE FROM auth.sessions", &[]).await.expect("`postgres` may end sessions");
    let user = ask(&stack, "/auth/v1/user", Some(refreshed.text("access_token")), None).await;
    assert_eq!((user.status, user.code()), (403, "session_not_found"));
    let again = json!({ "refresh_token": refreshed.text("refresh_token") });
    let path = "/auth/v1/token?grant_type=refresh_token";
    assert_eq!(ask(&stack, path, None, Some(again)).await.code(), "refresh_token_not_found");
}

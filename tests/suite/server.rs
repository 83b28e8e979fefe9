//! The server's SQL (`migrations/server`) on a real PostgreSQL behind a real PostgREST.
//!
//! What can be said in SQL is said in `tests/server/*.sql` (pgTAP) and run from here; here stands what
//! needs more than one connection, or HTTP.

mod claims;
mod vectors;
mod wire;
mod writers;

use tidemark_tests::stack::Stack;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// A connection as `postgres`, whom row-level security does not hold back.
async fn connect(stack: &Stack) -> Client {
    let (client, connection) =
        tokio_postgres::connect(&stack.database_url(), NoTls).await.expect("the database answers");
    tokio::spawn(connection);
    client
}

/// A user with a session, made in SQL: nothing here is about signing up.
async fn sign_up(client: &Client) -> (Uuid, Uuid) {
    let (user, session) = (Uuid::now_v7(), Uuid::now_v7());
    client
        .execute(
            "INSERT INTO auth.users (instance_id, id, aud, role, email)
             VALUES ($1, $2, 'authenticated', 'authenticated', $3)",
            &[&Uuid::nil(), &user, &format!("{user}@example.org")],
        )
        .await
        .expect("a user");
    client
        .execute("INSERT INTO auth.sessions (id, user_id) VALUES ($1, $2)", &[&session, &user])
        .await
        .expect("a session");
    (user, session)
}

/// From now on the connection speaks as this user, as PostgREST would make it.
async fn become_user(client: &Client, user: Uuid, session: Uuid) {
    let claims = serde_json::json!({
        "sub": user, "session_id": session, "role": "authenticated"
    });
    client
        .execute("SELECT set_config('request.jwt.claims', $1, false)", &[&claims.to_string()])
        .await
        .expect("claims");
    client.batch_execute("SET ROLE authenticated").await.expect("a role");
}

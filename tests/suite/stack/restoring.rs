//! Backups: what a restored server has forgotten.

use serde_json::json;
use tidemark_tests::stack::{Options, Part, Stack};

use super::{Answer, ask, bare, count, database, sign_up, with_fixture};

async fn note(stack: &Stack, token: &str, body: &str) {
    let body = json!({ "body": body });
    let answer = ask(stack, "/rest/v1/conformance_notes", Some(token), Some(body)).await;
    assert_eq!(answer.status, 201);
}

async fn user(stack: &Stack, who: &Answer) -> u16 {
    ask(stack, "/auth/v1/user", Some(who.text("access_token")), None).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_forgets_rows_and_with_auth_also_people() {
    let stack = tokio::task::block_in_place(|| with_fixture(bare()));
    let db = database(&stack.superuser_url()).await;
    let ann = sign_up(&stack, "ann").await;
    note(&stack, ann.text("access_token"), "kept\twith a tab, \\. and 'quotes'\n").await;
    let dump = tokio::task::block_in_place(|| stack.dump()).expect("a dump");

    let bob = sign_up(&stack, "bob").await;
    note(&stack, bob.text("access_token"), "forgotten").await;
    tokio::task::block_in_place(|| stack.restore(&dump, Part::Data)).expect("restored");
    assert_eq!(count(&db, "public.conformance_notes").await, 1);
    assert_eq!((user(&stack, &ann).await, user(&stack, &bob).await), (200, 200));

    note(&stack, bob.text("access_token"), "forgotten again").await;
    tokio::task::block_in_place(|| stack.restore(&dump, Part::DataAndAuth)).expect("restored");
    assert_eq!(count(&db, "public.conformance_notes").await, 1);
    assert_eq!((user(&stack, &ann).await, user(&stack, &bob).await), (200, 403));
    let body: String = db
        .query_one("SELECT body FROM public.conformance_notes", &[])
        .await
        .expect("the note")
        .get(0);
    assert_eq!(body, "kept\twith a tab, \\. and 'quotes'\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_dump_changes_nothing() {
    let stack = tokio::task::block_in_place(|| with_fixture(bare()));
    let ann = sign_up(&stack, "ann").await;
    let dump = tokio::task::block_in_place(|| stack.dump()).expect("a dump");
    let cut = &dump[..dump.len() - dump.len() / 4];
    let broken = [cut, b"\nthis is no SQL;\n"].concat();
    tokio::task::block_in_place(|| {
        assert!(stack.restore(b"DROP TABLE x;", Part::DataAndAuth).is_err());
        assert!(stack.restore(&broken, Part::DataAndAuth).is_err());
    });
    assert_eq!(user(&stack, &ann).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_starts_from_a_dump_is_the_same_project() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let first = tokio::task::block_in_place(|| with_fixture(bare()));
    let ann = sign_up(&first, "ann").await;
    let dump = tokio::task::block_in_place(|| first.dump()).expect("a dump");
    std::fs::write(file.path(), dump).expect("written");
    let url = first.url();
    drop(first);
    // Its migrations would bring the tables; here the fixture's table has no rows to bring back.
    let options = Options { restore: Some(file.path().to_owned()), ..bare() };
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = super::conformance().join("fixture.sql");
    std::fs::copy(fixture, folder.path().join("0001.sql")).expect("copied");
    let options = Options { migrations: Some(folder.path().to_owned()), ..options };
    let second = Stack::launch(options).await.expect("it starts");
    assert_eq!(second.url(), url);
    assert_eq!(user(&second, &ann).await, 200);
}

//! The official clients, unmodified, in Node: what they find here is what they find elsewhere.
//!
//! `TIDEMARK_TEST_SUPABASE_URL`, `…_ANON_KEY` and `…_SERVICE_ROLE_KEY` name a real project that is
//! asked the same questions; with `TIDEMARK_TEST_DATABASE_URL` those about the database, too.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tidemark_tests::stack::{AuthOptions, Options, RefreshTokens, Stack};

use super::{bare, conformance, database, with_fixture};

/// Short, so that what happens after it can be waited for.
const REUSE: Duration = Duration::from_millis(1_000);

fn node(files: &[PathBuf]) -> Command {
    let mut node = Command::new("node");
    // They wait more than they work.
    node.args(["--test", "--test-concurrency=5"])
        .args(files)
        .current_dir(conformance())
        .stdin(Stdio::null());
    node
}

fn suite() -> Vec<PathBuf> {
    let folder = conformance().join("suite");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the suite is there")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "the suite is not whole: {files:?}");
    files
}

/// Runs them, and shows all they said where one fails.
fn passes(mut node: Command) {
    let packages = conformance().join("node_modules");
    assert!(packages.exists(), "run `npm ci` in {}", conformance().display());
    let output = node.output().expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed = said.lines().find_map(|line| line.strip_prefix("# pass "));
    let passed: u32 = passed.and_then(|count| count.parse().ok()).unwrap_or_default();
    assert!(passed > 0, "nothing was tested:\n{said}");
}

fn at(stack: &Stack, mut node: Command) -> Command {
    node.env("SUPABASE_URL", stack.url())
        .env("SUPABASE_ANON_KEY", stack.anon_key())
        .env("SUPABASE_SERVICE_ROLE_KEY", stack.service_role_key())
        .env("CONFORMANCE_REUSE_INTERVAL_MS", REUSE.as_millis().to_string())
        .env("CONFORMANCE_FIXTURE", "1");
    node
}

fn options(refresh_tokens: RefreshTokens) -> Options {
    let options = bare();
    let auth = AuthOptions { reuse_interval: REUSE, refresh_tokens, ..options.auth };
    Options { auth, ..options }
}

/// Hashes of one password, as other systems made them: bcrypt by its three names, and Argon2id.
async fn hashes(stack: &Stack) -> String {
    let db = database(&stack.superuser_url()).await;
    let sql = "SELECT extensions.crypt('correct horse', extensions.gen_salt('bf', 4))";
    let bcrypt: String = db.query_one(sql, &[]).await.expect("a hash").get(0);
    let argon2 = argon2id("battery staple");
    json!({ "correct horse": bcrypt.replacen("$2a$", "$2y$", 1), "battery staple": argon2 })
        .to_string()
}

fn argon2id(password: &str) -> String {
    use argon2::password_hash::{PasswordHasher, SaltString};
    let salt = SaltString::from_b64("c29tZSBzYWx0").expect("a salt");
    let params = argon2::Params::new(64, 2, 1, None).expect("parameters");
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password(password.as_bytes(), &salt).expect("a hash").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_clients_find_what_they_find_elsewhere() {
    let stack = tokio::task::block_in_place(|| with_fixture(options(RefreshTokens::V1)));
    let mut node = at(&stack, node(&suite()));
    node.env("CONFORMANCE_HASHES", hashes(&stack).await);
    tokio::task::block_in_place(|| passes(node));
}

#[test]
fn they_find_the_same_with_the_second_form_of_refresh_tokens() {
    let stack = with_fixture(options(RefreshTokens::V2));
    passes(at(&stack, node(&[conformance().join("suite/refresh.test.mjs")])));
}

#[test]
fn they_ask_the_same_of_any_project_that_is_named() {
    let named = |name: &str| std::env::var(format!("TIDEMARK_TEST_{name}")).ok();
    let Some(url) = named("SUPABASE_URL") else { return };
    let mut node = node(&suite());
    node.env("SUPABASE_URL", url);
    for key in ["SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"] {
        node.env(key, named(key).unwrap_or_else(|| panic!("TIDEMARK_TEST_{key} is not set")));
    }
    if let Some(database) = named("DATABASE_URL") {
        apply(&database, &conformance().join("fixture.sql"));
        node.env("CONFORMANCE_FIXTURE", "1");
    }
    passes(node);
}

fn apply(database: &str, file: &Path) {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"]).arg(file);
    assert!(psql.status().expect("psql starts").success(), "the fixture could not be applied");
}

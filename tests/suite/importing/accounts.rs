//! An organisation moves: everybody's part into their own account, against a Supabase on this machine.

use serde_json::Value;
use tidemark_tests::model_server::Script;
use tidemark_tests::stack::{Options, Stack};

use super::fixture;
use crate::cli::{Terminal, failure};

const MAP: &str = "old name,address\nmarie_c,Marie@example.com\ntester_01,tester@example.com\nИван Ω,ivan@example.com\n";
const PASSWORD: &str = "correct horse battery ";

struct Office {
    stack: Stack,
    terminal: Terminal,
}

impl Office {
    fn new(map: &str) -> Self {
        let (stack, terminal) =
            (Stack::start(Options::quick()).expect("a stack"), Terminal::new(Script::default()));
        std::fs::write(terminal.desk.folder.path().join("map.csv"), map).expect("written");
        Self { stack, terminal }
    }

    fn moves(&self, more: &[&str]) -> (Option<i32>, Value) {
        let mut command = self.terminal.command();
        command.env("TIDEMARK_SERVICE_ROLE_KEY", self.stack.service_role_key());
        command.args(["--json", "import", "run"]).arg(fixture("pharmgpt-v4"));
        command
            .arg("--all-users")
            .arg("--accounts")
            .arg(self.terminal.desk.folder.path().join("map.csv"));
        let output =
            command.args(["--url", &self.stack.url()]).args(more).output().expect("it starts");
        let document = serde_json::from_slice(&output.stdout);
        (output.status.code(), document.unwrap_or_else(|_| panic!("{output:?}")))
    }

    /// What somebody has on a computer of their own, once they have chosen a password.
    fn holds(&self, email: &str) -> Value {
        let device = Terminal::new(Script::default());
        let mut asks = device.command();
        asks.env("TIDEMARK_PASSWORD", PASSWORD).args(["--json", "account", "sign-in"]);
        asks.args([
            "--url",
            &self.stack.url(),
            "--anon-key",
            self.stack.anon_key(),
            "--email",
            email,
        ]);
        let output = asks.output().expect("it starts");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        device.json(&["sync"]);
        device.json(&["export"])["conversations"].take()
    }

    /// As the owner would by “forgot password”.
    fn has_a_password(&self, email: &str) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&self.stack.superuser_url(), tokio_postgres::NoTls)
                    .await
                    .expect("connected");
            tokio::spawn(connection);
            let done = client
                .execute(
                    "UPDATE auth.users SET encrypted_password = extensions.crypt($1, extensions.gen_salt('bf', 4)) WHERE email = $2",
                    &[&PASSWORD, &email],
                )
                .await
                .expect("set");
            assert_eq!(done, 1, "{email}");
        });
    }
}

#[test]
fn everybodys_chats_are_in_their_own_account_once_however_often_it_is_run() {
    let office = Office::new(MAP);
    let (status, moved) = office.moves(&[]);
    assert_eq!((status, &moved["verified"]), (Some(0), &true.into()), "{moved}");
    let found: Vec<_> = moved["people"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["found"]["messages"].as_u64())
        .collect();
    assert_eq!(found.iter().flatten().sum::<u64>(), 2054, "{moved}");
    office.has_a_password("marie@example.com");
    let maries = office.holds("marie@example.com");
    let list = maries.as_array().expect("a list");
    assert_eq!(list.len(), 3, "three chats, and nobody else's");
    for one in list {
        let origin = &one["origin"];
        assert_eq!(origin["ids"]["user"], "marie_c", "{origin}");
    }
    let (status, again) = office.moves(&[]);
    assert_eq!(status, Some(0), "{again}");
    assert!(again["people"].as_array().expect("a list").iter().all(|one| one["made"] == false));
    assert_eq!(office.holds("marie@example.com"), maries);
}

#[test]
fn what_the_map_does_not_say_is_reported_and_nothing_of_it_moved() {
    let office = Office::new(
        "marie_c,marie@example.com\nmarie_c,other@example.com\ntester_01,t@example.com\n",
    );
    let (status, moved) = office.moves(&[]);
    assert_eq!(status, Some(1), "{moved}");
    let unmapped = moved["unmapped"].as_array().expect("a list");
    assert_eq!(unmapped.len(), 2, "{moved}");
    assert_eq!(moved["people"].as_array().map(Vec::len), Some(1));
    assert_eq!(moved["conflicts"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_rollback_deletes_what_was_moved_and_leaves_the_accounts() {
    let office = Office::new("marie_c,marie@example.com\n");
    office.moves(&[]);
    office.has_a_password("marie@example.com");
    assert_eq!(office.holds("marie@example.com").as_array().map(Vec::len), Some(3));
    let (_, back) = office.moves(&["--rollback"]);
    assert_eq!(back["people"].as_array().map(Vec::len), Some(1), "{back}");
    assert_eq!(office.holds("marie@example.com").as_array().map(Vec::len), Some(0));
}

#[test]
fn a_key_of_a_client_is_refused_and_the_service_key_is_kept_nowhere() {
    let office = Office::new(MAP);
    let mut command = office.terminal.command();
    command.env("TIDEMARK_SERVICE_ROLE_KEY", office.stack.anon_key()).args(["import", "run"]);
    command.arg(fixture("pharmgpt-v4")).arg("--all-users").arg("--accounts");
    command
        .arg(office.terminal.desk.folder.path().join("map.csv"))
        .args(["--url", &office.stack.url()]);
    let refused = failure(&command.output().expect("it starts"));
    assert!(refused.message.contains("others' behalf"), "{refused:?}");
    office.moves(&[]);
    let key = office.stack.service_role_key().as_bytes();
    for entry in walk(office.terminal.desk.folder.path()) {
        let bytes = std::fs::read(&entry).expect("readable");
        assert!(!bytes.windows(key.len()).any(|window| window == key), "{}", entry.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let (mut open, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("readable").flatten() {
            match entry.file_type().expect("readable").is_dir() {
                true => open.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files
}

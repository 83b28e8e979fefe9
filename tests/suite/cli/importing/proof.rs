use super::*;
use std::process::Output;
use tidemark_core::api::Proven;
use tidemark_core::providers::secret::Secret;

/// Names and passwords, as the fixture's truth has them.
fn people() -> Vec<(String, String)> {
    let truth = std::fs::read(fixture("pharmgpt-v4/truth.json")).expect("a truth");
    let truth: Value = serde_json::from_slice(&truth).expect("JSON");
    let of = |user: &Value, key: &str| user[key].as_str().expect(key).to_owned();
    let users = truth["users"].as_array().expect("users");
    users.iter().map(|user| (of(user, "username"), of(user, "password"))).collect()
}

fn run(terminal: &Terminal, user: &str, typed: &str) -> Output {
    let path = fixture("pharmgpt-v4");
    let arguments = ["--json", "import", "run", text(&path), "--user", user, "--prove"];
    terminal.with_input(&arguments, typed.as_bytes())
}

#[test]
fn the_old_password_of_each_person_brings_their_chats_and_the_report_says_so() {
    for (name, password) in people() {
        let terminal = terminal();
        let output = run(&terminal, &name, &format!("{password}\n"));
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let share = &report["people"][0];
        assert_eq!((&share["name"], &share["protected"]), (&json!(name), &json!(true)));
        assert_eq!((&share["proven"], &report["verified"]), (&json!(true), &json!(true)));
        // It stays so in what is kept, and the password is in none of it.
        let kept = terminal.json(&["import", "report", report["id"].as_str().expect("an id")]);
        assert_eq!(kept, report);
        assert!(!kept.to_string().contains(&password));
    }
}

#[test]
fn a_password_that_differs_brings_nothing_and_is_not_repeated() {
    let people = people();
    let (name, password) = &people[1];
    let wrong = [password.to_uppercase(), format!("{password} "), people[0].1.clone()];
    for wrong in wrong {
        let terminal = terminal();
        let output = run(&terminal, name, &format!("{wrong}\n"));
        let failure = super::super::failure(&output);
        assert!(failure.message.contains(name.as_str()), "{failure}");
        assert!(!format!("{failure:?}").contains(&wrong));
        assert_eq!(terminal.json(&["conversations"]), json!([]));
        assert_eq!(terminal.json(&["import", "list"]), json!([]));
    }
}

/// The control: nobody is asked who is not to be asked, and then nothing is proven.
#[test]
fn without_prove_nobody_is_asked_and_nothing_is_proven() {
    let (terminal, path) = (terminal(), fixture("pharmgpt-v4"));
    let report = terminal.json(&["import", "run", text(&path), "--user", "tester_01"]);
    let share = &report["people"][0];
    assert_eq!((&share["protected"], &share["proven"]), (&json!(true), &json!(false)));
}

#[test]
fn a_folder_of_nobody_cannot_be_proven() {
    let folder = installation(&[("bob", "id-1")], &["0fa1"]);
    let (terminal, path) = (terminal(), text(folder.path()));
    for user in ["bob", "0fa1"] {
        let arguments = ["--json", "import", "run", path, "--user", user, "--prove"];
        let failure = super::super::failure(&terminal.with_input(&arguments, b"anything\n"));
        assert!(failure.message.contains("no password"), "{failure}");
    }
    let plan = terminal.json(&["import", "plan", path]);
    assert_eq!(plan["people"][0]["proven"], json!(null));
}

#[test]
fn each_wrong_password_makes_the_next_one_wait_longer() {
    let (terminal, path) = (terminal(), fixture("pharmgpt-v4"));
    let process = terminal.desk.process();
    let (name, password) = people().remove(1);
    let prove = |typed: &str| process.core.import_prove(text(&path), &name, &Secret::exact(typed));
    let took = |typed: &str, expected: Proven| {
        let began = std::time::Instant::now();
        assert_eq!(prove(typed).expect("an answer"), expected);
        began.elapsed()
    };
    let right = took(&password, Proven::Matches);
    let (first, second) = (took("one", Proven::Differs), took("two", Proven::Differs));
    let (quarter, half) =
        (std::time::Duration::from_millis(250), std::time::Duration::from_millis(500));
    assert!(first >= quarter && second >= half, "{right:?}, {first:?}, {second:?}");
    assert_eq!(prove(&password).expect("an answer"), Proven::Matches);
}

use super::*;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

#[test]
fn each_change_of_a_program_in_use_is_a_line_of_json_and_it_ends_when_it_is_told_to() {
    let folder = installation(&[("bob", "id-1")], &[]);
    let (terminal, path) = (terminal(), text(folder.path()));
    terminal.json(&["import", "run", path]);
    let mut command = terminal.command();
    command.args(["--json", "import", "watch", path]).stdout(Stdio::piped());
    let mut watching = command.spawn().expect("it starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("piped")).lines();
    // It has to be up; a change before that would be told as well, as one of the time before.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let chats = folder.path().join("user_data/conversations_id-1/conversations.json");
    let mut all: Value =
        serde_json::from_slice(&std::fs::read(&chats).expect("read")).expect("JSON");
    all["c-2"] = all["c-1"].clone();
    write(&chats, &all);
    let line = lines.next().expect("a line").expect("text");
    let news: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        (&news["source"], &news["conversations"], &news["messages"]),
        (&json!("pharmgpt"), &json!(1), &json!(2))
    );
    watching.kill().expect("killed");
    watching.wait().expect("it ends");
}

//! Devices as a script sees them: two data folders, `tidemarkctl` over each, and a Supabase on this
//! machine. Nothing here knows how sync works; it writes, syncs, kills, restores, and reads again.

mod bad_days;
mod clocks;
mod damage;
mod deaths;
mod meeting;
mod restored;
mod taking_over;
mod weather;

use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tidemark_core::Failure;
use tidemark_tests::model_server::Script;
use tidemark_tests::stack::{Options, Stack};

use crate::cli::{Terminal, failure};

const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct horse battery ";

fn stack() -> Stack {
    Stack::start(Options::quick()).expect("a stack")
}

/// A data folder on a computer of its own, as far as anybody can tell.
struct Device(Terminal);

impl Device {
    fn new() -> Self {
        Self(Terminal::new(Script::default()))
    }

    /// Ann's first device: her account is made on it.
    fn first(stack: &Stack) -> Self {
        let device = Self::new();
        device.enters("sign-up", stack);
        device
    }

    /// Another device of hers.
    fn another(stack: &Stack) -> Self {
        let device = Self::new();
        device.enters("sign-in", stack);
        device
    }

    fn enters(&self, verb: &str, stack: &Stack) -> Value {
        let mut command = self.0.command();
        command.env("TIDEMARK_PASSWORD", PASSWORD).arg("--json").args(["account", verb]);
        command.args(["--url", &stack.url(), "--anon-key", stack.anon_key(), "--email", ANN]);
        document(&command.output().expect("it starts"))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.0.json(arguments)
    }

    /// Stores a message; says in which conversation.
    fn says(&self, conversation: &str, text: &str) -> String {
        let message = self.json(&["say", conversation, text]);
        message["conversation_id"].as_str().expect("an id").to_owned()
    }

    /// The same where another process may be writing.
    fn could_say(&self, conversation: &str, text: &str) -> bool {
        let say = self.0.command().args(["say", conversation, text]).output();
        say.expect("it starts").status.success()
    }

    /// Syncs until nothing is left to do.
    fn syncs(&self) -> Value {
        let run = self.json(&["sync"]);
        assert_eq!((&run["pending"], &run["parked"]), (&0.into(), &0.into()), "{run}");
        run
    }

    fn cannot_sync(&self) -> Failure {
        failure(&self.0.command().arg("--json").arg("sync").output().expect("it starts"))
    }

    /// The texts of a conversation's messages, oldest first.
    fn texts(&self, conversation: &str) -> Vec<String> {
        let messages = self.json(&["messages", conversation]);
        let texts = messages.as_array().expect("a list").iter();
        texts.map(|message| message["content"].as_str().expect("text").to_owned()).collect()
    }

    fn title(&self, conversation: &str) -> String {
        let list = self.json(&["conversations"]);
        let found = list.as_array().expect("a list").iter().find(|one| one["id"] == conversation);
        found.expect("it is there")["title"].as_str().expect("text").to_owned()
    }

    /// Everything that a person wrote, without what is this device's own.
    fn holds(&self) -> Value {
        let mut all = self.json(&["export"]);
        let conversations = all["conversations"].as_array_mut().expect("a list");
        conversations.sort_by_key(|one| one["id"].to_string());
        for one in conversations.iter_mut() {
            // Which branch is shown.
            one.as_object_mut().expect("an object").remove("shown");
            one["messages"]
                .as_array_mut()
                .expect("a list")
                .sort_by_key(|one| one["id"].to_string());
        }
        all["conversations"].take()
    }

    /// Both sides have the same digests.
    fn agrees_with_the_server(&self) {
        let report = self.json(&["doctor", "--server"]);
        assert_eq!(report["server"]["ok"], true, "{report}");
    }
}

fn document(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

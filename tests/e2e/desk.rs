//! Two windows on two data folders, as on two computers, and the project between them.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tidemark_tests::stack::{Options, Stack};

use crate::app::App;

/// Whose account it is.
pub(crate) const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct horse battery staple";

/// What a change may take to be seen in the other window: a machine that builds meanwhile is slow.
pub(crate) const HEARD: Duration = Duration::from_secs(30);

/// A project of its own, which ends with this value.
pub(crate) fn project() -> anyhow::Result<Stack> {
    Stack::start(Options::quick())
        .context("no stack: `npm ci` in tests/conformance brings PostgREST")
}

/// Runs SQL in the project's database, as its owner does.
pub(crate) fn sql(stack: &Stack, statement: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("statement.sql");
    std::fs::write(&file, statement)?;
    stack.apply(&[file])
}

impl App {
    /// A second window in a home of its own, on the same stage, past its first run.
    pub(crate) fn beside(&self) -> anyhow::Result<Self> {
        let mut other = Self::new(&self.stage)?;
        other.open_ready()?;
        Ok(other)
    }

    /// Makes Ann's account through the form, as a person does.
    pub(crate) fn signs_up(&self, stack: &Stack) -> anyhow::Result<()> {
        self.visit("Account")?;
        self.click("radio", "Create an account")?;
        self.enters(stack)?;
        self.click("button", "Create the account")?;
        self.signed_in()
    }

    /// Signs in where the project is known already, and has what is here go up.
    pub(crate) fn signs_in_again(&self) -> anyhow::Result<()> {
        self.visit("Account")?;
        self.type_into("textbox", "E-mail address", ANN)?;
        self.type_into("textbox", "Password", PASSWORD)?;
        self.click("checkbox", "Yes, bring both together")?;
        self.click("button", "Sign in")?;
        self.signed_in()
    }

    /// Signs out, and keeps what is here.
    pub(crate) fn signs_out(&self) -> anyhow::Result<()> {
        self.visit("Account")?;
        self.click("button", "Sign out…")?;
        self.dialog_opens()?;
        self.click("button", "Sign out")?;
        self.dialog_closes()?;
        self.foot_says("Local only")
    }

    /// Signs in to Ann's account through the form.
    pub(crate) fn signs_in(&self, stack: &Stack) -> anyhow::Result<()> {
        self.visit("Account")?;
        self.enters(stack)?;
        self.click("button", "Sign in")?;
        self.signed_in()
    }

    fn enters(&self, stack: &Stack) -> anyhow::Result<()> {
        self.type_into("textbox", "Project address", &stack.url())?;
        self.type_into("textbox", "Anon or publishable key", stack.anon_key())?;
        self.type_into("textbox", "E-mail address", ANN)?;
        self.type_into("textbox", "Password", PASSWORD)
    }

    fn signed_in(&self) -> anyhow::Result<()> {
        self.by_role("button", "Sign out…")?;
        self.rests()
    }

    /// Opens a page of the settings.
    pub(crate) fn visit(&self, page: &str) -> anyhow::Result<()> {
        self.press("Control+,")?;
        self.click("button", page)?;
        self.by_role("heading", page).map(drop)
    }

    /// Waits until the foot says this.
    pub(crate) fn foot_says(&self, words: &str) -> anyhow::Result<()> {
        let name = format!("Sync: {words}");
        self.until_within(HEARD, &format!("the foot to say {words:?}"), || {
            Ok(!self.all_with("button", &name)?.is_empty())
        })
    }

    /// Waits until all is up to date.
    pub(crate) fn rests(&self) -> anyhow::Result<()> {
        self.foot_says("Up to date")
    }

    /// Waits until a chat is listed in the sidebar; opens it.
    pub(crate) fn opens_chat(&self, title: &str) -> anyhow::Result<()> {
        self.until_within(HEARD, &format!("the chat {title:?} to be listed"), || {
            Ok(!self.all_with("link", title)?.is_empty())
        })?;
        self.click_with("link", title)
    }

    /// Gives a chat another title.
    pub(crate) fn retitles(&self, id: &str, title: &str) -> anyhow::Result<Value> {
        self.invoke("rename", json!({ "id": id, "title": title }))
    }

    /// Waits until this holds of the sync status, as the core tells it.
    pub(crate) fn syncs_until(
        &self,
        what: &str,
        so: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<()> {
        self.until_within(HEARD, what, || Ok(so(&self.invoke("sync_status", json!({}))?)))
    }

    /// No complaint is left in the console of a window that the runner does not look at.
    pub(crate) fn is_content(&self) -> anyhow::Result<()> {
        let complaints = self.complaints()?;
        ensure!(complaints.is_empty(), "the other page complained: {complaints:?}");
        Ok(())
    }
}

//! What a person does with a chat, in the words of the specs, and what specs arrange through the
//! app's own commands because they are not about it.

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::app::App;
use crate::page::ANSWER;

impl App {
    /// Opens the app with first run behind it: what most specs are not about.
    pub(crate) fn open_ready(&mut self) -> anyhow::Result<()> {
        self.open()?;
        self.past_first_run()
    }

    /// Leaves first run behind, where it is shown.
    pub(crate) fn past_first_run(&mut self) -> anyhow::Result<()> {
        let state = self.invoke("app_state", json!({}))?;
        match state["at"].as_str() {
            Some("ready") if state["first_run_done"] == json!(true) => {}
            Some("ready") => {
                self.invoke("finish_first_run", json!({}))?;
                self.reload()?;
            }
            _ => bail!("the app is not ready: {state}"),
        }
        self.by_role("textbox", "Message").map(drop)
    }

    /// Loads the page again, as after a change that was made behind its back.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        self.js("window.__before = true; location.reload()")?;
        let fresh = "return !window.__before && document.readyState === 'complete'";
        self.until("the page to be loaded again", || Ok(self.js(fresh)? == json!(true)))?;
        self.watch_console()
    }

    /// Types a question and sends it.
    pub(crate) fn ask(&self, question: &str) -> anyhow::Result<()> {
        self.type_into("textbox", "Message", question)?;
        self.click("button", "Send")
    }

    /// Waits until the thread shows this text.
    pub(crate) fn thread_shows(&self, text: &str) -> anyhow::Result<()> {
        self.until(&format!("the thread to show {text:?}"), || Ok(self.thread()?.contains(text)))
    }

    /// What the thread says.
    pub(crate) fn thread(&self) -> anyhow::Result<String> {
        self.text_of("log", "Conversation")
    }

    /// Waits until the newest answer has come to its end; returns it.
    pub(crate) fn answered(&self) -> anyhow::Result<Value> {
        let mut answer = Value::Null;
        self.until_within(ANSWER, "the answer to be complete", || {
            answer = self.last_message()?;
            // An answer that reached the limit of tokens counts as stopped: it can be continued.
            let ended = answer["state"] == "done" || answer["state"] == "stopped";
            let shown = self.all("button", "Stop")?.is_empty();
            Ok(answer["role"] == "assistant" && ended && shown)
        })?;
        Ok(answer)
    }

    /// Conversations of a shelf, as the core tells them.
    pub(crate) fn conversations(&self, shelf: &str) -> anyhow::Result<Vec<Value>> {
        let all = self.invoke("conversations", json!({ "shelf": shelf }))?;
        all.as_array().cloned().context("conversations are a list")
    }

    /// The end of the shown branch of the conversation that was active last.
    pub(crate) fn messages(&self) -> anyhow::Result<Vec<Value>> {
        let all = self.conversations("active")?;
        let latest = all.iter().max_by_key(|one| one["active_at"].as_str());
        let Some(conversation) = latest else { return Ok(Vec::new()) };
        let wanted = json!({ "conversation_id": conversation["id"], "limit": 50, "before": null, "around": null });
        let page = self.invoke("thread", wanted)?;
        page["messages"].as_array().cloned().context("a thread has messages")
    }

    /// The last of them.
    pub(crate) fn last_message(&self) -> anyhow::Result<Value> {
        Ok(self.messages()?.pop().unwrap_or_default())
    }

    /// Writes a message for which no answer is asked; returns its conversation's id.
    pub(crate) fn say(&self, conversation: Option<&str>, text: &str) -> anyhow::Result<String> {
        let request = json!({ "conversation_id": conversation, "parent_id": null, "content": text, "model": null });
        let said = self.invoke("say", json!({ "request": request }))?;
        Ok(said["conversation_id"].as_str().context("what was said is somewhere")?.to_owned())
    }

    /// Changes a setting.
    pub(crate) fn set(&self, key: &str, value: Value) -> anyhow::Result<()> {
        self.invoke("set_setting", json!({ "key": key, "value": value })).map(drop)
    }

    /// Adds an OpenAI-compatible provider at this address and makes its one model the default.
    pub(crate) fn use_provider(&self, base_url: &str) -> anyhow::Result<()> {
        let model = json!({ "id": "test-model", "name": "Test model", "context_tokens": 8192, "price_in_micros": null, "price_out_micros": null });
        let config = json!({ "id": "lab", "kind": "openai", "name": "Lab", "base_url": base_url, "ca_file": null, "models": [model] });
        self.invoke("save_provider", json!({ "config": config }))?;
        self.invoke("set_default_model", json!({ "model": "lab/test-model" })).map(drop)
    }
}

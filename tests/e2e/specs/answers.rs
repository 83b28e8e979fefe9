//! Asking and being answered: by the model on this computer, by a server that can be slow or gone.

use anyhow::ensure;
use serde_json::json;
use tidemark_tests::model_server::{ModelServer, Reply, Script};

use crate::app::App;

crate::specs![
    a_question_is_answered_on_this_computer_and_is_there_after_a_restart,
    what_is_typed_and_not_sent_is_there_after_a_restart,
    stopping_keeps_what_came,
    an_answer_that_a_kill_cut_off_is_there_as_interrupted,
    a_question_asked_while_the_server_is_down_waits_and_goes_out_by_itself,
    a_question_that_waits_survives_a_restart,
];

const ANSWER: &str = "Slack water comes between the tides and does not last long.";

fn a_question_is_answered_on_this_computer_and_is_there_after_a_restart(
    app: &mut App,
) -> anyhow::Result<()> {
    app.open_ready()?;
    app.set("max_answer_tokens", json!(60))?;
    let question = "What is the capital of France?";
    app.ask(question)?;
    let answer = app.answered()?;
    ensure!(answer["model"].as_str().is_some_and(|model| model.starts_with("local/")), "{answer}");
    ensure!(answer["tokens_out"].as_i64() > Some(0), "the tokens were counted: {answer}");
    let said = known_by(answer["content"].as_str().unwrap_or_default(), question);
    ensure!(!said.is_empty(), "the model said something");
    app.thread_shows(&said)?;

    app.restart()?;
    app.click_with("link", "What is the capital of France")?;
    app.thread_shows(question)?;
    app.thread_shows(&said)
}

fn what_is_typed_and_not_sent_is_there_after_a_restart(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    app.type_into("textbox", "Message", "half a thought")?;
    app.until("the draft to be stored", || {
        Ok(app.invoke("draft", json!({ "conversation_id": null }))? == "half a thought")
    })?;
    app.kill9()?;
    app.open()?;
    app.until(
        "the draft to be back",
        || Ok(app.value_of("textbox", "Message")? == "half a thought"),
    )
}

fn stopping_keeps_what_came(app: &mut App) -> anyhow::Result<()> {
    let server = slow_server();
    app.open_ready()?;
    app.use_provider(&server.url())?;
    app.ask("When is slack water?")?;
    app.thread_shows("Slack water comes")?;
    app.click("button", "Stop")?;
    app.until("the answer to be stopped", || Ok(app.last_message()?["state"] == "stopped"))?;
    app.by_role("button", "Send")?;
    let kept = app.last_message()?["content"].as_str().unwrap_or_default().to_owned();
    ensure!(kept.starts_with("Slack water comes"), "what came is kept: {kept:?}");
    ensure!(kept.len() < slow_answer().len(), "it was stopped before its end");
    app.thread_shows("Stopped")
}

fn an_answer_that_a_kill_cut_off_is_there_as_interrupted(app: &mut App) -> anyhow::Result<()> {
    let server = slow_server();
    app.open_ready()?;
    app.use_provider(&server.url())?;
    app.ask("When is slack water?")?;
    app.thread_shows("Slack water comes")?;
    // Tokens are stored a few times a second.
    app.until("what came to be stored", || {
        let stored = app.last_message()?["content"].as_str().unwrap_or_default().to_owned();
        Ok(stored.contains("Slack water comes"))
    })?;
    app.kill9()?;

    app.open()?;
    app.click_with("link", "When is slack water")?;
    app.thread_shows("Slack water comes")?;
    let cut = app.last_message()?;
    ensure!(cut["state"] == "interrupted", "{cut}");
    server.script(Script::always(Reply::answer("And here it goes on.")));
    app.click("button", "Continue")?;
    app.thread_shows("And here it goes on.")
}

fn a_question_asked_while_the_server_is_down_waits_and_goes_out_by_itself(
    app: &mut App,
) -> anyhow::Result<()> {
    let server = ModelServer::start(Script::always(Reply::answer(ANSWER)));
    app.open_ready()?;
    app.use_provider(&server.url())?;
    server.down();
    app.ask("When is slack water?")?;
    app.thread_shows("Waiting for a connection")?;
    ensure!(
        app.value_of("textbox", "Message")?.is_empty(),
        "it was stored, so it left the composer"
    );
    server.up();
    app.thread_shows(ANSWER)?;
    ensure!(server.requests().iter().filter(|asked| asked.method == "POST").count() == 1);
    Ok(())
}

fn a_question_that_waits_survives_a_restart(app: &mut App) -> anyhow::Result<()> {
    let server = ModelServer::start(Script::always(Reply::answer(ANSWER)));
    app.open_ready()?;
    app.use_provider(&server.url())?;
    server.down();
    app.ask("When is slack water?")?;
    app.thread_shows("Waiting for a connection")?;
    app.kill9()?;
    app.open()?;
    app.click_with("link", "When is slack water")?;
    app.thread_shows("Waiting for a connection")?;
    server.up();
    app.thread_shows(ANSWER)
}

/// Four words a second: slow enough to be met in the middle.
fn slow_answer() -> String {
    ANSWER.to_owned() + &" And so on, for quite a while.".repeat(20)
}

fn slow_server() -> ModelServer {
    ModelServer::start(Script::always(Reply::Answer {
        text: slow_answer(),
        words_per_second: Some(4.0),
        finish: None,
    }))
}

/// Enough of an answer to know it again: words without Markdown between two signs, preferably such as
/// the question did not have. The model may begin with `Paris, France`.
fn known_by(answer: &str, question: &str) -> String {
    let pieces = answer.split(|c: char| !(c.is_alphanumeric() || c == ' '));
    let three = |piece: &str| piece.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    // The window joins numbers to their units with another kind of blank.
    let wordy = pieces.filter(|piece| !piece.contains(|c: char| c.is_numeric()));
    let longest = wordy.map(three).max_by_key(|words| (!question.contains(words), words.len()));
    longest.unwrap_or_default()
}

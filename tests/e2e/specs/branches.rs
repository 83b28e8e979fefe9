//! Asking again, editing, walking between the branches, taking it back.

use anyhow::ensure;
use tidemark_tests::model_server::{ModelServer, Reply, Script};

use crate::app::App;

crate::specs![
    asking_again_makes_a_second_answer_and_the_arrow_keys_walk_between_them,
    an_edited_question_is_a_branch_of_its_own,
    a_chat_moved_to_the_trash_comes_back_through_its_toast_and_with_control_z,
    asking_again_can_be_taken_back,
];

/// Answers "The first answer.", then "The second answer.".
fn server() -> ModelServer {
    let first = Reply::answer("The first answer.");
    ModelServer::start(Script::in_turn([first], Reply::answer("The second answer.")))
}

fn asking_again_makes_a_second_answer_and_the_arrow_keys_walk_between_them(
    app: &mut App,
) -> anyhow::Result<()> {
    let server = server();
    asked_twice(app, &server)?;
    app.press("Alt+ArrowLeft")?;
    app.thread_shows("The first answer.")?;
    ensure!(!app.thread()?.contains("The second answer."), "one branch is shown at a time");
    app.press("Alt+ArrowRight")?;
    app.thread_shows("The second answer.")
}

fn an_edited_question_is_a_branch_of_its_own(app: &mut App) -> anyhow::Result<()> {
    let server = server();
    app.open_ready()?;
    app.use_provider(&server.url())?;
    app.ask("The first question")?;
    app.thread_shows("The first answer.")?;
    app.click("textbox", "Message")?;
    app.press("ArrowUp")?;
    app.until("the question to be edited", || {
        let focused = app.js("return document.activeElement.value ?? ''")?;
        Ok(focused == "The first question")
    })?;
    app.press("Control+a")?;
    app.type_keys("Another question")?;
    // Enter makes a new line here, whatever it does in the composer.
    app.press("Control+Enter")?;
    app.thread_shows("The second answer.")?;
    app.thread_shows("Another question")?;
    ensure!(!app.thread()?.contains("The first question"), "the other branch is hidden");
    let shown = app.messages()?;
    ensure!(shown.len() == 2 && shown[0]["siblings"]["count"] == 2, "{shown:?}");
    Ok(())
}

fn a_chat_moved_to_the_trash_comes_back_through_its_toast_and_with_control_z(
    app: &mut App,
) -> anyhow::Result<()> {
    app.open_ready()?;
    app.say(None, "Keep this one")?;
    for take_back in [|app: &App| app.click("button", "Undo"), |app: &App| app.press("Control+z")] {
        app.click("button", "More for Keep this one")?;
        app.click("menuitem", "Move to trash")?;
        app.until("the chat to leave the list", || Ok(listed(app)? == 0))?;
        take_back(app)?;
        app.until("the chat to be back", || Ok(listed(app)? == 1))?;
        ensure!(app.conversations("trash")?.is_empty(), "and it left the trash");
    }
    Ok(())
}

fn listed(app: &App) -> anyhow::Result<usize> {
    Ok(app.all_with("link", "Keep this one")?.len())
}

fn asking_again_can_be_taken_back(app: &mut App) -> anyhow::Result<()> {
    let server = server();
    asked_twice(app, &server)?;
    app.press("Control+z")?;
    app.thread_shows("The first answer.")?;
    ensure!(app.last_message()?["siblings"]["count"] == 1, "the second answer is gone");
    Ok(())
}

fn asked_twice(app: &mut App, server: &ModelServer) -> anyhow::Result<()> {
    app.open_ready()?;
    app.use_provider(&server.url())?;
    app.ask("A question")?;
    app.thread_shows("The first answer.")?;
    app.answered()?;
    app.press("Control+Shift+r")?;
    app.thread_shows("The second answer.")?;
    app.answered().map(drop)
}

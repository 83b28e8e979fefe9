//! The first start, a second window, and a mirror that cannot be opened.

use std::fs;

use anyhow::ensure;
use serde_json::json;

use crate::app::App;

crate::specs![
    the_first_start_tells_where_the_data_lives_and_ends_at_the_composer,
    a_second_window_hands_over_to_the_first,
    a_wrong_key_is_said_and_the_file_stays_as_it_is,
];

fn the_first_start_tells_where_the_data_lives_and_ends_at_the_composer(
    app: &mut App,
) -> anyhow::Result<()> {
    app.open()?;
    app.shows(&app.data_dir().to_string_lossy())?;
    for step in ["Set up", "I wrote it down", "Next", "Next", "Next", "Start"] {
        app.click("button", step)?;
    }
    app.by_role("textbox", "Message")?;
    ensure!(app.invoke("app_state", json!({}))?["first_run_done"] == json!(true));
    app.restart()?;
    app.by_role("textbox", "Message").map(drop)
}

fn a_second_window_hands_over_to_the_first(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    let status = app.start_another()?;
    ensure!(status.success(), "the second one ends in peace: {status}");
    app.by_role("textbox", "Message").map(drop)
}

fn a_wrong_key_is_said_and_the_file_stays_as_it_is(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    app.say(None, "Behind the right key")?;
    app.close()?;
    let right = fs::read(app.key_file())?;
    let before = app.mirror_files()?;
    fs::write(app.key_file(), [7; 48])?;
    app.open()?;
    ensure!(app.invoke("app_state", json!({}))?["at"] != "ready", "a wrong key opens nothing");
    app.screenshot("wrong-key")?;
    app.close()?;
    ensure!(app.mirror_files()? == before, "the mirror was touched");

    fs::write(app.key_file(), right)?;
    app.open()?;
    app.until("the chat to be listed", || {
        Ok(!app.all_with("link", "Behind the right key")?.is_empty())
    })
}

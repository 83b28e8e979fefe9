//! Everything without a mouse.

use anyhow::ensure;
use tidemark_tests::model_server::{ModelServer, Reply, Script};

use crate::app::App;

crate::specs![
    a_chat_is_begun_asked_found_and_left_with_the_keyboard_alone,
    every_region_is_reached_with_f6_and_the_focus_is_seen,
];

fn a_chat_is_begun_asked_found_and_left_with_the_keyboard_alone(
    app: &mut App,
) -> anyhow::Result<()> {
    let server = ModelServer::start(Script::always(Reply::answer("Read by nobody's mouse.")));
    app.open_ready()?;
    app.use_provider(&server.url())?;
    app.press("Control+n")?;
    app.press("Control+l")?;
    app.type_keys("Typed by hand")?;
    app.press("Enter")?;
    app.thread_shows("Read by nobody's mouse.")?;
    app.press("Control+n")?;
    app.hides("Read by nobody's mouse.")?;

    app.press("Control+k")?;
    app.dialog_opens()?;
    app.type_keys("Typed by")?;
    app.until("the chat in the palette", || {
        Ok(!app.all_with("option", "Typed by hand")?.is_empty())
    })?;
    app.press("Enter")?;
    app.thread_shows("Read by nobody's mouse.")?;

    app.press("Control+/")?;
    app.dialog_opens()?;
    app.press("Escape")?;
    app.dialog_closes()?;
    app.press("Control+,")?;
    app.by_role("heading", "Settings")?;
    app.press("Control+n")?;
    app.by_role("textbox", "Message").map(drop)
}

fn every_region_is_reached_with_f6_and_the_focus_is_seen(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    app.say(None, "Something in the sidebar")?;
    app.click_with("link", "Something in the sidebar")?;
    let region = "const at = document.activeElement?.closest('nav, [role=log], main, footer, header, aside, form');
        return at ? (at.getAttribute('aria-label') ?? at.tagName) : '';";
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..6 {
        app.press("F6")?;
        reached.insert(app.js(region)?.as_str().unwrap_or_default().to_owned());
    }
    ensure!(reached.len() >= 3, "F6 walks through the regions: {reached:?}");
    Ok(())
}

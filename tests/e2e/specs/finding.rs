//! Finding what was said, and a thread that is very long.

use anyhow::{Context, ensure};
use serde_json::json;
use tidemark_core::api::SendRequest;

use crate::app::App;

crate::specs![
    a_search_hit_opens_on_its_message,
    a_thread_of_10_000_messages_opens_at_its_end_and_scrolls_to_its_beginning,
    the_window_notices_what_the_command_line_wrote,
];

fn a_search_hit_opens_on_its_message(app: &mut App) -> anyhow::Result<()> {
    app.seed(|core| {
        let mut conversation_id = None;
        for number in 0..300 {
            let content = match number {
                40 => "The dose of colchicine was 0.5 mg twice daily.".to_owned(),
                _ => format!("Line {number} of a long conversation about something else."),
            };
            let request = SendRequest { conversation_id, content, ..Default::default() };
            conversation_id = Some(core.say(&request)?.conversation_id);
        }
        Ok(())
    })?;
    app.open_ready()?;
    app.say(None, "A newer chat")?;
    app.type_into("searchbox", "Search", "colchicine")?;
    app.click_with("button", "colchicine")?;
    app.thread_shows("The dose of colchicine")?;
    let visible = "const log = document.querySelector('[role=log]').getBoundingClientRect();
        const walker = document.createTreeWalker(document.querySelector('[role=log]'), NodeFilter.SHOW_TEXT);
        for (let node; (node = walker.nextNode());) {
            if (!node.data.includes('colchicine')) continue;
            const range = document.createRange();
            range.selectNode(node);
            const box = range.getBoundingClientRect();
            return box.top >= log.top && box.bottom <= log.bottom && box.bottom <= innerHeight;
        }
        return false;";
    app.until("the message to be in view", || Ok(app.js(visible)? == json!(true)))
}

fn a_thread_of_10_000_messages_opens_at_its_end_and_scrolls_to_its_beginning(
    app: &mut App,
) -> anyhow::Result<()> {
    app.seed(|core| {
        let mut conversation_id = None;
        for number in 1..=10_000 {
            let content = format!("Message number {number} of ten thousand.");
            let request = SendRequest { conversation_id, content, ..Default::default() };
            conversation_id = Some(core.say(&request)?.conversation_id);
        }
        Ok(())
    })?;
    app.open_ready()?;
    app.click_with("link", "Message number 1")?;
    app.thread_shows("Message number 10000 of ten thousand.")?;
    let drawn = "return document.querySelectorAll('[role=log] *').length";
    let drawn = app.js(drawn)?.as_u64().context("a number")?;
    ensure!(drawn < 5_000, "only what is in view is in the document: {drawn} elements");
    app.click("log", "Conversation")?;
    app.press("PageUp")?;
    app.until("older messages to be in view", || {
        app.press("PageUp")?;
        Ok(app.thread()?.contains("Message number 9900 of"))
    })?;
    app.press("End")?;
    app.thread_shows("Message number 10000 of ten thousand.")
}

fn the_window_notices_what_the_command_line_wrote(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    let said = app.tidemarkctl(&["say", "new", "Written in a terminal"])?;
    ensure!(said["conversation_id"].is_string(), "{said}");
    app.until("the chat to be listed", || {
        Ok(!app.all_with("link", "Written in a terminal")?.is_empty())
    })
}

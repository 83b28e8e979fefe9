//! A screenshot of every view, empty and full, in both themes, wide and narrow; none overflows.

use anyhow::{Context, ensure};
use serde_json::json;
use tidemark_tests::model_server::{ModelServer, Reply, Rule, Script};

use crate::app::App;

crate::specs![
    first_run_fits_wide_and_narrow_in_both_themes,
    empty_views_fit_wide_and_narrow_in_both_themes,
    full_views_fit_wide_and_narrow_in_both_themes,
    a_chat_in_each_state_fits_wide_and_narrow_in_both_themes,
];

const SIZES: [(&str, u32, u32); 2] = [("wide", 1280, 860), ("narrow", 480, 860)];

/// Something of everything that an answer can hold, wider than a narrow window.
const RICH: &str = include_str!("rich.md");

/// How one gets to a view from anywhere.
type Visit = fn(&App) -> anyhow::Result<()>;

const VIEWS: &[(&str, Visit)] = &[
    ("palette", |app| {
        app.press("Control+k")?;
        app.dialog_opens()
    }),
    ("shortcuts", |app| {
        app.press("Control+/")?;
        app.dialog_opens()
    }),
    ("search", |app| {
        app.press("Control+Shift+f")?;
        app.type_into("searchbox", "Search", "warfarin")
    }),
    ("archive", |app| from_the_sidebar(app, "Archive")),
    ("trash", |app| from_the_sidebar(app, "Trash")),
    ("settings", |app| app.press("Control+,")),
    ("settings-models", |app| settings(app, "Models")),
    ("settings-account", |app| settings(app, "Account")),
    ("settings-sync", |app| settings(app, "Sync")),
    ("sync-conflicts", |app| part_of_sync(app, "Conflicts")),
    ("sync-health", |app| part_of_sync(app, "Health")),
    ("sync-panel", |app| {
        show_sidebar(app)?;
        app.click_with("button", "Sync:")?;
        app.dialog_opens()
    }),
    ("settings-import", |app| settings(app, "Import")),
    ("settings-appearance", |app| settings(app, "Appearance")),
    ("settings-keyboard", |app| settings(app, "Keyboard")),
    ("settings-data", |app| settings(app, "Your data")),
    ("settings-about", |app| settings(app, "About")),
];

fn first_run_fits_wide_and_narrow_in_both_themes(app: &mut App) -> anyhow::Result<()> {
    app.open()?;
    for (step, next) in [
        ("welcome", "Set up"),
        ("recovery", "I wrote it down"),
        ("model", "Next"),
        ("import", "Next"),
        ("sync", "Next"),
        ("done", "Start"),
    ] {
        app.by_role("button", next)?;
        picture(app, &format!("first-run-{step}"), |_| Ok(()))?;
        app.click("button", next)?;
    }
    app.by_role("textbox", "Message").map(drop)
}

fn empty_views_fit_wide_and_narrow_in_both_themes(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    picture(app, "new-chat", |app| app.press("Control+n"))?;
    for (name, visit) in VIEWS {
        picture(app, &format!("{name}-empty"), visit)?;
    }
    Ok(())
}

fn full_views_fit_wide_and_narrow_in_both_themes(app: &mut App) -> anyhow::Result<()> {
    let server = ModelServer::start(Script::always(Reply::answer(RICH)));
    app.open_ready()?;
    app.use_provider(&server.url())?;
    fill(app)?;
    app.ask("How does warfarin interact with azole antifungals?")?;
    app.answered()?;
    picture(app, "chat", |_| Ok(()))?;
    picture(app, "chat-sidebar", |app| show_sidebar(app).map(drop))?;
    picture(app, "chat-find", |app| app.press("Control+f"))?;
    picture(app, "model-picker", |app| app.click_with("button", "Test model"))?;
    for (name, visit) in VIEWS {
        picture(app, name, visit)?;
    }
    Ok(())
}

fn a_chat_in_each_state_fits_wide_and_narrow_in_both_themes(app: &mut App) -> anyhow::Result<()> {
    let says = |part: &str, reply| Rule { contains: Some(part.into()), times: None, reply };
    let slow = Reply::Answer { text: RICH.repeat(4), words_per_second: Some(8.0), finish: None };
    let rules = vec![
        says("state: needs you", Reply::status(401, r#"{"error":{"message":"bad key"}}"#)),
        says("state: retrying", Reply::status(429, r#"{"error":{"message":"slow down"}}"#)),
        says("state: streaming", slow),
        says("state: sending", Reply::Silence),
    ];
    let server = ModelServer::start(Script { rules, ..Script::default() });
    app.open_ready()?;
    app.use_provider(&server.url())?;
    for (state, reached) in [
        ("needs-you", "needs_you"),
        ("retrying", "retrying"),
        ("sending", "sending"),
        ("streaming", "streaming"),
    ] {
        app.press("Control+n")?;
        app.ask(&format!("Show the state: {}", state.replace('-', " ")))?;
        app.until(state, || Ok(app.last_message()?["state"] == reached))?;
        picture(app, &format!("chat-{state}"), |_| Ok(()))?;
    }
    app.click("button", "Stop")?;
    app.until("the answer to be stopped", || Ok(app.last_message()?["state"] == "stopped"))?;
    picture(app, "chat-stopped", |_| Ok(()))?;
    server.down();
    app.press("Control+n")?;
    app.ask("Show the state: queued")?;
    app.thread_shows("Waiting for a connection")?;
    picture(app, "chat-queued", |_| Ok(()))
}

/// Chats of all kinds: pinned, archived, in the trash, with long and short titles.
fn fill(app: &App) -> anyhow::Result<()> {
    for number in 1..=30 {
        let text = match number % 3 {
            0 => format!(
                "Question {number} about the pharmacokinetics of warfarin in the elderly, with a title that is longer than its line"
            ),
            1 => format!("Dose {number}"),
            _ => format!("Interaction {number} of warfarin"),
        };
        let id = app.say(None, &text)?;
        match number {
            1..=2 => app.invoke("pin", json!({ "id": id, "pinned": true }))?,
            3..=7 => app.invoke("archive", json!({ "id": id, "archived": true }))?,
            8..=12 => app.invoke("trash", json!({ "id": id }))?,
            _ => json!(null),
        };
    }
    Ok(())
}

/// Leaves four pictures of a view, and finds it no wider than the window.
pub(super) fn picture(
    app: &mut App,
    view: &str,
    visit: impl Fn(&App) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for (size, width, height) in SIZES {
        app.resize(width, height)?;
        visit(app).with_context(|| format!("the way to {view}"))?;
        for theme in ["light", "dark"] {
            app.set("theme", json!(theme))?;
            let shown = "return document.documentElement.dataset.theme";
            app.until("the theme", || Ok(app.js(shown)? == theme))?;
            settle(app)?;
            app.screenshot(&format!("{view}-{theme}-{size}"))?;
        }
        fits(app, view, width)?;
        leave(app)?;
    }
    Ok(())
}

/// Waits until nothing moves or loads any more.
fn settle(app: &App) -> anyhow::Result<()> {
    const SETTLED: &str = "const done = arguments[arguments.length - 1];
        const moving = () => document.getAnimations().some((a) => a.playState === 'running'
            && a.effect?.getComputedTiming().iterations !== Infinity);
        const look = (left) => (left && moving() ? setTimeout(() => look(left - 1), 20) : done(true));
        document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => look(50))));";
    app.session()?.run_async(SETTLED, &[]).map(drop)
}

/// No part of the document is wider than the window, and no text is cut off beside it.
fn fits(app: &App, view: &str, width: u32) -> anyhow::Result<()> {
    let over = app.js("return document.documentElement.scrollWidth - innerWidth")?;
    ensure!(over.as_i64().is_some_and(|over| over <= 0), "{view} is {over} px too wide in {width}");
    Ok(())
}

/// Closes what lies over the window; elsewhere Escape would stop an answer.
fn leave(app: &App) -> anyhow::Result<()> {
    if app.all_with("dialog", "")?.is_empty() {
        return Ok(());
    }
    app.press("Escape")?;
    app.dialog_closes()
}

fn from_the_sidebar(app: &App, name: &str) -> anyhow::Result<()> {
    show_sidebar(app)?;
    app.click("button", name)
}

pub(super) fn settings(app: &App, page: &str) -> anyhow::Result<()> {
    app.press("Control+,")?;
    app.click("button", page)
}

pub(super) fn part_of_sync(app: &App, part: &str) -> anyhow::Result<()> {
    settings(app, "Sync")?;
    app.click_with("radio", part)
}

/// Opens the drawer where the window is too narrow for a sidebar.
pub(super) fn show_sidebar(app: &App) -> anyhow::Result<()> {
    if app.all("navigation", "Conversations")?.is_empty() {
        app.click("button", "Show the sidebar")?;
        app.by_role("navigation", "Conversations")?;
    }
    Ok(())
}

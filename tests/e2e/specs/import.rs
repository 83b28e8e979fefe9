//! Import as the person meets it: found, planned, brought over, read, taken back.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::views::picture;
use crate::app::App;

crate::specs![
    a_first_run_brings_over_what_an_old_program_left_and_takes_it_back,
    the_views_of_an_import_fit_wide_and_narrow_in_both_themes,
    an_import_that_was_cut_off_is_offered_and_goes_on,
    an_import_that_is_under_way_says_how_far_it_is_and_can_be_paused,
];

/// Three people: 3, 7 and 2 chats with 10, 2,035 and 9 messages, by its truth file.
const V4: &str = "pharmgpt-v4/user_data";
const MARIES_PASSWORD: &str = "radium-226-pw";
/// One of Marie's chats.
const MARIES_CHAT: &str = "First-pass metabolism (renamed)";

fn a_first_run_brings_over_what_an_old_program_left_and_takes_it_back(
    marie: &mut App,
) -> anyhow::Result<()> {
    let left = leaves(marie, V4, "pharmgpt/user_data")?;
    let before = files(&left)?;
    marie.open()?;
    for step in ["Set up", "I wrote it down", "Next"] {
        marie.click("button", step)?;
    }
    marie.click_with("button", "See what is there: PharmGPT")?;

    marie.by_role("heading", "Which of these are you?")?;
    marie.click("button", "Go on")?;
    marie.shows("Tick at least one.")?;
    marie.click("checkbox", "marie_c")?;
    marie.click("button", "Go on")?;

    marie.by_role("heading", "Your old password")?;
    marie.type_into("textbox", "Password of marie_c", "not this one")?;
    marie.click("button", "Go on")?;
    marie.shows("This is not the password that the old program had.")?;
    marie.click("textbox", "Password of marie_c")?;
    marie.press("Control+a")?;
    marie.type_keys(MARIES_PASSWORD)?;
    marie.click("button", "Go on")?;

    marie.by_role("heading", "What would come over")?;
    ensure!(marie.conversations("active")?.is_empty(), "nothing is written by a plan");
    marie.click("button", "Bring over 3 chats")?;
    marie.by_role("heading", "Report")?;
    marie.shows("3 chats, 10 messages and 1 document came over")?;
    marie.shows("Every count adds up")?;
    ensure!(files(&left)? == before, "the old files are as they were");

    // It goes on without the import, and the report is there later too.
    for step in ["Next", "Next", "Start"] {
        marie.click("button", step)?;
    }
    marie.by_role("textbox", "Message")?;
    marie.click_with("link", MARIES_CHAT)?;
    marie.thread_shows("first-pass")?;

    visit(marie)?;
    marie.click("button", MARIES_CHAT)?;
    marie.thread_shows("first-pass")?;
    visit(marie)?;
    marie.click("button", "Undo this import…")?;
    marie.dialog_opens()?;
    marie.click("button", "Undo the import")?;
    marie.dialog_closes()?;
    marie.shows("Taken back: 3 chats and 1 document.")?;
    ensure!(marie.conversations("active")?.is_empty(), "all of it was taken back");
    marie.shows("Taken back")?;
    ensure!(files(&left)? == before, "the old files are as they were");
    Ok(())
}

fn the_views_of_an_import_fit_wide_and_narrow_in_both_themes(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    picture(app, "import-none", visit)?;
    leaves(app, V4, "pharmgpt/user_data")?;
    leaves(app, "pharmgpt-corrupt/04-wrong-types", "old computer/a long way down")?;
    visit(app)?;
    app.click("button", "Look again")?;
    app.by_role("button", &look(app, "pharmgpt")?)?;
    picture(app, "import-found", |_| Ok(()))?;
    app.click("button", &look(app, "pharmgpt")?)?;
    app.by_role("heading", "Which of these are you?")?;
    picture(app, "import-who", |_| Ok(()))?;
    app.click("checkbox", "marie_c")?;
    app.click("checkbox", "tester_01")?;
    app.click("button", "Go on")?;
    app.by_role("heading", "Your old password")?;
    app.type_into("textbox", "Password of marie_c", "not this one")?;
    app.click_with("checkbox", "I no longer know it")?;
    app.click("button", "Go on")?;
    app.shows("This is not the password that the old program had.")?;
    picture(app, "import-prove", |_| Ok(()))?;
    app.click("button", "Choose again")?;
    app.click("checkbox", "Everybody")?;
    app.click("button", "Go on")?;
    app.by_role("heading", "What would come over")?;
    picture(app, "import-plan", |_| Ok(()))?;
    app.click("button", "Bring over 12 chats")?;
    app.by_role("heading", "Report")?;
    picture(app, "import-report", |_| Ok(()))?;
    app.click("button", "Done")?;

    // One with a folder that belongs to nobody, and one that leaves something behind.
    leaves(app, "pharmgpt-corrupt/12-orphan-conversation-dir", "nobody")?;
    app.click("button", "Look again")?;
    app.click("button", &look(app, "nobody")?)?;
    app.by_role("checkbox", "A folder that belongs to nobody")?;
    picture(app, "import-who-nobody", |_| Ok(()))?;
    app.click("button", "Choose another")?;
    app.click("button", &look(app, "old computer")?)?;
    app.click("checkbox", "Everybody")?;
    app.click("button", "Go on")?;
    app.by_role("heading", "What would come over")?;
    picture(app, "import-plan-skips", |_| Ok(()))?;
    app.click_with("button", "Bring over")?;
    app.by_role("heading", "Report")?;
    picture(app, "import-report-skips", |_| Ok(()))?;
    app.click("button", "Done")?;
    picture(app, "import-past", visit)?;
    picture(app, "import-undo", |app| {
        visit(app)?;
        app.click_with("button", "Undo: PharmGPT")?;
        app.dialog_opens()
    })?;
    picture(app, "import-report-again", |app| {
        visit(app)?;
        app.click_with("button", "Report: PharmGPT")?;
        app.dialog_opens()
    })
}

/// A run is stopped as soon as it has begun, which is what a closed window or a crash leaves.
fn an_import_that_was_cut_off_is_offered_and_goes_on(app: &mut App) -> anyhow::Result<()> {
    let left = leaves(app, V4, "pharmgpt/user_data")?;
    app.open_ready()?;
    let request = json!({ "request": {
        "path": left, "users": [], "zone_minutes": 0, "auto_rollback": false
    } });
    app.invoke_in_turn(&[("import_start", request), ("import_pause", json!({}))])?;
    app.until("it to stand still", || Ok(state(app)?["at"] == "paused"))?;
    app.restart()?;
    app.click("button", "Import: An import is paused")?;
    app.shows("An import is not at its end")?;
    picture(app, "import-paused", |_| Ok(()))?;
    app.resize(1280, 860)?;
    app.click("button", "Go on")?;
    app.by_role("heading", "Report")?;
    app.shows("12 chats, 2054 messages and 8 documents came over")?;
    app.by_role("button", "Import: The import is at its end").map(drop)
}

fn an_import_that_is_under_way_says_how_far_it_is_and_can_be_paused(
    app: &mut App,
) -> anyhow::Result<()> {
    let left = home(app)?.join("chatgpt");
    fs::create_dir(&left)?;
    fs::write(left.join("conversations.json"), chatgpt(1_500, 40))?;
    app.open_ready()?;
    visit(app)?;
    app.click("button", &look(app, "chatgpt")?)?;
    app.click("button", "Bring over 1500 chats")?;
    app.by_role("heading", "Bringing over ChatGPT")?;
    picture(app, "import-running", |_| Ok(()))?;
    app.resize(1280, 860)?;
    app.shows("of 60000 messages")?;
    // The rest of the window is at hand meanwhile.
    app.press("Control+n")?;
    app.by_role("textbox", "Message")?;
    app.click_with("button", "Import: Importing")?;
    app.click("button", "Pause")?;
    app.shows("An import is not at its end")?;
    app.click("button", "Take back what came over")?;
    app.dialog_opens()?;
    app.click("button", "Undo the import")?;
    app.dialog_closes()?;
    ensure!(app.conversations("active")?.is_empty(), "what came over is taken back");
    ensure!(state(app)?["at"] == "idle", "and nothing is left to go on with");
    Ok(())
}

/// An export of ChatGPT with so many chats of so many messages.
fn chatgpt(chats: usize, messages: usize) -> String {
    let chat = |n: usize| {
        let id = |m: usize| format!("{n}-{m}");
        let nodes = (0..messages).map(|m| {
            let node = json!({
                "id": id(m),
                "parent": m.checked_sub(1).map(id),
                "children": if m + 1 < messages { vec![id(m + 1)] } else { Vec::new() },
                "message": {
                    "id": id(m),
                    "author": { "role": if m % 2 == 0 { "user" } else { "assistant" } },
                    "create_time": 1_750_000_000 + m,
                    "content": { "content_type": "text", "parts": [format!("Message {m} of chat {n}")] },
                },
            });
            (id(m), node)
        });
        let mapping: serde_json::Map<_, _> = nodes.collect();
        json!({
            "id": format!("chat-{n}"),
            "conversation_id": format!("chat-{n}"),
            "title": format!("Chat {n}"),
            "create_time": 1_750_000_000,
            "update_time": 1_750_000_000,
            "current_node": id(messages - 1),
            "mapping": mapping,
        })
    };
    Value::from((0..chats).map(chat).collect::<Vec<_>>()).to_string()
}

fn state(app: &App) -> anyhow::Result<Value> {
    app.invoke("import_state", json!({}))
}

fn visit(app: &App) -> anyhow::Result<()> {
    app.press("Control+,")?;
    app.click("button", "Import")?;
    app.by_role("heading", "Import").map(drop)
}

/// The name of the button that looks into what was found below this folder.
fn look(app: &App, below: &str) -> anyhow::Result<String> {
    let path = home(app)?.join(below);
    let mut found = app.invoke("import_find", json!({}))?;
    let all = found.as_array_mut().context("a list")?;
    let one = all
        .iter()
        .find(|one| one["path"].as_str().is_some_and(|found| Path::new(found).starts_with(&path)));
    let one = one.with_context(|| format!("nothing is found below {below}"))?;
    let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
    Ok(format!("See what is there: {}, {}", text("name"), text("path")))
}

fn home(app: &App) -> anyhow::Result<PathBuf> {
    Ok(app.data_dir().parent().context("it has a home")?.to_owned())
}

/// Copies a fixture to where an old program would have left it.
fn leaves(app: &App, fixture: &str, to: &str) -> anyhow::Result<PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/legacy").join(fixture);
    let to = home(app)?.join(to);
    copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    Ok(to)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

/// Every file below a folder: its path, its content, and when it was changed.
fn files(root: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>, std::time::SystemTime)>> {
    let mut all = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match path.is_dir() {
                true => open.push(path),
                false => all.push((path.clone(), fs::read(&path)?, path.metadata()?.modified()?)),
            }
        }
    }
    all.sort();
    Ok(all)
}

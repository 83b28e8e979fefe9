//! Two windows, one account: what a person sees of sync, against a real Postgres and PostgREST.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use tidemark_tests::stack::Stack;

use super::views::{part_of_sync, picture, settings, show_sidebar};
use crate::app::App;
use crate::desk::{ANN, HEARD, project, sql};

crate::specs![
    what_is_written_in_one_window_appears_in_the_other,
    offline_the_foot_counts_what_waits_and_heals_by_itself,
    a_title_edited_on_both_is_told_and_both_are_kept,
    a_refused_change_is_explained_and_sent_again,
    a_device_that_was_signed_out_says_so,
    a_forgotten_password_is_replaced_with_the_code_from_the_message,
    the_pages_of_sync_fit_wide_and_narrow_in_both_themes,
];

/// The server then refuses what speaks of a bad day.
const NO_BAD_DAYS: &str = "ALTER TABLE public.messages
    ADD CONSTRAINT no_bad_days CHECK (content NOT LIKE '%bad day%') NOT VALID;";

fn what_is_written_in_one_window_appears_in_the_other(ann: &mut App) -> anyhow::Result<()> {
    let stack = project()?;
    ann.open_ready()?;
    ann.signs_up(&stack)?;
    let other = ann.beside()?;
    other.signs_in(&stack)?;
    let id = ann.say(None, "Warfarin and azoles")?;
    other.opens_chat("Warfarin and azoles")?;
    other.thread_shows("Warfarin and azoles")?;
    // While it is open, too, and in the other direction.
    ann.say(Some(&id), "What of fluconazole?")?;
    other.until_within(HEARD, "the second message", || {
        Ok(other.thread()?.contains("What of fluconazole?"))
    })?;
    other.say(Some(&id), "Halve the dose.")?;
    ann.opens_chat("Warfarin and azoles")?;
    ann.until_within(HEARD, "the answer from the other", || {
        Ok(ann.thread()?.contains("Halve the dose."))
    })?;
    other.is_content()
}

fn offline_the_foot_counts_what_waits_and_heals_by_itself(ann: &mut App) -> anyhow::Result<()> {
    let stack = project()?;
    ann.open_ready()?;
    ann.signs_up(&stack)?;
    stack.down();
    ann.say(None, "Written under way")?;
    // The chat, its title and the message: what they are is not the person's business, that they wait is.
    ann.foot_says("Offline.")?;
    let status = ann.invoke("sync_status", json!({}))?;
    let waiting = status["counts"]["waiting"].as_u64().unwrap_or_default();
    ensure!(waiting > 0, "something waits: {status}");
    let changes = if waiting == 1 { "1 change".to_owned() } else { format!("{waiting} changes") };
    ann.foot_says(&format!("Offline. {changes} will sync when you are back online."))?;
    ann.click_with("button", "Sync: Offline.")?;
    ann.dialog_opens()?;
    ann.shows("Everything that you write is kept here")?;
    ann.click("button", "Copy diagnostics")?;
    ann.shows("nothing that you wrote, no address and no key")?;
    stack.up();
    ann.click("button", "Sync now")?;
    ann.press("Escape")?;
    ann.dialog_closes()?;
    ann.rests()
}

fn a_title_edited_on_both_is_told_and_both_are_kept(ann: &mut App) -> anyhow::Result<()> {
    let stack = project()?;
    ann.open_ready()?;
    ann.signs_up(&stack)?;
    let id = ann.say(None, "A first title")?;
    let mut other = ann.beside()?;
    other.signs_in(&stack)?;
    other.opens_chat("A first title")?;
    ann.opens_chat("A first title")?;

    both_retitle(&stack, ann, &other, &id)?;
    for window in [&*ann, &other] {
        window.until_within(HEARD, "the later title", || {
            Ok(!window.all("heading", "Title of the other")?.is_empty())
        })?;
    }
    let told = whoever_is_told(ann, &mut other)?;
    told.until_within(HEARD, "the chip", || {
        Ok(!told.all_with("button", "Edited on ")?.is_empty())
    })?;
    told.click_with("button", "Edited on ")?;
    told.click_with("menuitem", "View")?;
    told.dialog_opens()?;
    told.shows("Title of this one")?;
    told.click("button", "Keep both")?;
    told.dialog_closes()?;
    let both = "Title of the other / Title of this one";
    for window in [&*ann, &other] {
        window
            .until_within(HEARD, "both titles", || Ok(!window.all("heading", both)?.is_empty()))?;
        let settled = || Ok(window.all_with("button", "Edited on ")?.is_empty());
        window.until_within(HEARD, "the chip to go", settled)?;
    }
    other.is_content()
}

fn a_refused_change_is_explained_and_sent_again(ann: &mut App) -> anyhow::Result<()> {
    let stack = project()?;
    ann.open_ready()?;
    ann.signs_up(&stack)?;
    sql(&stack, NO_BAD_DAYS)?;
    ann.say(None, "A bad day for the server")?;
    ann.syncs_until("a change to be parked", |status| status["counts"]["parked"] == 1)?;
    ann.click_with("button", "Sync:")?;
    ann.dialog_opens()?;
    ann.click("button", "1 change needs you")?;
    ann.shows("A bad day for the server")?;
    ann.shows("The server does not take it as it is.")?;
    ann.screenshot("sync-parked-real")?;

    sql(&stack, "ALTER TABLE public.messages DROP CONSTRAINT no_bad_days;")?;
    ann.click_with("button", "Try again")?;
    ann.until_within(HEARD, "nothing to need anybody", || {
        Ok(ann.text()?.contains("Nothing needs you"))
    })?;
    ann.rests()
}

fn a_device_that_was_signed_out_says_so(ann: &mut App) -> anyhow::Result<()> {
    let stack = project()?;
    ann.open_ready()?;
    ann.signs_up(&stack)?;
    let other = ann.beside()?;
    other.signs_in(&stack)?;
    other.say(None, "Only on the one that is signed out")?;
    other.rests()?;
    let devices = ann.invoke("devices", json!({}))?;
    let theirs =
        devices["devices"].as_array().into_iter().flatten().find(|one| one["current"] == false);
    let name = theirs.and_then(|one| one["name"].as_str()).unwrap_or_default().to_owned();

    ann.visit("Account")?;
    ann.click("button", &format!("Sign out {name}"))?;
    ann.dialog_opens()?;
    ann.screenshot("sync-revoke-real")?;
    ann.click("button", "Sign out")?;
    ann.dialog_closes()?;
    ann.shows("Signed out ")?;

    other.invoke("sync_now", json!({}))?;
    other.foot_says("Paused: ")?;
    other.visit("Account")?;
    other.shows("this device was signed out")?;
    // Nothing that was written there is gone, also when the account is let go.
    other.signs_out()?;
    other.opens_chat("Only on the one that is signed out")?;
    other.thread_shows("Only on the one that is signed out")?;
    // And its owner may take it back: it is another device then.
    other.signs_in_again()?;
    ann.opens_chat("Only on the one that is signed out")?;
    other.is_content()
}

fn a_forgotten_password_is_replaced_with_the_code_from_the_message(
    ann: &mut App,
) -> anyhow::Result<()> {
    let stack = project()?;
    ann.open_ready()?;
    ann.signs_up(&stack)?;
    ann.signs_out()?;
    ann.type_into("textbox", "E-mail address", ANN)?;
    ann.type_into("textbox", "Password", "not this one")?;
    ann.click("button", "Sign in")?;
    ann.until("the refusal to be said", || Ok(!ann.all_with("alert", "wrong")?.is_empty()))?;
    ann.click("button", "Forgot the password?")?;
    ann.click("button", "Send the code")?;
    ann.shows(&format!("If there is an account for {ANN}"))?;
    let code = stack.mails().pop().context("a message")?.code;
    ann.type_into("textbox", "Code", &code)?;
    ann.type_into("textbox", "New password", "a better one, and longer")?;
    ann.click("button", "Set the password and sign in")?;
    ann.rests()
}

fn the_pages_of_sync_fit_wide_and_narrow_in_both_themes(ann: &mut App) -> anyhow::Result<()> {
    let stack = project()?;
    ann.open_ready()?;
    ann.signs_up(&stack)?;
    let id = ann.say(None, "A first title")?;
    let mut other = ann.beside()?;
    other.signs_in(&stack)?;
    other.opens_chat("A first title")?;
    both_retitle(&stack, ann, &other, &id)?;
    let told = whoever_is_told(ann, &mut other)?;
    sql(&stack, NO_BAD_DAYS)?;
    told.say(Some(&id), "A bad day for the server, and a message that is longer than its line")?;
    told.syncs_until("a change to be parked", |status| status["counts"]["parked"] == 1)?;

    picture(told, "account", |app| settings(app, "Account"))?;
    picture(told, "account-sign-out", |app| {
        settings(app, "Account")?;
        app.click("button", "Sign out…")?;
        app.dialog_opens()
    })?;
    picture(told, "sync-parked", |app| part_of_sync(app, "Needs you"))?;
    picture(told, "sync-conflicts", |app| part_of_sync(app, "Conflicts"))?;
    picture(told, "sync-health", |app| part_of_sync(app, "Health"))?;
    picture(told, "sync-panel", |app| {
        show_sidebar(app)?;
        app.click_with("button", "Sync:")?;
        app.dialog_opens()
    })?;
    picture(told, "chat-conflict", |app| {
        show_sidebar(app)?;
        app.click_with("link", "Title of the other")?;
        app.until("the chip", || Ok(!app.all_with("button", "Edited on ")?.is_empty()))
    })?;
    stack.down();
    told.say(None, "Written under way")?;
    told.syncs_until("to be offline", |status| status["state"]["at"] == "offline")?;
    picture(told, "sync-panel-offline", |app| {
        show_sidebar(app)?;
        app.click_with("button", "Sync:")?;
        app.dialog_opens()
    })?;
    ann.is_content()?;
    other.is_content()
}

/// The two titles meet at the device that is up second: which that is, nobody knows.
fn whoever_is_told<'a>(ann: &'a mut App, other: &'a mut App) -> anyhow::Result<&'a mut App> {
    for window in [&*ann, &*other] {
        window.syncs_until("all to be up", |status| status["counts"]["waiting"] == 0)?;
    }
    let has = |window: &App| -> anyhow::Result<bool> {
        Ok(window.invoke("sync_status", json!({}))?["counts"]["conflicts"] == 1)
    };
    ann.until_within(HEARD, "one of them to be told", || Ok(has(ann)? || has(other)?))?;
    Ok(if has(ann)? { ann } else { other })
}

/// Each gives the chat another title before it has heard of the other's; that of `other` is the later.
fn both_retitle(stack: &Stack, ann: &App, other: &App, id: &str) -> anyhow::Result<()> {
    stack.down();
    ann.retitles(id, "Title of this one")?;
    std::thread::sleep(Duration::from_millis(20));
    other.retitles(id, "Title of the other")?;
    stack.up();
    for window in [ann, other] {
        window.invoke("sync_now", json!({}))?;
    }
    Ok(())
}

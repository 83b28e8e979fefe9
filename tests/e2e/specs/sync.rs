//! Two windows, one account: what a person sees of sync, against a real Postgres and PostgREST.

use anyhow::ensure;
use serde_json::json;

use crate::app::App;
use crate::desk::{HEARD, project, sql};

crate::specs![
    what_is_written_in_one_window_appears_in_the_other,
    offline_the_foot_counts_what_waits_and_heals_by_itself,
    a_title_edited_on_both_is_told_and_both_are_kept,
    a_refused_change_is_explained_and_sent_again,
    a_device_that_was_signed_out_says_so,
];

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
    let other = ann.beside()?;
    other.signs_in(&stack)?;
    other.opens_chat("A first title")?;
    ann.opens_chat("A first title")?;

    stack.down();
    ann.retitles(&id, "Title of this one")?;
    // The later clock wins: the other is the one that is shown.
    std::thread::sleep(std::time::Duration::from_millis(20));
    other.retitles(&id, "Title of the other")?;
    stack.up();
    for window in [&*ann, &other] {
        window.invoke("sync_now", json!({}))?;
    }
    ann.until_within(HEARD, "the later title", || {
        Ok(!ann.all("heading", "Title of the other")?.is_empty())
    })?;
    ann.until_within(HEARD, "the chip", || Ok(!ann.all_with("button", "Edited on ")?.is_empty()))?;
    ann.click_with("button", "Edited on ")?;
    ann.click_with("menuitem", "View")?;
    ann.dialog_opens()?;
    ann.shows("Title of this one")?;
    ann.click("button", "Keep both")?;
    ann.dialog_closes()?;
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
    let rule = "ALTER TABLE public.messages ADD CONSTRAINT no_bad_days CHECK (content NOT LIKE '%bad day%') NOT VALID;";
    sql(&stack, rule)?;
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
    // Nothing that was written there is gone.
    other.press("Control+n")?;
    other.opens_chat("Only on the one that is signed out")?;
    other.is_content()
}

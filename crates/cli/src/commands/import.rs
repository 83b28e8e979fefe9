//! Import: find, plan, run, list, report, undo, backup, restore.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tidemark_core::api::{
    AccountMap, Direction, FoundSource, ImportNews, ImportRequest, ImportView, MovedAccounts,
    Person, Plan, Proven, Report, Share, Tidemark,
};
use tidemark_core::providers::secret::Secret;
use tidemark_core::{Code, Failure, Result};

use super::account::password_of;
use super::text::lines;
use crate::arguments::{ImportAccounts, ImportCommand, ImportSource};
use crate::output::{Output, Status, internal};

/// The longest key that is read.
const MAX_KEY_BYTES: u64 = 16 * 1024;

/// Runs one of these commands.
pub(super) async fn run(
    core: &Tidemark,
    command: ImportCommand,
    output: &Output,
) -> Result<Status> {
    match command {
        ImportCommand::Find { places } => {
            output.print(&core.import_find(&places), |found| lines(found, found_line))
        }
        ImportCommand::Plan(source) => plan(core, source, output),
        ImportCommand::Run { source, auto_rollback, prove, accounts } => {
            let wanted = ImportRequest { auto_rollback, ..request(source) };
            if prove {
                wanted.users.iter().try_for_each(|user| ask(core, &wanted.path, user))?;
            }
            match accounts.all_users {
                true => move_accounts(core, &wanted, accounts, output).await,
                false => bring_over(core, wanted, output).await,
            }
        }
        ImportCommand::Watch { paths } => watch(core, &paths, output).await,
        ImportCommand::List => output.print(&core.imports()?, |list| lines(list, import_line)),
        ImportCommand::Report { id } => output.print(&core.import_report(id)?, Report::text),
        ImportCommand::Undo { id } => output.print(&core.import_undo(id)?, |undone| {
            format!(
                "{} conversations, {} messages and {} documents were taken back; {} conversations were changed since and stay.",
                undone.conversations, undone.messages, undone.documents, undone.kept
            )
        }),
        ImportCommand::Backup { path } => {
            let (archive, manifest) = core.import_backup(&path)?;
            let made = json!({ "archive": archive.display().to_string(), "files": manifest.files });
            output.print(&made, |_| {
                format!("{} files in {}", manifest.files.len(), archive.display())
            })
        }
        ImportCommand::Restore { archive, to } => {
            let manifest = core.import_restore(&archive, &to)?;
            output.print(&manifest, |manifest| {
                format!("{} files in {}", manifest.files.len(), to.display())
            })
        }
    }
}

fn request(source: ImportSource) -> ImportRequest {
    ImportRequest {
        path: source.path.display().to_string(),
        users: source.users,
        zone_minutes: source.zone,
        auto_rollback: false,
    }
}

fn plan(core: &Tidemark, source: ImportSource, output: &Output) -> Result<Status> {
    let plan = core.import_plan(&request(source))?;
    output.print(&plan, plan_text)?;
    Ok(if plan.has_skips() { Status::Findings } else { Status::Done })
}

/// Asks for somebody's old password.
fn ask(core: &Tidemark, path: &str, user: &str) -> Result<()> {
    let refused = match core.import_prove(path, user, &password_of("TIDEMARK_OLD_PASSWORD")?)? {
        Proven::Matches => return Ok(()),
        Proven::Differs => format!("This is not the password that “{user}” had."),
        Proven::Unprotected => format!("“{user}” had no password there that can be checked."),
    };
    Err(Failure::new(Code::InvalidInput, format!("{refused} Nothing was imported."))
        .hint("Without --prove, nobody is asked: whoever can read the folder can read the chats."))
}

/// Ctrl+C stops between two batches; the next run goes on.
async fn bring_over(core: &Tidemark, wanted: ImportRequest, output: &Output) -> Result<Status> {
    let stop = core.stop_token();
    let running = tokio::task::spawn_blocking({
        let (core, stop) = (core.clone(), stop.clone());
        move || core.import_run(&wanted, &stop, &mut |_| {})
    });
    tokio::pin!(running);
    let done = tokio::select! {
        done = &mut running => done,
        _ = tokio::signal::ctrl_c() => {
            stop.cancel();
            running.await
        }
    };
    let report =
        done.map_err(|_| Failure::new(Code::Internal, "The import could not go on."))??;
    output.print(&report, Report::text)?;
    match (report.rolled_back, report.verified) {
        (true, _) => {
            Err(Failure::new(Code::Corrupt, "The import was not verified, and was taken back.")
                .hint("The report says what differs; the source was not changed."))
        }
        (false, true) if !report.plan.has_skips() => Ok(Status::Done),
        _ => Ok(Status::Findings),
    }
}

/// Prints each change until Ctrl+C; with `--json`, one document a line.
async fn watch(core: &Tidemark, paths: &[PathBuf], output: &Output) -> Result<Status> {
    let named = paths.iter().map(|path| core.import_at(path)).collect::<Result<BTreeSet<_>>>()?;
    let mut news = core.watch_imports(paths);
    let mut told: Vec<ImportNews> = Vec::new();
    loop {
        let mut now = news.borrow_and_update().clone();
        now.retain(|one| named.is_empty() || named.contains(Path::new(&one.path)));
        for one in now.iter().filter(|one| !told.contains(one)) {
            output.print(one, news_line)?;
        }
        told = now;
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return Ok(Status::Done) },
            _ = tokio::signal::ctrl_c() => return Ok(Status::Done),
        }
    }
}

fn news_line(news: &ImportNews) -> String {
    let ImportNews { path, name, conversations, messages, .. } = news;
    format!("{path}  {name}: {conversations} new conversations, {messages} new messages")
}

/// Everybody's part into their own account.
async fn move_accounts(
    core: &Tidemark,
    wanted: &ImportRequest,
    how: ImportAccounts,
    output: &Output,
) -> Result<Status> {
    let file = how.accounts.unwrap_or_default();
    let map = std::fs::read_to_string(&file).map_err(|_| {
        Failure::new(Code::InvalidInput, format!("The map {} cannot be read.", file.display()))
            .hint("It is a text file of lines “old name,e-mail address”.")
    })?;
    let (map, key) = (AccountMap::read(&map), service_key()?);
    let direction = if how.rollback { Direction::Out } else { Direction::Into };
    let url = how.url.unwrap_or_default();
    let moved = core.import_accounts(wanted, &map, &url, &key, direction).await?;
    output.print(&moved, moved_text)?;
    let is_whole = moved.verified && moved.unmapped.is_empty() && moved.conflicts.is_empty();
    let is_whole = is_whole && moved.people.iter().all(|person| person.skipped.is_empty());
    Ok(if is_whole { Status::Done } else { Status::Findings })
}

/// From the environment or standard input: arguments are seen by every process of the computer.
fn service_key() -> Result<Secret> {
    if let Ok(key) = std::env::var("TIDEMARK_SERVICE_ROLE_KEY") {
        return Ok(Secret::new(key));
    }
    let mut line = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_KEY_BYTES);
    input.read_line(&mut line).map_err(|error| internal(&error))?;
    Ok(Secret::new(line))
}

fn moved_text(moved: &MovedAccounts) -> String {
    let mut text = lines(&moved.people, |person: &Person| {
        let state =
            if person.verified && person.refused.is_empty() { "verified" } else { "NOT VERIFIED" };
        format!(
            "{}  {}  {} conversations, {} messages, {} rows on the server, {state}",
            person.name,
            person.email,
            person.found.conversations,
            person.found.messages,
            person.pushed
        )
    });
    moved.unmapped.iter().for_each(|name| text.push_str(&format!("\n- not in the map: {name}")));
    moved.conflicts.iter().for_each(|one| text.push_str(&format!("\n- the map: {one}")));
    for person in &moved.people {
        person.refused.iter().for_each(|why| text.push_str(&format!("\n- {}: {why}", person.name)));
    }
    text
}

fn plan_text(plan: &Plan) -> String {
    let counts = &plan.counts;
    let mut text = format!(
        "{} at {}\n{} people, {} conversations, {} messages, {} documents with {} fragments, {} attachments.\n{} conversations are here already. {} things will not come over.",
        plan.name,
        plan.path,
        counts.users,
        counts.conversations,
        counts.messages,
        counts.documents,
        counts.fragments,
        counts.attachments,
        plan.duplicates,
        plan.skipped.len() as u64 + plan.skipped_unnamed,
    );
    plan.people.iter().for_each(|share| text.push_str(&share_line(share)));
    for (what, how) in &plan.assumptions {
        text.push_str(&format!("\nAssumed: {what}: {how}"));
    }
    for skip in &plan.skipped {
        text.push_str(&format!("\n- {} {}: {}", skip.place.path, skip.place.locator, skip.reason));
    }
    text
}

fn share_line(share: &Share) -> String {
    let names: Vec<_> = share.names().collect();
    let name =
        if names.is_empty() { "(belongs to nobody)".to_owned() } else { names.join(" and ") };
    let (key, conversations, messages) = (&share.key, share.conversations, share.messages);
    let mut line = format!("\n  {name}  {key}  {conversations} conversations, {messages} messages");
    if share.protected {
        line.push_str(", had a password");
    }
    if !share.twins.is_empty() {
        line.push_str(&format!("; not the same as {}, though it looks so", share.twins.join(", ")));
    }
    line
}

fn found_line(found: &FoundSource) -> String {
    format!("{}  {}  {} bytes", found.path, found.name, found.bytes)
}

fn import_line(import: &ImportView) -> String {
    format!("{}  {}  {}  {}", import.id, import.began_at.to_rfc3339(), import.state, import.path)
}

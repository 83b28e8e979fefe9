//! Lists as a person reads them: one thing a line, the id first.

use tidemark_core::api::{
    ConflictView, DeviceView, DoctorReport, ModelEntry, ParkedView, ProviderView, SearchHit,
    ServerReport, SessionView, Setting,
};
use tidemark_core::model::{Conversation, Message};

pub(super) fn conversations(list: &[Conversation]) -> String {
    lines(list, |c| {
        format!(
            "{}  {}  {:>5}  {}",
            c.id,
            c.active_at.to_rfc3339(),
            c.message_count,
            shown(&c.title)
        )
    })
}

pub(super) fn messages(list: &[Message]) -> String {
    lines(list, |m| {
        let role =
            serde_json::to_value(m.role).ok().and_then(|role| role.as_str().map(str::to_owned));
        format!(
            "{}  {}  {}\n{}\n",
            m.id,
            m.created_at.to_rfc3339(),
            role.unwrap_or_default(),
            m.content
        )
    })
}

pub(super) fn hits(list: &[SearchHit]) -> String {
    lines(list, |hit| {
        format!("{}  {}\n    {}", hit.conversation_id, shown(&hit.title), hit.snippet)
    })
}

pub(super) fn models(list: &[ModelEntry]) -> String {
    lines(list, |entry| {
        let mark = if entry.is_default { "*" } else { " " };
        let reason =
            entry.reason.as_deref().map(|reason| format!("  ({reason})")).unwrap_or_default();
        format!("{mark} {}  {}, {}{reason}", entry.model, entry.name, entry.provider_name)
    })
}

pub(super) fn providers(list: &[ProviderView]) -> String {
    lines(list, |view| {
        let key = if view.has_key { "key stored" } else { "no key" };
        format!("{}  {}  {}  {key}", view.config.id, view.config.name, view.config.base_url)
    })
}

pub(super) fn settings(list: &[Setting]) -> String {
    lines(list, |setting| format!("{} = {}\n    {}", setting.key, setting.value, setting.about))
}

pub(super) fn doctor(report: &DoctorReport) -> String {
    let mut text = format!("Tidemark {}, mirror {}\n", report.version, report.mirror_id);
    text.push_str(&format!("{} bytes, integrity: {}\n", report.bytes, report.integrity.join("; ")));
    for (name, count) in &report.counts {
        text.push_str(&format!("{name}: {count}\n"));
    }
    for (name, version) in &report.versions {
        text.push_str(&format!("{name} {version}\n"));
    }
    text.push_str(if report.ok { "No findings." } else { "Findings:" });
    report.findings.iter().for_each(|finding| text.push_str(&format!("\n- {finding}")));
    text
}

pub(super) fn server(report: &ServerReport) -> String {
    let cursor = report.cursor.map_or_else(|| "nothing".to_owned(), |cursor| cursor.to_string());
    let mut text = format!(
        "Server at {}, pulled up to {cursor}, {} changes wait.",
        report.head, report.pending
    );
    for (name, table) in &report.tables {
        let mark = if table.here == table.server { "same" } else { "DIFFERS" };
        text.push_str(&format!("\n{name}: {mark}"));
    }
    report.differing.iter().for_each(|id| text.push_str(&format!("\n- {id} differs")));
    text
}

pub(super) fn conflicts(list: &[ConflictView]) -> String {
    lines(list, |one| {
        let title = one.conversation_title.as_deref().map(shown).unwrap_or_default();
        let what = match &one.setting {
            Some(key) => format!("setting {key}"),
            None => format!("{} of “{title}”", one.register),
        };
        let whose = if one.ours { "this device's" } else { "another device's" };
        format!(
            "{}  {}  {what}\n    stands: {}\n    lost ({whose}): {}",
            one.id,
            one.at.to_rfc3339(),
            one.kept,
            one.lost
        )
    })
}

pub(super) fn parked(list: &[ParkedView]) -> String {
    lines(list, |one| {
        format!(
            "{}  {}  {}\n    {} {}\n    {} waiting behind it",
            one.n,
            one.created_at.to_rfc3339(),
            one.what,
            one.reason,
            one.hint,
            one.behind
        )
    })
}

pub(super) fn devices(list: &[DeviceView]) -> String {
    lines(list, |one| {
        let seen = one.last_seen_at.map(|at| format!("  last seen {}", at.to_rfc3339()));
        let mark = match (one.current, one.revoked_at) {
            (_, Some(_)) => "  (signed out)",
            (true, None) => "  (this one)",
            (false, None) => "",
        };
        format!(
            "{}  {}  {} {}{}{mark}",
            one.id,
            one.name,
            one.platform,
            one.app_version,
            seen.unwrap_or_default()
        )
    })
}

pub(super) fn sessions(list: &[SessionView]) -> String {
    lines(list, |one| {
        let mark = if one.current { "  (this one)" } else { "" };
        format!(
            "{}  {}  {}  {}{mark}",
            one.id,
            one.created_at.to_rfc3339(),
            one.ip.as_deref().unwrap_or("-"),
            one.device_name.as_deref().or(one.user_agent.as_deref()).unwrap_or("-")
        )
    })
}

pub(super) fn lines<T>(list: &[T], line: impl Fn(&T) -> String) -> String {
    list.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn shown(title: &str) -> &str {
    if title.is_empty() { "New chat" } else { title }
}

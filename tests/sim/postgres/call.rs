//! A question as a call in SQL, and its answer.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidemark_core::model::wire::{Head, SCHEMA, Table};
use tidemark_core::sync::failures::{Fault, FaultKind, Service};
use tidemark_core::sync::server::{Ask, Told};
use uuid::Uuid;

/// The call that asks this, as an expression.
pub(super) fn expression(ask: &Ask) -> String {
    match ask {
        Ask::Refresh => unreachable!("a refresh goes to Auth"),
        Ask::Hello { device_id } => {
            let device =
                json!({"id": device_id, "name": "", "platform": "linux", "app_version": "1"});
            format!("public.sync_hello({}, {SCHEMA})", document(&device))
        }
        Ask::Pull { after, known, max } => {
            let [after, known] = [json!(after), json!(known)].map(|point| document(&point));
            format!("public.sync_pull({after}, {max}, known => {known})")
        }
        Ask::Snapshot { table, after, known, max } => {
            let [after, known] = [json!(after), json!(known)].map(|point| document(&point));
            format!("public.sync_snapshot({}, {after}, {max}, known => {known})", name(*table))
        }
        Ask::Push(push) => {
            format!("public.sync_push({})", document(&json!(push)))
        }
        Ask::Anchor { points } => {
            let points: Vec<_> = points.iter().map(|&Head { seq, nonce }| (seq, nonce)).collect();
            format!("public.sync_anchor({})", document(&json!(points)))
        }
        Ask::Manifest { table, after, known, max } => {
            let (table, after, known) = (name(*table), id(*after), document(&json!(known)));
            format!("public.sync_manifest({table}, {after}, {max}, known => {known})")
        }
        Ask::Rows { table, ids, known } => {
            let ids: Vec<String> = ids.iter().map(|one| id(Some(*one))).collect();
            let (table, ids, known) = (name(*table), ids.join(", "), document(&json!(known)));
            format!("public.sync_rows({table}, ARRAY[{ids}]::uuid[], known => {known})")
        }
        Ask::Digest { after, max } => format!("public.sync_digest({}, {max})", id(*after)),
    }
}

/// The answer to it.
pub(super) fn told(ask: &Ask, text: String) -> Result<Told, Fault> {
    match ask {
        Ask::Refresh => unreachable!("a refresh goes to Auth"),
        Ask::Hello { .. } => read(&text).map(Told::Hello),
        Ask::Pull { .. } => Told::page(text),
        Ask::Snapshot { .. } => Told::snapshot(text),
        Ask::Push(_) => read(&text).map(Told::Pushed),
        Ask::Anchor { .. } => read(&text).map(Told::Anchor),
        Ask::Manifest { .. } => read(&text).map(Told::Manifest),
        Ask::Rows { .. } => Told::rows(text),
        Ask::Digest { .. } => read(&text).map(Told::Digests),
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::silent(Service::Rest, FaultKind::NotOurs))
}

/// What PostgREST makes of an error: our own functions name the status in their SQLSTATE.
pub(super) fn fault(error: &tokio_postgres::Error) -> Fault {
    let Some(error) = error.as_db_error() else {
        return Fault::silent(Service::Rest, FaultKind::Unreachable);
    };
    let state = error.code().code();
    match state.strip_prefix("PT").and_then(|status| status.parse().ok()) {
        Some(status) => Fault::status(Service::Rest, status, error.message()),
        None if state.starts_with("22") => Fault::status(Service::Rest, 400, state),
        None => Fault::status(Service::Rest, 500, state),
    }
}

/// A text as a literal.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// JSON as a literal; null is NULL.
pub(super) fn document(value: &Value) -> String {
    if value.is_null() { "NULL".into() } else { format!("{}::jsonb", text(&value.to_string())) }
}

/// An id as a literal.
pub(super) fn id(id: Option<Uuid>) -> String {
    id.map_or("NULL::uuid".into(), |id| format!("'{id}'::uuid"))
}

fn name(table: Table) -> String {
    text(table.name())
}

//! Writes `ui/src/bridge/generated/types.ts` from the types of this crate.
//!
//! One file, in the order of the list below; a test fails when the checked-in file differs, and
//! `cargo xtask types` writes it again.

use ts_rs::{Config, TS};

use crate::{api, error, events, model};

macro_rules! declarations {
    ($($type:ty),* $(,)?) => {{
        let config = Config::default();
        let mut text = String::from(
            "// Written by `cargo xtask types` from crates/core; a difference fails the tests.\n",
        );
        $(
            text.push_str("\nexport ");
            text.push_str(&<$type as TS>::decl(&config));
            text.push('\n');
        )*
        text
    }};
}

/// The whole text of the generated file.
pub fn generate() -> String {
    declarations![
        model::ConversationId,
        model::MessageId,
        model::DocumentId,
        model::DeviceId,
        model::Timestamp,
        model::ModelRef,
        model::TitleBy,
        model::Origin,
        model::Conversation,
        model::Role,
        model::MessageState,
        model::Part,
        model::Message,
        model::ProviderKind,
        model::ModelInfo,
        model::ProviderConfig,
        error::Code,
        error::Failure,
        events::Change,
        api::AppState,
        api::KeyStore,
        api::SalvageReport,
        api::SalvagedTable,
        api::Shelf,
        api::ThreadPage,
        api::ThreadMessage,
        api::Siblings,
        api::Waiting,
        api::SendRequest,
        api::Sent,
        api::StreamEvent,
        api::SearchHit,
        api::SearchRequest,
        api::ModelEntry,
        api::ProviderView,
        api::LocalModel,
        api::LocalModelState,
        api::Setting,
        api::Undoable,
        api::Pause,
        api::SyncState,
        api::Counts,
        api::Moved,
        api::SyncStatus,
        api::Verdict,
        api::ProjectAddress,
        api::Organisation,
        api::AccountState,
        api::AccountStatus,
        api::SignOutRequest,
        api::ConflictView,
        api::ConflictChoice,
        api::ParkedView,
        api::Unsynced,
        api::DeviceView,
        api::DeviceList,
        api::SessionView,
        api::Doorbell,
        api::Timing,
        api::Slow,
        api::Failed,
        api::Health,
        api::FoundSource,
        api::ImportRequest,
        api::ImportCounts,
        api::Share,
        api::Kind,
        api::Skip,
        api::Note,
        api::Plan,
        api::PlannedImport,
        api::Mismatch,
        api::Report,
        api::ImportStage,
        api::ImportMoment,
        api::ImportState,
        api::ImportView,
        api::ImportedConversations,
        api::Undone,
        api::DoctorReport,
        api::ExportFormat,
        api::ExportedConversation,
        api::TrashedMessage,
        api::ExportedDocument,
        api::ExportedFile,
        api::Export,
        api::Proven,
        api::ImportNews,
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_types_that_the_interface_uses_are_those_of_the_core() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/bridge/generated/types.ts");
        let generated = super::generate();
        if std::env::var_os("TIDEMARK_WRITE_TYPES").is_some() {
            std::fs::write(path, &generated).expect("the generated folder can be written");
        }
        let checked_in = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            checked_in == generated,
            "ui/src/bridge/generated/types.ts differs from the core: run `cargo xtask types`"
        );
    }
}

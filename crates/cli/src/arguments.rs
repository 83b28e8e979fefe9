//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tidemark_core::model::{ConversationId, DeviceId};
use uuid::Uuid;

/// Tidemark from a terminal or a script.
#[derive(Debug, Parser)]
#[command(name = "tidemarkctl", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// The folder of the mirror (else TIDEMARK_DATA_DIR, else the window's)
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a model and print its answer as it comes
    Chat {
        /// Go on with this conversation
        #[arg(long, value_name = "ID")]
        conversation: Option<ConversationId>,
        /// Ask this model, as provider/model
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// The question; "-" reads it from standard input
        text: OsString,
    },
    /// Store a message for which no answer is asked
    Say {
        /// A conversation's id, or "new"
        conversation: String,
        /// The message; "-" reads it from standard input
        text: OsString,
    },
    /// List conversations, latest first
    Conversations {
        /// The archived ones
        #[arg(long, conflicts_with = "trash")]
        archived: bool,
        /// Those in the trash
        #[arg(long)]
        trash: bool,
    },
    /// List all messages of a conversation, oldest first
    Messages {
        /// The conversation
        id: ConversationId,
    },
    /// Find titles and messages
    Search {
        /// Words; quotes keep them together
        text: String,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
    },
    /// Give a conversation a title
    Rename {
        /// The conversation
        id: ConversationId,
        /// Its new title; an empty one lets Tidemark name it
        title: String,
    },
    /// Move a conversation out of the sidebar
    Archive {
        /// The conversation
        id: ConversationId,
        /// Back into the sidebar
        #[arg(long)]
        undo: bool,
    },
    /// Move a conversation to the trash, for 30 days
    Trash {
        /// The conversation
        id: ConversationId,
    },
    /// Take a conversation out of the trash
    Restore {
        /// The conversation
        id: ConversationId,
    },
    /// Write conversations out, all of them where none is named
    Export {
        /// The conversations
        ids: Vec<ConversationId>,
        /// json: everything, losslessly; md: the branch that is shown
        #[arg(long, default_value = "json", value_parser = ["json", "md"])]
        format: String,
    },
    /// Read and change settings
    #[command(subcommand)]
    Settings(Settings),
    /// List the models that can be chosen
    Models,
    /// List, add and remove providers
    #[command(subcommand)]
    Providers(Providers),
    /// Sign up, sign in, look, sign out
    #[command(subcommand)]
    Account(AccountCommand),
    /// Sync until nothing is left to do; exit 1 where the server refused a change
    #[command(args_conflicts_with_subcommands = true)]
    Sync(Sync),
    /// List what lost against another device, or settle it
    Conflicts(Conflicts),
    /// List what the server refused for good, or decide about it
    Parked(Parked),
    /// List the account's devices, or sign one out
    Devices {
        /// Sign this device out: the server refuses it from its next request on
        #[arg(long, value_name = "ID")]
        revoke: Option<DeviceId>,
    },
    /// List the account's sessions, or end one
    Sessions {
        /// End this session
        #[arg(long, value_name = "ID")]
        end: Option<Uuid>,
    },
    /// Bring over what older programs left on this computer
    #[command(subcommand)]
    Import(ImportCommand),
    /// Check the mirror; exit 1 on a finding
    Doctor {
        /// Fill the search index again
        #[arg(long)]
        rebuild_index: bool,
        /// Compare the digests of both sides as well
        #[arg(long)]
        server: bool,
    },
}

/// Import.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Look for what older programs left, in the home folder or where it is named
    Find {
        /// Look here and below
        places: Vec<PathBuf>,
    },
    /// Print what would come over; nothing is written. Exit 1 where something would not
    Plan(ImportSource),
    /// Back up, bring over, verify. Exit 1 where something was skipped
    Run {
        #[command(flatten)]
        source: ImportSource,
        /// Take everything back where it is not verified
        #[arg(long)]
        auto_rollback: bool,
        /// First ask for the old password of each --user, in TIDEMARK_OLD_PASSWORD or a line of
        /// standard input each; refuse where it differs. It is compared here and kept nowhere
        #[arg(long, requires = "users")]
        prove: bool,
        #[command(flatten)]
        accounts: ImportAccounts,
    },
    /// Print what is new in sources that are still written to, a line each, until Ctrl+C
    Watch {
        /// Only these; else all that were imported from
        paths: Vec<PathBuf>,
    },
    /// List the imports that were run
    List,
    /// Print what came of an import
    Report {
        /// Its id
        id: Uuid,
    },
    /// Take an import back; what was changed since stays
    Undo {
        /// Its id
        id: Uuid,
    },
    /// Copy a source into an archive, and check it
    Backup {
        /// The source
        path: PathBuf,
    },
    /// Put a source back from its archive
    Restore {
        /// The archive
        archive: PathBuf,
        /// Into this folder, which is new or empty
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
}

/// For administrators: everybody's part into their own account.
#[derive(Debug, Args)]
pub(crate) struct ImportAccounts {
    /// Move everybody whom --accounts names; the service role key comes from
    /// TIDEMARK_SERVICE_ROLE_KEY or standard input, and is not kept
    #[arg(long, requires = "accounts", requires = "url", conflicts_with = "users")]
    pub(crate) all_users: bool,
    /// A file of lines “old name,e-mail address”
    #[arg(long, value_name = "FILE", requires = "all_users")]
    pub(crate) accounts: Option<PathBuf>,
    /// The project's address
    #[arg(long, value_name = "URL", requires = "all_users")]
    pub(crate) url: Option<String>,
    /// Delete from the accounts what was moved there; the accounts stay
    #[arg(long, requires = "all_users")]
    pub(crate) rollback: bool,
}

/// What is imported.
#[derive(Debug, Args)]
pub(crate) struct ImportSource {
    /// The old program's folder, file or archive
    pub(crate) path: PathBuf,
    /// Only this person's chats, by name or key; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub(crate) users: Vec<String>,
    /// What times without a zone mean: minutes east of UTC
    #[arg(long, value_name = "MINUTES", default_value_t = 0, allow_hyphen_values = true)]
    pub(crate) zone: i32,
}

/// Sync.
#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// Go on until Ctrl+C, and print each change of the state
    #[arg(long)]
    pub(crate) watch: bool,
    /// Compare the digests of both sides at the end, and fetch again what differs
    #[arg(long, conflicts_with = "watch")]
    pub(crate) verify: bool,
    #[command(subcommand)]
    pub(crate) command: Option<SyncCommand>,
}

/// More of sync.
#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Print where sync is; asks no network
    Status,
}

/// What lost against another device.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Conflicts {
    /// Let what stands stand
    #[arg(long, value_name = "ID")]
    pub(crate) keep: Option<i64>,
    /// Put the value that lost in its place
    #[arg(long, value_name = "ID")]
    pub(crate) bring_back: Option<i64>,
    /// Keep both values
    #[arg(long, value_name = "ID")]
    pub(crate) keep_both: Option<i64>,
}

/// What the server refused for good.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Parked {
    /// Send this one again
    #[arg(long, value_name = "N")]
    pub(crate) retry: Option<i64>,
    /// Give this one up
    #[arg(long, value_name = "N")]
    pub(crate) discard: Option<i64>,
}

/// Settings.
#[derive(Debug, Subcommand)]
pub(crate) enum Settings {
    /// Print one setting, or all
    Get {
        /// Its name
        key: Option<String>,
    },
    /// Change a setting
    Set {
        /// Its name
        key: String,
        /// JSON, or plain text
        value: String,
    },
}

/// The account.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account; the password comes from TIDEMARK_PASSWORD or standard input
    SignUp(SignIn),
    /// Sign in; the password comes from TIDEMARK_PASSWORD or standard input. What is here goes up
    SignIn(SignIn),
    /// Print how the account stands; asks no network
    Status,
    /// Sign out; what is here stays
    SignOut {
        /// Remove what came from the account
        #[arg(long)]
        remove: bool,
        /// Go on although changes have not reached the project
        #[arg(long)]
        discard_pending: bool,
        /// End the sessions of all devices
        #[arg(long)]
        everywhere: bool,
    },
}

/// Who signs in where.
#[derive(Debug, Args)]
pub(crate) struct SignIn {
    /// The project's address, such as https://example.supabase.co; else the one entered before
    #[arg(long, value_name = "URL", requires = "anon_key")]
    pub(crate) url: Option<String>,
    /// The project's anon or publishable key
    #[arg(long, value_name = "KEY", requires = "url")]
    pub(crate) anon_key: Option<String>,
    /// A file of PEM certificates to trust beside the system's
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) ca_file: Option<String>,
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: String,
}

/// Providers.
#[derive(Debug, Subcommand)]
pub(crate) enum Providers {
    /// List what is configured
    List,
    /// Add a provider, or change the one with this id
    Add(AddProvider),
    /// Remove a provider and its key
    Remove {
        /// Its id
        id: String,
    },
    /// Set a provider's key, read from standard input; an empty one removes it
    Key {
        /// Its id
        id: String,
    },
}

/// A provider to be added.
#[derive(Debug, Args)]
pub(crate) struct AddProvider {
    /// Short and stable: the first part of its models' names
    pub(crate) id: String,
    /// openai (any compatible endpoint) or anthropic
    #[arg(long, default_value = "openai", value_parser = ["openai", "anthropic"])]
    pub(crate) kind: String,
    /// Where it is, such as http://localhost:11434/v1
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: String,
    /// What it is called; the id where none is given
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A model that it has; may be repeated
    #[arg(long = "model", value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// A file of PEM certificates to trust beside the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<String>,
}

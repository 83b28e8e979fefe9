//! Arguments as the window gave them.
//!
//! Tauri answers an argument that it cannot decode with a sentence. The window understands a
//! [`Failure`] and nothing else, so every argument is an [`Arg`].

use serde::de::DeserializeOwned;
use tauri::Runtime;
use tauri::ipc::{CommandArg, CommandItem, InvokeError};
use tidemark_core::{Code, Failure};

/// An argument of a command, decoded by its type; a missing one is `null`.
pub(crate) struct Arg<T>(pub(crate) T);

impl<'de, R: Runtime, T: DeserializeOwned> CommandArg<'de, R> for Arg<T> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let (name, key) = (command.name, command.key);
        // What serde says is dropped: it quotes the value, which may be a key or a message.
        T::deserialize(command).map(Arg).map_err(|_| {
            tracing::warn!(command = name, argument = key, "cannot be decoded");
            InvokeError::from(unusable(key))
        })
    }
}

fn unusable(key: &str) -> Failure {
    Failure::new(Code::InvalidInput, format!("What was given as “{key}” cannot be used."))
        .hint("Nothing was changed.")
}

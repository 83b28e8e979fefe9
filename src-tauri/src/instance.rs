//! One window for each data folder: a second start shows the first one's window and ends.
//!
//! The plugin knows a program by a name, on Linux on the session bus, on macOS by a socket, on
//! Windows by a mutex. The name is made from the data folder, so that two folders are two programs
//! that run side by side. Where there is no session bus nothing is found and both windows open;
//! the mirror stands that, as it stands `tidemarkctl` beside the window.

use std::path::Path;

use sha2::{Digest, Sha256};
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Config, Wry};

use crate::launch::{IDENTIFIER, default_data_dir};
use crate::window;

/// The plugin, for this data folder.
pub(crate) fn plugin(data_dir: &Path, config: &mut Config) -> TauriPlugin<Wry> {
    let name = name(data_dir, default_data_dir().as_deref());
    let plugin = tauri_plugin_single_instance::Builder::new()
        .callback(|app: &AppHandle, _arguments, _folder| window::show(app))
        .dbus_id(name.clone());
    if cfg!(not(target_os = "linux")) {
        // There the plugin takes the app's identifier and no other. Nothing else reads it: every
        // folder that the shell uses is below the data folder.
        config.identifier = name;
    }
    plugin.build()
}

/// [`IDENTIFIER`] for the usual folder, and one with a part made from the path for any other.
fn name(data_dir: &Path, usual: Option<&Path>) -> String {
    let usual = usual.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    if usual.as_deref() == Some(data_dir) {
        return IDENTIFIER.to_owned();
    }
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    let part: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    // A part of a bus name must not begin with a digit.
    format!("{IDENTIFIER}.d{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_has_a_name_and_the_usual_one_a_plain_one() {
        let usual = Path::new("/nowhere/usual");
        let of = |path: &str| name(Path::new(path), Some(usual));
        assert_eq!(of("/nowhere/usual"), IDENTIFIER);
        assert_eq!(of("/nowhere/a"), of("/nowhere/a"));
        assert_ne!(of("/nowhere/a"), of("/nowhere/b"));
        assert_eq!(of("/nowhere/a").len(), IDENTIFIER.len() + 18);
    }
}

//! Light or dark, known before the mirror is open.
//!
//! The window is on the screen earlier than the setting `theme` can be read. What the setting said
//! last is kept beside the mirror in a file of one word, so that a window in one theme does not
//! flash in the other.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tauri::utils::config::Color;
use tauri::{Theme, WebviewWindow};

const LIGHT: Color = Color(248, 251, 251, 255);
const DARK: Color = Color(15, 21, 24, 255);

/// The file of one word.
#[derive(Debug, Clone)]
pub(crate) struct Appearance {
    file: PathBuf,
}

impl Appearance {
    /// In this data folder.
    pub(crate) fn in_folder(data_dir: &Path) -> Self {
        Self { file: data_dir.join("theme") }
    }

    /// What the setting said last; none means as the system.
    pub(crate) fn theme(&self) -> Option<Theme> {
        theme(&self.word()?)
    }

    /// Shows the window as the setting `theme` says, and remembers it.
    pub(crate) fn change(&self, window: &WebviewWindow, setting: &Value) {
        let word = setting.as_str().unwrap_or("system");
        if self.word().as_deref() == Some(word) {
            return;
        }
        if let Err(error) = std::fs::write(&self.file, word) {
            tracing::warn!(%error, "the theme is not remembered");
        }
        let _ = window.set_theme(theme(word));
        if theme(word).is_none() && cfg!(target_os = "linux") {
            // There "as the system" means light, until the system changes: ask what it is now.
            let _ = window.set_theme(window.theme().ok());
        }
        self.paint(window);
    }

    /// Gives the window the page's own background, which shows before the page is painted.
    pub(crate) fn paint(&self, window: &WebviewWindow) {
        let shown = self.theme().or_else(|| window.theme().ok());
        let color = if shown == Some(Theme::Dark) { DARK } else { LIGHT };
        let _ = window.set_background_color(Some(color));
    }

    fn word(&self) -> Option<String> {
        std::fs::read_to_string(&self.file).ok()
    }
}

fn theme(word: &str) -> Option<Theme> {
    match word.trim() {
        "dark" => Some(Theme::Dark),
        "light" => Some(Theme::Light),
        _ => None,
    }
}

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

    /// What the setting said last; none follows the system.
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
        self.settle(window);
    }

    /// Brings a window's frame, dialogs and background in line.
    pub(crate) fn settle(&self, window: &WebviewWindow) {
        let theme = self.theme();
        let _ = window.set_theme(theme);
        let shown = theme.or_else(|| window.theme().ok());
        let _ = window.set_background_color(Some(background(shown)));
    }

    fn word(&self) -> Option<String> {
        std::fs::read_to_string(&self.file).ok()
    }
}

/// What shows before the page is painted: the page's own background.
pub(crate) fn background(theme: Option<Theme>) -> Color {
    match theme {
        Some(Theme::Dark) => DARK,
        _ => LIGHT,
    }
}

fn theme(word: &str) -> Option<Theme> {
    match word.trim() {
        "dark" => Some(Theme::Dark),
        "light" => Some(Theme::Light),
        _ => None,
    }
}

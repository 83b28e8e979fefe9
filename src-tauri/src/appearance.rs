//! Light or dark, known before the mirror is open.
//!
//! The window is on the screen earlier than the setting `theme` can be read, or the system be asked
//! for its own. Both are kept beside the mirror in a file of two words, the setting and what it came
//! to, so that a window in one theme does not flash in the other.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tauri::utils::config::Color;
use tauri::{Theme, WebviewWindow};

const LIGHT: Color = Color(248, 251, 251, 255);
const DARK: Color = Color(15, 21, 24, 255);

/// The file of two words.
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
        self.words().0
    }

    /// What shows before the page is painted: the page's own background.
    pub(crate) fn background(&self) -> Color {
        color(self.words().1)
    }

    /// Shows the window as the setting `theme` says, and remembers it.
    pub(crate) fn change(&self, window: &WebviewWindow, setting: &Value) {
        let chosen = theme(setting.as_str().unwrap_or_default());
        if chosen == self.theme() {
            return;
        }
        let _ = window.set_theme(chosen);
        if chosen.is_none() && cfg!(target_os = "linux") {
            // There "as the system" means light, until the system changes: ask what it is now.
            let _ = window.set_theme(window.theme().ok());
        }
        self.remember(window, chosen);
    }

    /// Keeps what the theme of an open window came to.
    pub(crate) fn remember(&self, window: &WebviewWindow, chosen: Option<Theme>) {
        let shown = chosen.or_else(|| window.theme().ok());
        if self.words() == (chosen, shown) {
            return;
        }
        let words = format!("{} {}", word(chosen), word(shown));
        if let Err(error) = std::fs::write(&self.file, words) {
            tracing::warn!(%error, "the theme is not remembered");
        }
        let _ = window.set_background_color(Some(color(shown)));
    }

    fn words(&self) -> (Option<Theme>, Option<Theme>) {
        let words = std::fs::read_to_string(&self.file).unwrap_or_default();
        let mut words = words.split_whitespace().map(theme);
        (words.next().flatten(), words.next().flatten())
    }
}

fn color(shown: Option<Theme>) -> Color {
    if shown == Some(Theme::Dark) { DARK } else { LIGHT }
}

fn word(theme: Option<Theme>) -> &'static str {
    match theme {
        Some(Theme::Dark) => "dark",
        Some(_) => "light",
        None => "system",
    }
}

fn theme(word: &str) -> Option<Theme> {
    match word {
        "dark" => Some(Theme::Dark),
        "light" => Some(Theme::Light),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_opens_in_the_colour_in_which_it_was_closed() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let appearance = Appearance::in_folder(folder.path());
        for (words, chosen, shown) in [
            ("dark dark", Some(Theme::Dark), DARK),
            ("light light", Some(Theme::Light), LIGHT),
            ("system dark", None, DARK),
            ("system light", None, LIGHT),
            ("", None, LIGHT),
            ("\0 \u{2603}", None, LIGHT),
        ] {
            std::fs::write(&appearance.file, words).expect("written");
            assert_eq!(appearance.theme(), chosen, "{words}");
            assert_eq!(appearance.background(), shown, "{words}");
        }
        std::fs::remove_file(&appearance.file).expect("removed");
        assert_eq!(appearance.theme(), None, "a first start");
    }
}

//! The one window: how it looks before the page does, and what the page can never do.
//!
//! The page may show the app's own files and ask the shell's commands. It can go nowhere else, open
//! no window, download nothing and be granted nothing (camera, place, notices): the policy is here
//! and in `tauri.conf.json` (content security policy, capabilities), and nowhere in the page.

use std::path::Path;

use tauri::plugin::TauriPlugin;
use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};
use tauri_plugin_window_state::StateFlags;

use crate::appearance::Appearance;

/// The window's label, which the capability in `tauri.conf.json` names.
pub(crate) const MAIN: &str = "main";

const TITLE: &str = "Tidemark";
const SIZE: (f64, f64) = (1180.0, 800.0);
const SMALLEST: (f64, f64) = (480.0, 480.0);

/// The menu of a browser (Reload, Back, Save as) has no place in an app. Where there is text to copy
/// or a field to type in, the system's menu stays: it cuts, pastes and corrects spelling.
const QUIET_MENU: &str = "addEventListener('contextmenu', event => {
  const field = event.target.closest?.('input, textarea, [contenteditable]');
  if (!field && getSelection().isCollapsed) event.preventDefault();
});";

/// Opens it, where and as large as it was last.
pub(crate) fn open(app: &AppHandle, data_dir: &Path) -> tauri::Result<()> {
    let appearance = Appearance::in_folder(data_dir);
    let mut builder = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title(TITLE)
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SMALLEST.0, SMALLEST.1)
        .center()
        .prevent_overflow()
        .theme(appearance.theme())
        .background_color(appearance.background())
        // What a web view keeps of its own stays with the mirror; on Linux see `webkit`.
        .data_directory(data_dir.join("webview"))
        .incognito(cfg!(not(target_os = "linux")))
        .zoom_hotkeys_enabled(true)
        .devtools(cfg!(debug_assertions))
        .on_navigation(is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny);
    if !tauri::is_dev() {
        builder = builder.initialization_script(QUIET_MENU);
    }
    let window = builder.build()?;
    #[cfg(target_os = "linux")]
    {
        crate::webkit::configure(&window)?;
        // The builder's theme is for the other systems.
        appearance.theme().map_or(Ok(()), |theme| window.set_theme(Some(theme)))?;
    }
    appearance.remember(&window, appearance.theme());
    app.manage(appearance);
    Ok(())
}

/// Brings it to the front.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = main(app) else { return };
    let shown = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be brought to the front");
    }
}

/// The window, while there is one.
pub(crate) fn main(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(MAIN)
}

/// Keeps size and place in the data folder.
pub(crate) fn remembered(data_dir: &Path) -> TauriPlugin<Wry> {
    // The plugin joins the name to a folder of its own, and joining an absolute path replaces it.
    let file = data_dir.join("window.json").to_string_lossy().into_owned();
    tauri_plugin_window_state::Builder::new()
        .with_filename(file)
        .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
        .build()
}

/// Whether an address is the app's own, the only place where the page may be.
fn is_own(url: &Url) -> bool {
    let at = |scheme, host| url.scheme() == scheme && url.host_str() == Some(host);
    let built =
        if cfg!(windows) { at("http", "tauri.localhost") } else { at("tauri", "localhost") };
    let from_vite = || at("http", "localhost") && url.port() == Some(5173);
    (built && url.port().is_none()) || (tauri::is_dev() && from_vite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_can_go_nowhere_else() {
        let own = if cfg!(windows) { "http://tauri.localhost" } else { "tauri://localhost" };
        assert!(is_own(&own.parse().expect("an address")));
        assert!(is_own(&format!("{own}/index.html#/chat").parse().expect("an address")));
        for other in [
            "https://example.org",
            "http://localhost/",
            "http://tauri.localhost.example.org/",
            "tauri://localhost.example.org/",
            "tauri://localhost:81/",
            "file:///etc/passwd",
            "data:text/html,x",
            "javascript:alert(1)",
            "blob:tauri://localhost/1",
            "about:blank",
            "about:srcdoc",
            "ipc://localhost/",
        ] {
            assert!(!is_own(&other.parse().expect("an address")), "{other}");
        }
    }
}

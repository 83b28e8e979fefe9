//! What the window may ask, one function each: decode, call the core, encode.

mod app;

use tauri::Wry;
use tauri::ipc::Invoke;

/// Every command. `build.rs` reads this list to tell Tauri what the window may call, so a command
/// that is not in it is refused before it is looked for.
pub(crate) fn all() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        app::open_data_dir,
        app::open_link,
    ]
}

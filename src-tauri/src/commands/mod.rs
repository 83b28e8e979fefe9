//! What the window may ask, one function each: decode, call the core, encode.

mod app;
mod conversations;
mod models;
mod settings;
mod thread;

use tauri::Wry;
use tauri::ipc::Invoke;

/// Every command. `build.rs` reads this list to tell Tauri what the window may call, so a command
/// that is not in it is refused before it is looked for.
pub(crate) fn all() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        app::app_state,
        app::choose_passphrase,
        app::doctor,
        app::finish_first_run,
        app::open_data_dir,
        app::open_link,
        app::recovery_key,
        app::reopen,
        app::sync_state,
        app::unlock,
        conversations::archive,
        conversations::conversation,
        conversations::conversations,
        conversations::delete_forever,
        conversations::duplicate,
        conversations::export_text,
        conversations::pin,
        conversations::rename,
        conversations::restore,
        conversations::save_export,
        conversations::set_model,
        conversations::set_system_prompt,
        conversations::trash,
        conversations::undo,
        conversations::undoable,
        models::add_local_model,
        models::download_model,
        models::local_models,
        models::models,
        models::pause_download,
        models::provider_models,
        models::provider_presets,
        models::providers,
        models::remove_model,
        models::remove_provider,
        models::save_provider,
        models::set_default_model,
        models::set_key,
        settings::set_setting,
        settings::settings,
        thread::answer_with,
        thread::choose_branch,
        thread::continue_answer,
        thread::draft,
        thread::edit,
        thread::follow,
        thread::keep,
        thread::messages_by_id,
        thread::regenerate,
        thread::retry_now,
        thread::save_draft,
        thread::say,
        thread::search,
        thread::send,
        thread::send_held,
        thread::stop,
        thread::thread,
        thread::thread_after,
    ]
}

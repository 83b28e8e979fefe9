//! What the window may ask, one function each: decode, call the core, encode.

mod account;
mod app;
mod conversations;
mod models;
mod settings;
mod sync;
mod thread;

use tauri::Wry;
use tauri::ipc::Invoke;

/// Every command. `build.rs` reads this list to tell Tauri what the window may call, so a command
/// that is not in it is refused before it is looked for.
pub(crate) fn all() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        account::account,
        account::delete_account,
        account::devices,
        account::end_session,
        account::forgot_password,
        account::organisation,
        account::reset_password,
        account::revoke_device,
        account::sessions,
        account::sign_in,
        account::sign_out,
        account::sign_up,
        app::app_state,
        app::choose_passphrase,
        app::doctor,
        app::finish_first_run,
        app::open_data_dir,
        app::open_link,
        app::recovery_key,
        app::reopen,
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
        sync::answer_removal,
        sync::conflicts,
        sync::discard_parked,
        sync::health,
        sync::parked,
        sync::retry_parked,
        sync::settle_conflict,
        sync::sync_now,
        sync::sync_status,
        sync::unsynced,
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

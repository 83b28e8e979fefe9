//! What WebKitGTK does otherwise than an app wants, set right on the web view itself.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tauri::WebviewWindow;
use webkit2gtk::glib;
use webkit2gtk::{
    CacheModel, HardwareAccelerationPolicy, SettingsExt, WebContextExt,
    WebProcessTerminationReason, WebView, WebViewExt,
};

/// A page whose process dies again within this time waits as long before it is loaded again.
const BETWEEN_RELOADS: Duration = Duration::from_secs(10);

/// Configures the window's web view, once, before its page has loaded.
pub(crate) fn configure(window: &WebviewWindow) -> tauri::Result<()> {
    window.with_webview(|webview| {
        let view = webview.inner();
        settings(&view);
        context(&view);
        reload_when_it_dies(&view);
    })
}

fn settings(view: &WebView) {
    let Some(settings) = WebViewExt::settings(view) else { return };
    // Painted by the processor: measured here without a graphics card, a page that scrolls takes 18 ms
    // a frame instead of 47 and the web process 54 MB less; and no fault of a driver leaves the
    // window blank. (WebKitGTK 2.50 crashes with it while a page loads in a window that is hidden.)
    settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
    // Wheels with high resolution scroll by fits and starts with it.
    settings.set_enable_smooth_scrolling(false);
    // Nothing of a conversation is left in the clear beside the encrypted mirror.
    settings.set_enable_html5_local_storage(false);
    settings.set_enable_html5_database(false);
    // One page that never goes back: keeping earlier ones costs memory and serves nobody.
    settings.set_enable_page_cache(false);
    settings.set_enable_back_forward_navigation_gestures(false);
    // What the interface does not use, hostile content cannot use either.
    settings.set_enable_webgl(false);
    settings.set_enable_webaudio(false);
    settings.set_enable_media(false);
    settings.set_enable_media_stream(false);
    settings.set_enable_mediasource(false);
    settings.set_enable_webrtc(false);
    settings.set_enable_dns_prefetching(false);
    settings.set_allow_modal_dialogs(false);
    settings.set_javascript_can_open_windows_automatically(false);
}

fn context(view: &WebView) {
    let Some(context) = view.context() else { return };
    context.set_cache_model(CacheModel::DocumentViewer);
    let languages = languages(|name| std::env::var(name).ok());
    let languages: Vec<&str> = languages.iter().map(String::as_str).collect();
    context.set_spell_checking_languages(&languages);
    context.set_spell_checking_enabled(true);
}

/// The page keeps nothing that the mirror does not have, so a new one shows the same.
fn reload_when_it_dies(view: &WebView) {
    let last = Cell::new(None::<Instant>);
    view.connect_web_process_terminated(move |view, reason: WebProcessTerminationReason| {
        tracing::error!(?reason, "the page's process ended");
        let now = Instant::now();
        let soon = last.get().is_some_and(|last| now.duration_since(last) < BETWEEN_RELOADS);
        last.set(Some(now));
        let pause = if soon { BETWEEN_RELOADS } else { Duration::ZERO };
        let view = view.clone();
        glib::timeout_add_local_once(pause, move || view.reload());
    });
}

/// The person's language and English, as dictionaries are named: `de_DE`, `en_US`.
fn languages(env: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(env);
    let locale = named.into_iter().find(|value| !value.is_empty()).unwrap_or_default();
    let own = locale.split(['.', '@']).next().unwrap_or_default();
    let is_language = own.len() >= 2 && own != "POSIX" && own.is_ascii();
    let mut languages: Vec<String> = is_language.then(|| own.to_owned()).into_iter().collect();
    if !own.starts_with("en_") {
        languages.push("en_US".to_owned());
    }
    languages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_checked_in_the_persons_language_and_in_english() {
        let of = |locale: &str| languages(|name| (name == "LANG").then(|| locale.to_owned()));
        assert_eq!(of("de_DE.UTF-8"), ["de_DE", "en_US"]);
        assert_eq!(of("en_GB.UTF-8"), ["en_GB"]);
        assert_eq!(of("C.UTF-8"), ["en_US"]);
        assert_eq!(of("POSIX"), ["en_US"]);
        assert_eq!(of(""), ["en_US"]);
    }
}

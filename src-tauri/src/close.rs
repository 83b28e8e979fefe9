//! How the program ends: the core gets its time, and nobody waits for ever.
//!
//! Closing the window, quitting, or a signal asks the core to stop its tasks and close the mirror.
//! After [`PATIENCE`] the program ends anyway: what was confirmed is on disk, and a later start
//! mends the rest. Asking a second time ends it at once, unless that was a double click.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tauri::{AppHandle, Manager, RunEvent, WindowEvent};

use crate::shell::Shell;

/// The core has about three seconds of its own.
const PATIENCE: Duration = Duration::from_millis(3500);

const OPEN: u8 = 0;
const CLOSING: u8 = 1;
const CLOSED: u8 = 2;

static STAGE: AtomicU8 = AtomicU8::new(OPEN);
static BEGAN: OnceLock<Instant> = OnceLock::new();

const DOUBLE_CLICK: Duration = Duration::from_millis(500);

/// Called for each event of the program's loop.
pub(crate) fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. }
            if STAGE.load(Ordering::SeqCst) != CLOSED =>
        {
            api.prevent_close();
            begin(app);
        }
        RunEvent::ExitRequested { api, .. } if STAGE.load(Ordering::SeqCst) != CLOSED => {
            api.prevent_exit();
            begin(app);
        }
        // Quitting from the dock or at the end of a session asks for nothing before.
        RunEvent::Exit if STAGE.swap(CLOSED, Ordering::SeqCst) == OPEN => {
            tauri::async_runtime::block_on(close(app));
        }
        _ => {}
    }
}

/// Ends the program in good order on the signals that a session or a terminal sends.
pub(crate) fn on_signals(app: &AppHandle) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                let Ok(mut signals) = signal(kind) else { return };
                while signals.recv().await.is_some() {
                    begin(&app);
                }
            });
        }
    }
    #[cfg(not(unix))]
    let _ = app;
}

fn begin(app: &AppHandle) {
    let began = BEGAN.get_or_init(Instant::now);
    if STAGE.compare_exchange(OPEN, CLOSING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        if began.elapsed() > DOUBLE_CLICK {
            tracing::warn!("asked to end a second time");
            std::process::exit(1);
        }
        return;
    }
    // Whoever starts the program now wants a window, and this one is going.
    tauri_plugin_single_instance::destroy(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        close(&app).await;
        STAGE.store(CLOSED, Ordering::SeqCst);
        app.exit(0);
    });
}

async fn close(app: &AppHandle) {
    let Some(shell) = app.try_state::<Shell>() else { return };
    if tokio::time::timeout(PATIENCE, shell.close()).await.is_err() {
        tracing::warn!("the core did not close in time");
    }
    tracing::info!("closed");
}

//! The core, as the commands reach it.

use std::sync::Arc;

use tauri::AppHandle;
use tokio::runtime::Handle;

use crate::launch::Launch;

/// The core and what the shell runs beside it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shell {
    inner: Arc<Inner>,
}

struct Inner {
    launch: Launch,
}

impl Shell {
    pub(crate) fn start(_app: AppHandle, launch: Launch) -> Self {
        let _ = Handle::try_current();
        Self { inner: Arc::new(Inner { launch }) }
    }
    pub(crate) fn launch(&self) -> &Launch {
        &self.inner.launch
    }
    pub(crate) async fn close(&self) {}
}

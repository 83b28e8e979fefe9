//! The settings' commands.

use serde_json::Value;

use super::{Setting, Tidemark};
use crate::error::Result;
use crate::mirror::settings;
use crate::model::setting::{self, KNOWN, Known};

/// Whether first run is behind us; a matter of this device.
const FIRST_RUN: &str = "local.first_run_done";

impl Tidemark {
    /// All settings with their values.
    pub fn settings(&self) -> Result<Vec<Setting>> {
        self.read(|connection| {
            KNOWN
                .iter()
                .map(|known| Ok(view(known, settings::get(connection, known.key)?)))
                .collect()
        })
    }

    /// One setting.
    pub fn setting(&self, key: &str) -> Result<Setting> {
        let known = setting::known(key)?;
        self.read(|connection| Ok(view(known, settings::get(connection, key)?)))
    }

    /// Sets a setting, checked.
    pub fn set_setting(&self, key: &str, value: &Value) -> Result<Setting> {
        let known = setting::known(key)?;
        known.check(value)?;
        self.write(|write| settings::set(write, key, value))?;
        self.inner.queue.wake();
        Ok(view(known, Some(value.clone())))
    }

    /// Says that first run is behind us.
    pub fn finish_first_run(&self) -> Result<()> {
        self.write(|write| settings::set(write, FIRST_RUN, &Value::Bool(true)))
    }

    pub(super) fn first_run_done(&self) -> bool {
        let stored = self.read(|connection| settings::get(connection, FIRST_RUN));
        matches!(stored, Ok(Some(Value::Bool(true))))
    }
}

fn view(known: &Known, stored: Option<Value>) -> Setting {
    Setting {
        key: known.key.to_owned(),
        value: known.or_default(stored),
        default: (known.default)(),
        about: known.about.to_owned(),
    }
}

//! The account's devices and sessions.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::api::Tidemark;
use crate::error::{Failure, Result};
use crate::mirror::synced;
use crate::model::{DeviceId, Timestamp};
use crate::remote::{DeviceSeen, Profile, SessionRow};
use crate::sync::Event;

/// The devices, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceList {
    /// This one first, then by name.
    pub devices: Vec<DeviceView>,
    /// Why the server could not be asked when each was last seen; none where it was.
    pub unasked: Option<Failure>,
}

/// A device: one data folder on one computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceView {
    /// Its id.
    pub id: DeviceId,
    /// The computer's name.
    pub name: String,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// The version of Tidemark that it last ran.
    pub app_version: String,
    /// Since when it belongs to the account.
    pub created_at: Timestamp,
    /// When the server last heard of it; none where the server was not asked.
    pub last_seen_at: Option<Timestamp>,
    /// When it was signed out by its owner.
    pub revoked_at: Option<Timestamp>,
    /// Whether it is this one.
    pub current: bool,
}

/// A session: one sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SessionView {
    /// Its id.
    #[ts(type = "string")]
    pub id: Uuid,
    /// When it was signed in.
    pub created_at: Timestamp,
    /// When it last got a token.
    pub refreshed_at: Option<Timestamp>,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// On which device.
    pub device_name: Option<String>,
    /// Whether it is this one.
    pub current: bool,
}

impl Tidemark {
    /// The account's devices; when each was last seen is asked of the server.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub async fn devices(&self) -> Result<DeviceList> {
        let known = self.off(|core| core.read(synced::devices)).await?;
        let mut devices: Vec<_> = known.into_iter().map(DeviceView::from).collect();
        let seen = match self.profile().await {
            Ok(Some(profile)) => profile.devices().await,
            Ok(None) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        };
        let unasked = match seen {
            Ok(seen) => {
                seen.into_iter().for_each(|seen| merge(&mut devices, seen));
                None
            }
            Err(failure) => Some(failure),
        };
        let here = self.off(|core| core.read(synced::device_id)).await?;
        devices.iter_mut().for_each(|device| device.current = device.id == here);
        devices.sort_by_key(|device| (!device.current, device.name.to_lowercase(), device.id.0));
        Ok(DeviceList { devices, unasked })
    }

    /// Signs a device out: the server refuses it from its next request on. What is on it stays there.
    ///
    /// # Errors
    /// No account is attached, or the project cannot be asked.
    pub async fn revoke_device(&self, id: DeviceId) -> Result<DeviceList> {
        self.signed_in().await?.revoke_device(id.0).await?;
        self.inner.keeper.tell(Event::Now);
        self.devices().await
    }

    /// The account's sessions, latest first.
    ///
    /// # Errors
    /// No account is attached, or the project cannot be asked.
    pub async fn sessions(&self) -> Result<Vec<SessionView>> {
        let rows = self.signed_in().await?.sessions().await?;
        Ok(rows.into_iter().map(SessionView::from).collect())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// As [`Self::sessions`].
    pub async fn end_session(&self, id: Uuid) -> Result<Vec<SessionView>> {
        self.signed_in().await?.end_session(id).await?;
        self.sessions().await
    }

    async fn profile(&self) -> Result<Option<Profile>> {
        Ok(self.session().await?.map(Profile::new))
    }

    async fn signed_in(&self) -> Result<Profile> {
        self.profile().await?.ok_or_else(super::no_account)
    }
}

/// What the server says of a device is newer than what is here.
fn merge(devices: &mut Vec<DeviceView>, seen: DeviceSeen) {
    let seen = DeviceView::from(seen);
    match devices.iter_mut().find(|device| device.id == seen.id) {
        Some(device) => *device = seen,
        None => devices.push(seen),
    }
}

impl From<synced::Device> for DeviceView {
    fn from(device: synced::Device) -> Self {
        Self {
            id: device.id,
            name: device.name,
            platform: device.platform,
            app_version: device.app_version,
            created_at: device.created_at,
            last_seen_at: None,
            revoked_at: device.revoked_at,
            current: false,
        }
    }
}

impl From<DeviceSeen> for DeviceView {
    fn from(seen: DeviceSeen) -> Self {
        Self {
            id: DeviceId(seen.id),
            name: seen.name,
            platform: seen.platform,
            app_version: seen.app_version,
            created_at: Timestamp(seen.created_ms),
            last_seen_at: seen.last_seen_ms.map(Timestamp),
            revoked_at: seen.revoked_ms.map(Timestamp),
            current: false,
        }
    }
}

impl From<SessionRow> for SessionView {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            created_at: Timestamp(row.created_ms),
            refreshed_at: row.refreshed_ms.map(Timestamp),
            ip: row.ip,
            user_agent: row.user_agent,
            device_name: row.device_name,
            current: row.current,
        }
    }
}

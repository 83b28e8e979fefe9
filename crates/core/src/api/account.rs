//! The account: a Supabase project, who is signed in there, and what this mirror has to do with it.
//!
//! Signing in attaches the account to the mirror: what was written before goes up with it. One mirror
//! belongs to one user of one project at a time; another is refused, and nothing is changed. The
//! session is kept in the keyring, or in the encrypted mirror where no keyring has its key.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::timeout;
use ts_rs::TS;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{KeyStore, Tidemark};
use crate::error::{Code, Failure, Result};
use crate::mirror::account::{self, Account, Leaving};
use crate::mirror::{self, Mirror, Write, outbox, secrets, settings, synced};
use crate::model::{DeviceId, Timestamp};
use crate::providers::secret::Secret;
use crate::remote::{
    self, Auth, InKeyring, Link, Patience, Profile, Project, Proof, Session, SessionStore, SignOut,
    SignedUp, StoreError, Tokens, User,
};
use crate::secrets::Keyring;

/// The project, as it was entered; `local.` settings never leave this device.
const PROJECT: &str = "local.project";
/// The entry of the mirror's own secrets.
const SESSION: &str = "session";
/// Signing out waits this long for the project to hear that the device leaves.
const GOODBYE: Duration = Duration::from_secs(3);
/// Auth hashes no more of a password than this.
const MAX_PASSWORD_BYTES: usize = 72;

/// Where a project is, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProjectAddress {
    /// `https://example.supabase.co`
    pub url: String,
    /// The anon or publishable key: every client of the project has it.
    pub anon_key: String,
    /// A file of PEM certificates to trust beside the system's.
    #[serde(default)]
    pub ca_file: Option<String>,
}

/// Who signs in where.
#[derive(Debug)]
pub struct Credentials {
    /// The project; none: the one that was entered before.
    pub project: Option<ProjectAddress>,
    /// The e-mail address.
    pub email: String,
    /// Goes to the project and is kept nowhere.
    pub password: Secret,
}

/// How the account stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountStatus {
    /// Whether somebody is signed in.
    pub state: AccountState,
    /// The project's address; none where none was entered.
    pub url: Option<String>,
    /// Whose account it is.
    pub email: Option<String>,
    /// Their id.
    #[ts(type = "string | null")]
    pub user_id: Option<Uuid>,
    /// Since when this mirror belongs to it.
    pub attached_at: Option<Timestamp>,
    /// Changes that have not reached the project.
    #[ts(type = "number")]
    pub pending: i64,
}

/// Whether somebody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// No account: everything is on this computer only.
    LocalOnly,
    /// Signed in, with or without a network.
    SignedIn,
    /// The mirror belongs to an account whose session is gone: sign in again.
    SignedOut,
    /// The account is made; its address has to be confirmed first.
    Unconfirmed,
}

/// How to sign out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SignOutRequest {
    /// Removes what came from the account, instead of keeping it on this computer.
    pub remove: bool,
    /// Goes on although changes have not reached the project.
    pub discard_pending: bool,
    /// Ends the sessions of all devices.
    pub everywhere: bool,
}

/// The account's session in this process.
#[derive(Debug)]
pub(super) struct Accounts {
    mirror: Mirror,
    kept: KeyStore,
    keyring: Arc<dyn Keyring>,
    /// One holder for all who need a token, so that they share their refreshes.
    current: Mutex<Option<Tokens>>,
}

impl Accounts {
    pub(super) fn new(mirror: &Mirror, kept: KeyStore, keyring: Arc<dyn Keyring>) -> Self {
        Self { mirror: mirror.clone(), kept, keyring, current: Mutex::default() }
    }

    fn tokens(&self, project: Project) -> Tokens {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(tokens) if *tokens.auth().link().project() == project => tokens.clone(),
            _ => current.insert(self.fresh(project)).clone(),
        }
    }

    fn fresh(&self, project: Project) -> Tokens {
        let link = Link::new(project, Patience::default());
        let auth = Auth::new(link, self.mirror.clock().clone());
        let store: Arc<dyn SessionStore> = match self.kept {
            KeyStore::Keyring => {
                Arc::new(InKeyring::new(self.keyring.clone(), &self.mirror.id().to_string()))
            }
            KeyStore::Passphrase | KeyStore::File => Arc::new(InMirror(self.mirror.clone())),
        };
        Tokens::new(auth, store)
    }
}

impl Tidemark {
    /// Makes an account and signs in, where the project does not want the address confirmed first.
    ///
    /// # Errors
    /// A sentence for each way in which address, key, e-mail address or password are wrong.
    pub async fn sign_up(&self, who: Credentials) -> Result<AccountStatus> {
        let entry = self.entry(&who).await?;
        if who.password.expose().len() > MAX_PASSWORD_BYTES {
            return Err(too_long());
        }
        match entry.auth.sign_up(&entry.email, &who.password).await {
            Ok(SignedUp::In(session)) => self.enter(entry, *session).await,
            Ok(SignedUp::Confirm) => {
                let address = entry.address.clone();
                self.off(move |core| core.remember(&address)).await?;
                Ok(unconfirmed(&entry))
            }
            Err(error) => Err(error.failure(&entry.place())),
        }
    }

    /// Signs in, and attaches the account to this mirror where it belongs to none.
    ///
    /// # Errors
    /// As [`Self::sign_up`]; and where the mirror belongs to somebody else.
    pub async fn sign_in(&self, who: Credentials) -> Result<AccountStatus> {
        let entry = self.entry(&who).await?;
        match entry.auth.sign_in(&entry.email, &who.password).await {
            Ok(session) => self.enter(entry, session).await,
            Err(error) => Err(error.failure(&entry.place())),
        }
    }

    /// Has a message sent with which a forgotten password can be replaced. Whether there is such an
    /// account is not told.
    ///
    /// # Errors
    /// The project cannot be asked, or sent a message a moment ago.
    pub async fn forgot_password(
        &self,
        project: Option<ProjectAddress>,
        email: &str,
    ) -> Result<()> {
        let entry = self.place(project, email).await?;
        let sent = entry.auth.recover(&entry.email).await;
        sent.map_err(|error| error.failure(&entry.place()))
    }

    /// Replaces a forgotten password with the code from the message, and signs in. All other sessions
    /// end.
    ///
    /// # Errors
    /// The code is wrong or too old, or the password is refused.
    pub async fn reset_password(&self, who: Credentials, code: &Secret) -> Result<AccountStatus> {
        let entry = self.entry(&who).await?;
        let told = |error: remote::Error| error.failure(&entry.place());
        let session = entry.auth.verify(&entry.email, code, Proof::Recovery).await.map_err(told)?;
        let set = entry.auth.update_password(&session.access, &who.password, None).await;
        set.map_err(told)?;
        self.enter(entry, session).await
    }

    /// How the account stands; no network is asked.
    ///
    /// # Errors
    /// The mirror or the keyring cannot be read.
    pub async fn account(&self) -> Result<AccountStatus> {
        let (address, account, pending) = self
            .off(|core| {
                core.read(|connection| {
                    let counts = outbox::counts(connection)?;
                    let pending = counts.waiting + counts.in_flight + counts.held + counts.behind;
                    let address = settings::get(connection, PROJECT)?;
                    Ok((address, account::get(connection)?, pending))
                })
            })
            .await?;
        let url = address.as_ref().and_then(|address| address["url"].as_str().map(str::to_owned));
        let Some(account) = account else {
            return Ok(AccountStatus { url, ..local_only() });
        };
        let session = match self.session().await? {
            Some(tokens) => tokens.user().await.map_err(|error| error.failure())?,
            None => None,
        };
        let signed_in = session.is_some_and(|user| user.id == account.user_id);
        Ok(AccountStatus {
            state: if signed_in { AccountState::SignedIn } else { AccountState::SignedOut },
            url: Some(account.project),
            email: Some(account.email),
            user_id: Some(account.user_id),
            attached_at: Some(account.attached_at),
            pending,
        })
    }

    /// Signs out, and lets the account go from this mirror.
    ///
    /// # Errors
    /// Changes have not reached the project, and it was not said to go on all the same; or all devices
    /// were meant and the project cannot be reached.
    pub async fn sign_out(&self, how: SignOutRequest) -> Result<AccountStatus> {
        let before = self.account().await?;
        if before.pending > 0 && !how.discard_pending {
            return Err(pending(before.pending));
        }
        self.inner.keeper.without_engine(self.leave(how)).await?;
        self.account().await
    }

    /// Deletes the account and all that is its own on the server, and lets it go from this mirror. What
    /// is here stays, on this computer only.
    ///
    /// # Errors
    /// No account is attached, or the project cannot be asked; then nothing was deleted.
    pub async fn delete_account(&self) -> Result<AccountStatus> {
        let Some(tokens) = self.session().await? else { return self.account().await };
        Profile::new(tokens).delete().await?;
        self.sign_out(SignOutRequest { remove: false, discard_pending: true, everywhere: false })
            .await
    }

    /// No engine runs meanwhile: what it is told for the account must not be written after it left.
    async fn leave(&self, how: SignOutRequest) -> Result<()> {
        if let Some(tokens) = self.session().await? {
            if !how.everywhere {
                self.say_goodbye(&tokens).await;
            }
            let whose = if how.everywhere { SignOut::Everywhere } else { SignOut::Here };
            let place = tokens.auth().link().project().place();
            tokens.sign_out(whose).await.map_err(|error| error.failure(&place))?;
        }
        let leaving = if how.remove { Leaving::Remove } else { Leaving::Keep };
        self.off(move |core| {
            let next = core.new_device();
            core.write(|write| let_go(write, leaving, next))
        })
        .await
    }

    /// Has this device listed as signed out, where the project can be asked now.
    async fn say_goodbye(&self, tokens: &Tokens) {
        let Ok(device) = self.off(|core| core.read(synced::device_id)).await else { return };
        let profile = Profile::new(tokens.clone());
        if !matches!(timeout(GOODBYE, profile.revoke_device(device.0)).await, Ok(Ok(_))) {
            tracing::info!("the project was not told that this device leaves");
        }
    }

    fn new_device(&self) -> DeviceId {
        DeviceId(self.mirror().clock().new_id())
    }

    /// The tokens of the account that the mirror belongs to; none where it belongs to none.
    ///
    /// # Errors
    /// The mirror cannot be read, or what it has is no project's address.
    pub async fn session(&self) -> Result<Option<Tokens>> {
        let stored = self
            .off(|core| {
                core.read(|connection| {
                    let account = account::get(connection)?;
                    account.is_some().then(|| settings::get(connection, PROJECT)).transpose()
                })
            })
            .await?;
        let address = stored.flatten().and_then(|value| serde_json::from_value(value).ok());
        address.map(|address| Ok(self.inner.accounts.tokens(project(&address)?))).transpose()
    }

    async fn entry(&self, who: &Credentials) -> Result<Entry> {
        if who.password.expose().is_empty() {
            return Err(no_password());
        }
        self.place(who.project.clone(), &who.email).await
    }

    async fn place(&self, project: Option<ProjectAddress>, email: &str) -> Result<Entry> {
        let email = email.trim().to_owned();
        if email.len() > 320 || !email.contains('@') || email.contains(char::is_whitespace) {
            return Err(no_address());
        }
        let address = match project {
            Some(address) => address,
            None => self.off(|core| core.known_project()).await?.ok_or_else(no_project)?,
        };
        let project = self::project(&address)?;
        // As it is written from now on.
        let address = ProjectAddress { url: project.url(), ..address };
        let auth = self.inner.accounts.fresh(project).auth().clone();
        Ok(Entry { address, auth, email })
    }

    /// Takes a new session over, unless the mirror belongs to somebody else.
    async fn enter(&self, entry: Entry, session: Session) -> Result<AccountStatus> {
        let attached = self.off(|core| core.read(account::get)).await?;
        if let Some(account) = attached.filter(|account| !belongs(account, &entry, &session)) {
            // Nobody will use it.
            let _ = entry.auth.sign_out(&session.access, SignOut::Here).await;
            return Err(somebody_elses(&account));
        }
        let tokens = self.inner.accounts.tokens(entry.auth.link().project().clone());
        let user = session.user.clone();
        tokens.adopt(session).await.map_err(|error| error.failure())?;
        let attach = self.off(move |core| core.attach(&entry.address, &user));
        self.inner.keeper.without_engine(attach).await?;
        self.account().await
    }

    fn attach(&self, address: &ProjectAddress, user: &User) -> Result<()> {
        self.remember(address)?;
        let next = self.new_device();
        self.write(|write| {
            match account::get(&write.tx)? {
                Some(account) if account.user_id == user.id => return Ok(()),
                // The same person under a new id, as after a restored backup of the project:
                // everything goes up again.
                Some(_) => let_go(write, Leaving::Keep, next)?,
                None => {}
            }
            account::attach(write, &address.url, user.id, &user.email)
        })
    }

    /// The project that was entered before, else the organisation's.
    fn known_project(&self) -> Result<Option<ProjectAddress>> {
        Ok(self.remembered()?.or_else(|| self.organisation().project))
    }

    fn remembered(&self) -> Result<Option<ProjectAddress>> {
        let stored = self.read(|connection| settings::get(connection, PROJECT))?;
        Ok(stored.and_then(|value| serde_json::from_value(value).ok()))
    }

    fn remember(&self, address: &ProjectAddress) -> Result<()> {
        let value = serde_json::to_value(address).unwrap_or(Value::Null);
        if self.remembered()?.as_ref() == Some(address) {
            return Ok(());
        }
        self.write(|write| settings::set(write, PROJECT, &value))
    }

    /// Waits for the disk on a thread that may wait.
    pub(super) async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let core = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&core)).await;
        done.map_err(|_| Failure::new(Code::Internal, "The account could not be read."))?
    }
}

/// What signing in begins with.
struct Entry {
    address: ProjectAddress,
    auth: Auth,
    email: String,
}

impl Entry {
    fn place(&self) -> String {
        self.auth.link().project().place()
    }
}

/// Lets an account go, and its devices with it.
///
/// The server knows this folder's id as a device of that account: it would refuse another account with
/// it, and the same one where the device was revoked.
fn let_go(write: &mut Write<'_>, leaving: Leaving, next: DeviceId) -> Result<(), mirror::Error> {
    account::detach(write, leaving)?;
    write.tx.execute("DELETE FROM devices", [])?;
    account::become_another_device(write, next)
}

pub(super) fn project(address: &ProjectAddress) -> Result<Project> {
    let ca_file = address.ca_file.as_ref().filter(|path| !path.is_empty()).map(Into::into);
    Ok(Project::parse(&address.url, &address.anon_key)?.trusting(ca_file))
}

/// Whether the mirror is this person's: by id, or, where the project gave them a new one, by address.
fn belongs(account: &Account, entry: &Entry, session: &Session) -> bool {
    let same_person = account.user_id == session.user.id
        || account.email.eq_ignore_ascii_case(&session.user.email);
    account.project == entry.address.url && same_person
}

/// The session in the encrypted mirror.
#[derive(Debug)]
struct InMirror(Mirror);

impl From<mirror::Error> for StoreError {
    fn from(error: mirror::Error) -> Self {
        Self(error.to_string())
    }
}

impl SessionStore for InMirror {
    fn load(&self) -> Result<Option<Zeroizing<String>>, StoreError> {
        Ok(self.0.read(|connection| secrets::get(connection, SESSION))?)
    }

    fn save(&self, text: &str) -> Result<(), StoreError> {
        Ok(self.0.write(|write| secrets::set(write, SESSION, Some(text)))?)
    }

    fn clear(&self) -> Result<(), StoreError> {
        Ok(self.0.write(|write| secrets::set(write, SESSION, None))?)
    }
}

fn local_only() -> AccountStatus {
    AccountStatus {
        state: AccountState::LocalOnly,
        url: None,
        email: None,
        user_id: None,
        attached_at: None,
        pending: 0,
    }
}

fn unconfirmed(entry: &Entry) -> AccountStatus {
    AccountStatus {
        state: AccountState::Unconfirmed,
        url: Some(entry.address.url.clone()),
        email: Some(entry.email.clone()),
        ..local_only()
    }
}

fn no_project() -> Failure {
    Failure::new(Code::InvalidInput, "No project is named.")
        .hint("Name its address and its anon key.")
}

fn no_address() -> Failure {
    Failure::new(Code::InvalidInput, "This is not an e-mail address.")
        .hint("It looks like ann@example.com.")
}

fn no_password() -> Failure {
    Failure::new(Code::InvalidInput, "There is no password.").hint("Enter the account's password.")
}

fn too_long() -> Failure {
    Failure::new(Code::InvalidInput, "The password is longer than 72 bytes.")
        .hint("Choose a shorter one.")
}

fn pending(count: i64) -> Failure {
    let changes =
        if count == 1 { "1 change has".to_owned() } else { format!("{count} changes have") };
    Failure::new(Code::WrongState, format!("{changes} not reached the project yet."))
        .hint("Sync first, or say that they may be given up.")
}

fn somebody_elses(account: &Account) -> Failure {
    let (email, project) = (&account.email, &account.project);
    Failure::new(
        Code::WrongState,
        format!("This data folder belongs to {email} at {project}. Nothing was changed."),
    )
    .hint("Sign out first, or use another data folder.")
}

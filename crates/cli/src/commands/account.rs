//! The account: sign up, sign in, look, sign out.

use std::io::BufRead as _;

use tidemark_core::api::{
    AccountState, AccountStatus, Credentials, ProjectAddress, SignOutRequest, Tidemark,
};
use tidemark_core::providers::secret::Secret;
use tidemark_core::{Code, Failure, Result};

use crate::arguments::{AccountCommand, SignIn};
use crate::output::{Output, Status, internal};

/// The longest password that is read.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// Runs one of these commands.
pub(super) async fn run(
    core: &Tidemark,
    command: AccountCommand,
    output: &Output,
) -> Result<Status> {
    let status = match command {
        AccountCommand::SignUp(who) => core.sign_up(credentials(who)?).await?,
        AccountCommand::SignIn(who) => core.sign_in(credentials(who)?).await?,
        AccountCommand::Status => core.account().await?,
        AccountCommand::SignOut { remove, discard_pending, everywhere } => {
            core.sign_out(SignOutRequest { remove, discard_pending, everywhere }).await?
        }
    };
    output.print(&status, text)
}

fn credentials(who: SignIn) -> Result<Credentials> {
    let project = match (who.url, who.anon_key) {
        (Some(url), Some(anon_key)) => Some(ProjectAddress { url, anon_key, ca_file: who.ca_file }),
        _ => None,
    };
    Ok(Credentials { project, email: who.email, password: password()? })
}

fn password() -> Result<Secret> {
    password_of("TIDEMARK_PASSWORD")
}

/// Of an environment variable, else the next line of standard input: arguments are seen by every process
/// of the computer.
pub(super) fn password_of(variable: &str) -> Result<Secret> {
    if let Ok(password) = std::env::var(variable) {
        return Ok(Secret::exact(password));
    }
    let mut line = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_PASSWORD_BYTES);
    input.read_line(&mut line).map_err(|error| internal(&error))?;
    let password = Secret::exact(line.trim_end_matches(['\r', '\n']));
    match password.expose().is_empty() {
        false => Ok(password),
        true => Err(Failure::new(Code::InvalidInput, "There is no password.")
            .hint(format!("Set {variable}, or write it to standard input."))),
    }
}

fn text(status: &AccountStatus) -> String {
    let email = status.email.as_deref().unwrap_or_default();
    let url = status.url.as_deref().unwrap_or_default();
    match status.state {
        AccountState::LocalOnly => "No account: everything is on this computer only.".to_owned(),
        AccountState::SignedIn if status.pending == 0 => format!("Signed in as {email} at {url}."),
        AccountState::SignedIn => {
            format!("Signed in as {email} at {url}; {} changes wait.", status.pending)
        }
        AccountState::SignedOut => {
            format!("This data folder belongs to {email} at {url}. Sign in again to sync.")
        }
        AccountState::Unconfirmed => {
            format!("A message was sent to {email}. Open its link, then sign in.")
        }
    }
}

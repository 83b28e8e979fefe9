//! What an administrator asks with the key that may do everything: find or make accounts, and write on
//! somebody's behalf.
//!
//! The key is held in memory by whoever runs the one command that needs it, and kept nowhere.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::{Error, Fault, Result, Service};
use super::link::{Link, Patience, Request};
use super::project::Project;
use super::rest::{Rest, Weight};
use crate::error::Failure;
use crate::model::wire::{Op, Pushed};
use crate::providers::secret::Secret;

/// Accounts of one page.
const PER_PAGE: usize = 200;
/// So many pages are read: 200,000 accounts.
const PAGES: usize = 1_000;
/// No page is larger.
const MOST: usize = 16 << 20;

/// An administrator of one project.
#[derive(Debug, Clone)]
pub struct Admin {
    rest: Rest,
    link: Link,
    key: Secret,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Known {
    /// Its id; also its scope.
    pub id: Uuid,
    /// Its address, in lower case.
    #[serde(default)]
    pub email: Option<String>,
}

impl Admin {
    /// With the service role's key.
    ///
    /// # Errors
    /// The address is none of a project, or the key is not the one that is needed.
    pub fn new(address: &str, key: &str, patience: Patience) -> Result<Self, Failure> {
        let project = Project::administered(address, key)?;
        let link = Link::new(project, patience);
        Ok(Self { rest: Rest::new(link.clone()), key: link.project().key().clone(), link })
    }

    /// The project's host, for a sentence.
    pub fn place(&self) -> String {
        self.link.project().place()
    }

    /// All accounts.
    ///
    /// # Errors
    /// The project cannot be asked, or does not take the key.
    pub async fn accounts(&self) -> Result<Vec<Known>> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let query = format!("page={page}&per_page={PER_PAGE}");
            let answer = self.ask(Method::GET, Some(&query), None).await?;
            let Page { users } = read(&answer)?;
            let is_last = users.len() < PER_PAGE;
            all.extend(users);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Makes an account whose address counts as confirmed; its owner sets a password by “forgot
    /// password”. No message is sent.
    ///
    /// # Errors
    /// As [`Self::accounts`]; `email_exists`.
    pub async fn make(&self, email: &str, source: &str) -> Result<Known> {
        let body = json!({
            "email": email,
            "email_confirm": true,
            "user_metadata": { "registration_source": source },
        });
        read(&self.ask(Method::POST, None, Some(&body)).await?)
    }

    /// Pushes operations into somebody's scope.
    ///
    /// # Errors
    /// As the table of failures in `docs/sync.md` lists them.
    pub async fn push(&self, scope: Uuid, ops: &[Op]) -> Result<Pushed> {
        let push = json!({ "device": null, "acked_through": 0, "ops": ops, "scope": scope });
        self.rest.call(&self.key, "sync_push", &push, Weight::Page).await?.read()
    }

    async fn ask(
        &self,
        method: Method,
        query: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Vec<u8>> {
        let body = body.map(|body| body.to_string().into_bytes());
        let request = Request {
            service: Service::Auth,
            method,
            path: "/auth/v1/admin/users",
            query,
            token: Some(&self.key),
            body,
            most: MOST,
            patience: self.link.patience().short,
        };
        self.link.send(request).await
    }
}

#[derive(Deserialize)]
struct Page {
    users: Vec<Known>,
}

fn read<'a, T: Deserialize<'a>>(answer: &'a [u8]) -> Result<T> {
    serde_json::from_slice(answer).map_err(|_| Error::silent(Service::Auth, Fault::Garbled))
}

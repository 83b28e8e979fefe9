//! Supabase over the network: Auth, the database's functions, and the doorbell.
//!
//! This module speaks and does not decide. It knows what the servers say and in which of their ways;
//! what an error means for the queue, when to ask again and when to stop is `sync`'s to say, by the
//! table of failures in `docs/sync.md`. It does not know the mirror, and the mirror does not know it.
//!
//! Only the origin of the one configured [`Project`] is ever spoken to. Tokens never leave
//! [`Tokens`] but for a request's header; neither an error nor a log line has one, or an address,
//! or what a server wrote.

mod admin;
mod auth;
mod error;
mod link;
mod profile;
mod project;
pub mod realtime;
mod reply;
mod rest;
mod sentence;
mod server;
mod session;
mod store;
mod tokens;

pub use admin::{Admin, Known};
pub use auth::{Auth, Proof, SignOut, SignedUp};
pub use error::{Error, Fault, Result, Service, Weakness};
pub use link::{Link, Patience};
pub use profile::{DeviceSeen, Profile, SessionRow, UserState};
pub use project::Project;
pub use rest::{Body, Rest, Weight};
pub use server::{AboutDevice, Server, fault};
pub use session::{Moment, Session, User};
pub use store::{InKeyring, SessionStore, StoreError};
pub use tokens::{Access, Holder, TokenError, Tokens};

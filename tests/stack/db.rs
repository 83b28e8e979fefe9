//! Connections to the database, kept and lent.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::{Client, Config, NoTls};

/// So many at a time, as a small project has.
const CONNECTIONS: usize = 8;

/// Connections of one role.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    config: Config,
    idle: Arc<Mutex<Vec<Client>>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(config: Config) -> Self {
        Self { config, idle: Arc::default(), permits: Arc::new(Semaphore::new(CONNECTIONS)) }
    }

    /// A connection, as soon as one is free.
    pub(super) async fn get(&self) -> anyhow::Result<Lease> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.context("closed")?;
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let client = match kept {
            Some(client) if !client.is_closed() => client,
            _ => connect(&self.config).await?,
        };
        Ok(Lease { client: Some(client), idle: Arc::clone(&self.idle), _permit: permit })
    }
}

async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("the database is away")?;
    // It ends with the client.
    tokio::spawn(connection);
    Ok(client)
}

/// A connection that goes back when it is dropped; an open transaction is rolled back then.
pub(super) struct Lease {
    client: Option<Client>,
    idle: Arc<Mutex<Vec<Client>>>,
    _permit: OwnedSemaphorePermit,
}

impl Deref for Lease {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("it is there until the drop")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Client {
        self.client.as_mut().expect("it is there until the drop")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        }
    }
}

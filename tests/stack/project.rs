//! What an integration test runs against: a stack of its own, or a real project that is named.

use anyhow::Context;

use super::{Options, Stack};

/// A project with our migrations.
///
/// `TIDEMARK_TEST_SUPABASE_URL`, `…_ANON_KEY` and `…_SERVICE_ROLE_KEY` name a real one, which is to
/// be empty or at least no loss; `TIDEMARK_TEST_DATABASE_URL` opens its database to the tests that
/// look there.
#[derive(Debug, Clone)]
pub struct Project {
    /// Where it is.
    pub url: String,
    /// The key of clients.
    pub anon_key: String,
    /// The key of servers.
    pub service_role_key: String,
    /// The database, where the test may look there.
    pub database_url: Option<String>,
    /// The stack, where it is one: faults, backups and the clock are only to be had there.
    pub stack: Option<Stack>,
}

impl Project {
    /// The one that is named, else a new stack.
    pub async fn open(options: Options) -> anyhow::Result<Self> {
        match variable("SUPABASE_URL") {
            Some(url) => Self::named(url),
            None => Ok(Self::of(Stack::launch(options).await?)),
        }
    }

    /// A stack, seen as a project.
    pub fn of(stack: Stack) -> Self {
        Self {
            url: stack.url(),
            anon_key: stack.anon_key().to_owned(),
            service_role_key: stack.service_role_key().to_owned(),
            database_url: Some(stack.database_url()),
            stack: Some(stack),
        }
    }

    fn named(url: String) -> anyhow::Result<Self> {
        let key = |name| variable(name).with_context(|| format!("TIDEMARK_TEST_{name} is not set"));
        Ok(Self {
            url,
            anon_key: key("SUPABASE_ANON_KEY")?,
            service_role_key: key("SUPABASE_SERVICE_ROLE_KEY")?,
            database_url: variable("DATABASE_URL"),
            stack: None,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(format!("TIDEMARK_TEST_{name}")).ok().filter(|value| !value.is_empty())
}

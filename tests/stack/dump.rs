//! A backup of a project, and what a restored one has forgotten.
//!
//! A dump is SQL: the data of every table but the catalogue's and the broadcasts'. It begins with a
//! comment that holds the project's keys and port, so that a stack started from it is the same
//! project to its clients. Restoring empties the tables first, triggers and foreign keys set aside.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::keys::Keys;
use super::postgres::{Address, Programs, SUPERUSER};

/// How the first line of a dump begins.
const HEAD: &str = "-- devstack: ";

/// What is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Our tables alone: users and their sessions stay as they are.
    Data,
    /// Everything, Auth with it: who signed up since then is unknown again.
    DataAndAuth,
}

/// What a dump says of its project.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) port: u16,
    pub(super) keys: Keys,
}

impl Origin {
    /// Of the first line of a dump.
    pub(super) fn of(dump: &[u8]) -> anyhow::Result<Self> {
        let line = dump.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let json = line.strip_prefix(HEAD.as_bytes()).context("this is no dump of a stack")?;
        serde_json::from_slice(json).context("the head of the dump cannot be read")
    }
}

/// The database as a whole.
#[derive(Debug, Clone)]
pub(super) struct Database {
    pub(super) programs: Programs,
    pub(super) address: Address,
    pub(super) keys: Keys,
    pub(super) port: u16,
}

impl Database {
    /// Everything, as of one moment.
    pub(super) async fn dump(&self) -> anyhow::Result<Vec<u8>> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.dump_now()).await?
    }

    pub(super) fn dump_now(&self) -> anyhow::Result<Vec<u8>> {
        let origin = Origin { port: self.port, keys: self.keys.clone() };
        let mut dump = format!("{HEAD}{}\n", serde_json::to_string(&origin)?).into_bytes();
        let mut program = self.programs.client("pg_dump", &self.address, SUPERUSER);
        program.args(["--data-only", "--disable-triggers", "--no-owner", "-d", "postgres"]);
        program.args(["--exclude-schema=realtime", "--exclude-schema=extensions"]);
        let output = program.output().context("could not start pg_dump")?;
        if !output.status.success() {
            bail!("pg_dump failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        dump.extend(output.stdout);
        Ok(dump)
    }

    /// Puts back what a dump holds, in one transaction.
    pub(super) async fn restore(&self, dump: Vec<u8>, part: Part) -> anyhow::Result<()> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.restore_now(&dump, part)).await?
    }

    pub(super) fn restore_now(&self, dump: &[u8], part: Part) -> anyhow::Result<()> {
        Origin::of(dump)?;
        let dump = match part {
            Part::DataAndAuth => dump.to_vec(),
            Part::Data => without_auth(dump),
        };
        let mut psql = self.programs.client("psql", &self.address, SUPERUSER);
        psql.args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f", "-"]);
        let mut psql = psql
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("could not start psql")?;
        let mut stdin = psql.stdin.take().context("no way in to psql")?;
        // A broken pipe is told by psql itself.
        let _ = stdin.write_all(empty(part).as_bytes()).and_then(|()| stdin.write_all(&dump));
        drop(stdin);
        let output = psql.wait_with_output()?;
        if !output.status.success() {
            bail!("psql failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}

/// Empties what will be filled. One TRUNCATE, so that no foreign key stands in the way, and without
/// CASCADE, so that nothing else goes with it: where keys point from one part to the other, they are
/// set aside with the triggers.
fn empty(part: Part) -> String {
    let and = match part {
        Part::DataAndAuth => "",
        Part::Data => "AND n.nspname <> 'auth'",
    };
    format!(
        "SET session_replication_role = replica;
         DO $$
         DECLARE
             name text;
         BEGIN
             FOR name IN
                 SELECT format('%I.%I', n.nspname, c.relname)
                   FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind = 'r'
                    AND n.nspname !~ '^pg_'
                    AND n.nspname NOT IN ('information_schema', 'extensions', 'realtime') {and}
             LOOP
                 EXECUTE 'DELETE FROM ' || name;
             END LOOP;
         END
         $$;\n"
    )
}

/// A dump without what it says of the schema `auth`.
fn without_auth(dump: &[u8]) -> Vec<u8> {
    /// Whose rows the line belongs to.
    enum Rows {
        None,
        Kept,
        Auths,
    }
    let mut kept = Vec::with_capacity(dump.len());
    let mut rows = Rows::None;
    for line in dump.split_inclusive(|byte| *byte == b'\n') {
        let auths = match rows {
            Rows::Auths => true,
            Rows::Kept => false,
            Rows::None => {
                [&b"COPY auth."[..], b"ALTER TABLE auth.", b"SELECT pg_catalog.setval('auth."]
                    .iter()
                    .any(|start| line.starts_with(start))
            }
        };
        if line == b"\\.\n" {
            rows = Rows::None;
        } else if matches!(rows, Rows::None) && line.starts_with(b"COPY ") {
            rows = if auths { Rows::Auths } else { Rows::Kept };
        }
        if !auths {
            kept.extend_from_slice(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_without_auth_keeps_every_other_line() {
        let dump = b"-- a\nCOPY auth.users (id) FROM stdin;\nCOPY public.x\n\\.\n\
                     ALTER TABLE auth.users ENABLE TRIGGER ALL;\nCOPY public.y (a) FROM stdin;\n\
                     COPY auth.\n\\.\n";
        let kept = "-- a\nCOPY public.y (a) FROM stdin;\n\\.\n";
        // The row of `public.y` that looks like a statement is a row.
        let with_row = kept.replace("\\.", "COPY auth.\n\\.");
        assert_eq!(String::from_utf8_lossy(&without_auth(dump)), with_row);
    }
}

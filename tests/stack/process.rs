//! Programs that a stack starts, and the promise that none of them outlives it.
//!
//! PostgreSQL refuses to run as root, so root runs it as the user `postgres`. Each program gets a
//! process group of its own: a signal that ends a test's group leaves them to [`Guard`], which puts
//! everything away also when this process is killed and cannot do so itself.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, geteuid, kill_process};

/// Who runs the programs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Account {
    /// We are an ordinary user, and run them ourselves.
    Ourselves,
    /// We are root; they run as this user and group.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// Finds out.
    pub(super) fn find() -> anyhow::Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        let users = std::fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
        let (uid, gid) = users
            .lines()
            .find_map(postgres_line)
            .context("PostgreSQL does not run as root, and there is no user `postgres`")?;
        Ok(Self::Other { uid, gid })
    }

    /// The user id that owns what the programs write.
    pub(super) fn uid(self) -> u32 {
        match self {
            Self::Ourselves => geteuid().as_raw(),
            Self::Other { uid, .. } => uid,
        }
    }

    /// Has `command` run as this account, in a process group of its own.
    pub(super) fn run(self, mut command: Command) -> Command {
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command.process_group(0).stdin(Stdio::null());
        command
    }

    /// Gives a file or folder to this account.
    pub(super) fn own(self, path: &Path) -> anyhow::Result<()> {
        if let Self::Other { uid, gid } = self {
            std::os::unix::fs::lchown(path, Some(uid), Some(gid))
                .with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

/// User and group of the account `postgres`, if this is its line.
fn postgres_line(line: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    (fields.next()? == "postgres").then_some(())?;
    Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Runs a program to its end; a failure tells what it printed.
pub(super) fn finish(mut command: Command, what: &str) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{what}: could not start"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{what} failed ({}): {}", output.status, said.trim());
    }
    Ok(())
}

/// A port that nobody has at this moment.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// A program that runs until it is stopped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    name: &'static str,
    /// How it is asked to end.
    signal: Signal,
}

impl Running {
    /// Starts it.
    pub(super) fn start(
        mut command: Command,
        name: &'static str,
        signal: Signal,
    ) -> anyhow::Result<Self> {
        let child = command.spawn().with_context(|| format!("could not start {name}"))?;
        Ok(Self { child, name, signal })
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end, and kills it where it does not.
    pub(super) fn stop(&mut self) {
        self.stop_with(self.signal);
    }

    /// Asks it to end in another way.
    pub(super) fn stop_with(&mut self, signal: Signal) {
        let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else { return };
        if self.has_ended() {
            return;
        }
        let _ = kill_process(pid, signal);
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(10) {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        tracing::warn!(name = self.name, "did not end when it was asked to");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ends the programs and removes the folder when this process is gone, however it went.
///
/// It is a shell that waits for its standard input to close. SIGKILL leaves us no time to tidy up,
/// but closes the pipe.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    /// Watches over `folder`, in which each program leaves its process id.
    pub(super) fn over(folder: &Path) -> anyhow::Result<Self> {
        const WATCH: &str = r#"
            trap '' INT TERM HUP
            read -r word && [ "$word" = done ] && exit 0
            for cluster in pg prepared/pg; do
                kill -QUIT "$(head -n 1 "$1/$cluster/postmaster.pid")" 2>/dev/null
            done
            kill -KILL "$(cat "$1/postgrest.pid")" 2>/dev/null
            sleep 0.5
            rm -rf -- "$1"
        "#;
        let child = Command::new("sh")
            .args(["-c", WATCH, "stack-guard"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("could not start the guard")?;
        Ok(Self(child))
    }

    /// Everything was put away in order.
    pub(super) fn dismiss(&mut self) {
        if let Some(mut stdin) = self.0.stdin.take() {
            let _ = stdin.write_all(b"done\n");
        }
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_postgres_is_read_from_its_line_alone() {
        let line = "postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
        assert_eq!(postgres_line(line), Some((101, 104)));
        assert_eq!(postgres_line("postgresql:x:1:2::/:/bin/sh"), None);
        assert_eq!(postgres_line(""), None);
    }
}

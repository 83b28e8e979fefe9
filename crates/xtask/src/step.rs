//! A command that is run under a name, timed, and repeated by hand with the line it prints.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::workspace;

/// Runs `command` as the step `name`; a failure says the line that repeats it.
pub(crate) fn step(name: &str, mut command: Command) -> anyhow::Result<Duration> {
    println!("\n── {name}");
    let started = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("{name}: could not start {:?}", command.get_program()))?;
    let took = started.elapsed();
    if !status.success() {
        bail!(
            "{name} failed ({status}) after {}; again with:\n  {}",
            seconds(took),
            line(&command)
        );
    }
    println!("── {name}: {}", seconds(took));
    Ok(took)
}

/// A duration as it is printed: `4.2 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// The command as one would type it in a shell at the root of the workspace.
fn line(command: &Command) -> String {
    let folder =
        command.get_current_dir().and_then(|path| path.strip_prefix(workspace::root()).ok());
    let mut words = Vec::new();
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
        words.push(format!("cd {} &&", folder.display()));
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.to_string_lossy(), quoted(value)));
        }
    }
    let program = std::path::Path::new(command.get_program());
    words.push(quoted(program.file_stem().unwrap_or(program.as_os_str())));
    words.extend(command.get_args().map(quoted));
    words.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_failed_step_can_be_pasted_into_a_shell() {
        let mut command = Command::new("/usr/bin/npm");
        command.args(["run", "it's"]).env("A", "b c").current_dir(workspace::ui());
        assert_eq!(line(&command), r"cd ui && A='b c' npm run 'it'\''s'");
    }

    #[test]
    fn a_step_that_fails_names_itself_and_its_line() {
        let failure = step("types", Command::new("false")).expect_err("`false` fails").to_string();
        assert!(failure.starts_with("types failed"), "{failure}");
        assert!(failure.ends_with("\n  false"), "{failure}");
    }
}

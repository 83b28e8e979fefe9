//! The organisation's configuration: which project its people sign in to, found on the computer.
//!
//! An administrator puts one file where only administrators write. What is wrong with it is said and
//! not acted upon.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ProjectAddress, Tidemark};

/// The file's name, in the system's folder for such files.
const FILE: &str = "organisation.json";
/// No such file is larger.
const MAX_BYTES: u64 = 64 * 1024;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Organisation {
    /// The project to sign in to; none where none is named.
    pub project: Option<ProjectAddress>,
    /// Why the file is not followed, for the person to tell the administrator.
    pub problem: Option<String>,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    project: Option<ProjectAddress>,
}

/// Where the file is looked for: `/etc/tidemark` on Linux, `/Library/Application Support/Tidemark` on
/// macOS, `%ProgramData%\Tidemark` on Windows. `variable` reads the environment.
pub fn default_file(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = if cfg!(windows) {
        PathBuf::from(variable("ProgramData")?).join("Tidemark")
    } else if cfg!(target_os = "macos") {
        PathBuf::from("/Library/Application Support/Tidemark")
    } else {
        PathBuf::from("/etc/tidemark")
    };
    Some(folder.join(FILE))
}

impl Tidemark {
    /// The organisation's configuration, as it is on this computer now.
    pub fn organisation(&self) -> Organisation {
        self.inner.organisation.as_deref().map(read).unwrap_or_default()
    }
}

fn read(file: &Path) -> Organisation {
    match try_read(file) {
        Ok(project) => Organisation { project, problem: None },
        Err(why) => {
            let problem = Some(format!("The file {} is not followed: {why}.", file.display()));
            Organisation { project: None, problem }
        }
    }
}

fn try_read(file: &Path) -> Result<Option<ProjectAddress>, String> {
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err("it cannot be read".into()),
    };
    if anybody_writes(&metadata) {
        return Err("everybody on this computer can write it".into());
    }
    if metadata.len() > MAX_BYTES {
        return Err("it is too large".into());
    }
    let text = std::fs::read_to_string(file).map_err(|_| "it cannot be read")?;
    let written: Written = serde_json::from_str(&text)
        .map_err(|error| format!("line {} is not understood", error.line()))?;
    if let Some(project) = &written.project {
        super::account::project(project).map_err(|failure| failure.message)?;
    }
    Ok(written.project)
}

#[cfg(unix)]
fn anybody_writes(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o002 != 0
}

/// The folder's own access list decides there; the installer sets it.
#[cfg(not(unix))]
fn anybody_writes(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Organisation {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        std::fs::write(&file, text).expect("a file");
        read(&file)
    }

    #[test]
    fn a_project_is_found_where_an_administrator_named_one() {
        let text = r#"{"project": {"url": "https://example.supabase.co", "anon_key": "key"}}"#;
        let found = found(text);
        assert_eq!(found.problem, None);
        assert_eq!(found.project.expect("a project").url, "https://example.supabase.co");
    }

    #[test]
    fn no_file_is_no_problem() {
        assert_eq!(read(Path::new("/nowhere/organisation.json")), Organisation::default());
    }

    #[test]
    fn what_is_wrong_with_the_file_is_said_and_not_followed() {
        for text in [
            "",
            "[]",
            r#"{"project": 7}"#,
            r#"{"projekt": null}"#,
            r#"{"project": {"url": "ftp://example.org", "anon_key": "key"}}"#,
        ] {
            let found = found(text);
            assert_eq!(found.project, None, "{text}");
            assert!(found.problem.is_some(), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_everybody_can_write_is_not_followed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        let text = r#"{"project": {"url": "https://example.supabase.co", "anon_key": "key"}}"#;
        std::fs::write(&file, text).expect("a file");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).expect("permissions");
        assert!(read(&file).problem.is_some_and(|problem| problem.contains("everybody")));
    }
}

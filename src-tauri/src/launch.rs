//! What the program was started with: which folder, which key file, which models.
//!
//! The rule for the folder, which `tidemarkctl` follows too: `--data-dir DIR`, else the variable
//! `TIDEMARK_DATA_DIR`, else the folder [`IDENTIFIER`] in the platform's folder for an application's
//! data on this computer: `$XDG_DATA_HOME` or `~/.local/share` on Linux, `~/Library/Application
//! Support` on macOS, `%LOCALAPPDATA%` on Windows. It is not the roaming folder there: that one is
//! copied between computers at sign-in, and two copies of a database cannot be merged by copying.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tidemark_core::api::organisation_file;

/// The bundle's identifier, which also names the data folder.
pub(crate) const IDENTIFIER: &str = "app.tidemark.desktop";

/// What the program was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    /// The folder of the mirror; absolute, and without links once it exists.
    pub(crate) data_dir: PathBuf,
    /// A file of 48 bytes that holds the mirror's key: `TIDEMARK_KEY_FILE`.
    pub(crate) key_file: Option<PathBuf>,
    /// The organisation's configuration: `TIDEMARK_ORGANISATION_FILE`, else the system's folder.
    pub(crate) organisation: Option<PathBuf>,
    /// One more folder with models: `TIDEMARK_MODELS_DIR`.
    pub(crate) models_dir: Option<PathBuf>,
}

/// Why the program ends before it has begun.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// What to print.
    pub(crate) text: String,
    /// The exit status.
    pub(crate) status: u8,
}

impl Stop {
    /// Prints it, and says how to end.
    pub(crate) fn say(self) -> ExitCode {
        let _ = match self.status {
            0 => writeln!(std::io::stdout(), "{}", self.text),
            _ => writeln!(std::io::stderr(), "{}", self.text),
        };
        ExitCode::from(self.status)
    }
}

impl Launch {
    /// Reads the arguments (without the program's name) and the environment.
    ///
    /// Arguments that it does not know are ignored: desktops and drivers add their own.
    pub(crate) fn read(
        mut args: impl Iterator<Item = OsString>,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Stop> {
        let path = |name| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let mut data_dir = path("TIDEMARK_DATA_DIR");
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--data-dir") => data_dir = Some(folder(args.next())?),
                Some("--version") => return Err(version()),
                Some(text) if text.starts_with("--data-dir=") => {
                    data_dir = Some(folder(Some(text["--data-dir=".len()..].into()))?);
                }
                _ => {}
            }
        }
        let data_dir = data_dir.or_else(default_data_dir).ok_or_else(no_home)?;
        Ok(Self {
            data_dir: settled(&data_dir),
            key_file: path("TIDEMARK_KEY_FILE"),
            organisation: path("TIDEMARK_ORGANISATION_FILE").or_else(|| organisation_file(&env)),
            models_dir: path("TIDEMARK_MODELS_DIR"),
        })
    }
}

/// The folder that is used when none is named.
pub(crate) fn default_data_dir() -> Option<PathBuf> {
    Some(dirs::data_local_dir()?.join(IDENTIFIER))
}

/// Makes the folder, readable by its owner only, and returns its one true path, so that two ways of
/// naming one folder are one program. Where it cannot be made, the core says why when it opens.
fn settled(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let _ = builder.recursive(true).create(&absolute);
    std::fs::canonicalize(&absolute).unwrap_or(absolute)
}

fn folder(given: Option<OsString>) -> Result<PathBuf, Stop> {
    let named = given.filter(|folder| !folder.is_empty());
    named
        .map(PathBuf::from)
        .ok_or_else(|| Stop { text: "tidemark: --data-dir needs a folder".into(), status: 2 })
}

fn version() -> Stop {
    Stop { text: concat!("tidemark ", env!("CARGO_PKG_VERSION")).into(), status: 0 }
}

fn no_home() -> Stop {
    Stop {
        text: "tidemark: there is no home folder; name a folder with --data-dir".into(),
        status: 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(args: &[&str], env: &[(&str, &str)]) -> Result<Launch, Stop> {
        let find = |name: &str| Some(env.iter().find(|(key, _)| *key == name)?.1.into());
        Launch::read(args.iter().map(OsString::from), find)
    }

    fn temp() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().expect("a folder for the test");
        let path = root.path().canonicalize().expect("it was made");
        (root, path)
    }

    fn text(path: &Path) -> &str {
        path.to_str().expect("a plain path")
    }

    #[test]
    fn the_argument_wins_over_the_variable() {
        let (_root, path) = temp();
        let (argument, variable) = (path.join("argument"), path.join("variable"));
        let env = [("TIDEMARK_DATA_DIR", text(&variable))];
        let named = launch(&["--data-dir", text(&argument)], &env).expect("a launch");
        assert_eq!(named.data_dir, argument);
        let joined = format!("--data-dir={}", argument.display());
        assert_eq!(launch(&[&joined], &env).expect("a launch").data_dir, argument);
        assert_eq!(launch(&[], &env).expect("a launch").data_dir, variable);
    }

    #[test]
    fn one_folder_named_in_two_ways_is_one_folder() {
        let (_root, path) = temp();
        let folder = path.join("one");
        let around = folder.join("..").join("one");
        let straight = launch(&["--data-dir", text(&folder)], &[]).expect("a launch");
        assert_eq!(launch(&["--data-dir", text(&around)], &[]).expect("a launch"), straight);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_folder_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let (_root, path) = temp();
        let folder = path.join("private");
        launch(&["--data-dir", text(&folder)], &[]).expect("a launch");
        let mode = folder.metadata().expect("it was made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_missing_folder_ends_the_program_with_a_word() {
        for args in [&["--data-dir"][..], &["--data-dir="][..], &["--data-dir", ""][..]] {
            assert_eq!(launch(args, &[]).expect_err("nothing was named").status, 2);
        }
        assert_eq!(launch(&["--version"], &[]).expect_err("it only prints").status, 0);
    }

    #[test]
    fn strange_arguments_are_ignored() {
        let (_root, path) = temp();
        let env = [("TIDEMARK_DATA_DIR", text(&path)), ("TIDEMARK_KEY_FILE", "")];
        let launch = launch(&["-psn_0_1234", "file.pdf", "--automation"], &env).expect("a launch");
        assert_eq!(launch.key_file, None);
    }
}

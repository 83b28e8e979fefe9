//! `./dev` on machines that lack something, played with programs that only note how they were
//! called.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A machine whose only programs are those that are put on it.
struct Machine {
    programs: TempDir,
}

impl Machine {
    /// Debian with Rust and Node, where every package is installed, seen by root.
    fn complete() -> Self {
        let machine = Self { programs: tempfile::tempdir().expect("a temporary folder") };
        for name in ["sh", "dirname", "uname", "env"] {
            let real = ["/bin", "/usr/bin"].iter().map(|folder| Path::new(folder).join(name));
            let real = real.into_iter().find(|path| path.exists()).expect("every Unix has it");
            symlink(real, machine.programs.path().join(name)).expect("a new name");
        }
        machine.put("id", "echo 0");
        machine.put("cargo", "echo cargo \"$@\"");
        machine.put("npm", "");
        machine.put("node", "echo 22");
        machine.put("apt-get", "echo apt-get \"$@\"");
        machine.lacks(&[])
    }

    fn put(&self, name: &str, script: &str) {
        let path = self.programs.path().join(name);
        // A link to the real program goes first: writing would follow it, and root may write there.
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }

    fn without(self, name: &str) -> Self {
        fs::remove_file(self.programs.path().join(name)).expect("it was put there");
        self
    }

    /// Answers as `dpkg-query -W -f '${db:Status-Status}:${Package} '` does.
    fn lacks(self, packages: &[&str]) -> Self {
        let missing = format!(" {} ", packages.join(" "));
        let script = format!(
            "shift 3; status=0\n\
             for package; do case '{missing}' in\n\
               *\" $package \"*) echo \"no packages found matching $package\" >&2; status=1 ;;\n\
               *) printf 'installed:%s ' \"$package\" ;;\n\
             esac; done; exit $status"
        );
        self.put("dpkg-query", &script);
        self
    }

    fn dev(&self, arguments: &[&str]) -> Output {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dev");
        Command::new("/bin/sh")
            .arg(script)
            .args(arguments)
            .env_clear()
            .env("PATH", self.programs.path())
            .env("HOME", self.programs.path())
            .stdin(Stdio::null())
            .output()
            .expect("sh starts")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_program_that_is_put_in_the_place_of_a_link_leaves_the_real_one_alone() {
    let machine = Machine::complete();
    let real = machine.programs.path().join("real");
    fs::write(&real, "real").expect("writable");
    symlink(&real, machine.programs.path().join("linked")).expect("a new name");
    machine.put("linked", "echo Darwin");
    assert_eq!(fs::read_to_string(real).expect("still there"), "real");
}

#[test]
fn a_complete_machine_is_handed_over_without_a_word() {
    let done = Machine::complete().dev(&["e2e", "--repeat", "3"]);
    assert_eq!(text(&done.stdout), "cargo xtask e2e --repeat 3\n");
    assert_eq!(text(&done.stderr), "");
}

#[test]
fn what_is_missing_is_named_and_installed_before_anything_is_built() {
    let done = Machine::complete().lacks(&["xvfb", "build-essential"]).dev(&["run"]);
    let said = text(&done.stderr);
    assert!(said.contains("missing: build-essential xvfb"), "{said}");
    assert!(said.contains("install -y -qq --no-install-recommends build-essential xvfb"), "{said}");
    assert!(text(&done.stdout).ends_with("cargo xtask run\n"));
}

#[test]
fn a_person_who_is_not_root_installs_through_sudo() {
    let machine = Machine::complete().lacks(&["cmake"]);
    machine.put("id", "echo 1000");
    machine.put("sudo", "echo sudo \"$@\" >&2; exec \"$@\"");
    let done = machine.dev(&["test"]);
    let said = text(&done.stderr);
    assert!(said.contains("sudo env DEBIAN_FRONTEND=noninteractive apt-get install"), "{said}");
    assert!(done.status.success());
}

#[test]
fn without_root_and_sudo_the_command_is_told_and_nothing_is_built() {
    let machine = Machine::complete().lacks(&["cmake", "clang"]);
    machine.put("id", "echo 1000");
    let done = machine.dev(&["test"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("apt-get update && apt-get install -y cmake clang"));
    assert_eq!(text(&done.stdout), "");
}

#[test]
fn packages_that_cannot_be_installed_end_it() {
    let machine = Machine::complete().lacks(&["cmake"]);
    machine.put("apt-get", "exit 100");
    let done = machine.dev(&["test"]);
    assert!(!done.status.success());
    assert_eq!(text(&done.stdout), "", "nothing was handed over");
}

#[test]
fn without_rust_the_line_that_installs_it_is_told() {
    let done = Machine::complete().without("cargo").dev(&["run"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("https://sh.rustup.rs"));
}

#[test]
fn rust_that_the_shell_does_not_know_yet_is_found() {
    let machine = Machine::complete();
    let folder = machine.programs.path().join(".cargo/bin");
    fs::create_dir_all(&folder).expect("a new folder");
    let cargo = machine.programs.path().join("cargo");
    fs::rename(cargo, folder.join("cargo")).expect("moved to where rustup puts it");
    assert_eq!(text(&machine.dev(&["types"]).stdout), "cargo xtask types\n");
}

#[test]
fn without_node_or_with_an_old_one_the_line_that_installs_it_is_told() {
    let old = Machine::complete();
    old.put("node", "echo 18");
    for machine in [Machine::complete().without("npm"), old] {
        let done = machine.dev(&["run"]);
        assert_eq!(done.status.code(), Some(1));
        assert!(text(&done.stderr).contains("install -y nodejs"), "{}", text(&done.stderr));
    }
}

#[test]
fn where_there_is_no_apt_the_needs_are_told_and_the_build_is_tried() {
    let machine = Machine::complete().without("dpkg-query");
    machine.put("uname", "echo Darwin");
    let done = machine.dev(&["run"]);
    assert!(text(&done.stderr).contains("Xcode command line tools"));
    assert_eq!(text(&done.stdout), "cargo xtask run\n");
}

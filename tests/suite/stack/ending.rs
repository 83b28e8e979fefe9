//! Starting, and leaving nothing behind.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tidemark_tests::stack::Stack;

use super::{ask, bare, count, database, sign_up};

/// `devstack`, and what it printed.
struct Program {
    child: Child,
    lines: Vec<String>,
    temporary: tempfile::TempDir,
}

impl Program {
    /// Starts one in a temporary folder of its own, and waits until it says where it is.
    fn start(arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        // Whoever PostgreSQL runs as has to pass.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(temporary.path(), open).expect("its own folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_devstack"))
            .args(["--quick", "--bare"])
            .args(arguments)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("devstack starts");
        let out = child.stdout.take().expect("it is piped");
        let lines = BufReader::new(out).lines().take(4).map(|line| line.expect("text")).collect();
        Self { child, lines, temporary }
    }

    fn value(&self, name: &str) -> &str {
        let line = self.lines.iter().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("no {name} in {:?}", self.lines))
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process");
        kill_process(pid, signal).expect("it runs");
    }

    /// The folders of stacks.
    fn folders(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.temporary.path()).expect("readable");
        let stacks = entries.map(|entry| entry.expect("an entry").path()).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("tidemark-stack-") && !name.contains("templates")
        });
        stacks.collect()
    }

    fn postmaster(&self) -> u32 {
        let [folder] = &self.folders()[..] else { panic!("one stack has one folder") };
        pid_in(&folder.join("pg/postmaster.pid"))
    }

    /// Waits until neither process nor folder is left.
    fn leaves_nothing(&self, postmaster: u32) {
        let started = Instant::now();
        let runs = || Path::new(&format!("/proc/{postmaster}")).exists();
        while runs() || !self.folders().is_empty() {
            assert!(started.elapsed() < Duration::from_secs(20), "left: {:?}", self.folders());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn pid_in(file: &Path) -> u32 {
    let text = std::fs::read_to_string(file).expect("a file with the process id");
    text.lines().next().and_then(|line| line.parse().ok()).expect("a process id")
}

#[test]
fn devstack_prints_four_lines_and_puts_all_away_when_it_is_told_to_end() {
    let mut program = Program::start(&[]);
    let names: Vec<_> =
        program.lines.iter().map(|line| line.split('=').next().unwrap_or_default()).collect();
    let expected =
        ["SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY", "DATABASE_URL"];
    assert_eq!(names, expected);
    let postmaster = program.postmaster();
    program.signal(Signal::TERM);
    assert!(program.child.wait().expect("it ends").success());
    program.leaves_nothing(postmaster);
}

#[test]
fn a_stack_that_is_killed_leaves_nothing_either() {
    let mut program = Program::start(&[]);
    let postmaster = program.postmaster();
    program.child.kill().expect("it runs");
    program.child.wait().expect("it ends");
    program.leaves_nothing(postmaster);
}

#[test]
fn a_stack_that_is_tied_to_its_standard_input_ends_with_it() {
    let mut program = Program::start(&["--while-stdin-is-open"]);
    let postmaster = program.postmaster();
    drop(program.child.stdin.take());
    assert!(program.child.wait().expect("it ends").success());
    program.leaves_nothing(postmaster);
}

#[test]
fn a_dump_is_written_at_the_signal_and_starts_another_stack_where_this_one_was() {
    let file = tempfile::tempdir().expect("a folder");
    let file = file.path().join("dump.sql");
    let path = file.to_str().expect("a plain path");
    let mut first = Program::start(&["--dump", path]);
    first.signal(Signal::USR1);
    let started = Instant::now();
    while !file.exists() {
        assert!(started.elapsed() < Duration::from_secs(20), "no dump");
        std::thread::sleep(Duration::from_millis(20));
    }
    first.signal(Signal::TERM);
    first.child.wait().expect("it ends");
    let second = Program::start(&["--restore", path]);
    for name in ["SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"] {
        assert_eq!(first.value(name), second.value(name));
    }
    second.signal(Signal::TERM);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_stacks_at_once_know_nothing_of_each_other() {
    let (ann, bob) = tokio::join!(Stack::launch(bare()), Stack::launch(bare()));
    let (ann, bob) = (ann.expect("one"), bob.expect("another"));
    assert_ne!((ann.url(), ann.anon_key()), (bob.url(), bob.anon_key()));
    sign_up(&ann, "ann").await;
    assert_eq!(count(&database(&ann.superuser_url()).await, "auth.users").await, 1);
    assert_eq!(count(&database(&bob.superuser_url()).await, "auth.users").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_ends_with_its_last_clone() {
    let stack = Stack::launch(bare()).await.expect("it starts");
    let (clone, folder) = (stack.clone(), stack.folder().to_owned());
    drop(stack);
    assert_eq!(ask(&clone, "/auth/v1/health", None, None).await.status, 200);
    drop(clone);
    assert!(!folder.exists());
}

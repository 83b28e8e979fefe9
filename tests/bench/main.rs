//! `./dev bench app`, `./dev bench sync` and `./dev bench import`: each figure beside its limit, both measured in the same run.
//!
//! What is compared is measured in turns, so that a machine that others use slows both sides. The
//! table goes to standard output; the same as JSON, with the machine, to `bench/app.json`,
//! `bench/sync.json` or `bench/import.json` in the target folder.
// Printing figures is what this program is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

// The window's figures need WebKitWebDriver, and memory is read from /proc.
#[cfg(target_os = "linux")]
mod run;

// Parts of the specs' harness; the bench uses less of it than the specs do.
#[cfg(target_os = "linux")]
#[allow(dead_code)]
#[path = "../e2e/app.rs"]
mod app;
#[cfg(target_os = "linux")]
#[allow(dead_code)]
#[path = "../e2e/chat.rs"]
mod chat;
#[cfg(target_os = "linux")]
mod corpus;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
#[allow(dead_code)]
#[path = "../e2e/driver.rs"]
mod driver;
#[cfg(target_os = "linux")]
mod figure;
#[cfg(target_os = "linux")]
mod import;
#[cfg(target_os = "linux")]
mod insert;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(all(target_os = "linux", feature = "local"))]
mod model;
#[cfg(target_os = "linux")]
#[allow(dead_code)]
#[path = "../e2e/page.rs"]
mod page;
#[cfg(target_os = "linux")]
mod pages;
#[cfg(target_os = "linux")]
mod reading;
#[cfg(target_os = "linux")]
mod rendering;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod samples;
#[cfg(target_os = "linux")]
mod send;
#[cfg(target_os = "linux")]
#[allow(dead_code)]
#[path = "../e2e/stage.rs"]
mod stage;
#[cfg(target_os = "linux")]
mod stock;
#[cfg(target_os = "linux")]
mod sync;
#[cfg(target_os = "linux")]
mod window;
#[cfg(target_os = "linux")]
#[allow(dead_code)]
#[path = "../e2e/x11.rs"]
mod x11;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    run::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("bench: the window's figures need WebKitWebDriver, which exists on Linux only");
    std::process::ExitCode::FAILURE
}

//! What `tauri.conf.json` and the list of commands promise, checked: neither has a compiler.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).expect("a file of ours")
}

fn configuration() -> Value {
    serde_json::from_str(&read("tauri.conf.json")).expect("JSON")
}

#[test]
fn the_page_runs_its_own_scripts_and_reaches_only_the_shell() {
    let security = &configuration()["app"]["security"];
    let policy = &security["csp"];
    assert_eq!(policy["default-src"], "'none'");
    assert_eq!(policy["script-src"], "'self'");
    assert_eq!(policy["style-src"], "'self'");
    assert_eq!(policy["connect-src"], "ipc: http://ipc.localhost");
    let text = policy.to_string();
    for open in ["unsafe", "https:", "data:", "*", "wasm"] {
        assert!(!text.contains(open), "{open} in {text}");
    }
    assert_eq!(security["freezePrototype"], true);
    assert_eq!(configuration()["app"]["withGlobalTauri"], false);
}

#[test]
fn the_page_may_call_our_commands_hear_events_and_zoom_and_nothing_else() {
    let capabilities = &configuration()["app"]["security"]["capabilities"];
    assert_eq!(capabilities.as_array().map(Vec::len), Some(1));
    assert_eq!(capabilities[0]["windows"], json!(["main"]));
    assert_eq!(capabilities[0].get("remote"), None, "no other origin");
    let allowed = json!([
        "commands",
        "core:event:allow-listen",
        "core:event:allow-unlisten",
        "core:webview:allow-set-webview-zoom"
    ]);
    assert_eq!(capabilities[0]["permissions"], allowed);
}

#[test]
fn an_older_version_does_not_install_over_a_newer_one() {
    assert_eq!(configuration()["bundle"]["windows"]["allowDowngrades"], false);
}

#[test]
fn every_icon_that_is_named_is_there() {
    let icons = configuration()["bundle"]["icon"].clone();
    for icon in icons.as_array().expect("a list") {
        let path = root().join(icon.as_str().expect("a path"));
        assert!(path.is_file(), "{}", path.display());
    }
}

#[test]
fn the_identifier_is_the_one_that_names_the_data_folder() {
    assert_eq!(configuration()["identifier"], crate::launch::IDENTIFIER);
}

/// A command that is written and not in the list would be refused at run time only.
#[test]
fn every_command_that_is_written_can_be_called() {
    let folder = root().join("src-tauri/src/commands");
    let list = read("src-tauri/src/commands/mod.rs");
    let listed: BTreeSet<&str> = list
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .filter(|path| path.contains("::"))
        .collect();
    let mut written = BTreeSet::new();
    for file in fs::read_dir(folder).expect("a folder of ours").flatten() {
        let source = fs::read_to_string(file.path()).expect("a file of ours");
        let module = file.path().file_stem().expect("a name").to_string_lossy().into_owned();
        for command in source.split("#[tauri::command").skip(1) {
            let name = command.split_once("async fn ").expect("commands are async").1;
            let name = name.split(['(', '<']).next().expect("a name");
            written.insert(format!("{module}::{name}"));
        }
    }
    assert!(written.len() > 40, "they were found");
    assert_eq!(listed, written.iter().map(String::as_str).collect());
}

//! Tells Tauri which commands the window may call, so that each call is checked.
//!
//! Tauri checks an app's own commands only when their permissions are declared here. The list of
//! commands is written once, in `src/commands/mod.rs`; this reads it there and declares one
//! permission, `commands`, that allows them all. What is not in the list is refused.
//! (`AppManifest::commands` would do the same with two files a command in a `permissions` folder
//! of the sources.)

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const LIST: &str = "src-tauri/src/commands/mod.rs";
/// The built interface, which is compiled in.
const INTERFACE: &str = "ui/dist";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={LIST}");
    // Checking the shell alone needs the folder, not what is in it.
    fs::create_dir_all(INTERFACE)?;
    println!("cargo:rerun-if-changed={INTERFACE}");
    let out = env::var("OUT_DIR")?;
    let folder = Path::new(&out).join("app-permissions");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("commands.toml"), permission(&commands(&fs::read_to_string(LIST)?)))?;

    let pattern: &'static str = format!("{}/*.toml", folder.display()).leak();
    let manifest = tauri_build::AppManifest::new().permissions_path_pattern(pattern);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))?;
    Ok(())
}

/// The last part of each path between `generate_handler![` and `]`.
fn commands(source: &str) -> Vec<&str> {
    let list = source.split_once("generate_handler![").expect("the list of commands").1;
    let list = list.split_once(']').expect("the end of the list of commands").0;
    let paths = list.lines().map(|line| line.split("//").next().unwrap_or_default());
    let paths =
        paths.flat_map(|line| line.split(',')).map(str::trim).filter(|path| !path.is_empty());
    paths.map(|path| path.rsplit("::").next().unwrap_or(path)).collect()
}

fn permission(commands: &[&str]) -> String {
    format!(
        "[[permission]]\nidentifier = \"commands\"\n\
         description = \"Every command of the shell.\"\n\
         commands.allow = {commands:?}\n"
    )
}

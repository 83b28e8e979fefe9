//! Memory of a process and all that it started.

use std::fs;

use anyhow::Context;

/// The proportional share (PSS) of a process and its descendants, in bytes: what is shared among
/// processes is divided by their number, so that the sum counts it once.
pub(crate) fn of_tree(pid: u32) -> anyhow::Result<u64> {
    let mut sum = own(pid).context("the process has ended")?;
    for child in children(pid) {
        // One that ends meanwhile has none.
        sum += of_tree(child).unwrap_or(0);
    }
    Ok(sum)
}

/// The processes of a tree with their shares in MB, largest first.
pub(crate) fn described(pid: u32) -> String {
    let mut all = Vec::new();
    gather(pid, &mut all);
    all.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let one = |(name, bytes): &(String, u64)| format!("{name} {}", bytes / 1_000_000);
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn gather(pid: u32, all: &mut Vec<(String, u64)>) {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    all.extend(own(pid).map(|bytes| (name.trim().to_owned(), bytes)));
    children(pid).into_iter().for_each(|child| gather(child, all));
}

fn own(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let of_thread = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).ok();
    let lists: Vec<String> = threads.flatten().filter_map(of_thread).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).flat_map(str::parse).collect()
}

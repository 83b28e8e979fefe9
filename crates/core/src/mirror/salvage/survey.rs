//! Which page belongs to which table, and what is known of the pages that cannot be read.
//!
//! Trees are walked from their first pages, which `sqlite_schema` names; its rows are found by their
//! form where page 1 is lost. A leaf that no walk reaches is taken for a table's only where that
//! table's tree has a hole it may have fallen through, and never where the list of free pages names
//! it: free pages hold rows that were deleted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::types::Value;

use super::log::word;
use super::page::USABLE;
use super::pages::{Pages, Version};
use super::record::{self, Kind};
use super::shape::{self, Table};

/// A readable page of a tree.
#[derive(Debug)]
struct Node {
    kind: Kind,
    children: Vec<u32>,
}

/// What was found about the file's pages.
#[derive(Debug, Default)]
pub(super) struct Survey {
    nodes: HashMap<u32, Node>,
    /// Pages that cannot be read.
    pub(super) damaged: BTreeSet<u32>,
    free: HashSet<u32>,
    roots: BTreeMap<String, u32>,
    /// Per index: its table and its first page.
    indexes: Vec<(String, u32)>,
    visited: HashSet<u32>,
}

/// The pages of one tree.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Readable pages that hold rows or entries, in order.
    pub(super) pages: Vec<u32>,
    /// Unreadable pages that held rows.
    pub(super) lost_leaves: u32,
    /// Whether an unreadable page may have led to others.
    pub(super) hole: bool,
}

impl Survey {
    pub(super) fn new(pages: &mut Pages) -> Self {
        let mut survey = Self::default();
        for number in pages.numbers() {
            match pages.read(number, Version::Committed) {
                None => {
                    survey.damaged.insert(number);
                }
                Some(page) => {
                    if let Some(tree) = record::tree(number, &page) {
                        let children = tree.children().collect();
                        survey.nodes.insert(number, Node { kind: tree.kind, children });
                    }
                }
            }
        }
        survey.find_free(pages);
        survey.find_roots(pages);
        survey
    }

    /// A table's tree; none where nothing says where it begins.
    pub(super) fn table(&mut self, name: &str) -> Option<Walk> {
        let root = *self.roots.get(name)?;
        Some(self.walk(root))
    }

    /// The trees of a table's indexes.
    pub(super) fn indexes(&mut self, table: &str) -> Vec<Walk> {
        let of_table = self.indexes.iter().filter(|(of, _)| of == table);
        let roots: Vec<u32> = of_table.map(|(_, root)| *root).collect();
        roots.into_iter().map(|root| self.walk(root)).collect()
    }

    /// Pages with rows that no walk has reached, in order.
    pub(super) fn orphans(&self) -> Vec<u32> {
        let with_rows = |node: &Node| node.kind != Kind::TableInterior;
        let mut orphans: Vec<u32> = self
            .nodes
            .iter()
            .filter(|(number, node)| {
                with_rows(node) && !self.visited.contains(number) && !self.free.contains(number)
            })
            .map(|(number, _)| *number)
            .collect();
        orphans.sort_unstable();
        orphans
    }

    /// Unreadable leaves below pages that no walk has reached, each with a readable page beside it.
    pub(super) fn lost_beside(&self) -> Vec<u32> {
        let unreached = self.nodes.iter().filter(|(number, node)| {
            node.kind == Kind::TableInterior
                && !self.visited.contains(number)
                && !self.free.contains(number)
        });
        unreached
            .flat_map(|(_, node)| {
                let lost =
                    node.children.iter().filter(|child| self.damaged.contains(child)).count();
                let beside = node.children.iter().find(|child| {
                    self.nodes.get(child).is_some_and(|node| node.kind == Kind::TableLeaf)
                });
                beside.map(|beside| vec![*beside; lost]).unwrap_or_default()
            })
            .collect()
    }

    /// How many unreadable pages nothing readable leads to: they may have been anybody's.
    pub(super) fn unclaimed(&self) -> usize {
        let claimed: HashSet<u32> = self
            .nodes
            .iter()
            .filter(|(number, _)| !self.free.contains(number))
            .flat_map(|(_, node)| node.children.iter().copied())
            .chain(self.roots.values().copied())
            .chain(self.indexes.iter().map(|(_, root)| *root))
            .collect();
        let unclaimed = self.damaged.iter().filter(|number| {
            **number > 1 && !claimed.contains(number) && !self.free.contains(number)
        });
        unclaimed.count()
    }

    fn walk(&mut self, root: u32) -> Walk {
        let mut walk = Walk::default();
        if self.damaged.contains(&root) || !self.nodes.contains_key(&root) {
            walk.hole = true;
            return walk;
        }
        let mut open = vec![root];
        while let Some(number) = open.pop() {
            let Some(node) = self.nodes.get(&number) else { continue };
            // A page that was reached before closes a circle or belongs elsewhere.
            if !self.visited.insert(number) {
                continue;
            }
            if node.kind != Kind::TableInterior {
                walk.pages.push(number);
            }
            let (there, lost): (Vec<u32>, Vec<u32>) =
                node.children.iter().partition(|child| self.nodes.contains_key(child));
            let leads_on = |child: &u32| {
                let kind = self.nodes[child].kind;
                matches!(kind, Kind::TableInterior | Kind::IndexInterior)
            };
            if !lost.is_empty() && (there.is_empty() || there.iter().any(leads_on)) {
                walk.hole = true;
            } else {
                walk.lost_leaves += lost.len() as u32;
            }
            open.extend(there.iter().rev());
        }
        walk
    }

    /// The list of free pages; where page 1 or a part of it is lost, what looks like a part of it.
    fn find_free(&mut self, pages: &mut Pages) {
        let Some(first) = pages.read(1, Version::Committed) else {
            self.guess_free(pages);
            return;
        };
        let mut next = word(&first, 32);
        while next != 0 && self.free.insert(next) {
            let Some(page) = pages.read(next, Version::Committed) else {
                self.guess_free(pages);
                return;
            };
            self.free.extend(trunk(&page, pages.count()).unwrap_or_default());
            next = word(&page, 0);
        }
    }

    fn guess_free(&mut self, pages: &mut Pages) {
        let children: HashSet<u32> =
            self.nodes.values().flat_map(|node| node.children.iter().copied()).collect();
        for number in pages.numbers() {
            if self.nodes.contains_key(&number) || self.damaged.contains(&number) {
                continue;
            }
            let Some(page) = pages.read(number, Version::Committed) else { continue };
            let listed = trunk(&page, pages.count()).unwrap_or_default();
            if listed.iter().all(|page| !children.contains(page)) {
                self.free.extend(listed);
            }
        }
    }

    fn find_roots(&mut self, pages: &mut Pages) {
        let walk = self.walk(1);
        let mut leaves = walk.pages;
        if walk.hole || walk.lost_leaves > 0 {
            leaves.extend(self.orphans());
        }
        for number in leaves {
            for record in records(pages, number, Version::Committed).into_iter().flatten() {
                let Some((kind, name, table, root)) = shape::schema_row(&record.columns) else {
                    continue;
                };
                self.visited.insert(number);
                match kind {
                    "table" => {
                        self.roots.entry(name.to_owned()).or_insert(root);
                    }
                    "index" => self.indexes.push((table.to_owned(), root)),
                    _ => {}
                }
            }
        }
    }
}

/// A row as it stands in a page.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) rowid: i64,
    pub(super) columns: Vec<Value>,
}

/// The records of a page; none in place of one that cannot be read whole.
pub(super) fn records(pages: &mut Pages, number: u32, version: Version) -> Vec<Option<Record>> {
    kind_and_records(pages, number, version).map_or(Vec::new(), |(_, records)| records)
}

/// The same with the page's kind; none where it is no page with rows.
pub(super) fn kind_and_records(
    pages: &mut Pages,
    number: u32,
    version: Version,
) -> Option<(Kind, Vec<Option<Record>>)> {
    let page = pages.read(number, version)?;
    let tree = record::tree(number, &page)?;
    if tree.kind == Kind::TableInterior {
        return None;
    }
    let records = tree
        .cells
        .iter()
        .map(|cell| {
            let cell = cell.as_ref()?;
            let columns = record::record(&pages.payload(cell, version)?)?;
            Some(Record { rowid: cell.rowid, columns })
        })
        .collect();
    Some((tree.kind, records))
}

/// The table that a record looks like a row of.
pub(super) fn recognise<'t>(
    tables: &'t [Table],
    without_rowid: bool,
    record: &Record,
) -> Option<(usize, &'t Table)> {
    tables
        .iter()
        .enumerate()
        .filter(|(_, table)| table.without_rowid == without_rowid && table.fits(&record.columns))
        .min_by_key(|(_, table)| table.left_out(&record.columns))
}

/// What a trunk of the free list names; none where the page is none.
fn trunk(page: &[u8], count: u32) -> Option<Vec<u32>> {
    let listed = usize::try_from(word(page, 4)).ok()?;
    if word(page, 0) > count || listed > USABLE / 4 - 2 {
        return None;
    }
    let numbers: Vec<u32> = (0..listed).map(|place| word(page, 8 + 4 * place)).collect();
    numbers.iter().all(|number| (2..=count).contains(number)).then_some(numbers)
}

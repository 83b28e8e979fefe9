//! Messages that name their parents, in an order in which parents come first.
//!
//! Files give them in any order, with parents that are not there, parents that come later, and rings.
//! No message is lost to that: one without a parent begins a branch, and a ring is opened at its
//! message that comes first in the file. No recursion, and no walk is made twice.

use std::collections::HashMap;

use super::super::record::Message;

/// One of them.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its old id.
    pub key: String,
    /// The old id of its parent.
    pub parent: Option<String>,
    /// None: it is not shown, and what follows it follows its parent.
    pub message: Option<Message>,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Parents before children, else in the order given.
    pub messages: Vec<Message>,
    /// How many named a parent that is not there.
    pub orphans: usize,
    /// How many rings were opened.
    pub rings: usize,
    /// How many had the id of an earlier one.
    pub twins: usize,
    at: HashMap<String, Option<usize>>,
}

impl Tree {
    /// Where a message is, or the shown one that a hidden one follows.
    pub fn find(&self, key: &str) -> Option<usize> {
        self.at.get(key).copied().flatten()
    }

    /// Whether a node has this id.
    pub fn has(&self, key: &str) -> bool {
        self.at.contains_key(key)
    }

    /// The message that was written last among those that nothing follows.
    pub fn latest_leaf(&self) -> Option<usize> {
        let mut is_leaf = vec![true; self.messages.len()];
        for parent in self.messages.iter().filter_map(|message| message.parent) {
            is_leaf[parent] = false;
        }
        let leaves = (0..self.messages.len()).filter(|at| is_leaf[*at]);
        leaves.max_by_key(|at| (self.messages[*at].at.at, *at))
    }

    /// The last message of the branch that goes on from one, taking the last answer everywhere.
    pub fn end_of(&self, from: usize) -> usize {
        // Children come behind their parents, so one walk is enough.
        let mut end = from;
        for (at, message) in self.messages.iter().enumerate().skip(from) {
            if message.parent == Some(end) {
                end = at;
            }
        }
        end
    }

    /// What was odd, as words for a person; none where nothing was.
    pub fn oddities(&self) -> Option<String> {
        let kinds = [
            (self.orphans, "follow a message that is not there, and begin a branch"),
            (self.rings, "follow themselves, and begin a branch"),
            (self.twins, "have the id of another, and got their own"),
        ];
        let told = kinds.into_iter().filter(|(count, _)| *count > 0);
        let told: Vec<_> = told.map(|(count, what)| format!("{count} {what}")).collect();
        (!told.is_empty()).then(|| format!("Of the messages {}.", told.join("; ")))
    }
}

/// Puts nodes in order.
pub fn grow(mut nodes: Vec<Node>) -> Tree {
    let mut tree = Tree::default();
    let index = index(&mut nodes, &mut tree);
    let mut parents = parents(&nodes, &index, &mut tree);
    let mut is_done = vec![false; nodes.len()];
    for start in 0..nodes.len() {
        let mut chain = climb(start, &mut parents, &is_done, &mut tree);
        while let Some(at) = chain.pop() {
            is_done[at] = true;
            put(&mut nodes, at, parents[at], &mut tree);
        }
    }
    tree
}

/// Every id with its node. A second node with an id gets one of its own.
fn index(nodes: &mut [Node], tree: &mut Tree) -> HashMap<String, usize> {
    let mut index = HashMap::with_capacity(nodes.len());
    for (at, node) in nodes.iter_mut().enumerate() {
        let mut number = 2;
        let first = node.key.clone();
        while index.contains_key(&node.key) {
            // Its number among all: a file of nothing but twins must not take forever.
            number = if number == 2 { at.max(3) } else { number + 1 };
            node.key = format!("{first}#{number}");
        }
        if node.key != first {
            tree.twins += 1;
            if let Some(message) = &mut node.message {
                message.key = Some(node.key.clone());
            }
        }
        index.insert(node.key.clone(), at);
    }
    index
}

fn parents(nodes: &[Node], index: &HashMap<String, usize>, tree: &mut Tree) -> Vec<Option<usize>> {
    let mut of = |node: &Node| {
        let parent = node.parent.as_ref()?;
        let found = index.get(parent).copied();
        tree.orphans += usize::from(found.is_none());
        found
    };
    nodes.iter().map(&mut of).collect()
}

/// The way up from a node to the first that is done, or to a beginning.
fn climb(
    start: usize,
    parents: &mut [Option<usize>],
    is_done: &[bool],
    tree: &mut Tree,
) -> Vec<usize> {
    let mut chain: Vec<usize> = Vec::new();
    let mut places = HashMap::new();
    let mut next = Some(start);
    while let Some(at) = next.filter(|at| !is_done[*at]) {
        if let Some(place) = places.get(&at) {
            // A ring: from here to the end of the chain.
            let ring: &[usize] = &chain[*place..];
            let first = ring.iter().copied().min().unwrap_or(at);
            tree.rings += 1;
            parents[first] = None;
            chain.clear();
            places.clear();
            next = Some(start);
            continue;
        }
        places.insert(at, chain.len());
        chain.push(at);
        next = parents[at];
    }
    chain
}

fn put(nodes: &mut [Node], at: usize, parent: Option<usize>, tree: &mut Tree) {
    let above = parent.and_then(|parent| tree.at.get(&nodes[parent].key).copied().flatten());
    let here = match nodes[at].message.take() {
        None => above,
        Some(message) => {
            tree.messages.push(Message { parent: above, ..message });
            Some(tree.messages.len() - 1)
        }
    };
    tree.at.insert(nodes[at].key.clone(), here);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Text, When};
    use crate::model::Role;

    fn node(key: &str, parent: &str, is_shown: bool) -> Node {
        let mut message = Message::new(Role::User, Text::from(key), When::default());
        message.key = Some(key.to_owned());
        let parent = (!parent.is_empty()).then(|| parent.to_owned());
        Node { key: key.to_owned(), parent, message: is_shown.then_some(message) }
    }

    fn shape(tree: &Tree) -> Vec<(String, Option<usize>)> {
        let of = |message: &Message| (message.content.shown.clone(), message.parent);
        tree.messages.iter().map(of).collect()
    }

    fn shape_of(nodes: &[(&str, &str)]) -> Vec<(String, Option<usize>)> {
        shape(&grow(nodes.iter().map(|(key, parent)| node(key, parent, true)).collect()))
    }

    fn expected(shape: &[(&str, Option<usize>)]) -> Vec<(String, Option<usize>)> {
        shape.iter().map(|(key, parent)| ((*key).to_owned(), *parent)).collect()
    }

    #[test]
    fn parents_come_first_and_else_the_order_stays() {
        let nodes = [("c", "b"), ("x", "a"), ("b", "a"), ("a", "")];
        let order = [("a", None), ("b", Some(0)), ("c", Some(1)), ("x", Some(0))];
        assert_eq!(shape_of(&nodes), expected(&order));
    }

    #[test]
    fn a_ring_is_opened_at_its_first_message_and_nothing_is_lost() {
        let nodes = [("t", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("self", "self")];
        let tree = grow(nodes.iter().map(|(key, parent)| node(key, parent, true)).collect());
        let order = [("a", None), ("c", Some(0)), ("b", Some(1)), ("t", Some(2)), ("self", None)];
        assert_eq!((shape(&tree), tree.rings), (expected(&order), 2));
    }

    #[test]
    fn what_follows_a_hidden_node_follows_the_shown_one_above() {
        let nodes = vec![
            node("a", "", true),
            node("h", "a", false),
            node("i", "h", false),
            node("b", "i", true),
        ];
        let tree = grow(nodes);
        assert_eq!(shape(&tree), expected(&[("a", None), ("b", Some(0))]));
        assert_eq!((tree.find("i"), tree.find("b"), tree.find("no")), (Some(0), Some(1), None));
    }

    #[test]
    fn twins_and_orphans_come_over() {
        let tree = grow(vec![node("a", "gone", true), node("a", "a", true), node("a", "a", true)]);
        assert_eq!((tree.messages.len(), tree.orphans, tree.twins), (3, 1, 2));
        let keys: std::collections::HashSet<_> =
            tree.messages.iter().map(|message| message.key.clone()).collect();
        assert_eq!(keys.len(), 3);
    }

    #[test]
    fn a_hundred_thousand_deep_chain_in_the_worst_order_takes_no_time() {
        let keys: Vec<_> = (0..100_000).map(|n| n.to_string()).collect();
        let nodes = (0..100_000).rev().map(|n| {
            node(&keys[n], n.checked_sub(1).map_or("", |above| keys[above].as_str()), true)
        });
        let tree = grow(nodes.collect());
        assert_eq!(tree.messages.len(), 100_000);
        assert_eq!(tree.messages[99_999].parent, Some(99_998));
        assert_eq!((tree.latest_leaf(), tree.end_of(0)), (Some(99_999), 99_999));
    }
}

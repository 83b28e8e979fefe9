//! From nodes to a conversation.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};

use super::super::folder::Found;
use super::super::tree::{self, Tree};
use super::node::{Node, What};
use crate::import::lax::Value;
use crate::import::time::Zone;
use crate::import::{Conversation, Item, Text, When};
use crate::model::Role;

/// So many steps before an answer are looked at; none has more.
const STEPS: usize = 500;

/// A conversation whose nodes come one by one.
pub(super) struct Building {
    /// Its number in the file.
    pub(super) number: usize,
    /// Its nodes, in the order of the file.
    pub(super) nodes: Vec<Node>,
    fields: HashMap<String, Value>,
}

impl Building {
    /// The fields that are looked at.
    pub(super) const FIELDS: [&str; 15] = [
        "id",
        "conversation_id",
        "title",
        "create_time",
        "update_time",
        "current_node",
        "default_model_slug",
        "is_archived",
        "is_starred",
        "pinned_time",
        "gizmo_id",
        "gizmo_type",
        "voice",
        "conversation_template_id",
        "is_do_not_remember",
    ];

    pub(super) fn new(number: usize) -> Self {
        Self { number, nodes: Vec::new(), fields: HashMap::new() }
    }

    /// A field; where it comes twice, the last one counts.
    pub(super) fn field(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// Its id; a torn file may end before it, and then its first node names it.
    fn key(&self) -> String {
        let id = self.text("conversation_id").or_else(|| self.text("id"));
        let first = || self.nodes.first().map(|node| format!("node {}", node.key));
        id.map(str::to_owned).or_else(first).unwrap_or_else(|| format!("number {}", self.number))
    }

    fn is(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn time(&self, name: &str, zone: Zone) -> When {
        When::read(self.fields.get(name), zone)
    }

    /// The conversation, and what is to be said about it.
    pub(super) fn finish(mut self, file: &Found, zone: Zone, is_cut: bool) -> Vec<Item> {
        let place = file.place(self.key());
        let mut conversation = self.conversation(zone);
        conversation.place = place.clone();
        self.fold(&mut conversation);
        let tree = self.grow();
        conversation.shown = self
            .text("current_node")
            .filter(|node| tree.has(node))
            .map_or_else(|| tree.latest_leaf(), |node| tree.find(node));
        let mut items = Vec::new();
        items.extend(tree.oddities().map(|told| place.note(told)));
        if is_cut {
            items.push(place.note("It is cut off; what of it is there comes over."));
        }
        conversation.messages = tree.messages;
        items.push(Item::Conversation(Box::new(conversation)));
        items
    }

    fn conversation(&self, zone: Zone) -> Conversation {
        let mut metadata = serde_json::Map::new();
        for name in ["gizmo_id", "gizmo_type", "voice", "conversation_template_id"] {
            if let Some(value) = self.fields.get(name).filter(|value| !value.is_null()) {
                metadata.insert(name.to_owned(), value.to_json());
            }
        }
        let pinned = self.fields.get("pinned_time").is_some_and(|time| !time.is_null());
        Conversation {
            key: self.key(),
            title: self.fields.get("title").and_then(Value::as_text).cloned().unwrap_or_default(),
            created: self.time("create_time", zone),
            updated: self.time("update_time", zone),
            model: self.text("default_model_slug").map(str::to_owned),
            pinned: pinned || self.is("is_starred"),
            archived: self.is("is_archived"),
            ids: BTreeMap::from([("conversation_id".to_owned(), self.key())]),
            metadata,
            ..Conversation::default()
        }
    }

    /// Puts what is not shown where it belongs.
    fn fold(&mut self, conversation: &mut Conversation) {
        let parents = self.parents();
        let mut is_used = vec![false; self.nodes.len()];
        for at in 0..self.nodes.len() {
            let is_answer =
                matches!(&self.nodes[at].what, What::Shown(one) if one.role == Role::Assistant);
            if is_answer {
                let steps = self.steps(at, &parents);
                self.take_steps(at, &steps);
                steps.into_iter().for_each(|step| is_used[step] = true);
            }
        }
        for (node, is_used) in self.nodes.iter().zip(is_used) {
            conversation.folded +=
                usize::from(!matches!(node.what, What::Shown(_) | What::Nothing));
            if !is_used {
                keep_beside(node, conversation);
            }
        }
    }

    /// The hidden nodes between an answer and what it answers, first to last. Results of tools lie
    /// between them, and are shown.
    fn steps(&self, answer: usize, parents: &[Option<usize>]) -> Vec<usize> {
        let (mut steps, mut next) = (Vec::new(), parents[answer]);
        for _ in 0..STEPS {
            let Some(at) = next else { break };
            match &self.nodes[at].what {
                What::Reasoning(_) | What::Call(..) | What::Hidden("recap", _) => steps.push(at),
                What::Shown(one) if one.role == Role::Tool => {}
                _ => break,
            }
            next = parents[at];
        }
        steps.reverse();
        steps
    }

    fn take_steps(&mut self, answer: usize, steps: &[usize]) {
        let (mut reasoning, mut calls) = (Vec::new(), Vec::new());
        for step in steps {
            match &self.nodes[*step].what {
                What::Reasoning(text) if !text.is_empty() => reasoning.push(text.shown.clone()),
                What::Call(tool, text) => calls.push(json!({ "name": tool, "input": text.shown })),
                What::Hidden(_, text) if !text.is_empty() => reasoning.push(text.shown.clone()),
                _ => {}
            }
        }
        if let What::Shown(message) = &mut self.nodes[answer].what {
            if !reasoning.is_empty() {
                message.metadata.insert("reasoning".into(), json!(reasoning.join("\n\n")));
            }
            if !calls.is_empty() {
                message.metadata.insert("tools".into(), json!(calls));
            }
        }
    }

    /// Where each node's parent is: the one that it names, else one that names it a child.
    fn parents(&self) -> Vec<Option<usize>> {
        let index: HashMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(at, node)| (node.key.as_str(), at)).collect();
        let mut above: HashMap<&str, usize> = HashMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            for child in &node.children {
                above.entry(child).or_insert(at);
            }
        }
        let of = |node: &Node| {
            let named = node.parent.as_deref().and_then(|parent| index.get(parent));
            named.or_else(|| above.get(node.key.as_str())).copied()
        };
        self.nodes.iter().map(of).collect()
    }

    fn grow(&mut self) -> Tree {
        let parents = self.parents();
        let order = self.order(&parents);
        let keys: Vec<_> = self.nodes.iter().map(|node| node.key.clone()).collect();
        let mut nodes: Vec<_> = self.nodes.drain(..).map(Some).collect();
        let made = order.into_iter().filter_map(|at| {
            let node = nodes[at].take()?;
            let message = match node.what {
                What::Shown(message) => Some(*message),
                _ => None,
            };
            // One that names a parent that is not there is to be told of.
            let parent = parents[at].map(|parent| keys[parent].clone()).or(node.parent);
            Some(tree::Node { key: node.key, parent, message })
        });
        tree::grow(made.collect())
    }

    /// From the roots down, children in the order of the export: the order of the map means nothing.
    fn order(&self, parents: &[Option<usize>]) -> Vec<usize> {
        let index: HashMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(at, node)| (node.key.as_str(), at)).collect();
        let mut is_done = vec![false; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        let roots = (0..self.nodes.len()).filter(|at| parents[*at].is_none());
        let mut open: Vec<usize> = roots.collect();
        open.reverse();
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut is_done[at], true) {
                continue;
            }
            order.push(at);
            let children = self.nodes[at].children.iter().rev();
            open.extend(children.filter_map(|child| index.get(child.as_str()).copied()));
        }
        order.extend((0..self.nodes.len()).filter(|at| !is_done[*at]));
        order
    }
}

/// Keeps what belongs to no answer with the conversation.
fn keep_beside(node: &Node, conversation: &mut Conversation) {
    let (kind, text) = match &node.what {
        What::Instructions(text) if conversation.system_prompt.is_none() && !text.is_empty() => {
            conversation.system_prompt = Some(text.clone());
            return;
        }
        What::Instructions(text) => ("instructions", text),
        What::Reasoning(text) => ("reasoning", text),
        What::Call(_, text) => ("call", text),
        What::Hidden(kind, text) => (*kind, text),
        What::Nothing | What::Shown(_) => return,
    };
    let is_known = |known: &Text| known == text;
    if text.is_empty() || conversation.system_prompt.as_ref().is_some_and(is_known) {
        return;
    }
    let hidden = conversation.metadata.entry("hidden").or_insert_with(|| Json::Array(Vec::new()));
    if let Some(hidden) = hidden.as_array_mut() {
        hidden.push(json!({ "id": node.key, "kind": kind, "text": text.shown }));
    }
}

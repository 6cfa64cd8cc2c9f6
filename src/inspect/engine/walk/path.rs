//! Where a walk is. Messages repeat their keys in the same order, so a key is nearly always found where it was the last time,
//! without asking the tree.

use crate::inspect::engine::tree::{Node, Tree};
use std::fmt::Write as _;
use std::sync::Arc;

/// Keys that one walk remembers.
const MAX_KNOWN: usize = 512;
/// Keys that it remembers for one container.
const MAX_CHILDREN: usize = 32;

/// Where a walk is.
pub(super) struct Path<'a> {
    tree: &'a Tree,
    /// Keys that were there; the first is the outermost container.
    known: Vec<Known>,
    /// The containers, the innermost last; elements stand under the key of their array.
    nodes: Vec<At>,
    steps: Vec<Step>,
    /// Members of each open object so far.
    members: Vec<usize>,
}

/// A key that was there.
struct Known {
    node: Arc<Node>,
    children: Vec<Child>,
    /// Where the next child is expected among them.
    next: usize,
    /// Whether nothing is in the key itself.
    is_clean: bool,
}

/// A key inside another.
struct Child {
    head: u64,
    index: usize,
}

/// A container.
enum At {
    /// By its place among those that are known.
    Known(usize),
    /// One beyond those.
    Apart(Arc<Node>),
}

/// One step of a location.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A member, by its position.
    Member(usize),
    /// An element of an array.
    Element(usize),
}

/// How much was open at some time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    nodes: usize,
    steps: usize,
    members: usize,
}

impl<'a> Path<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        let root = Known { node: tree.root().clone(), children: Vec::new(), next: 0, is_clean: true };
        Self { tree, known: vec![root], nodes: Vec::new(), steps: Vec::new(), members: Vec::new() }
    }

    /// What keys are looked up in.
    pub(super) const fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// The innermost key.
    pub(super) fn node(&self) -> &Node {
        match self.nodes.last() {
            Some(At::Apart(node)) => node,
            Some(At::Known(index)) => self.known.get(*index).map_or(self.tree.root(), |known| &known.node),
            None => self.tree.root(),
        }
    }

    /// The innermost key among those that are known, if it is.
    pub(super) fn index(&self) -> Option<usize> {
        match self.nodes.last() {
            Some(At::Apart(_)) => None,
            Some(At::Known(index)) => Some(*index),
            None => Some(0),
        }
    }

    /// Whether the innermost key was looked at before, and nothing is in it.
    pub(super) fn is_clean(&self) -> bool {
        self.index().and_then(|index| self.known.get(index)).is_some_and(|known| known.is_clean)
    }

    /// Remembers that nothing is in the innermost key.
    pub(super) fn mark_clean(&mut self) {
        let Some(index) = self.index() else { return };
        if let Some(known) = self.known.get_mut(index) {
            known.is_clean = true;
        }
    }

    pub(super) fn enter(&mut self, key: &str) {
        let at = match self.index() {
            Some(parent) => self.child(parent, key),
            None => At::Apart(self.tree.child(self.node(), key)),
        };
        self.nodes.push(at);
        let position = self.members.last_mut().map_or(0, |position| {
            *position += 1;
            *position - 1
        });
        self.steps.push(Step::Member(position));
    }

    pub(super) fn leave(&mut self) {
        self.nodes.pop();
        self.steps.pop();
    }

    pub(super) fn element(&mut self, index: usize) {
        self.steps.push(Step::Element(index));
    }

    pub(super) fn element_end(&mut self) {
        self.steps.pop();
    }

    pub(super) fn object(&mut self) {
        self.members.push(0);
        let Some(index) = self.index() else { return };
        if let Some(known) = self.known.get_mut(index) {
            known.next = 0;
        }
    }

    /// How much is open.
    pub(super) const fn open(&self) -> Open {
        Open { nodes: self.nodes.len(), steps: self.steps.len(), members: self.members.len() }
    }

    /// Closes what was opened since.
    pub(super) fn close(&mut self, open: Open) {
        self.nodes.truncate(open.nodes);
        self.steps.truncate(open.steps);
        self.members.truncate(open.members);
    }

    pub(super) fn object_end(&mut self) {
        self.members.pop();
    }

    fn child(&mut self, parent: usize, key: &str) -> At {
        let head = head(key.as_bytes());
        if let Some(index) = self.expected(parent, key, head) {
            return At::Known(index);
        }
        let Some(known) = self.known.get(parent) else { return At::Apart(self.tree.child(self.tree.root(), key)) };
        let node = self.tree.child(&known.node, key);
        let index = self.known.len();
        if index >= MAX_KNOWN || known.children.len() >= MAX_CHILDREN {
            return At::Apart(node);
        }
        self.known.push(Known { node, children: Vec::new(), next: 0, is_clean: false });
        if let Some(known) = self.known.get_mut(parent) {
            known.children.push(Child { head, index });
            known.next = known.children.len();
        }
        At::Known(index)
    }

    /// The child with this key, looked for from where the next is expected.
    fn expected(&mut self, parent: usize, key: &str, head: u64) -> Option<usize> {
        let known = self.known.get(parent)?;
        let (before, behind) = known.children.split_at_checked(known.next)?;
        let places = (known.next..).zip(behind).chain((0..).zip(before));
        let is_key = |child: &Child| child.head == head && self.known.get(child.index).is_some_and(|known| known.node.key() == key);
        let (place, index) = places.filter(|(_, child)| is_key(child)).map(|(place, child)| (place, child.index)).next()?;
        self.known.get_mut(parent)?.next = place + 1;
        Some(index)
    }

    /// A JSON pointer; a key that nobody documents could be somebody's name, so its position stands for it.
    pub(super) fn place(&self) -> String {
        let mut place = String::new();
        let mut nodes = self.nodes.iter();
        for step in &self.steps {
            place.push('/');
            match step {
                Step::Element(index) => place.push_str(&index.to_string()),
                Step::Member(index) => match nodes.next().and_then(|at| self.shown(at)) {
                    Some(key) => place.push_str(&key.replace('~', "~0").replace('/', "~1")),
                    None => {
                        // Writing to a string cannot fail.
                        let _ = write!(place, "({index})");
                    }
                },
            }
        }
        if place.is_empty() { "/".to_owned() } else { place }
    }

    fn shown<'n>(&'n self, at: &'n At) -> Option<&'n str> {
        match at {
            At::Apart(node) => node.shown(),
            At::Known(index) => self.known.get(*index)?.node.shown(),
        }
    }
}

/// The first eight bytes of a key, to tell most keys apart without comparing them.
fn head(key: &[u8]) -> u64 {
    match key.first_chunk::<8>() {
        Some(first) => u64::from_le_bytes(*first),
        None => key.iter().fold(key.len() as u64, |head, byte| head << 8 | u64::from(*byte)),
    }
}

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
    /// Whether nothing is in the key itself, so far as is known.
    is_clean: bool,
}

/// A key inside another.
struct Child {
    ends: Ends,
    index: usize,
}

/// The length of a key and its first and last eight bytes: all there is of a short one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    len: usize,
    head: u64,
    tail: u64,
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

    /// Keys that are open.
    pub(super) const fn depth(&self) -> usize {
        self.nodes.len()
    }

    /// Whether an element of an array is at hand.
    pub(super) fn is_element(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Element(_)))
    }

    /// Whether the object at hand is an element of a list of persons, or of what is theirs.
    pub(super) fn is_of_a_list_of_persons(&self) -> bool {
        let is_of_a_list = matches!(self.steps.as_slice(), [.., Step::Element(_), Step::Member(_)]);
        is_of_a_list && self.container(self.depth().saturating_sub(1)).is_of_persons()
    }

    /// What a name would be as a key, inside so many of the open keys.
    pub(super) fn named(&self, depth: usize, name: &str) -> Arc<Node> {
        self.tree.child(self.container(depth), name)
    }

    /// The innermost of so many open keys.
    fn container(&self, depth: usize) -> &Node {
        match depth.checked_sub(1).and_then(|at| self.nodes.get(at)) {
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

    /// Whether nothing is in the innermost key: it has our words only, or was looked at before.
    pub(super) fn is_clean(&self) -> bool {
        match self.index() {
            Some(index) => self.known.get(index).is_some_and(|known| known.is_clean),
            None => self.node().shown().is_some(),
        }
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
        let ends = Ends::of(key.as_bytes());
        if let Some(index) = self.expected(parent, key, ends) {
            return At::Known(index);
        }
        let Some(known) = self.known.get(parent) else { return At::Apart(self.tree.child(self.tree.root(), key)) };
        let node = self.tree.child(&known.node, key);
        let index = self.known.len();
        if index >= MAX_KNOWN || known.children.len() >= MAX_CHILDREN {
            return At::Apart(node);
        }
        let is_clean = node.shown().is_some();
        self.known.push(Known { node, children: Vec::new(), next: 0, is_clean });
        if let Some(known) = self.known.get_mut(parent) {
            known.children.push(Child { ends, index });
            known.next = known.children.len();
        }
        At::Known(index)
    }

    /// The child with this key, looked for from where the next is expected.
    fn expected(&mut self, parent: usize, key: &str, ends: Ends) -> Option<usize> {
        let known = self.known.get(parent)?;
        let is_key = |child: &Child| {
            let is_same = child.ends == ends;
            is_same && (ends.are_all() || self.known.get(child.index).is_some_and(|known| known.node.key() == key))
        };
        if let Some(child) = known.children.get(known.next).filter(|child| is_key(child)) {
            let index = child.index;
            self.known.get_mut(parent)?.next += 1;
            return Some(index);
        }
        let (before, behind) = known.children.split_at_checked(known.next)?;
        let places = (known.next..).zip(behind).chain((0..).zip(before));
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

impl Ends {
    fn of(key: &[u8]) -> Self {
        let word = |bytes: Option<&[u8; 8]>| bytes.map(|bytes| u64::from_le_bytes(*bytes));
        let head = word(key.first_chunk()).unwrap_or_else(|| key.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)));
        Self { len: key.len(), head, tail: word(key.last_chunk()).unwrap_or_default() }
    }

    /// Whether the key has no other bytes.
    const fn are_all(self) -> bool {
        self.len <= 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::Shape;

    /// Enters keys one after the other in one object, and says what each was taken for.
    fn entered(keys: &[&str]) -> Vec<String> {
        let tree = Tree::new(Shape::built_in().expect("the shape compiles"));
        let mut path = Path::new(&tree);
        path.object();
        let enter = |key: &&str| {
            path.enter(key);
            let taken = path.node().key().to_owned();
            path.leave();
            taken
        };
        keys.iter().map(enter).collect()
    }

    #[test]
    fn keys_that_begin_and_end_alike_are_told_apart() {
        let long = ["processIdProcessId", "processIdXrocessId", "processIdentification", "a", "", "\0", "\0\0", "aa"];
        let keys: Vec<&str> = long.iter().chain(long.iter().rev()).chain(&long).copied().collect();
        assert_eq!(entered(&keys), keys);
        let alike = ["12345678A12345678", "12345678B12345678", "1234567812345678", "12345678", "123456781234567"];
        let keys: Vec<&str> = alike.iter().chain(alike.iter().rev()).chain(&alike).copied().collect();
        assert_eq!(entered(&keys), keys);
    }
}

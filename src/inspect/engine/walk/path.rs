//! Where a walk is. Messages repeat their keys in the same order, so a key is nearly always found where it was the last time,
//! without asking the tree.

use crate::inspect::engine::shape::Meaning;
use crate::inspect::engine::shape::slot::Slot;
use crate::inspect::engine::tree::{Node, Oddity, Role, Tree};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
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
    /// Keys that are open beyond those, the innermost last.
    apart: Vec<Arc<Node>>,
    /// The innermost key; elements stand under the key of their array.
    innermost: At,
    /// Keys that are open.
    depth: usize,
    steps: Vec<Step>,
    /// Members so far of the innermost object.
    members: u32,
    /// And of those around it.
    around: Vec<u32>,
}

/// A key that was there.
struct Known {
    node: Arc<Node>,
    /// What the node says.
    said: Said,
    children: Vec<Child>,
    /// Where the next child is expected among them.
    next: usize,
    /// Whether nothing is in the key itself, so far as is known.
    is_clean: bool,
    /// What the keys come to that lead here, with this one.
    fingerprint: u64,
}

/// What a key says: at hand without a look at its node.
#[derive(Clone, Copy)]
struct Said {
    meaning: Meaning,
    role: Role,
    oddity: Oddity,
    is_product: bool,
}

impl Said {
    const fn by(node: &Node) -> Self {
        Self { meaning: node.meaning, role: node.role, oddity: node.oddity, is_product: node.is_product }
    }
}

/// A key inside another.
struct Child {
    ends: Ends,
    index: u32,
    /// The documented field that it is, if nothing is in the key itself or the matter with it. Values of pairs are to be told.
    field: Option<(Slot, Role)>,
}

/// The length of a key and its first and last eight bytes: all there is of a short one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    len: usize,
    head: u64,
    tail: u64,
}

/// A key that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// By its place among those that are known.
    Known(u32),
    /// By its place among those beyond.
    Apart(u32),
}

/// One step of a location.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A member, by its position.
    Member {
        position: u32,
        /// The key that was the innermost one before.
        outer: At,
    },
    /// An element of an array.
    Element(u32),
}

/// How much was open at some time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    innermost: At,
    depth: usize,
    apart: usize,
    steps: usize,
    members: u32,
    around: usize,
}

/// Keys that a walk leaves to the next one through the same tree.
#[derive(Default)]
pub(super) struct Keys(Vec<Known>);

impl<'a> Path<'a> {
    /// Starts with the keys that an earlier walk through the tree left.
    pub(super) fn new(tree: &'a Tree, keys: Keys) -> Self {
        let known = if keys.0.is_empty() { vec![Known::new(tree.root().clone(), 0)] } else { keys.0 };
        Self { tree, known, apart: Vec::new(), innermost: At::Known(0), depth: 0, steps: Vec::new(), members: 0, around: Vec::new() }
    }

    /// Its keys for the next walk, unless they are so many that there would be no room for others.
    pub(super) fn into_keys(self) -> Option<Keys> {
        (self.known.len() <= MAX_KNOWN / 2).then_some(Keys(self.known))
    }

    /// What keys are looked up in.
    pub(super) const fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// The innermost key.
    pub(super) fn node(&self) -> &Node {
        self.at(self.innermost)
    }

    /// What a value under the innermost key is.
    pub(super) fn meaning(&self) -> Meaning {
        self.said().meaning
    }

    /// What the innermost key is in a pair.
    pub(super) fn role(&self) -> Role {
        self.said().role
    }

    /// What is the matter with the innermost key.
    pub(super) fn oddity(&self) -> Oddity {
        self.said().oddity
    }

    /// Whether the innermost key may be the name of a product.
    pub(super) fn is_product(&self) -> bool {
        self.said().is_product
    }

    /// Whether the innermost key is neither half of a pair nor the name of a product.
    pub(super) fn is_plain(&self) -> bool {
        let said = self.said();
        said.role == Role::None && !said.is_product
    }

    fn said(&self) -> Said {
        match self.known() {
            Some(known) => known.said,
            None => Said::by(self.node()),
        }
    }

    /// Keys that are open.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// Whether an element of an array is at hand.
    pub(super) fn is_element(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Element(_)))
    }

    /// Whether the object at hand is an element of a list of persons, or of what is theirs.
    pub(super) fn is_of_a_list_of_persons(&self) -> bool {
        let is_of_a_list = matches!(self.steps.as_slice(), [.., Step::Element(_), Step::Member { .. }]);
        is_of_a_list && self.container(self.depth.saturating_sub(1)).is_of_persons()
    }

    /// What a name would be as a key, inside so many of the open keys.
    pub(super) fn named(&self, depth: usize, name: &str) -> Arc<Node> {
        self.tree.child(self.container(depth), name)
    }

    /// The innermost of so many open keys: the one that was it when the next was entered.
    fn container(&self, depth: usize) -> &Node {
        let outer = |step: &Step| if let Step::Member { outer, .. } = step { Some(*outer) } else { None };
        self.at(self.steps.iter().filter_map(outer).nth(depth).unwrap_or(self.innermost))
    }

    /// The innermost key among those that are known, if it is.
    pub(super) const fn index(&self) -> Option<usize> {
        match self.innermost {
            At::Known(index) => Some(index as usize),
            At::Apart(_) => None,
        }
    }

    /// Whether nothing is in the innermost key: it has our words only, or was looked at before.
    pub(super) fn is_clean(&self) -> bool {
        match self.known() {
            Some(known) => known.is_clean,
            None => self.node().is_plain(),
        }
    }

    fn known(&self) -> Option<&Known> {
        self.index().and_then(|index| self.known.get(index))
    }

    fn at(&self, at: At) -> &Node {
        let node = match at {
            At::Known(index) => self.known.get(index as usize).map(|known| &known.node),
            At::Apart(index) => self.apart.get(index as usize),
        };
        node.unwrap_or(self.tree.root())
    }

    /// Remembers that nothing is in the innermost key.
    pub(super) fn mark_clean(&mut self) {
        let Some(index) = self.index() else { return };
        if let Some(known) = self.known.get_mut(index) {
            known.is_clean = true;
        }
    }

    pub(super) fn enter(&mut self, key: &str) {
        let outer = self.innermost;
        self.innermost = match outer {
            At::Known(parent) => self.child(parent as usize, key),
            At::Apart(_) => {
                let node = self.tree.child(self.node(), key);
                self.beyond(node)
            }
        };
        self.steps.push(Step::Member { position: self.members, outer });
        self.members += 1;
        self.depth += 1;
    }

    /// The documented field whose key is the next one, and what the key is in a pair, if it is the one that is expected.
    pub(super) fn expects(&self, key: &str) -> Option<(Slot, Role)> {
        let parent = self.known()?;
        let child = parent.children.get(parent.next)?;
        child.field.filter(|_| self.is_key(child, key, Ends::of(key.as_bytes())))
    }

    /// Passes the key that was expected, with its value.
    pub(super) fn pass(&mut self) {
        self.members += 1;
        let Some(index) = self.index() else { return };
        if let Some(known) = self.known.get_mut(index) {
            known.next += 1;
        }
    }

    pub(super) fn leave(&mut self) {
        if let At::Apart(_) = self.innermost {
            self.apart.pop();
        }
        if let Some(Step::Member { outer, .. }) = self.steps.pop() {
            self.innermost = outer;
            self.depth = self.depth.saturating_sub(1);
        }
    }

    pub(super) fn element(&mut self, index: usize) {
        self.steps.push(Step::Element(u32::try_from(index).unwrap_or(u32::MAX)));
    }

    pub(super) fn element_end(&mut self) {
        self.steps.pop();
    }

    /// Where in its row a value is, if it is in an array inside another.
    pub(super) fn column(&self) -> Option<usize> {
        match self.steps.as_slice() {
            [.., Step::Element(_), Step::Element(column)] => usize::try_from(*column).ok(),
            _ => None,
        }
    }

    pub(super) fn object(&mut self) {
        self.around.push(self.members);
        self.members = 0;
        let Some(index) = self.index() else { return };
        if let Some(known) = self.known.get_mut(index) {
            known.next = 0;
        }
    }

    pub(super) fn object_end(&mut self) {
        self.members = self.around.pop().unwrap_or_default();
    }

    /// How much is open.
    pub(super) const fn open(&self) -> Open {
        let (apart, steps, around) = (self.apart.len(), self.steps.len(), self.around.len());
        Open { innermost: self.innermost, depth: self.depth, apart, steps, members: self.members, around }
    }

    /// Closes what was opened since.
    pub(super) fn close(&mut self, open: Open) {
        self.innermost = open.innermost;
        self.depth = open.depth;
        self.apart.truncate(open.apart);
        self.steps.truncate(open.steps);
        self.members = open.members;
        self.around.truncate(open.around);
    }

    /// A key that is not remembered.
    fn beyond(&mut self, node: Arc<Node>) -> At {
        let index = u32::try_from(self.apart.len()).unwrap_or(u32::MAX);
        self.apart.push(node);
        At::Apart(index)
    }

    fn child(&mut self, parent: usize, key: &str) -> At {
        let ends = Ends::of(key.as_bytes());
        if let Some(index) = self.expected(parent, key, ends) {
            return At::Known(index);
        }
        let known = self.known.get(parent);
        let node = self.tree.child(known.map_or(self.tree.root(), |known| &known.node), key);
        let index = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let has_room = self.known.len() < MAX_KNOWN && known.is_some_and(|known| known.children.len() < MAX_CHILDREN);
        if !has_room {
            return self.beyond(node);
        }
        let fingerprint = beneath(known.map_or(0, |known| known.fingerprint), key);
        let child = Known::new(node, fingerprint);
        let field = child.field();
        self.known.push(child);
        if let Some(known) = self.known.get_mut(parent) {
            known.children.push(Child { ends, index, field });
            known.next = known.children.len();
        }
        At::Known(index)
    }

    /// Whether a child has this key, of these ends.
    fn is_key(&self, child: &Child, key: &str, ends: Ends) -> bool {
        let is_same = child.ends == ends;
        is_same && (ends.are_all() || self.known.get(child.index as usize).is_some_and(|known| known.node.key() == key))
    }

    /// The child with this key, looked for from where the next is expected.
    fn expected(&mut self, parent: usize, key: &str, ends: Ends) -> Option<u32> {
        let known = self.known.get(parent)?;
        if let Some(child) = known.children.get(known.next).filter(|child| self.is_key(child, key, ends)) {
            let index = child.index;
            self.known.get_mut(parent)?.next += 1;
            return Some(index);
        }
        let (before, behind) = known.children.split_at_checked(known.next)?;
        let places = (known.next..).zip(behind).chain((0..).zip(before));
        let (place, index) = places.filter(|(_, child)| self.is_key(child, key, ends)).map(|(place, child)| (place, child.index)).next()?;
        self.known.get_mut(parent)?.next = place + 1;
        Some(index)
    }

    /// What the keys come to that lead here, wherever in its arrays that is.
    pub(super) fn fingerprint(&self) -> u64 {
        if let Some(known) = self.known() {
            return known.fingerprint;
        }
        // Keys beyond those that are known stand inside one that is, and in one another.
        let known = |step: &Step| if let Step::Member { outer: At::Known(index), .. } = step { Some(*index as usize) } else { None };
        let around = self.steps.iter().rev().find_map(known).and_then(|index| self.known.get(index));
        self.apart.iter().fold(around.map_or(0, |known| known.fingerprint), |outer, node| beneath(outer, node.key()))
    }

    /// A JSON pointer; a key that nobody documents could be somebody's name, so its position stands for it.
    pub(super) fn place(&self) -> String {
        let mut place = String::new();
        // A key is told by what was the innermost one after it.
        let outer = |step: &Step| if let Step::Member { outer, .. } = step { Some(*outer) } else { None };
        let mut entered = self.steps.iter().filter_map(outer).chain([self.innermost]).skip(1);
        for step in &self.steps {
            place.push('/');
            // Writing to a string cannot fail.
            let _ = match step {
                Step::Element(index) => write!(place, "{index}"),
                Step::Member { position, .. } => match entered.next().and_then(|at| self.at(at).shown()) {
                    Some(key) => write!(place, "{}", key.replace('~', "~0").replace('/', "~1")),
                    None => write!(place, "({position})"),
                },
            };
        }
        if place.is_empty() { "/".to_owned() } else { place }
    }
}

impl Known {
    fn new(node: Arc<Node>, fingerprint: u64) -> Self {
        let (said, is_clean) = (Said::by(&node), node.is_plain());
        Self { node, said, children: Vec::new(), next: 0, is_clean, fingerprint }
    }

    /// See [`Child::field`]. Users may be in a list of persons, where they are no amount.
    fn field(&self) -> Option<(Slot, Role)> {
        let Said { meaning, role, oddity, is_product } = self.said;
        let Meaning::Field(slot) = meaning else { return None };
        let is_plain = self.is_clean && role != Role::Value && oddity == Oddity::None && !is_product && slot != Slot::Users;
        is_plain.then_some((slot, role))
    }
}

impl Ends {
    fn of(key: &[u8]) -> Self {
        let len = key.len();
        if let (Some(head), Some(tail)) = (key.first_chunk(), key.last_chunk()) {
            return Self { len, head: u64::from_le_bytes(*head), tail: u64::from_le_bytes(*tail) };
        }
        if let (Some(head), Some(tail)) = (key.first_chunk(), key.last_chunk()) {
            return Self { len, head: u32::from_le_bytes(*head).into(), tail: u32::from_le_bytes(*tail).into() };
        }
        Self { len, head: key.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)), tail: 0 }
    }

    /// Whether the key has no other bytes.
    const fn are_all(self) -> bool {
        self.len <= 16
    }
}

/// What a key inside others comes to.
fn beneath(outer: u64, key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (outer, key).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::Shape;

    /// Enters keys one after the other in one object, and says what each was taken for.
    fn entered(keys: &[&str]) -> Vec<String> {
        let tree = Tree::new(Shape::built_in().expect("the shape compiles"));
        let mut path = Path::new(&tree, Keys::default());
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

    fn entered_all(path: &mut Path<'_>, keys: &[&str]) -> (u64, bool) {
        for key in keys {
            path.enter(key);
        }
        (path.fingerprint(), path.index().is_some())
    }

    #[test]
    fn a_place_comes_to_the_same_whether_its_keys_are_known_or_not() {
        let tree = Tree::new(Shape::built_in().expect("the shape compiles"));
        let mut path = Path::new(&tree, Keys::default());
        let mut fingerprint = |keys: &[&str]| {
            let entered = entered_all(&mut path, keys);
            (0..keys.len()).for_each(|_| path.leave());
            entered
        };
        let (place, is_known) = fingerprint(&["a", "b", "c"]);
        assert!(is_known);
        assert_ne!(fingerprint(&["a", "c", "b"]).0, place);
        // Until there is no room for another.
        let others: Vec<String> = (0..MAX_KNOWN).map(|at| format!("key{at}")).collect();
        for around in others.chunks(MAX_CHILDREN - 1) {
            assert!(around.iter().all(|key| fingerprint(&["x", &around[0], key]).0 != place));
        }
        let again = fingerprint(&["a", "b", "d", "e", "f"]);
        assert!(!again.1);
        assert_eq!(entered_all(&mut Path::new(&tree, Keys::default()), &["a", "b", "d", "e", "f"]), (again.0, true));
    }
}

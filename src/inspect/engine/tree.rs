//! What keys mean where they stand, remembered: messages of one sender have the same keys again and again.

use super::shape::words::Words;
use super::shape::{Meaning, Shape};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Keys that are remembered in all; what comes beyond is worked out each time.
const MAX_NODES: usize = 8_192;

/// A shape with what it was asked.
pub struct Tree {
    shape: Shape,
    root: Arc<Node>,
    nodes: AtomicUsize,
}

/// A key inside its containers.
pub struct Node {
    /// The words of the containers that have any, the outermost first.
    containers: Arc<[Words]>,
    /// The words of the key itself.
    own: Words,
    /// Those of the containers and of the key, for the keys inside: made for the first of them, and shared.
    inside: OnceLock<Arc<[Words]>>,
    /// What a value under it is.
    pub meaning: Meaning,
    key: Box<str>,
    /// Whether all its words are ours.
    is_ours: bool,
    /// Whether the tree holds it, as it does the root.
    is_held: bool,
    children: RwLock<HashMap<Box<str>, Arc<Node>>>,
}

impl Node {
    /// The key as it stands in the message.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key as it may be shown, if all its words are ours.
    #[must_use]
    pub fn shown(&self) -> Option<&str> {
        self.is_ours.then_some(&*self.key)
    }

    /// The words of the key; of the nearest container that has any, if it has none.
    #[must_use]
    pub fn words(&self) -> &[String] {
        if self.own.is_empty() { self.containers.last().unwrap_or(&self.own).as_slice() } else { self.own.as_slice() }
    }

    /// What the keys inside stand in.
    fn inside(&self) -> &Arc<[Words]> {
        if self.own.is_empty() {
            return &self.containers;
        }
        self.inside.get_or_init(|| self.containers.iter().chain([&self.own]).cloned().collect())
    }
}

impl Tree {
    /// Nothing was asked yet.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let root = Node {
            containers: Arc::default(),
            own: Words::default(),
            inside: OnceLock::new(),
            meaning: Meaning::Unknown,
            key: Box::default(),
            is_ours: true,
            is_held: true,
            children: RwLock::default(),
        };
        Self { shape, root: Arc::new(root), nodes: AtomicUsize::new(0) }
    }

    /// The outermost container.
    #[must_use]
    pub fn root(&self) -> &Arc<Node> {
        &self.root
    }

    /// Whether a key may be shown: all its words are ones the shape itself has.
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        self.shape.knows(key)
    }

    /// What a key says outside of every container.
    #[must_use]
    pub fn meaning(&self, key: &str) -> Meaning {
        self.shape.meaning(&[], &self.shape.fold(key))
    }

    /// A key inside a container.
    #[must_use]
    pub fn child(&self, parent: &Node, key: &str) -> Arc<Node> {
        if !parent.is_held {
            return Arc::new(self.make(parent, key));
        }
        if let Some(known) = parent.children.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return known.clone();
        }
        let made = Arc::new(self.make(parent, key));
        if made.is_held {
            self.nodes.fetch_add(1, Ordering::Relaxed);
            parent.children.write().unwrap_or_else(PoisonError::into_inner).insert(key.into(), made.clone());
        }
        made
    }

    fn make(&self, parent: &Node, key: &str) -> Node {
        let (own, is_ours) = self.shape.read(key);
        let containers = parent.inside().clone();
        let meaning = self.shape.meaning_inside(&containers, parent.meaning, &own);
        // Keys that say nothing are worked out again, and so are those inside: a sender who makes them up must not fill the tree.
        let is_known = parent.is_held && (is_ours || meaning != Meaning::Unknown);
        let is_held = is_known && self.nodes.load(Ordering::Relaxed) < MAX_NODES;
        Node { containers, own, inside: OnceLock::new(), meaning, key: key.into(), is_ours, is_held, children: RwLock::default() }
    }
}

crate::hidden::hidden!(Tree, Node);

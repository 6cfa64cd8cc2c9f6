//! What keys mean where they stand, remembered: messages of one sender have the same keys again and again.

use super::shape::words::Words;
use super::shape::{Meaning, Shape};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

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
    /// The words of the containers, the outermost first, and of the key itself.
    path: Vec<Words>,
    /// What a value under it is.
    pub meaning: Meaning,
    key: Box<str>,
    /// Whether all its words are ours.
    is_ours: bool,
    children: RwLock<HashMap<Box<str>, Arc<Node>>>,
}

impl Node {
    fn new(path: Vec<Words>, meaning: Meaning, key: &str, is_ours: bool) -> Self {
        Self { path, meaning, key: key.into(), is_ours, children: RwLock::default() }
    }

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
        self.path.iter().rev().find(|words| !words.is_empty()).map(Words::as_slice).unwrap_or_default()
    }
}

impl Tree {
    /// Nothing was asked yet.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, root: Arc::new(Node::new(Vec::new(), Meaning::Unknown, "", true)), nodes: AtomicUsize::new(0) }
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
        if let Some(known) = parent.children.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return known.clone();
        }
        let made = Arc::new(self.make(parent, key));
        // Keys that say nothing are worked out again: a sender who makes them up must not fill the tree.
        let is_known = made.is_ours || made.meaning != Meaning::Unknown;
        if is_known && self.nodes.load(Ordering::Relaxed) < MAX_NODES {
            self.nodes.fetch_add(1, Ordering::Relaxed);
            parent.children.write().unwrap_or_else(PoisonError::into_inner).insert(key.into(), made.clone());
        }
        made
    }

    fn make(&self, parent: &Node, key: &str) -> Node {
        let words = self.shape.fold(key);
        let meaning = self.shape.meaning(&parent.path, &words);
        let is_ours = self.shape.knows(key);
        let mut path = parent.path.clone();
        path.push(words);
        Node::new(path, meaning, key, is_ours)
    }
}

crate::hidden::hidden!(Tree, Node);

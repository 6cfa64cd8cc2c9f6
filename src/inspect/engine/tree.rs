//! What keys mean where they stand, remembered: messages of one sender have the same keys again and again.

use super::shape::words::Words;
use super::shape::{Key, Meaning, Shape};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Keys that are remembered in all; what comes beyond is worked out each time.
const MAX_NODES: usize = 8_192;

/// Keys that name what a value beside them is.
const NAMES: &[&str] = &[
    "name",
    "key",
    "field",
    "fieldname",
    "property",
    "propertyname",
    "prop",
    "param",
    "parameter",
    "attribute",
    "attr",
    "id",
    "label",
    "k",
    "n",
    "variable",
    "setting",
    "option",
    "nome",
    "chiave",
    "campo",
    "attributo",
    "parametro",
    "etichetta",
    "schlüssel",
    "feld",
    "nom",
    "clé",
    "champ",
    "nombre",
    "clave",
];
/// Keys of such values.
const VALUES: &[&str] =
    &["value", "val", "v", "content", "text", "data", "valore", "contenuto", "testo", "dato", "wert", "inhalt", "valeur", "valor"];

/// A shape with what it was asked.
pub struct Tree {
    shape: Shape,
    root: Arc<Node>,
    nodes: AtomicUsize,
}

/// What is the matter with a key, whatever stands under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// Nothing.
    None,
    /// It has words that nobody documents.
    Words,
    /// It is data: a map of persons, calls or devices has them in its keys.
    Data,
}

/// What a key is in a pair such as `{"name": "extension", "value": 4312}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Neither.
    None,
    /// It holds the name of something.
    Name,
    /// It holds the value of something that is named beside it.
    Value,
}

impl Role {
    /// The role of a key; signs say nothing (`@name`, `#text`).
    fn of(key: &str) -> Self {
        let letters = key.trim_matches(|letter: char| !letter.is_alphanumeric());
        let is_one = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(letters));
        if is_one(NAMES) {
            return Self::Name;
        }
        if is_one(VALUES) { Self::Value } else { Self::None }
    }
}

/// What is in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Words of ours: it may be shown.
    Words,
    /// These, and the index of a row.
    Index,
    /// What may be somebody's.
    Others,
}

impl Holds {
    const fn of(key: &Key) -> Self {
        match (key.is_shown, key.is_plain) {
            (true, _) => Self::Words,
            (false, true) => Self::Index,
            (false, false) => Self::Others,
        }
    }
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
    /// What it says of all that stands in it.
    inherited: Meaning,
    key: Box<str>,
    /// What is the matter with the key itself.
    pub oddity: Oddity,
    /// Whether it names what stands beside it.
    pub role: Role,
    /// Whether it may be the name of a product, its version under it, or speaks of a version.
    pub is_product: bool,
    /// What is in it beside our words.
    holds: Holds,
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
        (self.holds == Holds::Words).then_some(&*self.key)
    }

    /// Whether nothing can be in it but our words and the index of a row.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.holds != Holds::Others
    }

    /// The words of the key; of the nearest container that has any, if it has none.
    #[must_use]
    pub fn words(&self) -> &[String] {
        if self.own.is_empty() { self.containers.last().unwrap_or(&self.own).as_slice() } else { self.own.as_slice() }
    }

    /// Whether an amount may stand under it: it counts, or names several.
    #[must_use]
    pub const fn counts(&self) -> bool {
        let form = self.own.form();
        form.counts() || form.plural
    }

    /// Whether it has no words: it has the meaning of what it stands in.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.own.is_empty()
    }

    /// Whether what stands in it speaks of persons.
    #[must_use]
    pub const fn is_of_persons(&self) -> bool {
        matches!(self.inherited, Meaning::Personal(_))
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
            inherited: Meaning::Unknown,
            key: Box::default(),
            oddity: Oddity::None,
            role: Role::None,
            is_product: false,
            holds: Holds::Words,
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

    /// Whether nothing is in a key but words of the shape, and the index of a row.
    #[must_use]
    pub fn is_plain_key(&self, key: &str) -> bool {
        self.shape.read(key).is_plain
    }

    /// Whether nothing is in a text but words of the shape.
    #[must_use]
    pub fn has_only_words(&self, text: &str) -> bool {
        !text.bytes().any(|byte| byte.is_ascii_digit()) && self.shape.read(text).is_ours
    }

    /// What a key says outside of every container.
    #[must_use]
    pub fn meaning(&self, key: &str) -> Meaning {
        self.shape.meaning(&[], &self.shape.read(key))
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
        let shape = &self.shape;
        let read = shape.read(key);
        let containers = parent.inside().clone();
        let meaning = shape.meaning_inside(&containers, parent.meaning, parent.inherited, &read);
        let is_product = !matches!(meaning, Meaning::Field(_)) && containers.last().is_some_and(holds_products)
            || meaning == Meaning::Unknown && is_version(&read.words);
        let is_silent = read.words.is_empty();
        let inherited = if is_silent { parent.inherited } else { shape.inherited(meaning, &read.words) };
        let oddity = match read.is_ours {
            _ if shape.is_data(&containers, &read.words) || has_number(meaning, key) => Oddity::Data,
            true => Oddity::None,
            false => Oddity::Words,
        };
        let holds = Holds::of(&read);
        // Keys that say nothing are worked out again, and so are those inside: a sender who makes them up must not fill the tree.
        let is_known = parent.is_held && (read.is_shown || !matches!(meaning, Meaning::Unknown) && meaning != parent.inherited);
        let is_held = is_known && self.nodes.load(Ordering::Relaxed) < MAX_NODES;
        Node {
            containers,
            own: read.words,
            inside: OnceLock::new(),
            meaning,
            inherited,
            key: key.into(),
            oddity,
            role: Role::of(key),
            is_product,
            holds,
            is_held,
            children: RwLock::default(),
        }
    }
}

/// `apps: { "Microsoft Edge": "119.0.2151.58" }`.
fn holds_products(container: &Words) -> bool {
    let words = container.as_slice();
    words.len() <= 2 && words.iter().any(|word| ["application", "version", "module", "component"].contains(&word.as_str()))
}

/// `driverVersionString`, `firmware`: four numbers are no address there.
fn is_version(key: &Words) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| key.has(word));
    has(&["version", "firmware", "revision"]) && !has(&["ip", "address", "host", "machine", "dns", "gateway"])
}

/// `extension_4312`: the key itself has somebody's number.
fn has_number(meaning: Meaning, key: &str) -> bool {
    const SHORTEST: usize = 3;
    matches!(meaning, Meaning::Personal(_))
        && key
            .as_bytes()
            .chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit())
            .any(|run| run.len() >= SHORTEST && run.iter().all(u8::is_ascii_digit))
}

crate::hidden::hidden!(Tree, Node);

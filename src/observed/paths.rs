//! Paths of requests as templates: a segment that may be somebody's data, or has too many different ones beside it, is `*`.

use super::telling::{is_documented, is_name, leads_to_data};
use crate::inspect::engine::tree::Tree;
use std::collections::BTreeMap;

/// A segment that is not kept.
pub const ANY: &str = "*";
/// All segments from here on.
pub const REST: &str = "**";
/// Different segments under one parent from which on they are taken for data.
const MOST_SIBLINGS: usize = 32;
/// Segments of a path that are looked at.
const MAX_DEPTH: usize = 16;
/// Segments that are kept in all.
const MAX_NODES: usize = 1_024;

/// A segment of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Piece {
    /// It, or [`ANY`], or [`REST`].
    pub name: String,
    /// An entry of the policy has it.
    pub is_fixed: bool,
    /// It is nobody's data: the policy or the vendor has it, or it is not kept. What is not known has to come often first.
    pub is_known: bool,
}

impl Piece {
    fn known(name: &str) -> Self {
        Self { name: name.to_owned(), is_fixed: false, is_known: true }
    }
}

/// Paths with what is known of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths<T> {
    root: Segment<T>,
    nodes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment<T> {
    inner: BTreeMap<String, Segment<T>>,
    /// An entry of the policy has it: it is nobody's data.
    is_fixed: bool,
    /// Too many different ones came: from now on all are `*`.
    is_open: bool,
    here: Option<T>,
}

impl<T> Default for Segment<T> {
    fn default() -> Self {
        Self { inner: BTreeMap::new(), is_fixed: false, is_open: false, here: None }
    }
}

impl<T> Default for Paths<T> {
    fn default() -> Self {
        Self { root: Segment::default(), nodes: 0 }
    }
}

/// Two things that become one when their paths do.
pub trait Merge: Default {
    /// Takes in another.
    fn merge(&mut self, other: Self);
}

/// The template of a path. The first `fixed` segments are an entry's of the policy, and stay.
#[must_use]
pub fn template(tree: &Tree, path: &str, fixed: usize) -> Vec<Piece> {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').take(MAX_DEPTH + 1).collect();
    let before = std::iter::once("").chain(segments.iter().copied());
    let pieces = before.zip(&segments).enumerate().map(|(position, (before, segment))| match segment {
        _ if position < fixed => Piece { is_fixed: true, ..Piece::known(segment) },
        // A path may end with a slash.
        _ if segment.is_empty() => Piece::known(segment),
        _ if leads_to_data(tree, before) || !is_segment(tree, segment) => Piece::known(ANY),
        _ => Piece { is_known: is_documented(tree, segment), ..Piece::known(segment) },
    });
    let mut template: Vec<Piece> = pieces.collect();
    if template.len() > MAX_DEPTH {
        template.truncate(MAX_DEPTH);
        template.push(Piece::known(REST));
    }
    template
}

/// What every parser reads alike, and is a name.
fn is_segment(tree: &Tree, segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~$".contains(&byte)) && is_name(tree, segment)
}

/// The segments of a template as it is written.
#[must_use]
pub fn segments(written: &str) -> Vec<Piece> {
    written.strip_prefix('/').unwrap_or(written).split('/').map(Piece::known).collect()
}

impl<T: Merge> Paths<T> {
    /// What is known of a path; nothing if there is no room for it.
    pub fn at(&mut self, template: &[Piece]) -> Option<&mut T> {
        let mut segment = &mut self.root;
        for Piece { name, is_fixed, .. } in template {
            if !*is_fixed && !segment.inner.contains_key(name.as_str()) {
                let siblings = segment.inner.iter().filter(|(name, inner)| !inner.is_fixed && *name != ANY && *name != REST).count();
                if siblings >= MOST_SIBLINGS {
                    let before = segment.size();
                    segment.open();
                    self.nodes -= before - segment.size();
                }
            }
            let name = if segment.is_open && !*is_fixed { ANY } else { name.as_str() };
            if !segment.inner.contains_key(name) {
                if self.nodes >= MAX_NODES {
                    return None;
                }
                self.nodes += 1;
            }
            segment = segment.inner.entry(name.to_owned()).or_default();
            segment.is_fixed |= *is_fixed;
        }
        Some(segment.here.get_or_insert_default())
    }

    /// Every path with what is known of it, in their order.
    pub fn each<'a>(&'a self, visit: &mut impl FnMut(&str, &'a T)) {
        self.root.each("", visit);
    }
}

impl<T: Merge> Segment<T> {
    /// All that no entry of the policy has become one.
    fn open(&mut self) {
        self.is_open = true;
        let mut any = self.inner.remove(ANY).unwrap_or_default();
        let names: Vec<String> = self.inner.iter().filter(|(_, inner)| !inner.is_fixed).map(|(name, _)| name.clone()).collect();
        for inner in names.iter().filter_map(|name| self.inner.remove(name)) {
            any.merge(inner);
        }
        self.inner.insert(ANY.to_owned(), any);
    }

    fn merge(&mut self, other: Self) {
        self.is_open |= other.is_open;
        if let Some(here) = other.here {
            self.here.get_or_insert_default().merge(here);
        }
        for (name, inner) in other.inner {
            self.inner.entry(name).or_default().merge(inner);
        }
        let siblings = self.inner.iter().filter(|(name, inner)| !inner.is_fixed && *name != ANY && *name != REST).count();
        if siblings > MOST_SIBLINGS || self.is_open && siblings > 0 {
            self.open();
        }
    }
}

impl<T> Paths<T> {
    /// Whether these segments have their names here, or will never have.
    #[must_use]
    pub fn has(&self, template: &[Piece]) -> bool {
        let mut segment = &self.root;
        for Piece { name, .. } in template {
            if segment.is_open {
                return true;
            }
            let Some(inner) = segment.inner.get(name.as_str()) else { return false };
            segment = inner;
        }
        true
    }
}

impl<T> Segment<T> {
    fn size(&self) -> usize {
        1 + self.inner.values().map(Self::size).sum::<usize>()
    }

    fn each<'a>(&'a self, path: &str, visit: &mut impl FnMut(&str, &'a T)) {
        if let Some(here) = &self.here {
            visit(path, here);
        }
        for (name, inner) in &self.inner {
            inner.each(&format!("{path}/{name}"), visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::Shape;

    impl Merge for u64 {
        fn merge(&mut self, other: Self) {
            *self += other;
        }
    }

    fn kept(paths: &[(&str, usize)]) -> Vec<(String, u64)> {
        let tree = Tree::new(Shape::built_in().expect("the shape compiles"));
        let mut all = Paths::<u64>::default();
        for (path, fixed) in paths {
            if let Some(count) = all.at(&template(&tree, path, *fixed)) {
                *count += 1;
            }
        }
        assert_eq!(all.nodes + 1, all.root.size());
        let mut kept = Vec::new();
        all.each(&mut |path, count| kept.push((path.to_owned(), *count)));
        kept
    }

    fn names(paths: &[(&str, usize)]) -> Vec<String> {
        kept(paths).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn segments_that_may_be_data_are_not_kept() {
        for (path, template) in [
            ("/", "/"),
            ("/license/v2/update", "/license/v2/update"),
            ("/license/", "/license/"),
            ("/users/m.rossi/calls", "/users/*/calls"),
            ("/user/bob", "/user/*"),
            ("/userAccounts/Bob.B", "/userAccounts/*"),
            ("/refresh-token/calls", "/refresh-token/*"),
            ("/sessions/abc", "/sessions/*"),
            ("/people/", "/people/"),
            ("/users/m.rossi%40example.com", "/users/*"),
            ("/extension/4312", "/extension/*"),
            ("/beat/6f1b0c1e-8a77-4b7e-9d55-0c8e2a1d4f00", "/beat/*"),
            ("/a//b", "/a//b"),
            ("/beat;user=rossi", "/*"),
            ("*", "/*"),
        ] {
            assert_eq!(names(&[(path, 0)]), [template], "{path}");
        }
        assert_eq!(names(&[("/user/calls", 2)]), ["/user/calls"], "the policy's own stay behind any other");
        assert_eq!(names(&[("/v1000/4312", 1)]), ["/v1000/*"], "the policy's own segment stays");
        assert_eq!(names(&[(&"/a".repeat(40), 0)]), ["/a".repeat(16) + "/**"]);
    }

    #[test]
    fn too_many_different_ones_are_data() {
        let many: Vec<String> = (0..40_u8)
            .map(|number| format!("/users/{}x/calls", char::from(b'a' + number % 26).to_string().repeat(1 + usize::from(number / 26))))
            .collect();
        let mut paths: Vec<(&str, usize)> = many.iter().map(|path| (path.as_str(), 0)).collect();
        paths.insert(3, ("/users/known/calls", 2));
        paths.push(("/users/known/calls", 2));
        paths.push(("/license", 0));
        assert_eq!(kept(&paths), [("/license".to_owned(), 1), ("/users/*/calls".to_owned(), 40), ("/users/known/calls".to_owned(), 2)]);
    }

    #[test]
    fn a_flood_of_paths_takes_no_more_than_its_room() {
        let word = |number: usize| -> String {
            (0..4).map(|at| char::from(b'a' + u8::try_from(number / 26_usize.pow(at) % 26).expect("small"))).collect()
        };
        let many: Vec<String> =
            (0..5_000).map(|number| format!("/{}/{}/{}", word(number % 31), word(number / 31 % 31 + 500), word(number))).collect();
        let paths: Vec<(&str, usize)> = many.iter().map(|path| (path.as_str(), 0)).collect();
        assert!(names(&paths).len() <= MAX_NODES);
    }
}

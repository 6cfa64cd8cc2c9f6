//! A run of groups of digits as a person writes a telephone number.

/// Most digits of an international number (ITU-T E.164 section 6).
pub(super) const MAX_DIGITS: usize = 15;
/// Most groups that are read.
const MAX_GROUPS: usize = 8;
/// Most characters between two groups: `) - ` has four.
const MAX_GAP: usize = 4;

/// One group of digits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Group {
    /// First byte in the text.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
    /// How many digits the run has up to the end of this group.
    pub total: usize,
}

/// Groups of digits with separators between them.
#[derive(Debug, Clone)]
pub(super) struct Run {
    digits: [u8; MAX_DIGITS],
    groups: [Group; MAX_GROUPS],
    count: usize,
    /// Whether more digits follow than a number has.
    pub is_cut: bool,
    /// Whether a `(0)` was left out.
    pub has_trunk: bool,
}

impl Run {
    /// Reads the run that begins with the digit at `start`. `skips_trunk` leaves out the `(0)` of `+44 (0)20`.
    pub fn read(text: &[u8], start: usize, skips_trunk: bool) -> Self {
        let mut run = Self { digits: [0; MAX_DIGITS], groups: [Group::default(); MAX_GROUPS], count: 0, is_cut: false, has_trunk: false };
        let mut next = Some(start);
        while let Some(start) = next {
            let Some(end) = run.push(text, start) else { break };
            let trunk = if skips_trunk { behind_trunk(text, end) } else { None };
            run.has_trunk |= trunk.is_some();
            next = trunk.or_else(|| next_group(text, end));
        }
        run
    }

    /// Adds the group at `start`; where it ends. Nothing is added if it is too much.
    fn push(&mut self, text: &[u8], start: usize) -> Option<usize> {
        let before = self.total();
        let rest = text.get(start..)?;
        let length = rest.iter().take(MAX_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
        let total = before + length;
        let (Some(digits), Some(group)) = (self.digits.get_mut(before..total), self.groups.get_mut(self.count)) else {
            self.is_cut = true;
            return None;
        };
        digits.copy_from_slice(rest.get(..length)?);
        *group = Group { start, end: start + length, total };
        self.count += 1;
        Some(group.end)
    }

    /// The groups.
    pub fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    /// The digits up to the end of a group.
    pub fn digits(&self, total: usize) -> &[u8] {
        self.digits.get(..total).unwrap_or_default()
    }

    /// How many digits there are.
    pub fn total(&self) -> usize {
        self.groups().last().map_or(0, |group| group.total)
    }

    /// Byte behind the last digit, or `start` if there is none.
    pub fn end(&self, start: usize) -> usize {
        self.groups().last().map_or(start, |group| group.end)
    }
}

/// Where the group behind a `(0)` at `end` begins.
fn behind_trunk(text: &[u8], end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    let trunk = rest.strip_prefix(b" ").unwrap_or(rest).strip_prefix(b"(0)")?;
    let group = trunk.strip_prefix(b" ").or(trunk.strip_prefix(b"-")).unwrap_or(trunk);
    group.first()?.is_ascii_digit().then_some(end + rest.len() - group.len())
}

/// Where the group behind the separators at `end` begins.
fn next_group(text: &[u8], end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    let gap = rest.iter().take(MAX_GAP).take_while(|byte| b" -./()".contains(byte)).count();
    let is_followed = rest.get(gap).is_some_and(u8::is_ascii_digit);
    (gap > 0 && is_followed).then_some(end + gap)
}

//! Messages with a descriptor: one reading.

use super::decimal::{self, Buffer};
use super::descriptor::{Descriptors, Field, Kind, Message, Type};
use super::wire::{Field as Raw, Fields, Value};
use crate::inspect::engine::format::{Fault, Leaf, Limits, Malformed, Visitor};
use std::collections::BTreeMap;

const ANY: &str = "google.protobuf.Any";

pub(super) fn read<V: Visitor + ?Sized>(message: Message<'_>, bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    Walk { descriptors: message.descriptors, limits, visitor, nodes: 0 }.message(message.kind, bytes, 0, 1)
}

/// Elements so far of each repeated field. Those of one field mostly stand together.
#[derive(Default)]
struct Counts {
    number: u32,
    count: usize,
    others: BTreeMap<u32, usize>,
}

impl Counts {
    fn of(&mut self, number: u32) -> &mut usize {
        if number != self.number {
            if self.count > 0 {
                self.others.insert(self.number, self.count);
            }
            (self.number, self.count) = (number, self.others.remove(&number).unwrap_or_default());
        }
        &mut self.count
    }
}

struct Walk<'d, 'v, V: ?Sized> {
    descriptors: &'d Descriptors,
    limits: Limits,
    visitor: &'v mut V,
    nodes: u32,
}

impl<'d, V: Visitor + ?Sized> Walk<'d, '_, V> {
    fn message(&mut self, kind: &'d Type, bytes: &[u8], at: usize, depth: u16) -> Result<(), Malformed> {
        if depth > self.limits.depth {
            return Err(Fault::Depth.at(at));
        }
        if kind.name == ANY {
            return self.any(kind, bytes, at, depth);
        }
        self.visitor.object();
        self.fields(kind, bytes, at, depth)?;
        self.visitor.object_end();
        Ok(())
    }

    fn fields(&mut self, kind: &'d Type, bytes: &[u8], at: usize, depth: u16) -> Result<(), Malformed> {
        // Elements so far of each repeated field that was there.
        let mut counts = Counts::default();
        let mut fields = Fields::new(bytes, at);
        let mut raw = Raw::NONE;
        while fields.read(&mut raw)? {
            self.limits.node(&mut self.nodes, raw.at)?;
            let field = kind.field(raw.number).ok_or(Fault::Schema.at(raw.at))?;
            if !field.is_repeated && self.is_known(field, raw.value) {
                continue;
            }
            self.key(&field.name, raw.at)?;
            if !field.is_repeated {
                self.value(field.kind, &raw, depth)?;
            } else if let Some(entry) = self.map_entry(field) {
                self.entry(entry, &raw, depth + 1)?;
            } else {
                self.repeated(field, &raw, counts.of(raw.number), depth)?;
            }
            self.visitor.key_end();
        }
        Ok(())
    }

    /// Whether the receiver needs no more of a field than it is asked about here.
    fn is_known(&mut self, field: &Field, value: Value<'_>) -> bool {
        let leaf = match (field.kind, value) {
            (Kind::Double, Value::Fixed64(bits)) => Leaf::Double(f64::from_bits(bits)),
            (Kind::String, Value::Len(text)) if text.len() <= self.limits.string => Leaf::Text(text),
            (kind, Value::Varint(value)) if value <= largest(kind) => Leaf::Whole(value),
            _ => return false,
        };
        field.name.len() <= self.limits.key && self.visitor.leaf(&field.name, leaf)
    }

    fn key(&mut self, key: &str, at: usize) -> Result<(), Malformed> {
        if key.len() > self.limits.key {
            return Err(Fault::Key.at(at));
        }
        self.visitor.key(key);
        Ok(())
    }

    /// The type of the entries of a repeated field, if it is a map.
    fn map_entry(&self, field: &Field) -> Option<&'d Type> {
        let Kind::Message(index) = field.kind else { return None };
        self.descriptors.at(index).map(|message| message.kind).filter(|kind| kind.is_map_entry)
    }

    /// One occurrence of a repeated field: an element, or several that are packed.
    fn repeated(&mut self, field: &Field, raw: &Raw<'_>, index: &mut usize, depth: u16) -> Result<(), Malformed> {
        if let (Value::Len(bytes), Some(wire_type)) = (raw.value, packed_type(field.kind)) {
            return self.packed(field.kind, wire_type, Fields::new(bytes, raw.value_at), index);
        }
        self.visitor.element(*index);
        *index += 1;
        self.value(field.kind, raw, depth)?;
        self.visitor.element_end();
        Ok(())
    }

    fn packed(&mut self, kind: Kind, wire_type: Wire, mut rest: Fields<'_>, index: &mut usize) -> Result<(), Malformed> {
        while !rest.is_over() {
            let at = rest.at();
            self.limits.node(&mut self.nodes, at)?;
            let value = match wire_type {
                Wire::Varint => Value::Varint(rest.varint()?),
                Wire::Fixed64 => Value::Fixed64(u64::from_le_bytes(rest.fixed()?)),
                Wire::Fixed32 => Value::Fixed32(u32::from_le_bytes(rest.fixed()?)),
            };
            self.visitor.element(*index);
            *index += 1;
            self.scalar(kind, value, at)?;
            self.visitor.element_end();
        }
        Ok(())
    }

    fn value(&mut self, kind: Kind, raw: &Raw<'_>, depth: u16) -> Result<(), Malformed> {
        match (kind, raw.value) {
            (Kind::Message(index), Value::Len(bytes)) => {
                let message = self.descriptors.at(index).ok_or(Fault::Schema.at(raw.at))?;
                self.message(message.kind, bytes, raw.value_at, depth + 1)
            }
            (Kind::String, Value::Len(bytes)) => self.string(bytes, raw.value_at),
            (Kind::Bytes, Value::Len(bytes)) => {
                self.visitor.bytes(bytes);
                Ok(())
            }
            (_, value) => self.scalar(kind, value, raw.at),
        }
    }

    fn string(&mut self, bytes: &[u8], at: usize) -> Result<(), Malformed> {
        if bytes.len() > self.limits.string {
            return Err(Fault::String.at(at));
        }
        self.visitor.utf8(bytes).map_err(|_| Fault::Utf8.at(at))
    }

    fn scalar(&mut self, kind: Kind, value: Value<'_>, at: usize) -> Result<(), Malformed> {
        let mut buffer = Buffer::default();
        let float = match (kind, value) {
            (Kind::Bool, Value::Varint(flag @ 0..=1)) => {
                self.visitor.literal(if flag == 1 { "true" } else { "false" });
                return Ok(());
            }
            (Kind::Double, Value::Fixed64(bits)) => f64::from_bits(bits),
            (Kind::Float, Value::Fixed32(bits)) => f64::from(f32::from_bits(bits)),
            _ => {
                let text = integer(kind, value, &mut buffer).ok_or(Fault::Schema.at(at))?;
                self.visitor.number(text);
                return Ok(());
            }
        };
        match float {
            float if float.is_nan() => self.visitor.literal("NaN"),
            f64::INFINITY => self.visitor.literal("Infinity"),
            f64::NEG_INFINITY => self.visitor.literal("-Infinity"),
            // A float is shown by its own shortest form, not by that of the double it was made.
            _ if kind == Kind::Float => self.visitor.number(&as_float(value).to_string()),
            float => match decimal::short(float, &mut buffer) {
                Some(text) => self.visitor.number(text),
                None => self.visitor.number(&float.to_string()),
            },
        }
        Ok(())
    }

    /// An entry of a map: an object whose only member has the entry's key as key. A key or a value that is there again hides
    /// the one before from other readers, so it is reported too.
    fn entry(&mut self, entry: &'d Type, raw: &Raw<'_>, depth: u16) -> Result<(), Malformed> {
        let Value::Len(bytes) = raw.value else { return Err(Fault::Schema.at(raw.at)) };
        if depth > self.limits.depth {
            return Err(Fault::Depth.at(raw.at));
        }
        let key = self.entry_key(entry, bytes, raw.value_at)?;
        self.visitor.object();
        self.key(&key, raw.at)?;
        let mut fields = Fields::new(bytes, raw.value_at);
        while let Some(member) = fields.next_field()? {
            self.limits.node(&mut self.nodes, member.at)?;
            let field = entry.field(member.number).ok_or(Fault::Schema.at(member.at))?;
            if member.number != 1 {
                self.value(field.kind, &member, depth)?;
                continue;
            }
            let other = self.key_text(field.kind, &member)?;
            if other != key {
                self.visitor.string(&other);
            }
        }
        self.visitor.key_end();
        self.visitor.object_end();
        Ok(())
    }

    /// The last key of an entry as text; empty and zero keys need not be sent.
    fn entry_key(&self, entry: &Type, bytes: &[u8], at: usize) -> Result<String, Malformed> {
        let mut key = String::new();
        let mut fields = Fields::new(bytes, at);
        while let Some(member) = fields.next_field()? {
            let field = entry.field(member.number).ok_or(Fault::Schema.at(member.at))?;
            if member.number == 1 {
                key = self.key_text(field.kind, &member)?;
            }
        }
        Ok(key)
    }

    fn key_text(&self, kind: Kind, member: &Raw<'_>) -> Result<String, Malformed> {
        match (kind, member.value) {
            (Kind::String, Value::Len(text)) if text.len() > self.limits.key => Err(Fault::Key.at(member.at)),
            (Kind::String, Value::Len(text)) => std::str::from_utf8(text).map(str::to_owned).map_err(|_| Fault::Utf8.at(member.value_at)),
            (Kind::Bool, Value::Varint(flag @ 0..=1)) => Ok((flag == 1).to_string()),
            (_, value) => integer(kind, value, &mut Buffer::default()).map(str::to_owned).ok_or(Fault::Schema.at(member.at)),
        }
    }

    /// A value whose type is named beside it.
    fn any(&mut self, kind: &'d Type, bytes: &[u8], at: usize, depth: u16) -> Result<(), Malformed> {
        let named = self.named_type(bytes, at)?;
        self.visitor.object();
        let mut fields = Fields::new(bytes, at);
        while let Some(raw) = fields.next_field()? {
            self.limits.node(&mut self.nodes, raw.at)?;
            let field = kind.field(raw.number).ok_or(Fault::Schema.at(raw.at))?;
            self.key(&field.name, raw.at)?;
            match (raw.number, raw.value, named) {
                (2, Value::Len(bytes), Some(message)) => self.message(message.kind, bytes, raw.value_at, depth + 1)?,
                _ => self.value(field.kind, &raw, depth)?,
            }
            self.visitor.key_end();
        }
        self.visitor.object_end();
        Ok(())
    }

    /// The type that an `Any` names, if the set has it. It may be named behind the value, but not twice.
    fn named_type(&self, bytes: &[u8], at: usize) -> Result<Option<Message<'d>>, Malformed> {
        let mut url = None;
        let mut fields = Fields::new(bytes, at);
        while let Some(raw) = fields.next_field()? {
            let (1, Value::Len(text)) = (raw.number, raw.value) else { continue };
            if url.replace(text).is_some() {
                return Err(Fault::Duplicate.at(raw.at));
            }
        }
        let name = url.and_then(|url| std::str::from_utf8(url).ok()).and_then(|url| url.rsplit('/').next());
        Ok(name.and_then(|name| self.descriptors.message(name)))
    }
}

/// How the elements of a packed field lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Varint,
    Fixed64,
    Fixed32,
}

const fn packed_type(kind: Kind) -> Option<Wire> {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Some(Wire::Fixed64),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Some(Wire::Fixed32),
        Kind::Int64 | Kind::Uint64 | Kind::Int32 | Kind::Bool | Kind::Uint32 | Kind::Enum | Kind::Sint32 | Kind::Sint64 => {
            Some(Wire::Varint)
        }
        Kind::String | Kind::Message(_) | Kind::Bytes | Kind::None => None,
    }
}

/// The largest varint that is a number of such a field as it stands.
const fn largest(kind: Kind) -> u64 {
    match kind {
        Kind::Uint64 | Kind::Int64 => i64::MAX.cast_unsigned(),
        Kind::Uint32 | Kind::Int32 | Kind::Enum => i32::MAX.cast_unsigned() as u64,
        _ => 0,
    }
}

/// An integer in decimal; `None` for another wire type, or a value that the field's type does not have.
fn integer<'b>(kind: Kind, value: Value<'_>, buffer: &'b mut Buffer) -> Option<&'b str> {
    let signed = match (kind, value) {
        (Kind::Uint64, Value::Varint(value)) | (Kind::Fixed64, Value::Fixed64(value)) => return Some(decimal::unsigned(value, buffer)),
        (Kind::Uint32, Value::Varint(value)) => i64::from(u32::try_from(value).ok()?),
        (Kind::Fixed32, Value::Fixed32(value)) => i64::from(value),
        (Kind::Int64, Value::Varint(value)) | (Kind::Sfixed64, Value::Fixed64(value)) => value.cast_signed(),
        // Negative ones are sent with all 64 bits; others would be cut by the receiver.
        (Kind::Int32 | Kind::Enum, Value::Varint(value)) => i64::from(i32::try_from(value.cast_signed()).ok()?),
        (Kind::Sfixed32, Value::Fixed32(value)) => i64::from(value.cast_signed()),
        (Kind::Sint32, Value::Varint(value)) => i64::from(i32::try_from(zigzag(value)).ok()?),
        (Kind::Sint64, Value::Varint(value)) => zigzag(value),
        _ => return None,
    };
    Some(decimal::signed(signed, buffer))
}

const fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

const fn as_float(value: Value<'_>) -> f32 {
    if let Value::Fixed32(bits) = value { f32::from_bits(bits) } else { 0.0 }
}

//! Descriptor sets (`google/protobuf/descriptor.proto`): what `protoc --descriptor_set_out --include_imports` writes.

use super::wire::{Field as Raw, Fields, Value};
use crate::inspect::engine::format::{Fault, Limits, Malformed, Visitor};
use std::collections::HashMap;

/// Message types inside one another.
const MAX_NESTED: u8 = 32;

/// Message types and services by their names. Read once, shared by all messages.
#[derive(Debug, Default)]
pub struct Descriptors {
    messages: Vec<Type>,
    by_name: HashMap<String, usize>,
    /// Input and output type by `/package.Service/Method`.
    methods: HashMap<String, (String, String)>,
}

/// A message type of a descriptor set.
#[derive(Debug, Clone, Copy)]
pub struct Message<'d> {
    pub(super) descriptors: &'d Descriptors,
    pub(super) kind: &'d Type,
}

/// A message type: its fields by number.
#[derive(Debug, Default)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) is_map_entry: bool,
}

/// A field of a message type.
#[derive(Debug, Default)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) is_repeated: bool,
    pub(super) kind: Kind,
}

/// The type of a field (`FieldDescriptorProto.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    Double,
    Float,
    Int64,
    Uint64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    String,
    /// By its place in the list of messages.
    Message(usize),
    Bytes,
    Uint32,
    /// An open enumeration: any value of 32 bits.
    Enum,
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
    /// A group, or a type that this version does not know: no value of it is taken.
    #[default]
    None,
}

/// A field whose message type may stand further down in the set.
struct Pending {
    message: usize,
    field: usize,
    type_name: String,
}

impl Descriptors {
    /// Reads a `FileDescriptorSet`. It must hold the imports of its files. Extensions are not read: their fields are unknown.
    ///
    /// # Errors
    /// When it is not one, a name or a number is there twice, or a type is missing.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut builder = Builder { descriptors: Self::default(), pending: Vec::new() };
        each(bytes, 0, |field| if field.number == 1 { builder.file(payload(field)?, field.value_at) } else { Ok(()) })?;
        builder.link()
    }

    /// The message type of a full name such as `package.Outer.Inner`, without a dot in front.
    #[must_use]
    pub fn message(&self, full_name: &str) -> Option<Message<'_>> {
        self.at(*self.by_name.get(full_name)?)
    }

    /// What a method takes; its path as in a request: `/package.Service/Method`.
    #[must_use]
    pub fn method_input(&self, path: &str) -> Option<Message<'_>> {
        self.message(&self.methods.get(path)?.0)
    }

    /// What a method answers.
    #[must_use]
    pub fn method_output(&self, path: &str) -> Option<Message<'_>> {
        self.message(&self.methods.get(path)?.1)
    }

    pub(super) fn at(&self, index: usize) -> Option<Message<'_>> {
        self.messages.get(index).map(|kind| Message { descriptors: self, kind })
    }
}

impl Message<'_> {
    /// Its full name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.kind.name
    }

    /// Reads a message of this type. Keys are the names of its fields, elements those of repeated ones, packed or not; every
    /// occurrence of a field is reported, also of one that may be there once only. Enumerations are numbers. A map is an
    /// object for each entry, with the entry's key as key. The value of a `google.protobuf.Any` is read as the type it names
    /// if the set has it, and is bytes otherwise.
    ///
    /// # Errors
    /// When it breaks a rule or a limit, has a field that the type does not have, or a value that is not of the field's type.
    pub fn read<V: Visitor + ?Sized>(&self, bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
        super::typed::read(*self, bytes, limits, visitor)
    }
}

impl Type {
    pub(super) fn field(&self, number: u32) -> Option<&Field> {
        // Numbers mostly run from 1 without a gap.
        let place = usize::try_from(number).unwrap_or_default().wrapping_sub(1);
        if let Some(field) = self.fields.get(place).filter(|field| field.number == number) {
            return Some(field);
        }
        self.fields.binary_search_by_key(&number, |field| field.number).ok().and_then(|index| self.fields.get(index))
    }
}

struct Builder {
    descriptors: Descriptors,
    pending: Vec<Pending>,
}

impl Builder {
    /// A `FileDescriptorProto`.
    fn file(&mut self, bytes: &[u8], at: usize) -> Result<(), Malformed> {
        let mut package = "";
        // The package may stand behind what is in it.
        each(bytes, at, |field| if field.number == 2 { text(field).map(|text| package = text) } else { Ok(()) })?;
        each(bytes, at, |field| match field.number {
            4 => self.message(payload(field)?, field.value_at, package, 1),
            6 => self.service(payload(field)?, field.value_at, package),
            _ => Ok(()),
        })
    }

    /// A `DescriptorProto`.
    fn message(&mut self, bytes: &[u8], at: usize, scope: &str, level: u8) -> Result<(), Malformed> {
        if level > MAX_NESTED {
            return Err(Fault::Depth.at(at));
        }
        let mut kind = Type::default();
        let mut types = Vec::new();
        each(bytes, at, |field| {
            match field.number {
                1 => kind.name = join(scope, text(field)?),
                2 => types.push(self::field(payload(field)?, field.value_at, &mut kind)?),
                7 => each(payload(field)?, field.value_at, |option| {
                    kind.is_map_entry |= option.number == 7 && option.value == Value::Varint(1);
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        let name = kind.name.clone();
        self.add(kind, types, at)?;
        each(bytes, at, |field| if field.number == 3 { self.message(payload(field)?, field.value_at, &name, level + 1) } else { Ok(()) })
    }

    fn add(&mut self, mut kind: Type, types: Vec<String>, at: usize) -> Result<(), Malformed> {
        let message = self.descriptors.messages.len();
        let numbers: Vec<u32> = kind.fields.iter().map(|field| field.number).collect();
        kind.fields.sort_by_key(|field| field.number);
        if kind.fields.iter().zip(kind.fields.iter().skip(1)).any(|(one, next)| one.number == next.number) {
            return Err(Fault::Duplicate.at(at));
        }
        for (number, type_name) in numbers.into_iter().zip(types) {
            let field = kind.fields.binary_search_by_key(&number, |field| field.number).unwrap_or_default();
            if kind.fields.get(field).is_some_and(|field| matches!(field.kind, Kind::Message(_))) {
                self.pending.push(Pending { message, field, type_name });
            }
        }
        if self.descriptors.by_name.insert(kind.name.clone(), message).is_some() {
            return Err(Fault::Duplicate.at(at));
        }
        self.descriptors.messages.push(kind);
        Ok(())
    }

    /// A `ServiceDescriptorProto`.
    fn service(&mut self, bytes: &[u8], at: usize, package: &str) -> Result<(), Malformed> {
        let mut service = String::new();
        each(bytes, at, |field| if field.number == 1 { text(field).map(|name| service = join(package, name)) } else { Ok(()) })?;
        each(bytes, at, |field| if field.number == 2 { self.method(payload(field)?, field.value_at, &service) } else { Ok(()) })
    }

    /// A `MethodDescriptorProto`.
    fn method(&mut self, bytes: &[u8], at: usize, service: &str) -> Result<(), Malformed> {
        let (mut name, mut input, mut output) = ("", "", "");
        each(bytes, at, |field| {
            match field.number {
                1 => name = text(field)?,
                2 => input = text(field)?,
                3 => output = text(field)?,
                _ => {}
            }
            Ok(())
        })?;
        let types = (absolute(input).to_owned(), absolute(output).to_owned());
        match self.descriptors.methods.insert(format!("/{service}/{name}"), types) {
            Some(_) => Err(Fault::Duplicate.at(at)),
            None => Ok(()),
        }
    }

    /// Puts the places of message types where their names were.
    fn link(self) -> Result<Descriptors, Malformed> {
        let Self { mut descriptors, pending } = self;
        for Pending { message, field, type_name } in pending {
            let target = *descriptors.by_name.get(absolute(&type_name)).ok_or(Fault::Schema.at(0))?;
            if let Some(field) = descriptors.messages.get_mut(message).and_then(|message| message.fields.get_mut(field)) {
                field.kind = Kind::Message(target);
            }
        }
        let has_types =
            |(input, output): &(String, String)| descriptors.by_name.contains_key(input) && descriptors.by_name.contains_key(output);
        if descriptors.methods.values().all(has_types) { Ok(descriptors) } else { Err(Fault::Schema.at(0)) }
    }
}

/// A `FieldDescriptorProto`: adds it, and says the name of its type.
fn field(bytes: &[u8], at: usize, kind: &mut Type) -> Result<String, Malformed> {
    let mut field = Field::default();
    let mut type_name = String::new();
    each(bytes, at, |raw| {
        match (raw.number, raw.value) {
            (1, _) => text(raw)?.clone_into(&mut field.name),
            (3, Value::Varint(number)) => field.number = u32::try_from(number).map_err(|_| Fault::Schema.at(raw.at))?,
            (4, Value::Varint(label)) => field.is_repeated = label == 3,
            (5, Value::Varint(number)) => field.kind = kind_of(number),
            (6, _) => text(raw)?.clone_into(&mut type_name),
            _ => {}
        }
        Ok(())
    })?;
    kind.fields.push(field);
    Ok(type_name)
}

const fn kind_of(number: u64) -> Kind {
    match number {
        1 => Kind::Double,
        2 => Kind::Float,
        3 => Kind::Int64,
        4 => Kind::Uint64,
        5 => Kind::Int32,
        6 => Kind::Fixed64,
        7 => Kind::Fixed32,
        8 => Kind::Bool,
        9 => Kind::String,
        11 => Kind::Message(usize::MAX),
        12 => Kind::Bytes,
        13 => Kind::Uint32,
        14 => Kind::Enum,
        15 => Kind::Sfixed32,
        16 => Kind::Sfixed64,
        17 => Kind::Sint32,
        18 => Kind::Sint64,
        _ => Kind::None,
    }
}

/// Calls for each field of a message.
fn each<'a>(bytes: &'a [u8], at: usize, mut call: impl FnMut(&Raw<'a>) -> Result<(), Malformed>) -> Result<(), Malformed> {
    let mut fields = Fields::new(bytes, at);
    while let Some(field) = fields.next_field()? {
        call(&field)?;
    }
    Ok(())
}

fn payload<'a>(field: &Raw<'a>) -> Result<&'a [u8], Malformed> {
    if let Value::Len(payload) = field.value { Ok(payload) } else { Err(Fault::Schema.at(field.at)) }
}

fn text<'a>(field: &Raw<'a>) -> Result<&'a str, Malformed> {
    std::str::from_utf8(payload(field)?).map_err(|_| Fault::Utf8.at(field.value_at))
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// Names of types in descriptors that a compiler wrote begin with a dot.
fn absolute(name: &str) -> &str {
    name.strip_prefix('.').unwrap_or(name)
}

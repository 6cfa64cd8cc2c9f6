//! Tags, varints and lengths.

use crate::inspect::engine::format::{Fault, Malformed};

/// Largest field number.
const MAX_NUMBER: u64 = (1 << 29) - 1;

/// One field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Value<'a>,
    /// Where its tag is.
    pub(super) at: usize,
    /// Where its value is; behind the length, if it has one.
    pub(super) value_at: usize,
    /// Bytes of tag, length and number: all that is not a payload.
    pub(super) overhead: usize,
}

impl Field<'_> {
    /// The place for one that is to be read.
    pub(super) const NONE: Self = Self { number: 0, value: Value::Varint(0), at: 0, value_at: 0, overhead: 0 };
}

/// A value by its wire type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Len(&'a [u8]),
}

/// The fields of a message, one after the other. Payloads are not looked into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// A message whose first byte is at a place.
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, at }
    }

    /// The next field, or `None` at the end.
    pub(super) fn next_field(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        let mut field = Field::NONE;
        Ok(self.read(&mut field)?.then_some(field))
    }

    /// Puts the next field in the place of another; false at the end. Handing it back inside a result costs more than reading it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the compiler leaves it apart, which costs a twentieth of a message's time")]
    pub(super) fn read(&mut self, field: &mut Field<'a>) -> Result<bool, Malformed> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        let at = self.at;
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > MAX_NUMBER || (19_000..20_000).contains(&number) {
            return Err(Fault::Wire.at(at));
        }
        let mut payload = 0;
        match tag & 7 {
            0 => field.value = Value::Varint(self.varint()?),
            1 => field.value = Value::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let bytes = self.payload()?;
                payload = bytes.len();
                field.value = Value::Len(bytes);
            }
            5 => field.value = Value::Fixed32(u32::from_le_bytes(self.fixed()?)),
            _ => return Err(Fault::Wire.at(at)),
        }
        field.number = u32::try_from(number).unwrap_or_default();
        field.at = at;
        field.value_at = self.at - payload;
        field.overhead = field.value_at - at;
        Ok(true)
    }

    /// A varint in its shortest form. Nearly all have one byte.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [byte @ ..0x80, rest @ ..] => {
                self.rest = rest;
                self.at += 1;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for (index, byte) in self.rest.iter().enumerate().take(10) {
            // The tenth byte has room for one bit.
            if index == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                if *byte == 0 && index > 0 {
                    break;
                }
                self.skip(index + 1);
                return Ok(value);
            }
        }
        Err(Fault::Wire.at(self.at))
    }

    /// Bytes of a number of fixed length.
    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = *self.rest.first_chunk::<N>().ok_or(Fault::Wire.at(self.at))?;
        self.skip(N);
        Ok(bytes)
    }

    /// Whether all is read.
    pub(super) const fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    /// Where the next byte is.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    fn payload(&mut self) -> Result<&'a [u8], Malformed> {
        let at = self.at;
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        let payload = self.rest.get(..length).ok_or(Fault::Wire.at(at))?;
        self.skip(length);
        Ok(payload)
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
        self.at += length;
    }
}

//! The fields of a page as templates look them up: a flat tree that is filled from plain structs.
//!
//! Takes anything that serialises; keeps it in three vectors that are used again for the next page. It sees exactly
//! what `serde_json` would see, numbers written the same way; what it cannot hold is refused, never changed.

use serde::ser::{self, Impossible, Serialize, Serializer};
use std::fmt::Write as _;

/// A tree of fields.
#[derive(Default)]
pub(crate) struct Fields {
    /// Children of lists and objects, side by side, with the names of those in objects.
    children: Vec<(&'static str, Node)>,
    texts: String,
    /// Children of lists and objects that are not complete.
    open: Vec<(&'static str, Node)>,
}

/// A field: a value, or where its parts are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// A number as it is written, and whether conditions take it for true.
    Number(Span, bool),
    Text(Span),
    List(Span),
    Object(Span),
}

/// Where a name was found: structs have their fields in the same places on every page, and their names at the same
/// addresses, so that these are compared before the letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Likely {
    pub(crate) place: usize,
    /// Of a name that has been compared and found equal; 0 before.
    pub(crate) address: usize,
}

/// A range in one of the vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    from: u32,
    to: u32,
}

/// The fields are of a kind that a tree cannot hold.
#[derive(Debug, thiserror::Error)]
#[error("a kind of field that is not supported")]
pub(crate) struct Unsupported;

impl Fields {
    /// Takes in a page's fields in place of what was there.
    pub(crate) fn fill<T: Serialize + ?Sized>(&mut self, fields: &T) -> Result<Node, Unsupported> {
        self.children.clear();
        self.texts.clear();
        self.open.clear();
        fields.serialize(Filling(self))
    }

    /// The text that a span of a text or number stands for.
    pub(crate) fn text(&self, span: Span) -> &str {
        &self.texts[span.from as usize..span.to as usize]
    }

    /// Bytes of all texts.
    pub(crate) fn size(&self) -> usize {
        self.texts.len()
    }

    /// How many parts a list or object has.
    pub(crate) fn count(span: Span) -> usize {
        (span.to - span.from) as usize
    }

    /// A part of a list.
    pub(crate) fn item(&self, list: Span, at: usize) -> Option<Node> {
        let children = &self.children[list.from as usize..list.to as usize];
        children.get(at).map(|(_, node)| *node)
    }

    /// A part of an object with its place in it; `likely` is where it was the last time.
    pub(crate) fn field(&self, object: Span, name: &str, likely: Likely) -> Option<(Likely, Node)> {
        let children = &self.children[object.from as usize..object.to as usize];
        let is_it = |key: &str| (key.as_ptr().addr() == likely.address && key.len() == name.len()) || key == name;
        let place = match children.get(likely.place) {
            Some((key, _)) if is_it(key) => likely.place,
            _ => children.iter().position(|(key, _)| is_it(key))?,
        };
        let (key, node) = children[place];
        Some((Likely { place, address: key.as_ptr().addr() }, node))
    }

    fn keep(&mut self, text: &str) -> Result<Span, Unsupported> {
        let from = self.texts.len();
        self.texts.push_str(text);
        span(from, self.texts.len())
    }

    fn keep_number(&mut self, number: impl std::fmt::Display, is_truthy: bool) -> Result<Node, Unsupported> {
        let from = self.texts.len();
        let _ = write!(self.texts, "{number}");
        Ok(Node::Number(span(from, self.texts.len())?, is_truthy))
    }

    fn close(&mut self, from: usize) -> Result<Span, Unsupported> {
        let start = self.children.len();
        self.children.extend(self.open.drain(from..));
        span(start, self.children.len())
    }
}

fn span(from: usize, to: usize) -> Result<Span, Unsupported> {
    let place = |at: usize| u32::try_from(at).map_err(|_| Unsupported);
    Ok(Span { from: place(from)?, to: place(to)? })
}

impl ser::Error for Unsupported {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Fills one node.
struct Filling<'f>(&'f mut Fields);

/// Fills the parts of one list or object.
struct Parts<'f> {
    fields: &'f mut Fields,
    from: usize,
}

impl<'f> Filling<'f> {
    fn parts(self) -> Parts<'f> {
        let from = self.0.open.len();
        Parts { fields: self.0, from }
    }
}

impl Parts<'_> {
    fn push<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unsupported> {
        let node = value.serialize(Filling(self.fields))?;
        self.fields.open.push((key, node));
        Ok(())
    }

    fn finish(self, node: fn(Span) -> Node) -> Result<Node, Unsupported> {
        Ok(node(self.fields.close(self.from)?))
    }
}

/// Whole numbers of every width.
macro_rules! integers {
    ($($method:ident: $number:ty),*) => {
        $(fn $method(self, value: $number) -> Result<Node, Unsupported> {
            self.0.keep_number(value, value != 0)
        })*
    };
}

/// Structs and lists; what else serde knows is left to the engine that these fields are a short cut for.
impl<'f> Serializer for Filling<'f> {
    type Ok = Node;
    type Error = Unsupported;
    type SerializeSeq = Parts<'f>;
    type SerializeTuple = Parts<'f>;
    type SerializeTupleStruct = Parts<'f>;
    type SerializeTupleVariant = Impossible<Node, Unsupported>;
    type SerializeMap = Impossible<Node, Unsupported>;
    type SerializeStruct = Parts<'f>;
    type SerializeStructVariant = Impossible<Node, Unsupported>;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    fn serialize_bool(self, value: bool) -> Result<Node, Unsupported> {
        Ok(Node::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Node, Unsupported> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<Node, Unsupported> {
        match serde_json::Number::from_f64(value) {
            Some(number) => self.0.keep_number(number, value.is_normal()),
            None => Ok(Node::Null),
        }
    }

    fn serialize_char(self, value: char) -> Result<Node, Unsupported> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<Node, Unsupported> {
        Ok(Node::Text(self.0.keep(value)?))
    }

    fn serialize_none(self) -> Result<Node, Unsupported> {
        Ok(Node::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node, Unsupported> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Node, Unsupported> {
        Ok(Node::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Node, Unsupported> {
        Ok(Node::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Node, Unsupported> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Node, Unsupported> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'f>, Unsupported> {
        Ok(self.parts())
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'f>, Unsupported> {
        Ok(self.parts())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'f>, Unsupported> {
        Ok(self.parts())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'f>, Unsupported> {
        Ok(self.parts())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Node, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Node, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unsupported> {
        Err(Unsupported)
    }
}

/// Lists of every kind.
macro_rules! lists {
    ($($kind:ident::$method:ident),*) => {
        $(impl ser::$kind for Parts<'_> {
            type Ok = Node;
            type Error = Unsupported;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
                self.push("", value)
            }

            fn end(self) -> Result<Node, Unsupported> {
                self.finish(Node::List)
            }
        })*
    };
}

lists! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field
}

impl ser::SerializeStruct for Parts<'_> {
    type Ok = Node;
    type Error = Unsupported;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unsupported> {
        self.push(key, value)
    }

    fn end(self) -> Result<Node, Unsupported> {
        self.finish(Node::Object)
    }
}

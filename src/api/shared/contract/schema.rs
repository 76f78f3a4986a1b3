//! The parts of which shapes and parameters are made.

use std::ops::RangeInclusive;

use domain::MAX_SAFE_INTEGER;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType,
    Type,
};
use utoipa::openapi::{Ref, RefOr};

/// A value in a body, an answer, a header or a parameter.
pub type Shape = RefOr<Schema>;

/// A member of an object.
pub struct Member {
    name: &'static str,
    shape: Shape,
    is_required: bool,
}

/// A member that is always there.
pub fn needs(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, is_required: true }
}

/// A member that may be left out.
pub fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, is_required: false }
}

/// An object in an answer: members may be added to it later.
pub fn object(members: impl IntoIterator<Item = Member>) -> Shape {
    with_members(ObjectBuilder::new(), members).into()
}

/// An object in a request: it has these members and no others. A member that may be left out may also be null.
pub fn body(members: impl IntoIterator<Item = Member>) -> Shape {
    let taken = members.into_iter().map(|member| match member.is_required {
        true => member,
        false => may(member.name, nullable(member.shape)),
    });
    let closed = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
    with_members(closed, taken).into()
}

fn with_members(object: ObjectBuilder, members: impl IntoIterator<Item = Member>) -> ObjectBuilder {
    members.into_iter().fold(object.schema_type(Type::Object), |object, Member { name, shape, is_required }| {
        let object = object.property(name, shape);
        if is_required { object.required(name) } else { object }
    })
}

/// One of these.
pub fn one_of<const N: usize>(shapes: [Shape; N]) -> Shape {
    shapes.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}

/// One or several of these.
pub fn any_of<const N: usize>(shapes: [Shape; N]) -> Shape {
    shapes.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item).into()
}

/// The shape of this name.
pub fn named(name: &'static str) -> Shape {
    Ref::from_schema_name(name).into()
}

/// This shape, or null.
pub fn nullable(shape: Shape) -> Shape {
    match shape {
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Type(known) = object.schema_type {
                object.schema_type = [known, Type::Null].into_iter().collect();
            }
            if let Some(values) = &mut object.enum_values {
                values.push(serde_json::Value::Null);
            }
            object.into()
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.schema_type = [Type::Array, Type::Null].into_iter().collect();
            RefOr::T(Schema::Array(array))
        }
        other @ (RefOr::Ref(_) | RefOr::T(_)) => OneOfBuilder::new().item(other).item(null()).into(),
    }
}

/// Null, and nothing else.
fn null() -> Shape {
    of_type(Type::Null).into()
}

/// An id.
pub fn id() -> Shape {
    integer(1..=MAX_SAFE_INTEGER)
}

/// A count: a whole number, 0 or more.
pub fn count() -> Shape {
    of_type(Type::Integer).minimum(Some(0)).into()
}

/// A whole number, also below zero.
pub fn signed() -> Shape {
    of_type(Type::Integer).into()
}

/// A whole number from -`max` to `max`.
pub fn signed_up_to(max: i64) -> Shape {
    let bound = |bound: i64| Some(bound as isize);
    of_type(Type::Integer).minimum(bound(-max)).maximum(bound(max)).into()
}

/// A number.
pub fn number() -> Shape {
    of_type(Type::Number).into()
}

/// A whole number in this range.
pub fn integer(range: RangeInclusive<u64>) -> Shape {
    let bound = |bound: &u64| Some(*bound as usize);
    of_type(Type::Integer).minimum(bound(range.start())).maximum(bound(range.end())).into()
}

/// A text.
pub fn text() -> Shape {
    of_type(Type::String).into()
}

/// A text of 1 to `max` characters.
pub fn text_up_to(max: usize) -> Shape {
    of_type(Type::String).min_length(Some(1)).max_length(Some(max)).into()
}

/// A text that fits this pattern.
pub fn pattern(pattern: &'static str) -> Shape {
    of_type(Type::String).pattern(Some(pattern)).into()
}

/// One of these words.
pub fn word<const N: usize>(words: [&'static str; N]) -> Shape {
    of_type(Type::String).enum_values(Some(words)).into()
}

/// True or false.
pub fn flag() -> Shape {
    of_type(Type::Boolean).into()
}

/// A time (RFC 3339).
pub fn time() -> Shape {
    formatted("date-time")
}

/// A UUID.
pub fn uuid() -> Shape {
    formatted("uuid")
}

/// A hash, or other 32 bytes, in hexadecimal digits.
pub fn hash() -> Shape {
    pattern("^[0-9a-f]{64}$")
}

/// Anything.
pub fn anything() -> Shape {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
}

/// A list.
pub fn list(items: Shape) -> Shape {
    ArrayBuilder::new().items(items).into()
}

/// A list of `1..=max` distinct ids.
pub fn distinct_ids(max: usize) -> Shape {
    ArrayBuilder::new().items(id()).min_items(Some(1)).max_items(Some(max)).unique_items(true).into()
}

fn formatted(format: &'static str) -> Shape {
    of_type(Type::String).format(Some(SchemaFormat::Custom(format.to_owned()))).into()
}

fn of_type(known: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(known)
}

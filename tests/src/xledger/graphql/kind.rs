//! The kinds of values, their scalars, and what a value of each must look like.

use async_graphql::Value;
use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, Scalar, TypeRef,
};
use serde_json::Value as Json;

use crate::xledger::ledger::line::money;
use crate::xledger::time::{parse_date, parse_local};

/// Says what a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    /// An id, which is read as a number and may be sent as a number or as text.
    Id,
    Text,
    Money,
    Number,
    Date,
    Time,
    Flag,
    /// Another object.
    Row(&'static str),
    /// Objects that are always there.
    Rows(&'static str),
}

/// Names a column and what it holds.
pub(super) type Column = (&'static str, Kind);

impl Kind {
    /// Returns the type that a value is read as.
    pub(super) fn output(self) -> TypeRef {
        match self {
            Self::Row(object) => TypeRef::named(object),
            Self::Rows(object) => TypeRef::named_nn_list_nn(object),
            Self::Id => TypeRef::named(TypeRef::INT),
            other => TypeRef::named(other.scalar()),
        }
    }

    /// Returns the name of the scalar that a value is sent as.
    pub(super) fn scalar(self) -> &'static str {
        match self {
            Self::Int => TypeRef::INT,
            Self::Id => "Int64String",
            Self::Money => "Money",
            Self::Number => TypeRef::FLOAT,
            Self::Date => "DateString",
            Self::Time => "DateTimeString",
            Self::Flag => TypeRef::BOOLEAN,
            Self::Text | Self::Row(_) | Self::Rows(_) => TypeRef::STRING,
        }
    }

    /// Returns an argument or an input field of this kind.
    pub(super) fn input(self, name: impl Into<String>) -> InputValue {
        InputValue::new(name, TypeRef::named(self.scalar()))
    }
}

/// Returns the scalars that GraphQL does not have by itself.
pub(super) fn scalars(money_as_number: bool) -> [Scalar; 4] {
    let text = |value: &Value, fits: fn(&str) -> bool| matches!(value, Value::String(text) if fits(text));
    let is_money = move |value: &Value| {
        text(value, |text| money(text).is_some()) || (money_as_number && matches!(value, Value::Number(_)))
    };
    let is_id = |value: &Value| match value {
        Value::Number(number) => number.is_i64(),
        Value::String(text) => text.parse::<i64>().is_ok(),
        _ => false,
    };
    [
        Scalar::new("Money").validator(is_money),
        Scalar::new("Int64String").validator(is_id),
        Scalar::new("DateString").validator(move |value| text(value, |text| parse_date(text).is_some())),
        Scalar::new("DateTimeString").validator(move |value| text(value, |text| parse_local(text).is_some())),
    ]
}

/// Returns an object whose fields are the members of a JSON object.
pub(super) fn object(name: &str, columns: &[Column]) -> Object {
    typed(
        name,
        columns.iter().map(|&(column, kind)| (column, kind.output())),
    )
}

/// Returns an object whose fields are the members of a JSON object, of any types.
pub(super) fn typed(name: &str, fields: impl IntoIterator<Item = (&'static str, TypeRef)>) -> Object {
    let fields = fields
        .into_iter()
        .map(|(column, kind)| Field::new(column, kind, move |context| member(&context, column)));
    fields.fold(Object::new(name), Object::field)
}

fn member<'a>(context: &ResolverContext<'a>, column: &str) -> FieldFuture<'a> {
    let parent = context.parent_value.downcast_ref::<Json>();
    FieldFuture::Value(parent.and_then(|parent| parent.get(column)).and_then(present))
}

/// Returns a value for GraphQL to go on with; null is none.
fn present(value: &Json) -> Option<FieldValue<'_>> {
    match value {
        Json::Null => None,
        Json::Object(_) => Some(FieldValue::borrowed_any(value)),
        Json::Array(rows) => Some(FieldValue::list(rows.iter().filter_map(present))),
        plain => Value::from_json(plain.clone()).ok().map(FieldValue::value),
    }
}

use async_graphql::dynamic::{Enum, Object, Schema};

use super::kind::{object, scalars};
use super::listing::{self, LISTINGS};
use super::nodes::OBJECTS;
use super::{add, mutation, subscription, webhooks};

/// Builds the schema.
///
/// # Panics
///
/// Panics when the tables that it is built from contradict each other.
pub(in crate::xledger) fn build(money_as_number: bool) -> Schema {
    let query = LISTINGS
        .iter()
        .fold(Object::new("Query"), |query, listing| {
            query.field(listing.to_field())
        })
        .field(listing::webhook());
    let mut builder = Schema::build("Query", Some("Mutation"), Some("Subscription"))
        .register(query)
        .register(mutation::root())
        .register(subscription::root())
        .register(Enum::new("OwnerSet").item("CURRENT"))
        .register(Enum::new("ObjectStatus").item("OPEN"))
        .register(Enum::new("ShowAlternatives").items(["YES", "NO"]));
    for scalar in scalars(money_as_number) {
        builder = builder.register(scalar);
    }
    for (name, columns) in OBJECTS {
        builder = builder.register(object(name, columns));
    }
    for listing in &LISTINGS {
        let (objects, filter) = listing.types();
        builder = objects
            .into_iter()
            .fold(builder.register(filter), |builder, object| {
                builder.register(object)
            });
    }
    let payloads = mutation::payloads().into_iter().chain(subscription::types());
    builder = payloads.fold(builder, |builder, object| builder.register(object));
    let inputs = add::inputs().into_iter().chain(webhooks::inputs());
    builder = inputs.fold(builder, |builder, input| builder.register(input));
    builder.finish().expect("the tables of the schema agree")
}

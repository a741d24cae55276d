//! The connections of the query root.

use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputObject, InputValue, Object, ResolverContext, TypeRef,
};
use serde_json::{Map, Value};

use super::call::{Call, arguments};
use super::connection::Ask;
use super::error::Refusal;
use super::filter;
use super::kind::Kind::{Date, Id, Int, Money, Text, Time};
use super::kind::{Column, typed};
use crate::xledger::ledger::Ledger;
use crate::xledger::ledger::register::Wanted;

/// Describes one connection.
pub(super) struct Listing {
    /// The field of the query root.
    pub(super) field: &'static str,
    /// The object that is read, which the API token must be allowed to read.
    pub(super) object: &'static str,
    /// What can be filtered by.
    filters: &'static [Column],
    /// Whether its rows are open or not.
    has_status: bool,
}

const CODED: &[Column] = &[("dbId", Id), ("code", Text), ("description", Text)];

/// All connections.
pub(super) const LISTINGS: [Listing; 13] = [
    listing(
        "glImportItems",
        "GLImportItem",
        &[
            ("dbId", Id),
            ("extIdentifier", Text),
            ("trRegNumber", Int),
            ("invoiceNumber", Text),
            ("amount", Money),
            ("postedDate", Date),
            ("createdAt", Time),
            ("modifiedAt", Time),
        ],
    ),
    listing(
        "glImportItemErrors",
        "GLImportItemError",
        &[("dbId", Id), ("transactionDbId", Id), ("createdAt", Time)],
    ),
    listing(
        "transactions",
        "Transaction",
        &[("dbId", Id), ("accountDbId", Id), ("amount", Money)],
    ),
    listing(
        "journalEntries",
        "JournalEntry",
        &[
            ("dbId", Id),
            ("extIdentifier", Text),
            ("transactionNumber", Int),
            ("invoiceNumber", Text),
            ("amount", Money),
            ("postedDate", Date),
            ("createdAt", Time),
            ("modifiedAt", Time),
        ],
    ),
    register("accounts", "Account"),
    register("taxRules", "TaxRule"),
    register("currencies", "Currency"),
    register("projects", "Project"),
    register("transactionSources", "TransactionSource"),
    register("entities", "Entity"),
    register("subledgers", "Subledger"),
    Listing {
        field: "objectValues",
        object: "ObjectValue",
        filters: &[
            ("dbId", Id),
            ("code", Text),
            ("description", Text),
            ("objectKindDbId", Id),
        ],
        has_status: true,
    },
    listing("webhooks", "Webhook", &[("dbId", Id), ("url", Text)]),
];

const fn listing(field: &'static str, object: &'static str, filters: &'static [Column]) -> Listing {
    Listing {
        field,
        object,
        filters,
        has_status: false,
    }
}

const fn register(field: &'static str, object: &'static str) -> Listing {
    Listing {
        field,
        object,
        filters: CODED,
        has_status: true,
    }
}

impl Listing {
    /// Returns the types that the connection needs beside its object.
    pub(super) fn types(&self) -> ([Object; 2], InputObject) {
        let edge = format!("{}Edge", self.object);
        let connection = typed(
            &format!("{}Connection", self.object),
            [
                ("edges", TypeRef::named_nn_list_nn(edge.as_str())),
                ("pageInfo", TypeRef::named_nn("PageInfo")),
            ],
        );
        let edge = typed(
            &edge,
            [
                ("cursor", TypeRef::named_nn(TypeRef::STRING)),
                ("node", TypeRef::named(self.object)),
            ],
        );
        (
            [connection, edge],
            filter::input(&self.filter_name(), self.filters),
        )
    }

    /// Returns the field of the query root.
    pub(super) fn to_field(&'static self) -> Field {
        let integer = |name: &str| InputValue::new(name, TypeRef::named(TypeRef::INT));
        let cursor = |name: &str| InputValue::new(name, TypeRef::named(TypeRef::STRING));
        let returned = TypeRef::named(format!("{}Connection", self.object));
        let field = Field::new(self.field, returned, move |context| {
            FieldFuture::new(async move { Ok(Some(FieldValue::owned_any(self.resolve(&context)?))) })
        });
        let field = field
            .argument(integer("first"))
            .argument(integer("last"))
            .argument(cursor("before"))
            .argument(cursor("after"))
            .argument(InputValue::new("filter", TypeRef::named(self.filter_name())))
            .argument(InputValue::new("ownerSet", TypeRef::named("OwnerSet")));
        if self.has_status {
            return field.argument(InputValue::new("objectStatus", TypeRef::named("ObjectStatus")));
        }
        field
    }

    fn resolve(&self, context: &ResolverContext<'_>) -> async_graphql::Result<Value> {
        let call = Call::of(context)?;
        call.may_read(self.scope())?;
        let arguments = arguments(context);
        let ask = Ask::read(&arguments, self.field)?;
        let ledger = call.ledger();
        let mut rows = self.rows(&ledger, call, &arguments);
        match arguments.get("filter") {
            None => {}
            Some(Value::Object(filter)) => rows.retain(|row| filter::passes(row, filter, self.filters)),
            Some(_) => return Err(Refusal::wrong_type("filter", "It is no object.").into()),
        }
        let (largest, default) = (ledger.settings.largest_page, ledger.settings.default_page);
        let page = ask.page(self.field, rows, largest, default)?;
        call.count(page["edges"].as_array().map_or(0, Vec::len));
        Ok(page)
    }

    fn rows(&self, ledger: &Ledger, call: &Call, arguments: &Map<String, Value>) -> Vec<Map<String, Value>> {
        let current = arguments.contains_key("ownerSet");
        let root = &call.token.entity;
        let sees = |entity: &str| entity == root || (!current && ledger.registers.is_within(entity, root));
        match self.field {
            "glImportItems" => queued(ledger, call, sees),
            "glImportItemErrors" => errors(ledger, sees),
            "transactions" => posted(ledger, sees, true),
            "journalEntries" => posted(ledger, sees, false),
            "webhooks" => ledger.webhooks.iter().map(|webhook| webhook.to_node()).collect(),
            _ => {
                let only_open = arguments.contains_key("objectStatus");
                let owner = ledger.owner(root);
                let items = ledger.registers.all(self.object).iter();
                let items = items.filter(|item| item.open || !only_open);
                let items = items.filter(|item| self.object != "Entity" || sees(&item.code));
                items
                    .map(|item| {
                        let mut node = item.to_node();
                        node.insert("ownerDbId".to_owned(), owner.into());
                        node
                    })
                    .collect()
            }
        }
    }

    /// Returns what the API token must be allowed to read.
    fn scope(&self) -> &'static str {
        match self.object {
            "GLImportItemError" => "GLImportItem",
            object => object,
        }
    }

    fn filter_name(&self) -> String {
        format!("{}Filter", self.object)
    }
}

fn queued(ledger: &Ledger, call: &Call, sees: impl Fn(&str) -> bool) -> Vec<Map<String, Value>> {
    let lines = ledger.queue.iter();
    let lines = lines.filter(|line| sees(&line.entity) && line.visible_at <= call.now);
    lines
        .map(|line| line.to_node(ledger.owner(&line.entity)))
        .collect()
}

fn errors(ledger: &Ledger, sees: impl Fn(&str) -> bool) -> Vec<Map<String, Value>> {
    let mut rows: Vec<(i64, Map<String, Value>)> = ledger
        .errors
        .iter()
        .filter_map(|error| {
            let line = ledger.queue.iter().find(|line| line.db_id == error.line)?;
            sees(&line.entity).then(|| (error.db_id, error.to_node(ledger.owner(&line.entity))))
        })
        .collect();
    rows.sort_by_key(|(id, _)| *id);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn posted(ledger: &Ledger, sees: impl Fn(&str) -> bool, as_transactions: bool) -> Vec<Map<String, Value>> {
    let entries = ledger.posted.iter().filter(|entry| sees(&entry.line.entity));
    entries
        .map(|entry| {
            let owner = ledger.owner(&entry.line.entity);
            let id = |field: &str| {
                let reference = super::add::reference(field)?;
                let wanted = Wanted::code(entry.line.references.get(field)?);
                ledger
                    .registers
                    .resolve(reference, &wanted)
                    .map(|item| item.db_id)
            };
            if as_transactions {
                entry.to_transaction(owner, id)
            } else {
                entry.to_journal_entry(owner, id)
            }
        })
        .collect()
}

/// Returns a field of the query root that finds one webhook.
pub(super) fn webhook() -> Field {
    Field::new("webhook", TypeRef::named("Webhook"), |context| {
        FieldFuture::new(async move {
            let call = Call::of(&context)?;
            call.may_read("Webhook")?;
            let arguments = arguments(&context);
            let asked = arguments.get("dbId").and_then(super::call::id);
            let asked = asked.ok_or_else(|| Refusal::invalid_value("dbId", "It is no id."))?;
            let ledger = call.ledger();
            let found = ledger.webhooks.iter().find(|webhook| webhook.db_id == asked);
            Ok(found.map(|webhook| FieldValue::owned_any(Value::Object(webhook.to_node()))))
        })
    })
    .argument(InputValue::new("dbId", TypeRef::named(TypeRef::ID)))
}

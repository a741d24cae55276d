//! The registry of integration systems over GraphQL.
//!
//! The shape, the texts and the codes of errors are those of an API that clients already speak; where that one is
//! careless, this one is not: an id that is no id is not found, a secret is only shown to the administrator, and what a
//! document may cost is bounded before anything of it is carried out.
//!
//! | part | does |
//! | --- | --- |
//! | `shape` | the types that clients see |
//! | `query`, `mutation` | the operations |
//! | `shown` | what a caller sees of systems and credentials |
//! | `paging` | cursors, and the sizes of pages |
//! | `limits` | what a document may cost |
//! | `error` | what a caller is told |

mod error;
mod limits;
mod mutation;
mod paging;
mod query;
mod shape;
mod shown;

use std::fmt;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{EmptySubscription, Name, Pos, Request, Response, Schema, Variables};
use axum::body::Bytes;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

pub(super) use error::Refusal;
use mutation::Mutation;
use query::{PAGE, Query};
use shape::{OneTimeToken, Pageable};

use super::Caller;
use crate::registry::Registry;

/// How many secrets are opened at once: the key is asked over connections of their own.
const AT_ONCE: usize = 16;

/// The largest answer, in bytes: a function may not answer more than 6 MB.
const LARGEST: usize = 5 * 1024 * 1024;

/// Who may have a secret opened.
struct Turns(Semaphore);

/// Carries out documents.
#[derive(Clone)]
pub struct Graphql {
    schema: Schema<Query, Mutation, EmptySubscription>,
    limits: limits::Limits,
}

/// A document, with what it is to be carried out with.
#[derive(Debug)]
pub(super) struct Document {
    query: String,
    operation: Option<String>,
    variables: Variables,
}

impl fmt::Debug for Graphql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graphql").finish_non_exhaustive()
    }
}

impl Graphql {
    /// Puts the schema together; `introspection` lets everybody read it, and takes the deeper documents that needs.
    #[must_use]
    pub fn new(registry: Registry, introspection: bool) -> Self {
        let limits = limits::Limits::new(introspection);
        let schema = Schema::build(Query, Mutation, EmptySubscription)
            .register_output_type::<Pageable>()
            .register_output_type::<OneTimeToken>()
            .limit_depth(limits.depth)
            .limit_recursive_depth(limits.nesting)
            .limit_complexity(limits.complexity)
            .limit_directives(limits.directives)
            .data(registry)
            .data(Turns(Semaphore::new(AT_ONCE)));
        let schema = if introspection {
            schema
        } else {
            schema.disable_introspection().disable_suggestions()
        };
        Self {
            schema: schema.finish(),
            limits,
        }
    }

    /// Returns the schema in its own language.
    #[must_use]
    pub fn sdl(&self) -> String {
        self.schema.sdl()
    }

    /// Carries out a document.
    pub(super) async fn execute(&self, document: Document, caller: Caller) -> Bytes {
        let response = self.carry_out(document, caller).await;
        match written(&response) {
            Ok(bytes) if bytes.len() <= LARGEST => bytes,
            Ok(_) => {
                let why = format!("the answer has more than {LARGEST} bytes; ask for fewer at a time");
                refused(&Refusal::BadRequest(why))
            }
            Err(error) => refused(&Refusal::internal(&error, false)),
        }
    }

    async fn carry_out(&self, mut document: Document, caller: Caller) -> Response {
        let parsed = match self.limits.check(&document.query) {
            Ok(parsed) => parsed,
            Err(why) => return unserved(&Refusal::BadRequest(why)),
        };
        document.fill_in(&parsed);
        let mut request = Request::new(document.query).variables(document.variables);
        request.operation_name = document.operation;
        request.set_parsed_query(parsed);
        let response = self.schema.execute(request.data(caller)).await;
        error::completed(response)
    }
}

/// Returns the answer to what is not carried out at all, as it is written.
pub(super) fn refused(refusal: &Refusal) -> Bytes {
    written(&unserved(refusal)).unwrap_or_default()
}

fn written(response: &Response) -> serde_json::Result<Bytes> {
    serde_json::to_vec(response).map(Bytes::from)
}

fn unserved(refusal: &Refusal) -> Response {
    let mut error = refusal.to_error().into_server_error(Pos::default());
    error.locations.clear();
    Response::from_errors(vec![error])
}

impl Document {
    /// Reads a request of GraphQL over HTTP.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn read(mut object: Map<String, Value>) -> Result<Self, Refusal> {
        let wrong = |what: &str| Refusal::BadRequest(what.to_owned());
        let query = match object.remove("query") {
            Some(Value::String(query)) => query,
            _ => return Err(wrong("query must be a text")),
        };
        let operation = match object.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err(wrong("operationName must be a text")),
        };
        let variables = match object.remove("variables") {
            None | Some(Value::Null) => Variables::default(),
            Some(variables @ Value::Object(_)) => Variables::from_json(variables),
            Some(_) => return Err(wrong("variables must be an object")),
        };
        Ok(Self {
            query,
            operation,
            variables,
        })
    }
}

impl Document {
    /// Gives variables that are left out what the document, or the schema, says they are by default: the library does
    /// not where a field is skipped or included by one, or where one is the size of a page.
    fn fill_in(&mut self, parsed: &ExecutableDocument) {
        let chosen = |name: Option<&Name>| match (&self.operation, name) {
            (Some(operation), Some(name)) => operation == name.as_str(),
            _ => true,
        };
        let operations = parsed.operations.iter().filter(|(name, _)| chosen(*name));
        for definition in operations.flat_map(|(_, operation)| &operation.node.variable_definitions) {
            let name = &definition.node.name.node;
            // The library also says null of whatever may be null.
            let said = definition
                .node
                .default_value
                .as_ref()
                .map(|default| default.node.clone());
            let default = said.or_else(|| limits::is_page_size(parsed, name).then(|| PAGE.into()));
            if let Some(default) = default {
                self.variables.entry(name.clone()).or_insert(default);
            }
        }
    }
}

/// What an operation works with.
struct Asked<'a> {
    registry: &'a Registry,
    caller: &'a Caller,
    turns: &'a Semaphore,
}

impl<'a> Asked<'a> {
    fn of(ctx: &async_graphql::Context<'a>) -> Result<Self, Refusal> {
        let registry = ctx.data_opt::<Registry>();
        let (caller, turns) = (ctx.data_opt::<Caller>(), ctx.data_opt::<Turns>());
        match (registry, caller, turns) {
            (Some(registry), Some(caller), Some(Turns(turns))) => Ok(Self {
                registry,
                caller,
                turns,
            }),
            _ => Err(Refusal::Unauthorized),
        }
    }

    /// Insists on a scope.
    fn may(&self, scope: crate::registry::Scope) -> Result<(), Refusal> {
        if self.caller.scopes().allow(scope) {
            return Ok(());
        }
        Err(Refusal::InsufficientScopes {
            actual: self.caller.scopes().clone(),
            required: scope,
        })
    }
}

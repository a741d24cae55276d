//! The OpenAPI document: generated from the routes, and kept in the repository as `shared/openapi.json`.
//!
//! A test keeps the two equal. To write the file anew after a route has changed:
//!
//! ```text
//! WRITE_OPENAPI=1 cargo test -p shared api::tests::document
//! ```

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, Ref, Required, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::access::{Access, access};
use super::problem::{Fault, PROBLEM_JSON};
use super::{Code, Problem};

/// The document as it is served.
pub const OPENAPI_JSON: &str = include_str!("../../openapi.json");

const BEARER: &str = "bearer";

/// What is in the path of whatever belongs to an organization.
const ORGANIZATION: &str = "{organizationId}";

/// The same, where its integration is in the path.
const INTEGRATION: &str = "{integrationId}";

/// Puts the document of some routes together.
#[must_use]
pub fn document(routes: impl IntoIterator<Item = OpenApiRouter>) -> OpenApi {
    let mut document = OpenApi::default();
    for routes in routes {
        document.merge(routes.into_openapi());
    }
    document.info = InfoBuilder::new()
        .title("External API integrations")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Keeps the members of organizations in step with their outside systems.",
        ))
        .build();
    document.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
    add_components(&mut document);
    for (path, item) in &mut document.paths.paths {
        describe(path, item);
    }
    document
}

fn add_components(document: &mut OpenApi) {
    let known = document.components.take().unwrap_or_default();
    let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = ComponentsBuilder::from(known)
        .security_scheme(BEARER, scheme)
        .schema(Problem::name(), Problem::schema())
        .schema(Fault::name(), Fault::schema())
        .schema(Code::name(), Code::schema());
    document.components = Some(components.build());
}

/// Adds what is so for every operation of its method.
fn describe(path: &str, item: &mut PathItem) {
    let methods = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Delete, &mut item.delete),
    ];
    for (method, operation) in methods {
        if let Some(operation) = operation {
            let parameters = operation.parameters.get_or_insert_default();
            parameters.splice(
                0..0,
                names_in(path).map(|name| parameter(ParameterIn::Path, name, Required::True).into()),
            );
            let id = operation.operation_id.clone().unwrap_or_default();
            if path.contains(ORGANIZATION) || path.contains(INTEGRATION) {
                parameters.extend(extra(&method, &id).into_iter().map(Into::into));
            }
            operation.security = security(&id);
            add_problem(operation);
        }
    }
}

/// Says what token an operation takes, where that is more than being known.
fn security(operation: &str) -> Option<Vec<SecurityRequirement>> {
    match access(operation) {
        Some(Access::Scope(scope)) => Some(vec![SecurityRequirement::new(BEARER, [scope.as_str()])]),
        Some(Access::Open) => Some(vec![SecurityRequirement::default()]),
        _ => None,
    }
}

fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn extra(method: &HttpMethod, operation: &str) -> Vec<Parameter> {
    let optional = |place, name| parameter(place, name, Required::False);
    match method {
        HttpMethod::Get if operation.starts_with("list") && operation != "listIntegrations" => {
            vec![
                optional(ParameterIn::Query, "after"),
                optional(ParameterIn::Query, "limit"),
            ]
        }
        HttpMethod::Put | HttpMethod::Delete => {
            vec![
                optional(ParameterIn::Header, "Idempotency-Key"),
                optional(ParameterIn::Header, "If-Match"),
            ]
        }
        HttpMethod::Post => vec![optional(ParameterIn::Header, "Idempotency-Key")],
        _ => Vec::new(),
    }
}

fn parameter(place: ParameterIn, name: &str, required: Required) -> Parameter {
    let kind = if name == "limit" {
        Type::Integer
    } else {
        Type::String
    };
    let schema = ObjectBuilder::new().schema_type(SchemaType::Type(kind)).build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(schema))
        .build()
}

fn add_problem(operation: &mut Operation) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .build();
    let refused = ResponseBuilder::new()
        .description("What is wrong.")
        .content(PROBLEM_JSON, content)
        .build();
    operation
        .responses
        .responses
        .insert("default".to_owned(), refused.into());
}

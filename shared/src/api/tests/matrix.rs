//! Every route, asked by everybody; a route that is not in the table fails.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::files::announcement;
use super::world::{Answer, Ask, World, ask, configuration};
use crate::api::access::{Access, access};
use crate::api::{Api, Caller, document};
use crate::authorize::{Doorkeeper, Parts};
use crate::registry::{CredentialRequest, Input, Scopes, issue_credential, register};
use crate::secrets::{MemorySecrets, Secrets as _};

/// What a route answers the administrator: where nothing is connected, and where `hlf` has connected the system.
const EXPECTED: &[(&str, u16, u16)] = &[
    ("getHealth", 200, 200),
    ("getOpenApi", 200, 200),
    ("listIntegrations", 200, 200),
    ("getIntegrationStatus", 404, 200),
    ("putIntegration", 201, 200),
    ("deleteIntegration", 404, 204),
    ("pauseIntegration", 404, 200),
    ("resumeIntegration", 404, 200),
    ("testIntegration", 404, 200),
    ("refreshOAuthToken", 404, 503),
    ("startSignIn", 404, 503),
    ("rotateCredentials", 404, 200),
    ("finishSignIn", 400, 400),
    ("scheduleSync", 404, 200),
    ("getSchedule", 404, 404),
    ("cancelScheduledSync", 404, 204),
    ("resumeSchedule", 404, 404),
    ("triggerSync", 404, 202),
    ("syncMembershipData", 404, 202),
    // What is connected keeps none.
    ("syncCourseEnrollments", 404, 404),
    ("getLastSyncResult", 404, 200),
    ("listRuns", 404, 200),
    ("getRun", 404, 404),
    ("cancelRun", 404, 404),
    ("listQuarantine", 404, 200),
    ("retryQuarantine", 404, 202),
    ("dropQuarantined", 404, 404),
    ("listReviews", 404, 200),
    ("decideReview", 404, 404),
    ("processWebhookEvent", 401, 401),
    ("testWebhookEndpoint", 404, 404),
    ("openWebhookEndpoint", 404, 201),
    ("listWebhookEndpoints", 404, 200),
    ("getWebhookEndpoint", 404, 404),
    ("closeWebhookEndpoint", 204, 204),
    ("rotateWebhookSecret", 404, 404),
    ("listWebhookEvents", 404, 200),
    ("getWebhookEvent", 404, 404),
    ("replayWebhookEvent", 404, 404),
    ("replayWebhookEvents", 404, 202),
    ("listFiles", 404, 200),
    ("announceFile", 404, 400),
    ("getFile", 404, 404),
    ("downloadFile", 404, 404),
    ("acceptFile", 404, 404),
    ("decideFile", 404, 404),
    ("listMembers", 200, 200),
    ("putMembersInBulk", 200, 200),
    ("getMember", 404, 404),
    ("putMember", 201, 201),
    ("deleteMember", 404, 404),
    ("listMemberships", 200, 200),
    ("getMembership", 404, 404),
    ("putMembership", 400, 400),
    ("deleteMembership", 404, 404),
    ("listCourseEnrollments", 200, 200),
    ("putCourseEnrollmentsInBulk", 200, 200),
    ("getCourseEnrollment", 404, 404),
    ("putCourseEnrollment", 400, 400),
    ("deleteCourseEnrollment", 404, 404),
    ("listReimbursements", 200, 200),
    ("getReimbursement", 404, 404),
    ("putReimbursement", 201, 201),
    ("deleteReimbursement", 404, 404),
    ("listExportsOfReimbursement", 200, 200),
    ("exportReimbursements", 404, 404),
    ("listExports", 404, 409),
    ("getBooks", 404, 409),
    ("compareBooks", 404, 409),
    ("executeGraphql", 200, 200),
    ("issueToken", 401, 401),
    ("introspectToken", 401, 401),
    ("revokeToken", 401, 401),
    ("getIssuer", 200, 200),
    ("getKeys", 200, 200),
];

struct Route {
    name: String,
    method: Method,
    path: String,
}

fn routes() -> Vec<Route> {
    let document = serde_json::to_value(document(World::new().routes())).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            let method = method.to_uppercase().parse().unwrap();
            routes.push(Route {
                name,
                method,
                path: path.clone(),
            });
        }
    }
    routes
}

impl Route {
    fn ask(&self) -> Ask {
        let path = self
            .path
            .replace("{organizationId}", "hlf")
            .replace("{integrationId}", "hlf:dynamics365")
            .replace("{integrationType}", "dynamics365");
        let path = path
            .replace("{runId}", "01900000-0000-7000-8000-000000000000")
            .replace("{recordId}", "100234")
            .replace("{source}", "dynamics365")
            .replace("{endpointId}", "hlf.q83vEjRWeJCrze_-7dy6mA")
            .replace("{eventId}", "01900000-0000-7000-8000-000000000000")
            .replace("{fileId}", "01900000-0000-7000-8000-000000000000");
        let path = path
            .replace("{kind}", "member")
            .replace("{reviewId}", "conflict.member.100234");
        let ask = ask(self.method.clone(), &path);
        match (self.name.as_str(), body(&self.name)) {
            ("putMembersInBulk" | "putCourseEnrollmentsInBulk", body) => ask
                .header("content-type", "application/x-ndjson")
                .body(body.to_string()),
            ("issueToken" | "introspectToken" | "revokeToken", _) => ask
                .header("content-type", "application/x-www-form-urlencoded")
                .body("grant_type=client_credentials&token=x"),
            (_, Value::Null) => ask,
            (_, body) => ask.json(&body),
        }
    }

    fn expected(&self) -> (u16, u16) {
        let row = EXPECTED.iter().find(|(name, ..)| *name == self.name);
        let (_, unknown, connected) = row.unwrap_or_else(|| panic!("{} is not in the table", self.name));
        (*unknown, *connected)
    }

    fn has_organization(&self) -> bool {
        ["{organizationId}", "{integrationId}"]
            .iter()
            .any(|name| self.path.contains(name))
    }

    fn access(&self) -> Access {
        access(&self.name).unwrap_or_else(|| panic!("nobody may call {}", self.name))
    }
}

fn body(name: &str) -> Value {
    match name {
        "putIntegration" => configuration(),
        "rotateCredentials" => configuration()["credentials"].clone(),
        "decideReview" => json!({ "decision": "approve" }),
        "putReimbursement" => crate::export::samples::reimbursement_json("101.00"),
        "exportReimbursements" => json!({ "reimbursementIds": ["4711"] }),
        "openWebhookEndpoint" => json!({ "name": "portal", "scheme": { "type": "standard" } }),
        "processWebhookEvent" => json!({}),
        "putMember" => json!({ "lastName": "Ek" }),
        "putMembership" => json!({ "memberId": "nobody" }),
        "putCourseEnrollment" => json!({ "memberId": "nobody", "courseId": "peer-support" }),
        "putCourseEnrollmentsInBulk" => {
            json!({ "id": "1", "memberId": "nobody", "courseId": "peer-support" })
        }
        "putMembersInBulk" => json!({ "id": "1", "lastName": "Ek" }),
        "scheduleSync" => json!({ "expression": "rate(1 hour)", "zone": "Europe/Oslo" }),
        "announceFile" => announcement(),
        "decideFile" => json!({ "decision": "imported", "reason": "the import log says so" }),
        "executeGraphql" => json!({ "query": "{ integrationSystems { totalCount } }" }),
        _ => Value::Null,
    }
}

fn is_proper(route: &Route, answer: &Answer) {
    assert_eq!(answer.header("cache-control"), "no-store", "{}", route.name);
    assert_eq!(
        answer.header("x-content-type-options"),
        "nosniff",
        "{}",
        route.name
    );
    assert!(!answer.header("x-request-id").is_empty(), "{}", route.name);
    let refused = answer.status.is_client_error() || answer.status.is_server_error();
    if refused && matches!(route.access(), Access::Open | Access::Own) {
        assert!(
            ["error", "code"]
                .iter()
                .any(|name| answer.json()[name].is_string())
                || answer.json()["errors"].is_array(),
            "{}",
            route.name
        );
    } else if refused {
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{}",
            route.name
        );
        assert_eq!(answer.json()["status"], answer.status.as_u16(), "{}", route.name);
        assert!(
            answer.json()["instance"]
                .as_str()
                .unwrap()
                .starts_with("urn:request:"),
            "{}",
            route.name
        );
    }
    assert!(!answer.body.contains("canary"), "{}: {}", route.name, answer.body);
}

/// Somebody who calls, with the headers that they send.
struct Identity {
    what: &'static str,
    header: Option<String>,
}

/// A service that several callers know, and the door that they pass.
struct House {
    world: World,
    keeper: Doorkeeper,
    system: Uuid,
}

impl House {
    async fn new(world: World) -> Self {
        let parts = Parts {
            secrets: Arc::<MemorySecrets>::clone(&world.secrets),
            store: Arc::clone(&world.registry.store),
            issuer: Arc::clone(&world.registry.issuer),
            clock: Arc::clone(&world.registry.clock),
        };
        let held = json!({ "token": "0123456789".repeat(5) }).to_string().into();
        let version = Uuid::new_v4().to_string();
        world.secrets.put("admin", &held, &version).await.unwrap();
        let input = Input {
            name: "platform".to_owned(),
            description: None,
        };
        let system = register(&world.registry, input, "administrator")
            .await
            .unwrap()
            .id;
        Self {
            keeper: Doorkeeper::new(parts, "admin"),
            world,
            system,
        }
    }

    /// Returns the header of a token that lets into one organization.
    async fn token(&self, organization: &str, scopes: &str) -> String {
        let organizations = [organization.parse().unwrap()].into();
        let request = CredentialRequest {
            system: self.system,
            scopes: Scopes::integration_system(),
            organizations: Some(organizations),
            expires_at: None,
            by: "administrator".to_owned(),
        };
        let issued = issue_credential(&self.world.registry, request).await.unwrap();
        let (id, now) = (issued.credential.id, self.world.registry.clock.now());
        let token = self
            .world
            .tokens
            .issue(id, scopes.parse().unwrap(), now)
            .await
            .unwrap();
        format!("Bearer {}", token.expose_secret())
    }

    /// Returns everybody who may come to a route: too few scopes are all but the one that it asks for.
    async fn everybody(&self, access: Access) -> Vec<Identity> {
        let all = Scopes::integration_system();
        let asked_for = match access {
            Access::Scope(scope) => Scopes::from_iter([scope]),
            Access::Open | Access::Own | Access::Known => all.clone(),
        };
        let few = all
            .names()
            .filter(|name| !asked_for.names().any(|asked| asked == *name));
        let (few, all) = (few.collect::<Vec<_>>().join(" "), all.to_string());
        let expired = self.token("hlf", &all).await;
        self.world.clock.advance(Duration::from_secs(15 * 60));
        let (own, other) = (self.token("hlf", &all).await, self.token("other", &all).await);
        [
            ("own organization", Some(own)),
            ("other organization", Some(other)),
            ("too few scopes", Some(self.token("hlf", &few).await)),
            ("expired", Some(expired)),
            ("garbage", Some("Bearer a.b.c".to_owned())),
            ("no token", None),
        ]
        .into_iter()
        .map(|(what, header)| Identity { what, header })
        .collect()
    }

    /// Returns whom the authorizer lets in, as it tells the function.
    async fn admitted(&self, identity: &Identity) -> Option<Caller> {
        let headers: Vec<&str> = identity.header.iter().map(String::as_str).collect();
        let identity = self.keeper.identify(&headers).await.unwrap()?;
        let context = serde_json::to_value(identity).unwrap();
        Some(Caller::from_context(context.as_object().unwrap()).unwrap())
    }
}

/// What a route answers to somebody: a status, and the code that goes with it; none is what it answers anybody.
fn told(route: &Route, what: &str) -> Option<(u16, &'static str)> {
    let scoped = matches!(route.access(), Access::Scope(_));
    match what {
        _ if route.access() == Access::Open => None,
        "no token" | "expired" | "garbage" if route.access() == Access::Own => Some((401, "")),
        "no token" | "expired" | "garbage" => Some((401, "unauthenticated")),
        "too few scopes" if scoped => Some((403, "insufficient_scope")),
        "other organization" if route.has_organization() => Some((404, "unknown_organization")),
        _ => None,
    }
}

#[tokio::test]
async fn every_route_answers_everybody_as_it_should() {
    for route in routes() {
        for connected in [false, true] {
            for number in 0.. {
                let world = if connected {
                    World::connected().await
                } else {
                    World::new()
                };
                let house = House::new(world).await;
                let Some(identity) = house.everybody(route.access()).await.into_iter().nth(number) else {
                    break;
                };
                let caller = house.admitted(&identity).await;
                let refusal = told(&route, identity.what);
                for ask in [Some(route.ask()), refusal.map(|_| route.ask().key("k"))]
                    .into_iter()
                    .flatten()
                {
                    let answer = house.world.answer(ask.by(caller.clone())).await;
                    let (unknown, known) = route.expected();
                    let expected = if connected { known } else { unknown };
                    let (status, code) = refusal.unwrap_or((expected, ""));
                    let told = format!("{} {}: {}", route.name, identity.what, answer.body);
                    assert_eq!(answer.status.as_u16(), status, "{told}");
                    assert!(refusal.is_none() || answer.code() == code, "{told}");
                    is_proper(&route, &answer);
                    let challenge = match (status, code) {
                        (401, "unauthenticated") => "Bearer",
                        (403, _) => r#"Bearer error="insufficient_scope", scope=""#,
                        _ => "",
                    };
                    assert!(answer.header("www-authenticate").starts_with(challenge), "{told}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_head_is_held_against_the_same_scope_as_its_get() {
    for route in routes().into_iter().filter(|route| route.method == Method::GET) {
        let Access::Scope(_) = route.access() else {
            continue;
        };
        let house = House::new(World::connected().await).await;
        let few = house.everybody(route.access()).await.swap_remove(2);
        let mut ask = route.ask().by(house.admitted(&few).await);
        ask.request = ask.request.method(Method::HEAD);
        let mut request = ask.request.body(ask.body).unwrap();
        request.extensions_mut().insert(ask.caller.unwrap());
        let [_, integrations, ..] = house.world.routes();
        let answer = Api::new(integrations, &house.world.ports).answer(request).await;
        assert_eq!(answer.status(), 403, "{}", route.name);
    }
}

#[tokio::test]
async fn a_document_of_a_caller_without_the_scope_is_refused_in_its_own_way() {
    let house = House::new(World::new()).await;
    let route = routes()
        .into_iter()
        .find(|route| route.name == "executeGraphql")
        .unwrap();
    for (identity, number) in
        house
            .everybody(route.access())
            .await
            .into_iter()
            .zip([None, None, Some(23), Some(26)])
    {
        let caller = house.admitted(&identity).await;
        let answer = house.world.answer(route.ask().by(caller)).await.json();
        let told = answer["errors"][0]["extensions"]["error_code"].as_u64();
        assert_eq!(told, number, "{}: {answer}", identity.what);
    }
}

#[tokio::test]
async fn an_organization_that_nobody_knows_is_told_from_another_one_by_nobody() {
    let house = House::new(World::connected().await).await;
    let header = house.token("hlf", "integration:read").await;
    let identity = Identity {
        what: "own organization",
        header: Some(header),
    };
    let caller = house.admitted(&identity).await;
    for organization in ["nobody", "other"] {
        let path = format!("/v1/organizations/{organization}/integrations");
        let answer = house
            .world
            .answer(ask(Method::GET, &path).by(caller.clone()))
            .await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (404, "unknown_organization")
        );
    }
}

#[tokio::test]
async fn the_header_tenant_agrees_with_the_path_or_is_left_out() {
    let world = World::connected().await;
    for (tenant, status) in [
        ("hlf", 200),
        ("", 200),
        ("other", 400),
        ("hlf,other", 400),
        ("HLF", 400),
    ] {
        let ask = ask(Method::GET, super::world::INTEGRATION).header("tenant", tenant);
        assert_eq!(world.answer(ask).await.status, status, "{tenant}");
    }
    let twice = ask(Method::GET, super::world::INTEGRATION)
        .header("tenant", "hlf")
        .header("tenant", "hlf");
    assert_eq!(world.answer(twice).await.fields(), ["Tenant"]);
}

#[tokio::test]
async fn every_route_answers_as_the_table_says() {
    for route in routes() {
        let (unknown, connected) = route.expected();
        for (world, expected) in [(World::new(), unknown), (World::connected().await, connected)] {
            let answer = world.answer(route.ask()).await;
            assert_eq!(
                answer.status.as_u16(),
                expected,
                "{}: {}",
                route.name,
                answer.body
            );
            is_proper(&route, &answer);
        }
    }
}

#[tokio::test]
async fn malformed_names_in_the_path_are_refused_whatever_the_route() {
    for route in routes().into_iter().filter(Route::has_organization) {
        for bad in ["HLF", "h%23lf", "%00", "..%2f", "%F0%9F%91%A9", &"a".repeat(65)] {
            let path = route
                .path
                .replace("{organizationId}", bad)
                .replace("{integrationId}", &format!("{bad}:dynamics365"))
                .replace("{integrationType}", "dynamics365");
            let answer = World::new().answer(ask(route.method.clone(), &path)).await;
            assert!(
                matches!(answer.status.as_u16(), 400 | 404),
                "{} {bad}: {}",
                route.name,
                answer.status
            );
        }
    }
}

#[test]
fn the_table_names_no_route_that_is_gone() {
    let names: Vec<_> = routes().into_iter().map(|route| route.name).collect();
    for (name, ..) in EXPECTED {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}

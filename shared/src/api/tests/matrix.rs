//! Every route, asked by everybody; a route that is not in the table fails.

use http::Method;
use serde_json::{Value, json};

use super::world::{Answer, Ask, World, ask, configuration};
use crate::api::{Caller, document};

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
    ("triggerSync", 404, 202),
    ("syncMembershipData", 404, 202),
    ("getLastSyncResult", 404, 200),
    ("listRuns", 404, 200),
    ("getRun", 404, 404),
    ("cancelRun", 404, 404),
    ("listQuarantine", 404, 200),
    ("retryQuarantine", 404, 202),
    ("dropQuarantined", 404, 404),
    ("listReviews", 404, 200),
    ("decideReview", 404, 404),
    ("listMembers", 200, 200),
    ("putMembersInBulk", 200, 200),
    ("getMember", 404, 404),
    ("putMember", 201, 201),
    ("deleteMember", 404, 404),
    ("listMemberships", 200, 200),
    ("getMembership", 404, 404),
    ("putMembership", 400, 400),
    ("deleteMembership", 404, 404),
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
            .replace("{integrationType}", "dynamics365");
        let path = path
            .replace("{runId}", "01900000-0000-7000-8000-000000000000")
            .replace("{recordId}", "100234");
        let path = path
            .replace("{kind}", "member")
            .replace("{reviewId}", "conflict.member.100234");
        let ask = ask(self.method.clone(), &path);
        match (self.name.as_str(), body(&self.name)) {
            ("putMembersInBulk", body) => ask
                .header("content-type", "application/x-ndjson")
                .body(body.to_string()),
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
        self.path.contains("{organizationId}")
    }
}

fn body(name: &str) -> Value {
    match name {
        "putIntegration" => configuration(),
        "decideReview" => json!({ "decision": "approve" }),
        "putMember" => json!({ "lastName": "Ek" }),
        "putMembership" => json!({ "memberId": "nobody" }),
        "putMembersInBulk" => json!({ "id": "1", "lastName": "Ek" }),
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
    if answer.status.is_client_error() || answer.status.is_server_error() {
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

#[tokio::test]
async fn nobody_gets_anything_without_a_caller() {
    for route in routes() {
        let world = World::connected().await;
        let answer = world.answer(route.ask().by(None)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, "unauthenticated"),
            "{}",
            route.name
        );
        is_proper(&route, &answer);
    }
}

#[tokio::test]
async fn a_caller_of_another_organization_learns_nothing_of_this_one() {
    let context = json!({ "caller": "x", "organizations": "other" });
    let other = Caller::from_context(context.as_object().unwrap());
    for route in routes().into_iter().filter(Route::has_organization) {
        for world in [World::new(), World::connected().await] {
            for ask in [route.ask(), route.ask().key("k")] {
                let answer = world.answer(ask.by(other.clone())).await;
                let told = (answer.status.as_u16(), answer.code());
                assert_eq!(told, (404, "unknown_organization".to_owned()), "{}", route.name);
            }
        }
    }
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

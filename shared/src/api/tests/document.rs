//! The document is what the routes say.

use super::world::World;
use crate::api::{OPENAPI_JSON, document};
use crate::config::{Environment, ProcessEnvironment};

fn generated() -> String {
    let mut text = document(World::new().routes()).to_pretty_json().unwrap();
    text.push('\n');
    text
}

#[test]
fn the_document_in_the_repository_is_the_one_that_the_routes_make() {
    if ProcessEnvironment.variable("WRITE_OPENAPI").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        std::fs::write(path, generated()).unwrap();
    } else {
        assert_eq!(OPENAPI_JSON, generated(), "write it anew with WRITE_OPENAPI=1");
    }
}

#[test]
fn every_operation_has_its_own_name_and_says_what_it_does() {
    let document = serde_json::to_value(document(World::new().routes())).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.')),
                "{name}"
            );
            assert!(names.insert(name.clone()), "{name} is there twice");
        }
    }
    for name in [
        "triggerSync",
        "getIntegrationStatus",
        "syncMembershipData",
        "syncCourseEnrollments",
        "getLastSyncResult",
    ] {
        assert!(names.contains(name), "{name}");
    }
}

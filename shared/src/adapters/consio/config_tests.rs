use secrecy::SecretString;
use serde_json::{Value, json};

use super::config::Settings;
use super::credentials::{Credentials, Shown};
use super::profile::{Auth, Issued, Profile, Style, Told, Version};
use crate::http::Exceptions;
use crate::model::{Group, Kind, System};

pub(super) fn settings() -> Value {
    serde_json::from_str(include_str!("../../../examples/profiles/page.json")).unwrap()
}

pub(super) fn read(settings: &Value) -> Profile {
    match Settings::read(settings, System::Consio, &[], &Exceptions::none()).unwrap() {
        Settings::Rest(profile) => *profile,
        Settings::Csv(_) => panic!("it is a profile"),
    }
}

fn faults(settings: &Value) -> Vec<String> {
    let faults = Settings::read(settings, System::Consio, &[], &Exceptions::none()).unwrap_err();
    faults.into_iter().map(|fault| fault.field).collect()
}

fn with(place: &str, value: Value) -> Value {
    let mut settings = settings();
    let (parent, name) = place.rsplit_once('/').unwrap();
    settings.pointer_mut(parent).unwrap()[name] = value;
    settings
}

fn without(place: &str) -> Value {
    let mut settings = settings();
    let (parent, name) = place.rsplit_once('/').unwrap();
    settings
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(name);
    settings
}

const MEMBERS: &str = "/resources/members";

#[test]
fn what_is_left_out_is_the_usual() {
    let profile = read(&settings());
    let members = profile.resource(Kind::Member).unwrap();
    assert_eq!(members.read.method, http::Method::GET);
    assert_eq!(members.read.changes.as_ref().unwrap().overlap.as_secs(), 900);
    assert!(!members.read.row.absent_is_empty);
    let bare = read(&without("/resources/members/read/version"));
    assert_eq!(
        bare.resource(Kind::Member).unwrap().read.row.version,
        Version::None
    );
    let bare = read(&without("/resources/members/write/create/row"));
    let write = bare.resource(Kind::Member).unwrap().write.clone().unwrap();
    assert_eq!(write.create.unwrap().told, Told::Nowhere);
}

#[test]
fn every_fault_of_a_profile_is_told_at_once_where_it_stands() {
    let settings = json!({
        "mode": "rest", "baseUrl": "http://x.example", "colour": "red",
        "auth": { "kind": "apiKey", "header": "a b", "scope": "x" },
        "headers": { "authorization": "x", "x-a": 1 },
        "answers": { "rules": [{ "means": "maybe" }, { "status": "409", "means": "conflict" }], "code": "code" },
        "resources": {
            "cats": {},
            "members": {
                "read": {
                    "path": "/a/../b", "query": { "q": "{id}", "a": 1 }, "list": "data", "deleted": {},
                    "paging": { "style": "page", "size": 0 }, "changes": { "format": "epoch" },
                },
                "get": { "path": "/members" },
                "lookup": { "path": "/members/{id}" },
                "fields": {
                    "firstName": 1, "shoeSize": "/x", "gender": { "pointer": "/s", "values": { "x": "y" } },
                    "birthDate": { "pointer": "/b", "format": "ddMMyy" },
                },
                "write": {
                    "create": { "method": "GET", "path": "/members", "row": "", "id": "/id" },
                    "update": { "method": "PATCH", "path": "/members", "ifMatch": "version" },
                    "remove": { "method": "DELETE", "path": "members/{id}" },
                },
            },
        },
    });
    let found = faults(&settings);
    for path in [
        "settings.baseUrl",
        "settings.colour",
        "settings.auth.header",
        "settings.auth.scope",
        "settings.headers.authorization",
        "settings.headers.x-a",
        "settings.answers.rules[0].means",
        "settings.answers.rules[0].status",
        "settings.answers.rules[1].status",
        "settings.answers.code",
        "settings.resources.cats",
        "settings.resources.members.read.path",
        "settings.resources.members.read.query.q",
        "settings.resources.members.read.query.a",
        "settings.resources.members.read.list",
        "settings.resources.members.read.id",
        "settings.resources.members.read.deleted.pointer",
        "settings.resources.members.read.paging.parameter",
        "settings.resources.members.read.paging.size",
        "settings.resources.members.read.changes.parameter",
        "settings.resources.members.read.changes.format",
        "settings.resources.members.get.path",
        "settings.resources.members.lookup.path",
        "settings.resources.members.fields.firstName",
        "settings.resources.members.fields.shoeSize",
        "settings.resources.members.fields.lastName",
        "settings.resources.members.fields.gender.values.x",
        "settings.resources.members.fields.birthDate.format",
        "settings.resources.members.write.create.method",
        "settings.resources.members.write.create.key",
        "settings.resources.members.write.create.id",
        "settings.resources.members.write.update.path",
        "settings.resources.members.write.update.ifMatch",
        "settings.resources.members.write.remove.path",
    ] {
        assert!(
            found.iter().any(|one| one == path),
            "{path} is not among {found:#?}"
        );
    }
}

#[test]
fn each_part_is_held_against_the_others() {
    for (settings, path) in [
        (without("/resources/members/lookup"), "lookup"),
        (without("/resources/members/read/key"), "read.key"),
        (
            with("/resources/members/fields/email", json!("/number")),
            "fields.email",
        ),
        (
            with("/resources/members/fields/email", json!("/name/first")),
            "fields.firstName",
        ),
        (
            with("/resources/members/fields/email", json!("/name")),
            "fields.firstName",
        ),
        (
            with("/resources/members/fields/email", json!("/emails/0")),
            "fields.email",
        ),
        (with("/resources/members/read/body", json!({})), "read.body"),
        (
            with("/resources/members/read/paging/next", json!("/x")),
            "read.paging.next",
        ),
        (with("/resources/members/get/list", json!("/data")), ""),
        (
            with("/resources/members/lookup/row", json!("/data")),
            "lookup.row",
        ),
        (
            with(
                "/resources/members/fields/city",
                json!({ "pointer": "/c", "format": "yyyyMMdd" }),
            ),
            "fields.city.format",
        ),
        (
            with(
                "/resources/members/fields/doNotEmail",
                json!({ "pointer": "/n", "values": { "true": 1 } }),
            ),
            "fields.doNotEmail.values.true",
        ),
    ] {
        if path.is_empty() {
            read(&settings);
            continue;
        }
        let expected = format!("settings{}.{path}", MEMBERS.replace('/', "."));
        let found = faults(&settings);
        assert!(found.contains(&expected), "{expected} is not among {found:?}");
    }
}

#[test]
fn memberships_alone_belong_to_nobody() {
    assert_eq!(
        faults(&without("/resources/members")),
        ["settings.resources.members"]
    );
}

#[test]
fn groups_of_another_application_are_left_out() {
    let read = Settings::read(
        &settings(),
        System::Consio,
        &[Group::Contact, Group::Status],
        &Exceptions::none(),
    );
    let Settings::Rest(profile) = read.unwrap() else {
        panic!("it is a profile")
    };
    let members = profile.resource(Kind::Member).unwrap();
    let names: Vec<&str> = members.fields.iter().map(|map| map.field.name).collect();
    assert!(
        names.contains(&"lastName") && !names.contains(&"email") && !names.contains(&"active"),
        "{names:?}"
    );
}

#[test]
fn an_issuer_may_have_a_path_and_a_token_url_as_well_but_no_query() {
    let auth = |auth: Value| with("/auth", auth);
    let issuer = json!({ "kind": "oidc", "issuer": "https://login.example/OpenIdserver", "scope": "x" });
    let Auth::Oidc { issued, .. } = read(&auth(issuer)).auth else {
        panic!("it is OIDC")
    };
    assert_eq!(
        issued,
        Issued::By("https://login.example/OpenIdserver".parse().unwrap())
    );
    for bad in [
        json!({ "kind": "oidc", "scope": "x" }),
        json!({ "kind": "oidc", "tokenUrl": "https://a.example/t", "issuer": "https://a.example", "scope": "x" }),
        json!({ "kind": "oidc", "tokenUrl": "https://a.example/t?x=1", "scope": "x" }),
        json!({ "kind": "oidc", "tokenUrl": "https://u:p@a.example/t", "scope": "x" }),
        json!({ "kind": "oidc", "tokenUrl": "http://a.example/t", "scope": "x" }),
        json!({ "kind": "oidc", "tokenUrl": "https://10.0.0.1/t", "scope": "x" }),
        json!({ "kind": "oidc", "issuer": "not a url", "scope": "x" }),
    ] {
        let found = faults(&auth(bad.clone()));
        assert!(
            found.iter().all(|path| path.starts_with("settings.auth.")),
            "{bad}: {found:?}"
        );
    }
    assert_eq!(
        faults(&auth(json!({ "kind": "oidc", "issuer": "https://a.example" }))),
        ["settings.auth.scope"]
    );
    assert_eq!(faults(&auth(json!({ "kind": "magic" }))), ["settings.auth.kind"]);
    assert_eq!(faults(&without("/auth")), ["settings.auth"]);
}

#[test]
fn every_style_of_paging_is_read() {
    for (paging, expected) in [
        (json!({ "style": "none" }), Style::None),
        (json!({ "style": "link" }), Style::Link),
        (
            json!({ "style": "offset", "parameter": "o" }),
            Style::Offset {
                parameter: "o".to_owned(),
            },
        ),
        (
            json!({ "style": "page", "parameter": "p", "first": 0 }),
            Style::Page {
                parameter: "p".to_owned(),
                first: 0,
            },
        ),
    ] {
        let profile = read(&with("/resources/members/read/paging", paging));
        assert_eq!(
            profile.resource(Kind::Member).unwrap().read.paging.style,
            expected
        );
    }
    for bad in [
        json!({}),
        json!({ "style": "cursor" }),
        json!({ "style": "page", "parameter": "p", "first": 2 }),
        json!("none"),
    ] {
        assert!(!faults(&with("/resources/members/read/paging", bad)).is_empty());
    }
}

#[test]
fn without_a_profile_records_travel_as_files_and_a_forgotten_mode_is_named() {
    for settings in [json!({}), json!({ "mode": "csv" }), json!({ "mode": null })] {
        let read = Settings::read(&settings, System::Consio, &[], &Exceptions::none()).unwrap();
        assert!(matches!(read, Settings::Csv(_)));
    }
    let found = faults(&without("/mode"));
    assert!(found.contains(&"settings.resources".to_owned()), "{found:?}");
}

#[test]
fn files_have_the_columns_that_are_named_and_every_fault_is_told() {
    let read = |files: Value| {
        let settings = json!({ "files": files });
        Settings::read(&settings, System::Consio, &[Group::Contact], &Exceptions::none())
    };
    let Settings::Csv(files) = read(json!({
        "kinds": ["members", "memberships"], "audience": "machine", "fields": { "members": ["lastName", "email", "city"] },
    }))
    .unwrap() else {
        panic!("there is no profile")
    };
    let bits = |names: &[&str]| {
        names
            .iter()
            .fold(0, |bits, name| bits | 1 << Kind::Member.position(name).unwrap())
    };
    assert_eq!(files.kinds.len(), 2);
    assert_eq!(
        files.kinds[0].mapped,
        bits(&["lastName", "city"]),
        "the group of email is excluded"
    );
    let faults = read(json!({
        "kinds": ["memberships"], "audience": "everybody", "fields": { "invoices": [], "members": ["email"] }, "x": 1,
    }))
    .unwrap_err();
    let places: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    for place in ["kinds", "audience", "fields.invoices", "x"] {
        assert!(
            places.contains(&&*format!("settings.files.{place}")),
            "{place}: {places:?}"
        );
    }
    let faults =
        read(json!({ "fields": { "members": ["email"], "memberships": ["shoeSize"] } })).unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
}

#[test]
fn credentials_are_of_one_kind_and_a_fault_does_not_repeat_them() {
    let read = |text: &str| Credentials::read(&SecretString::from(text.to_owned()));
    let shown = |text| read(text).unwrap().shown;
    assert!(matches!(shown("{}"), Shown::Nothing));
    assert!(matches!(shown(r#"{"apiKey":"k"}"#), Shown::ApiKey(_)));
    assert!(matches!(shown(r#"{"token":"k"}"#), Shown::Token(_)));
    assert!(matches!(
        shown(r#"{"userName":"å","password":"p å"}"#),
        Shown::Login { .. }
    ));
    assert!(matches!(
        shown(r#"{"clientId":"k","clientSecret":"s"}"#),
        Shown::Client { .. }
    ));
    let dated = read(r#"{"apiKey":"k","expiresAt":"2027-01-31"}"#).unwrap();
    assert_eq!(dated.expires_at.unwrap().to_string(), "2027-01-31T00:00:00Z");
    for bad in [
        "canary",
        r#"{"apiKey":"canary","token":"canary"}"#,
        r#"{"apiKey":"can ary"}"#,
        r#"{"userName":"canary"}"#,
        r#"{"userName":"can:ary","password":"canary"}"#,
        r#"{"clientSecret":"canary"}"#,
        r#"{"apiKey":"k","expiresAt":"canary"}"#,
        r#"{"apiKey":"k","colour":"canary"}"#,
    ] {
        let faults = read(bad).unwrap_err();
        assert!(
            faults.iter().all(|fault| fault.field.starts_with("credentials")),
            "{bad}"
        );
        assert!(!format!("{faults:?}").contains("canary"), "{faults:?}");
    }
}

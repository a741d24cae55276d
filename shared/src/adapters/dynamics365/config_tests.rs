use serde_json::{Value, json};

use super::config::{Credentials, Settings};
use super::table::{Holds, OnDelete};
use crate::http::Exceptions;
use crate::model::{Group, Kind};
use crate::oauth::Proof;

pub(super) fn settings() -> Value {
    json!({
        "baseUrl": "https://hlf.crm4.dynamics.com",
        "tenant": "7f8e6c0e-6a0c-4f39-8a0e-0f5c3c1d2b3a",
        "members": {
            "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
            "alternateKey": "hlf_memberno",
        },
        "memberships": {
            "entitySet": "hlf_memberships", "logicalName": "hlf_membership", "primaryKey": "hlf_membershipid",
            "alternateKey": "hlf_number",
            "fields": {
                "memberId": { "lookup": "_hlf_contact_value", "bind": "hlf_Contact", "entitySet": "contacts" },
                "type": "hlf_type", "status": "hlf_status", "from": "hlf_from", "to": "hlf_to",
            },
            "values": { "status": { "Aktiv": "1", "Utmeldt": 2 } },
            "onDelete": "delete",
        },
    })
}

pub(super) fn read(settings: &Value) -> Settings {
    Settings::read(settings, &[], &Exceptions::none()).unwrap()
}

fn faults(settings: &Value) -> Vec<String> {
    let faults = Settings::read(settings, &[], &Exceptions::none()).unwrap_err();
    faults.into_iter().map(|fault| fault.field).collect()
}

#[test]
fn what_is_left_out_is_the_usual() {
    let settings = read(&settings());
    assert_eq!(
        settings.root().as_str(),
        "https://hlf.crm4.dynamics.com/api/data/v9.2/"
    );
    assert_eq!(settings.scope(), "https://hlf.crm4.dynamics.com/.default");
    assert_eq!(
        settings.token_endpoint().as_str(),
        "https://login.microsoftonline.com/7f8e6c0e-6a0c-4f39-8a0e-0f5c3c1d2b3a/oauth2/v2.0/token"
    );
    assert_eq!(settings.page_size, 5000);
    let members = settings.table(Kind::Member).unwrap();
    assert_eq!(members.on_delete, OnDelete::Deactivate);
    assert!(members.tracks_changes);
    assert!(
        members
            .columns
            .iter()
            .any(|column| column.name == "emailaddress1")
    );
}

#[test]
fn words_of_a_choice_are_read_as_numbers() {
    let settings = read(&settings());
    let status = settings
        .table(Kind::Membership)
        .unwrap()
        .columns
        .iter()
        .find(|column| column.field.name == "status");
    let words = vec![("Aktiv".to_owned(), 1), ("Utmeldt".to_owned(), 2)];
    assert_eq!(status.unwrap().holds, Holds::Choice(words));
}

#[test]
fn groups_of_another_application_are_left_out() {
    let excluded = [Group::Contact, Group::Status];
    let settings = Settings::read(&settings(), &excluded, &Exceptions::none()).unwrap();
    let members = settings.table(Kind::Member).unwrap();
    assert!(!members.select().contains("emailaddress1"));
    assert!(
        members.select().contains("statecode"),
        "a row's state is known also where it is not ours"
    );
    assert_eq!(
        members.mapped() >> Kind::Member.position("active").unwrap() & 1,
        0
    );
    assert_eq!(members.mapped() >> Kind::Member.position("email").unwrap() & 1, 0);
}

#[test]
fn every_fault_is_told_at_once_under_its_path() {
    let mut wrong = settings();
    wrong["baseUrl"] = json!("http://hlf.crm4.dynamics.com");
    wrong["tenant"] = json!("a/b");
    wrong["pageSize"] = json!(5001);
    wrong["colour"] = json!("blue");
    wrong["members"]["fields"] =
        json!({ "firstNam": "firstname", "lastName": "name eq 'x'", "active": "statecode" });
    wrong["members"]["onDelete"] = json!("explode");
    wrong["memberships"]["fields"]["memberId"] =
        json!({ "lookup": "hlf_contact", "entitySet": "contacts", "x": 1 });
    wrong["memberships"]["values"]["to"] = json!({});
    let mut faults = faults(&wrong);
    faults.sort();
    assert_eq!(
        faults,
        [
            "settings.baseUrl",
            "settings.colour",
            "settings.members.fields.active",
            "settings.members.fields.firstNam",
            "settings.members.fields.lastName",
            "settings.members.onDelete",
            "settings.memberships.fields.memberId.bind",
            "settings.memberships.fields.memberId.lookup",
            "settings.memberships.fields.memberId.x",
            "settings.memberships.values.to",
            "settings.pageSize",
            "settings.tenant",
        ]
    );
}

#[test]
fn what_is_required_is_asked_for() {
    let mut faults = faults(&json!({ "members": { "fields": {} } }));
    faults.sort();
    assert_eq!(
        faults,
        [
            "settings.baseUrl",
            "settings.members.entitySet",
            "settings.members.fields.lastName",
            "settings.members.logicalName",
            "settings.members.primaryKey",
            "settings.tenant",
        ]
    );
}

#[test]
fn keys_and_columns_of_the_system_are_not_mapped() {
    let mut wrong = settings();
    wrong["members"]["fields"] = json!({
        "firstName": "contactid", "middleName": "hlf_memberno", "lastName": "fullname", "phone": "telephone1",
        "mobilePhone": "telephone1",
    });
    let mut faults = faults(&wrong);
    faults.sort();
    assert_eq!(
        faults,
        [
            "settings.members.fields.firstName",
            "settings.members.fields.lastName",
            "settings.members.fields.middleName",
            "settings.members.fields.phone",
        ]
    );
}

#[test]
fn credentials_name_what_is_missing_and_never_what_is_there() {
    let read = |json: &str| Credentials::read(&json.into());
    assert!(read(r#"{"clientId":"app","clientSecret":"s3cret"}"#).is_ok());
    for wrong in [
        r#"{"clientSecret":"canary"}"#,
        r#"{"clientId":"canary\n","clientSecret":["canary"]}"#,
        "canary",
        "\"canary\"",
    ] {
        let faults = read(wrong).unwrap_err();
        assert!(!format!("{faults:?}").contains("canary"), "{faults:?}");
        assert!(faults[0].field.starts_with("credentials"));
    }
    let shown = format!(
        "{:?}",
        read(r#"{"clientId":"app","clientSecret":"canary"}"#).unwrap()
    );
    assert!(!shown.contains("canary"));
}

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/certificates/", $name, ".pem"))
    };
}

#[test]
fn an_application_proves_itself_with_a_secret_or_with_a_certificate() {
    let read = |json: Value| Credentials::read(&json.to_string().into());
    let secret = read(json!({ "clientId": "app", "clientSecret": "s3cret" })).unwrap();
    assert!(matches!(secret.proof, Proof::Secret(_)));
    assert_eq!(secret.expires_at, None);
    let [certificate, key] = [pem!("march"), pem!("application.key")];
    let signed = json!({ "clientId": "app", "certificate": certificate, "privateKey": key });
    let signed = read(signed).unwrap();
    assert!(matches!(signed.proof, Proof::Certificate(_)));
    assert_eq!(signed.expires_at, "2026-03-02T10:00:00Z".parse().ok());
    assert!(!format!("{signed:?}").contains("PRIVATE"));
    for (wrong, expected) in [
        (json!({}), vec!["clientSecret"]),
        (json!({ "expiresAt": "2027-01-31" }), vec!["clientSecret"]),
        (
            json!({ "clientSecret": "s3cret", "certificate": certificate, "privateKey": key }),
            vec!["clientSecret"],
        ),
        (
            json!({ "clientSecret": "s3cret", "privateKey": key }),
            vec!["clientSecret"],
        ),
        (json!({ "certificate": certificate }), vec!["privateKey"]),
        (json!({ "privateKey": key }), vec!["certificate"]),
        (
            json!({ "certificate": 1, "privateKey": "canary" }),
            vec!["certificate"],
        ),
        (
            json!({ "certificate": "canary", "privateKey": "canary" }),
            vec!["certificate", "privateKey"],
        ),
        (
            json!({ "certificate": certificate, "privateKey": pem!("other.key") }),
            vec!["privateKey"],
        ),
        (
            json!({ "certificate": certificate, "privateKey": key, "expiresAt": "2027-01-31" }),
            vec!["expiresAt"],
        ),
    ] {
        let mut wrong = wrong;
        wrong["clientId"] = json!("app");
        let faults = read(wrong).unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|name| format!("credentials.{name}"))
            .collect();
        assert_eq!(fields, expected);
        assert!(!format!("{faults:?}").contains("canary"));
    }
}

#[test]
fn a_secret_says_when_it_expires_as_a_time_or_as_a_date() {
    let read = |end: Value| {
        let json = json!({ "clientId": "app", "clientSecret": "s3cret", "expiresAt": end });
        Credentials::read(&json.to_string().into())
    };
    for (text, end) in [
        ("2027-01-31T09:30:00Z", "2027-01-31T09:30:00Z"),
        ("2027-01-31T09:30:00.5+01:00", "2027-01-31T08:30:00.5Z"),
        ("2027-01-31", "2027-01-31T00:00:00Z"),
    ] {
        assert_eq!(read(json!(text)).unwrap().expires_at, end.parse().ok());
    }
    assert_eq!(read(Value::Null).unwrap().expires_at, None);
    for wrong in [
        "",
        "canary",
        "2027-02-30",
        "2027-01-31T09:30:00",
        "31.01.2027",
        "20270131",
    ] {
        let faults = read(json!(wrong)).unwrap_err();
        assert_eq!(faults[0].field, "credentials.expiresAt", "{wrong}");
    }
    assert!(read(json!(1_800_000_000)).is_err());
}

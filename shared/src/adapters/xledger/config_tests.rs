use serde_json::{Value, json};

use super::config::{Credentials, Protocol, Settings, check_move};
use crate::http::Exceptions;

fn booking() -> Value {
    json!({
        "entity": "23001", "voucherType": "GL", "counterAccount": "2910", "currencies": ["NOK"],
        "timeZone": "Europe/Oslo", "text": "{expenseType} {reimbursement}",
        "expenseTypes": { "travel": { "account": "7140" } },
    })
}

fn faults(settings: &Value) -> Vec<String> {
    let faults = Settings::read(settings, &Exceptions::none()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_left_out_has_its_default() {
    let settings = json!({ "environment": "demo", "booking": booking() });
    let read = Settings::read(&settings, &Exceptions::none()).unwrap();
    assert_eq!(read.graphql.as_str(), "https://demo.xledger.net/graphql");
    assert_eq!(
        (read.protocol, read.csv, read.automatic),
        (Protocol::Auto, false, false)
    );
    assert_eq!(
        (read.route_holds.as_secs(), read.monthly_requests),
        (24 * 3600, Some(5000))
    );
    assert_eq!(
        (read.ext_identifier_filter.as_str(), read.page_size),
        ("extIdentifier", 1000)
    );
    assert_eq!(read.currency.as_str(), "NOK");
}

#[test]
fn requests_that_cost_nothing_are_not_counted() {
    let settings = json!({ "environment": "live", "monthlyRequests": null, "booking": booking() });
    let read = Settings::read(&settings, &Exceptions::none()).unwrap();
    assert_eq!(read.monthly_requests, None);
}

#[test]
fn every_fault_is_told_at_once_under_its_path() {
    let mut booking = booking();
    booking["currencies"] = json!(["NOK", "EUR"]);
    let wrong = json!({
        "environment": "test", "graphqlUrl": "https://127.0.0.1", "protocol": "rest", "csv": "yes", "automatic": 1,
        "routeHours": 0, "monthlyRequests": 0, "extIdentifierFilter": "a b", "pageSize": 10_001, "booking": booking,
        "surprise": 1,
    });
    let mut paths: Vec<_> = faults(&wrong)
        .iter()
        .filter_map(|fault| fault.split(' ').next().map(str::to_owned))
        .collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "settings.automatic",
            "settings.booking.currencies",
            "settings.csv",
            "settings.environment",
            "settings.extIdentifierFilter",
            "settings.graphqlUrl",
            "settings.monthlyRequests",
            "settings.pageSize",
            "settings.protocol",
            "settings.routeHours",
            "settings.surprise",
        ]
    );
    let nothing = faults(&json!({}));
    assert_eq!(
        nothing,
        [
            "settings.environment is required: live or demo",
            "settings.booking is required"
        ]
    );
}

#[test]
fn only_xledgers_own_addresses_are_called() {
    for address in [
        "https://evil.example",
        "https://www.xledger.net.evil.example",
        "http://www.xledger.net",
    ] {
        let settings = json!({ "graphqlUrl": address, "booking": booking() });
        assert!(
            faults(&settings)[0].starts_with("settings.graphqlUrl"),
            "{address}"
        );
    }
}

#[test]
fn other_books_are_another_integration() {
    let at = |environment: &str, entity: Option<&str>| {
        let mut booking = booking();
        booking["entity"] = json!(entity);
        json!({ "environment": environment, "booking": booking })
    };
    let moved = |before: &Value, after: &Value| {
        let faults = check_move(before, after).err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.field).collect::<Vec<_>>()
    };
    let here = at("live", Some("23001"));
    assert!(moved(&here, &here).is_empty());
    assert_eq!(moved(&here, &at("demo", Some("23001"))), ["settings.environment"]);
    assert_eq!(
        moved(&here, &at("live", Some("23002"))),
        ["settings.booking.entity"]
    );
    assert!(moved(&at("live", None), &here).is_empty());
    let mut named = here.clone();
    named["graphqlUrl"] = json!("https://www.xledger.net");
    assert!(moved(&here, &named).is_empty(), "it is the same place");
    named["graphqlUrl"] = json!("https://demo.xledger.net");
    assert_eq!(moved(&here, &named), ["settings.graphqlUrl"]);
}

#[test]
fn a_fault_of_a_credential_names_it_and_shows_nothing_of_it() {
    let read = |credentials: &Value| Credentials::read(&credentials.to_string().into());
    let good = read(&json!({ "apiToken": "dG9rZW4", "expiresAt": "2027-01-31" })).unwrap();
    assert_eq!(good.expires_at(), Some("2027-01-31T00:00:00Z".parse().unwrap()));
    assert!(!format!("{good:?}").contains("dG9rZW4"));
    for wrong in [
        json!("canary"),
        json!({ "apiToken": "canary canary" }),
        json!({ "canary": "canary" }),
    ] {
        let faults = read(&wrong).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(!faults[0].reason.contains("canary"), "{faults:?}");
    }
}

#[test]
fn the_protocol_says_which_credential_is_needed() {
    let none = Credentials::read(&"{}".into()).unwrap();
    let soap = json!({ "soap": { "user": "webservice", "password": "canary" } });
    let soap = Credentials::read(&soap.to_string().into()).unwrap();
    let missing = |credentials: &Credentials, protocol: &str, csv: bool| {
        let settings =
            json!({ "environment": "live", "protocol": protocol, "csv": csv, "booking": booking() });
        let settings = Settings::read(&settings, &Exceptions::none()).unwrap();
        let faults = credentials.check(&settings).err().unwrap_or_default();
        faults
            .first()
            .map(|fault| fault.field.clone())
            .unwrap_or_default()
    };
    assert_eq!(missing(&none, "graphql", true), "credentials.apiToken");
    assert_eq!(missing(&soap, "graphql", true), "credentials.apiToken");
    assert_eq!(missing(&none, "auto", false), "credentials.apiToken");
    assert_eq!(missing(&none, "soap", true), "credentials.soap");
    for (credentials, protocol, csv) in [
        (&none, "csv", false),
        (&none, "auto", true),
        (&soap, "auto", false),
        (&soap, "soap", false),
    ] {
        assert_eq!(missing(credentials, protocol, csv), "", "{protocol}");
    }
}

#[test]
fn the_services_are_those_of_the_environment_and_never_the_live_ones_unasked() {
    let soap = |settings: Value| {
        let mut settings = settings;
        settings["booking"] = booking();
        Settings::read(&settings, &Exceptions::none()).map(|settings| format!("{:?}", settings.soap))
    };
    assert!(
        soap(json!({ "environment": "live" }))
            .unwrap()
            .contains("ws.xledger.net")
    );
    assert!(
        soap(json!({ "environment": "demo" }))
            .unwrap()
            .contains("wsdemo.xledger.net")
    );
    let demo = "https://demo.xledger.net";
    assert_eq!(soap(json!({ "graphqlUrl": demo })).unwrap(), "None");
    let faults = soap(json!({ "graphqlUrl": demo, "soap": {} })).unwrap_err();
    assert_eq!(faults[0].field, "settings.soap.baseUrl");
    let faults = soap(json!({ "environment": "demo", "soap": 1, "file": { "layout": "x" } })).unwrap_err();
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["settings.soap", "settings.file.layout"]);
    let swedish = json!({ "currency": "SEK" });
    assert!(super::file_profile(&swedish).is_ok());
}

use serde_json::{Value, json};

use super::columns::View;
use super::config::{Credentials, OnDelete, Settings};
use crate::adapters::definition::Definition as _;
use crate::http::Exceptions;
use crate::model::{Group, Kind};

pub(super) fn settings() -> Value {
    json!({
        "baseUrl": "https://hlf.csod.com",
        "course-enrollments": { "statuses": { "registered": [4], "in_progress": 8, "completed": [16, "Fullført"] } },
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
    let settings = read(&json!({ "baseUrl": "https://hlf.csod.com", "course-enrollments": {} }));
    assert_eq!(
        settings.token_endpoint().as_str(),
        "https://hlf.csod.com/services/api/oauth2/token"
    );
    assert_eq!((settings.page_size, settings.scope.as_str()), (10_000, "all"));
    assert_eq!(settings.overlap.as_mins(), 20);
    assert_eq!(settings.on_delete, OnDelete::Withdraw);
    assert_eq!(
        settings.paths.in_progress,
        "/services/api/v1/transcripts/in-progress"
    );
    assert_eq!(settings.columns.mapped.count_ones(), 12);
    assert_eq!(
        settings.columns.select(View::Transcript),
        "transc_user_id,transc_object_id,reg_num,is_latest_reg_num,is_removed,user_lo_last_modified_dt,user_lo_status_id,\
         user_lo_reg_dt,user_lo_start_dt,user_lo_min_due_date,user_lo_comp_dt,user_lo_score,archived"
    );
    assert_eq!(settings.columns.select(View::User), "user_id,user_ref");
    assert_eq!(
        settings.columns.select(View::Training),
        "object_id,lo_title,lo_type"
    );
}

#[test]
fn columns_can_be_set_and_left_out() {
    let mut json = settings();
    json["course-enrollments"]["fields"] =
        json!({ "active": "is_archive", "courseTitle": null, "trainingType": null });
    let settings = read(&json);
    assert!(
        settings
            .columns
            .select(View::Transcript)
            .ends_with("user_lo_score,is_archive")
    );
    assert_eq!(settings.columns.of(View::Training).count(), 0);
    assert_eq!(settings.columns.mapped.count_ones(), 10);
    let other = Settings::read(&json, &[Group::Status], &Exceptions::none()).unwrap();
    let active = Kind::CourseEnrollment.position("active").unwrap();
    assert_eq!(other.columns.mapped >> active & 1, 0);
    assert!(!other.columns.select(View::Transcript).contains("is_archive"));
}

#[test]
fn every_fault_is_told_at_once_by_its_path() {
    let wrong = json!({
        "baseUrl": "https://evil.example", "scope": "all\n", "pageSize": 10_001, "overlapMinutes": 15, "tenant": "x",
        "paths": { "token": "https://evil.example", "views": "/a//b", "assign": "/a?b", "other": "/x" },
        "course-enrollments": {
            "statuses": { "done": 1 }, "trainingTypes": [], "fields": { "score": "a-b", "memberId": "x" },
            "onDelete": "erase", "more": true,
        },
        "webhooks": { "user": "x" },
    });
    let faults = faults(&wrong);
    for path in [
        "baseUrl",
        "scope",
        "pageSize",
        "overlapMinutes",
        "tenant",
        "paths.token",
        "paths.views",
        "paths.assign",
        "paths.other",
        "course-enrollments.statuses.done",
        "course-enrollments.trainingTypes",
        "course-enrollments.fields.score",
        "course-enrollments.fields.memberId",
        "course-enrollments.onDelete",
        "course-enrollments.more",
        "webhooks.user",
    ] {
        let path = format!("settings.{path}");
        assert!(faults.contains(&path), "{path}: {faults:?}");
    }
    assert_eq!(faults.len(), 16, "{faults:?}");
    let missing = Settings::read(&json!({}), &[], &Exceptions::none()).unwrap_err();
    let missing: Vec<&str> = missing.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(missing, ["settings.baseUrl", "settings.course-enrollments"]);
}

#[test]
fn only_a_portal_of_cornerstone_is_accepted() {
    for (url, accepted) in [
        ("https://hlf.csod.com", true),
        ("https://hlf-pilot.csod.com/", true),
        ("http://hlf.csod.com", false),
        ("https://csod.com", false),
        ("https://hlf.csod.com.evil.example", false),
        ("https://hlf.csod.com/services", false),
    ] {
        let mut json = settings();
        json["baseUrl"] = url.into();
        let read = Settings::read(&json, &[], &Exceptions::none());
        assert_eq!(read.is_ok(), accepted, "{url}");
    }
}

#[test]
fn credentials_are_an_id_and_a_secret_and_are_never_repeated() {
    let read = |json: Value| Credentials::read(&json.to_string().into());
    let full = json!({ "clientId": "a", "clientSecret": "b", "expiresAt": "2027-01-31" });
    let expires_at = read(full).unwrap().expires_at.unwrap();
    assert_eq!(expires_at.to_string(), "2027-01-31T00:00:00Z");
    let wrong =
        json!({ "clientId": "", "clientSecret": "canary canary", "corp": "canary", "expiresAt": "soon" });
    let faults = read(wrong).unwrap_err();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    let expected =
        ["clientId", "clientSecret", "expiresAt", "corp"].map(|name| format!("credentials.{name}"));
    assert_eq!(paths, expected);
    assert!(!format!("{faults:?}").contains("canary"));
    assert!(Credentials::read(&"canary".into()).is_err());
}

#[test]
fn the_portal_cannot_be_changed_and_the_kinds_are_those_of_the_settings() {
    let definition = super::Definition;
    let mut moved = settings();
    assert!(definition.check_move(&settings(), &moved).is_ok());
    moved["baseUrl"] = "https://other.csod.com".into();
    let faults = definition.check_move(&settings(), &moved).unwrap_err();
    assert_eq!(faults[0].field, "settings.baseUrl");
    assert_eq!(definition.kinds(&settings()), [Kind::CourseEnrollment]);
    assert_eq!(definition.kinds(&json!({})), []);
    let support = definition.webhook_support();
    assert!(support.reads && support.registers == crate::adapters::Registers::Nothing);
}

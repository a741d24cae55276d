use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::{Merged, Rules};
use crate::adapter::ExternalRecord;
use crate::integration::{ConflictRule, DeleteGuard, Direction, Integration, State};
use crate::model::{Base, Fields, Group, Kind, Link, Origin, Record};

const EARLY: &str = "2026-01-01T00:00:00Z";
const LATE: &str = "2026-01-02T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn fields(first: &str, email: &str) -> Fields {
    let json = json!({ "firstName": first, "lastName": "N", "email": email });
    Fields::from_json(Kind::Member, json.as_object().unwrap()).unwrap()
}

fn integration(rule: ConflictRule, direction: Direction) -> Integration {
    Integration {
        id: "org:dynamics365".parse().unwrap(),
        display_name: String::new(),
        state: State::Active,
        direction,
        conflict_rules: [(Group::Identity, rule)].into(),
        excluded_groups: Vec::new(),
        delete_guard: DeleteGuard::default(),
        settings: serde_json::Value::Null,
        integration_system_id: None,
        mapping_version: 1,
        credentials_expire_at: None,
        created_at: at(EARLY),
        updated_at: at(EARLY),
    }
}

struct Case {
    rule: ConflictRule,
    direction: Direction,
    ours: Fields,
    theirs: Fields,
    agreed: Option<Fields>,
    theirs_at: &'static str,
    echo: bool,
    /// What was put into files since.
    handed: Vec<Fields>,
}

/// Both sides changed the first name since they agreed on "A".
fn conflict(rule: ConflictRule) -> Case {
    let (ours, theirs, agreed) = (fields("P", "e"), fields("X", "e"), Some(fields("A", "e")));
    Case {
        rule,
        direction: Direction::Both,
        ours,
        theirs,
        agreed,
        theirs_at: EARLY,
        echo: false,
        handed: Vec::new(),
    }
}

fn merge(case: &Case) -> Merged {
    let integration = integration(case.rule, case.direction);
    let rules = Rules {
        integration: &integration,
        kind: Kind::Member,
        mapped: u64::MAX,
        now: at(LATE),
    };
    let mut record = Record::new(
        "1".parse().unwrap(),
        case.ours.clone(),
        at(LATE),
        Origin::Platform,
    );
    record.links.insert(integration.id.system, "guid".into());
    let link = case.agreed.as_ref().map(|agreed| Link {
        mapping: 1,
        record: record.id.clone(),
        etag: Some("1".into()),
        base: Base::of(agreed, u64::MAX),
        held: [].into(),
        settled: [].into(),
        active: true,
        hinted_at: None,
        handed: case.handed.iter().map(|said| Base::of(said, u64::MAX)).collect(),
    });
    let external = ExternalRecord {
        told: u64::MAX,
        id: "guid".into(),
        etag: Some("2".into()),
        key: None,
        fields: case.theirs.clone(),
        modified_at: Some(at(case.theirs_at)),
        ours: case.echo,
        active: true,
    };
    rules.merge(&record.id, Some(&record), link.as_ref(), &external)
}

fn taken(merged: &Merged) -> Option<Fields> {
    merged.record.as_ref().map(|record| record.fields.clone())
}

#[test]
fn what_only_the_system_changed_is_taken() {
    let merged = merge(&Case {
        ours: fields("A", "e"),
        ..conflict(ConflictRule::PlatformWins)
    });
    assert_eq!((taken(&merged), merged.send), (Some(fields("X", "e")), false));
}

#[test]
fn what_only_the_platform_changed_is_sent() {
    let merged = merge(&Case {
        theirs: fields("A", "e"),
        ..conflict(ConflictRule::ExternalWins)
    });
    assert_eq!((taken(&merged), merged.send), (None, true));
}

#[test]
fn what_both_changed_is_decided_by_the_rule_of_its_group() {
    let external = merge(&conflict(ConflictRule::ExternalWins));
    assert_eq!((taken(&external), external.send), (Some(fields("X", "e")), false));
    let platform = merge(&conflict(ConflictRule::PlatformWins));
    assert_eq!((taken(&platform), platform.send), (None, true));
    let newest = merge(&conflict(ConflictRule::NewestWins));
    assert_eq!(
        (taken(&newest), newest.send),
        (None, true),
        "the platform changed it later"
    );
    let late = merge(&Case {
        theirs_at: "2026-01-03T00:00:00Z",
        ..conflict(ConflictRule::NewestWins)
    });
    assert_eq!((taken(&late), late.send), (Some(fields("X", "e")), false));
}

#[test]
fn a_conflict_under_review_changes_neither_side() {
    let merged = merge(&conflict(ConflictRule::Review));
    assert_eq!((taken(&merged), merged.send), (None, false));
    assert!(merged.review.is_some_and(|held| held.contains(&Group::Identity)));
    assert!(merged.link.unwrap().held.contains(&Group::Identity));
}

#[test]
fn groups_are_decided_one_by_one() {
    let case = Case {
        ours: fields("P", "e"),
        theirs: fields("A", "new"),
        ..conflict(ConflictRule::ExternalWins)
    };
    let merged = merge(&case);
    assert_eq!((taken(&merged), merged.send), (Some(fields("P", "new")), true));
}

#[test]
fn what_we_wrote_ourselves_is_no_conflict() {
    let merged = merge(&Case {
        echo: true,
        ..conflict(ConflictRule::ExternalWins)
    });
    assert_eq!((taken(&merged), merged.send), (None, true));
}

#[test]
fn an_integration_that_only_pulls_sends_nothing() {
    for rule in [ConflictRule::PlatformWins, ConflictRule::NewestWins] {
        assert!(
            !merge(&Case {
                direction: Direction::Pull,
                ..conflict(rule)
            })
            .send
        );
    }
}

#[test]
fn of_two_records_that_meet_for_the_first_time_the_one_that_says_nothing_has_no_say() {
    let theirs = fields("X", "");
    let merged = merge(&Case {
        agreed: None,
        theirs,
        ..conflict(ConflictRule::ExternalWins)
    });
    assert_eq!((taken(&merged), merged.send), (Some(fields("X", "e")), true));
}

#[test]
fn what_is_equal_is_agreed_and_nothing_is_written_but_the_version() {
    let merged = merge(&Case {
        theirs: fields("P", "e"),
        ..conflict(ConflictRule::Review)
    });
    assert_eq!(
        (
            taken(&merged),
            merged.send,
            merged.review.as_ref().map_or(0, BTreeSet::len)
        ),
        (None, false, 0)
    );
    assert_eq!(merged.link.unwrap().base, Base::of(&fields("P", "e"), u64::MAX));
}

#[test]
fn what_was_put_into_a_file_is_no_change_of_theirs_and_is_known_until_they_tell_it_or_a_later_one() {
    let (first, second) = (fields("X", "e"), fields("P", "e"));
    let handed = |merged: Merged| merged.link.unwrap().handed;
    let merged = merge(&Case {
        handed: vec![first.clone(), second.clone()],
        ..conflict(ConflictRule::ExternalWins)
    });
    assert_eq!((taken(&merged), merged.send), (None, true));
    assert_eq!(handed(merged), [Base::of(&second, u64::MAX)]);
    let from_before = merge(&Case {
        theirs: fields("A", "e"),
        handed: vec![first.clone(), second.clone()],
        ..conflict(ConflictRule::ExternalWins)
    });
    assert_eq!(
        taken(&from_before),
        None,
        "it says what was agreed, and nothing is new"
    );
    assert_eq!(handed(from_before).len(), 2);
    let equal = merge(&Case {
        theirs: second.clone(),
        handed: vec![first, second],
        ..conflict(ConflictRule::ExternalWins)
    });
    assert!(handed(equal).is_empty());
}

#[test]
fn what_they_changed_beside_a_row_of_a_file_is_taken() {
    let merged = merge(&Case {
        ours: fields("X", "e"),
        theirs: fields("X", "f"),
        agreed: Some(fields("A", "e")),
        handed: vec![fields("X", "e")],
        ..conflict(ConflictRule::ExternalWins)
    });
    assert_eq!((taken(&merged), merged.send), (Some(fields("X", "f")), false));
}

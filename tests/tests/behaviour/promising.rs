//! What adapters say of themselves, before anything is sent.

use shared::adapter::{Adapter, Change, ChangeAction, ErrorKind, From, Usage};
use shared::adapters;
use shared::model::{Kind, System};

use crate::subject::{every_case, subject, tried};
use crate::systems::xledger;

/// What can be done with each kind: whether it can be written, and whether changes are told. An adapter that can do less
/// all of a sudden fails by this, and is not passed over by what follows.
const ADMITTED: &[(System, Kind, bool, bool)] = &[
    (System::Dynamics365, Kind::Member, true, true),
    (System::Dynamics365, Kind::Membership, true, true),
    (System::Cornerstone, Kind::CourseEnrollment, true, true),
    (System::Consio, Kind::Member, true, true),
    (System::Consio, Kind::Membership, true, true),
    (System::Rest, Kind::Member, true, false),
    (System::Rest, Kind::CourseEnrollment, false, false),
];

#[tokio::test]
async fn every_kind_that_an_adapter_admits_is_tried_and_no_other() {
    let tried: Vec<_> = every_case()
        .await
        .iter()
        .map(|case| (case.system, case.kind, case.can.pushes, case.can.tracks_changes))
        .collect();
    assert_eq!(tried, ADMITTED);
}

#[tokio::test]
async fn what_can_be_done_is_what_the_settings_name_and_nobody_is_asked() {
    for case in every_case().await {
        let (adapter, settings) = (case.subject.adapter(), case.subject.integration().settings);
        let capability = adapter.capability();
        let kinds: Vec<Kind> = capability.kinds.iter().map(|can| can.kind).collect();
        assert_eq!(kinds, adapters::kinds(case.system, &settings), "{}", case.name());
        assert_eq!(adapter.system(), case.system);
        assert!(case.can.maps(case.kind.position(tried(case.kind).0).unwrap()));
        assert!(capability.push_batch > 0 && capability.find_batch > 0);
        adapter.usable().unwrap();
        assert_eq!(adapter.take_usage(), Usage::default());
        assert_eq!(case.requests(), 0, "{}", case.name());
    }
}

/// Insists that records of a kind can be neither read nor written.
async fn carries_nothing(adapter: &dyn Adapter, kind: Kind) {
    let pulled = adapter.pull(kind, &From::Start).await.map(drop);
    let change = Change {
        key: "1".parse().unwrap(),
        target: None,
        action: ChangeAction::Remove,
    };
    let pushed = adapter.push(kind, &[change]).await.map(drop);
    let found = adapter.find(kind, &["1".into()]).await.map(drop);
    for end in [pulled, pushed, found] {
        let error = end.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Unsupported,
            "{} {kind}",
            adapter.system()
        );
    }
}

#[tokio::test]
async fn what_is_not_carried_is_unsupported_and_nobody_is_asked() {
    for system in System::ALL {
        let Some(subject) = subject(*system).await else {
            continue;
        };
        let adapter = subject.adapter();
        let capability = adapter.capability();
        let others = Kind::ALL.iter().filter(|kind| capability.of(**kind).is_none());
        for kind in others {
            carries_nothing(&*adapter, *kind).await;
        }
        assert_eq!(subject.simulation().counters().requests, 0, "{system}");
    }
}

#[tokio::test]
async fn a_system_that_keeps_books_says_that_it_carries_no_records() {
    for system in System::ALL {
        let keeps_books = subject(*system).await.is_none();
        assert_eq!(
            keeps_books,
            system.keeps_books(),
            "{system} is tried or keeps books"
        );
    }
    let world = xledger::begin().await;
    let adapter = world.adapter();
    assert_eq!(
        (adapter.system(), adapter.capability().kinds),
        (System::Xledger, Vec::new())
    );
    assert_eq!(adapters::kinds(System::Xledger, &world.settings), []);
    for kind in Kind::ALL {
        carries_nothing(&*adapter, *kind).await;
    }
    assert_eq!(world.requests(), 0);
}

//! Where something stands in the way, it is said, and nothing is left half done for good.

use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use shared::adapter::{ErrorKind, Subscription};
use tests::dataverse::Privilege;
use tests::dataverse::faults::{Fault, FaultRule};

use super::{NAME, endpoints, steps, subscribe, wanted};
use crate::world::World;

#[tokio::test]
async fn whatever_broke_off_the_next_call_goes_on() {
    for (path, before) in [
        ("/serviceendpoints?", 0),
        ("/sdkmessageprocessingsteps?", 0),
        ("/sdkmessageprocessingsteps?", 4),
    ] {
        for fault in [Fault::ResetBefore, Fault::ResetAfter] {
            let world = World::new(0).await;
            let rule = FaultRule::once(fault).on(&Method::POST).at(path).after(before);
            world.inject(rule);
            let error = world.adapter().subscribe(&wanted()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unknown);
            subscribe(&world).await;
            assert_eq!((endpoints(&world).len(), steps(&world).len()), (1, 6));
            assert!(subscribe(&world).await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_removal_that_broke_off_is_ended_by_the_next_call() {
    for (path, before) in [("/serviceendpoints(", 0), ("/sdkmessageprocessingsteps(", 3)] {
        let world = World::new(0).await;
        subscribe(&world).await;
        let rule = FaultRule::once(Fault::ResetAfter).on(&Method::DELETE).at(path);
        world.inject(rule.after(before));
        let error = world.adapter().unsubscribe(NAME).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unknown);
        world.adapter().unsubscribe(NAME).await.unwrap();
        assert_eq!((endpoints(&world).len(), steps(&world).len()), (0, 0));
    }
}

#[tokio::test]
async fn without_the_privilege_it_says_which_one() {
    for (table, privilege, named) in [
        ("serviceendpoint", Privilege::Read, "prvReadServiceEndpoint"),
        ("serviceendpoint", Privilege::Create, "prvCreateServiceEndpoint"),
        ("sdkmessage", Privilege::Read, "prvReadSdkMessage"),
        (
            "sdkmessageprocessingstep",
            Privilege::Create,
            "prvCreateSdkMessageProcessingStep",
        ),
    ] {
        let world = World::new(0).await;
        world.simulation.revoke_privilege(table, privilege);
        let error = world.adapter().subscribe(&wanted()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(error.fact("privilege"), Some(named));
        world.simulation.grant_privilege(table, privilege);
        subscribe(&world).await;
        assert_eq!((endpoints(&world).len(), steps(&world).len()), (1, 6));
    }
}

#[tokio::test]
async fn a_table_that_the_system_tells_nobody_of_is_named() {
    let mut world = World::new(0).await;
    world.settings["members"]["logicalName"] = json!("hlf_nobody");
    let error = world.adapter().subscribe(&wanted()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("table")),
        (ErrorKind::NotFound, Some("hlf_nobody"))
    );
    assert!(
        endpoints(&world).is_empty(),
        "nothing is written before all is read"
    );
}

#[tokio::test]
async fn what_cannot_be_registered_is_said_before_anything_is_sent() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    for change in [
        |wanted: &mut Subscription| wanted.name = "it's".to_owned(),
        |wanted: &mut Subscription| wanted.name = String::new(),
        |wanted: &mut Subscription| wanted.header = Some("a b".to_owned()),
        |wanted: &mut Subscription| wanted.secret = "canary\ncanary".into(),
    ] {
        let mut wanted = wanted();
        change(&mut wanted);
        let error = adapter.subscribe(&wanted).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(!format!("{error:?}").contains("canary"));
    }
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn a_call_that_is_cut_off_may_have_been_done_and_one_that_never_began_was_not() {
    let mut world = World::new(0).await;
    let rule = FaultRule::once(Fault::Stall).on(&Method::POST);
    world.inject(rule.at("/sdkmessageprocessingsteps"));
    world.time_limit = SignedDuration::from_secs(2);
    let error = world.adapter().subscribe(&wanted()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown);
    world.time_limit = SignedDuration::ZERO;
    let error = world.adapter().unsubscribe(NAME).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(endpoints(&world).len(), 1);
}

//! Nothing secret and nothing personal is told to anyone who is not meant to know it.

use serde_json::json;
use shared::adapter::From;
use tests::cornerstone::Status;
use tests::cornerstone::faults::Misbehaviour;
use tests::dataverse::faults::{Fault, FaultRule};

use crate::captured::{Captured, holds_none};
use crate::world::{KIND, VIEW, World, find_one, misbehaves, name, push_one, write};

/// Does what an adapter does, and what it does when things go wrong; returns everything that came of it.
async fn everything(world: &World) -> String {
    let course = world.course();
    world.portal().add_user("canary-1", "canary", "canary");
    world.portal().add_user("canary-2", "canary", "canary");
    world.portal().enrol("canary-1", course.id, Status::Registered);
    world.portal().change_registration("canary-1", course.id, |one| {
        one.comment = Some("canary".to_owned())
    });
    world.settle();
    let adapter = world.adapter();
    let mut told = vec![format!("{adapter:?}")];
    for change in [
        write("canary-2", course.id, None, &json!({ "status": "registered" })),
        write("canary-2", course.id, None, &json!({ "status": "no_show" })),
        write("canary-3", course.id, None, &json!({ "courseTitle": "canary" })),
    ] {
        // The id of a row is no secret among those who keep it; an error only names it as such.
        let error = push_one(&*adapter, change).await.err();
        told.push(format!("{:?}", error.map(|error| error.kind())));
    }
    let message = "canary is not found".to_owned();
    for fault in [
        Fault::Html,
        Fault::TruncatedJson,
        Fault::ResetAfter,
        misbehaves(Misbehaviour::Unauthorized),
        misbehaves(Misbehaviour::ErrorInEnvelope { message }),
        Fault::RetypeColumn {
            name: "user_lo_reg_dt".to_owned(),
        },
    ] {
        for path in [VIEW, "details"] {
            world.inject(FaultRule::always(fault.clone()).at(path));
        }
        told.push(format!(
            "{:?}",
            adapter.pull(KIND, &From::Start).await.map(|_| ())
        ));
        let found = adapter.find(KIND, &[name("canary-1", course.id).into()]).await;
        told.push(format!("{:?}", found.map(|_| ())));
        world.simulation.clear_faults();
    }
    let _found = find_one(&*adapter, &name("canary-1", course.id)).await;
    told.push(format!("{:?} {adapter:?}", adapter.probe().await));
    told.join("\n")
}

#[tokio::test]
async fn nothing_secret_is_logged_or_shown() {
    let captured = Captured::begin();
    let world = World::new().await;
    let shown = everything(&world).await;
    let logged = captured.text();
    assert!(logged.contains("call failed"), "the log was captured");
    let secret = world.simulation.learner().client_secret.clone();
    let secrets = [secret.as_str(), "edge_", "Bearer ", "canary"];
    for (place, text) in [("shown", shown), ("logged", logged)] {
        holds_none(place, &text, &secrets);
    }
}

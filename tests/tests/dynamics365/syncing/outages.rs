//! A system, or a credential, that cannot be reached.

use super::*;

#[tokio::test]
async fn a_run_whose_credentials_cannot_be_read_waits_wherever_it_is() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    pair.put(Kind::Member, "900001", json!({ "lastName": "Ny" }))
        .await;
    // The first slice comes as far as the sending; the next ones have no credentials.
    let down = Fault::Status {
        status: 503,
        body: None,
        retry_after: None,
    };
    pair.world.inject(FaultRule::once(down).at("$batch"));
    pair.world.simulation.advance(SignedDuration::from_mins(1));
    let run = pair.begin().await;
    assert_eq!(run.state, RunState::Waiting);
    pair.world.unreadable.store(3, Ordering::SeqCst);
    let run = pair.finish(&run).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert_eq!(totals(&run, Kind::Member).pushed_created, 1);
}

#[tokio::test]
async fn a_system_that_wants_to_be_left_alone_is_left_alone_by_the_next_run_too() {
    let pair = Pair::new(3).await;
    let limited = Fault::TooManyRequests {
        limit: Limit::Requests,
        retry_after: Some("1800".to_owned()),
    };
    pair.world
        .inject(FaultRule::once(limited).at("/api/data/v9.2/contacts"));
    let first = pair.begin().await;
    assert_eq!(first.state, RunState::Waiting);
    stop(&pair.worker.ports, &pair.id(), &first.id).await.unwrap();
    pair.deliver().await;
    let asked = pair.world.requests();
    let second = pair.begin().await;
    assert_eq!(
        (second.state, second.resume_at),
        (RunState::Waiting, first.resume_at)
    );
    assert_eq!(pair.world.requests(), asked);
    assert_eq!(pair.finish(&second).await.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_delta_link_that_expires_between_two_pages_has_everything_read_anew() {
    let mut world = World::new(40).await;
    world.settings["pageSize"] = json!(10);
    let pair = Pair::with(world, |_| {}).await;
    let expired = json!({ "error": { "code": "0x80044352", "message": "Version stamp has expired." } });
    let fault = FaultRule::once(Fault::Status {
        status: 400,
        body: Some(expired),
        retry_after: None,
    });
    pair.world.inject(fault.at("/api/data/v9.2/contacts").after(2));
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert_eq!(pair.members().await.len(), 40);
}

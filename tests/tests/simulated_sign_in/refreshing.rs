//! Refresh tokens, each good once.

use futures::future::join_all;
use jiff::SignedDuration;
use tests::sign_in::{Revocation, digest};

use crate::app::App;

const REVOKED: u64 = 50_173;

#[tokio::test]
async fn every_use_gives_a_new_refresh_token() {
    let app = App::new().await;
    let mut refresh = app.signed_in().await.refresh();
    for uses in 1..=3 {
        let reply = app.renew(&refresh).await;
        assert_eq!(app.shown(&reply.access()).await, 200);
        assert_ne!(reply.refresh(), refresh);
        refresh = reply.refresh();
        let family = &app.simulation.entra().families()[0];
        assert_eq!((family.refreshes, &family.newest), (uses, &digest(&refresh)));
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_used_again_ends_its_family() {
    let app = App::new().await;
    let first = app.signed_in().await;
    let second = app.renew(&first.refresh()).await;
    let again = app.renew(&first.refresh()).await;
    assert_eq!(again.refusal(), (400, "invalid_grant".to_owned(), REVOKED));
    assert_eq!(app.renew(&second.refresh()).await.refusal().2, REVOKED);
    for access in [first.access(), second.access()] {
        assert_eq!(app.shown(&access).await, 401, "access tokens end with the family");
    }
    let families = app.simulation.entra().families();
    assert_eq!(families[0].revoked, Some(Revocation::Reuse));
}

#[tokio::test]
async fn of_many_who_use_a_refresh_token_at_once_one_gets_an_answer() {
    let app = App::new().await;
    let refresh = app.signed_in().await.refresh();
    let replies = join_all((0..10).map(|_| app.renew(&refresh))).await;
    let given = replies.iter().filter(|reply| reply.status == 200);
    assert_eq!(given.count(), 1);
    let family = &app.simulation.entra().families()[0];
    assert_eq!((family.refreshes, family.revoked), (1, Some(Revocation::Reuse)));
}

#[tokio::test]
async fn families_do_not_end_each_other() {
    let app = App::new().await;
    let (first, second) = (app.signed_in().await, app.signed_in().await);
    app.renew(&first.refresh()).await;
    app.renew(&first.refresh()).await;
    assert_eq!(app.shown(&second.access()).await, 200);
    assert_eq!(app.renew(&second.refresh()).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_ends_when_it_lies_unused() {
    let app = App::new().await;
    app.simulation
        .entra()
        .change(|settings| settings.idle_seconds = 3600);
    let mut refresh = app.signed_in().await.refresh();
    for _ in 0..3 {
        app.simulation.advance(SignedDuration::from_secs(3500));
        refresh = app.renew(&refresh).await.refresh();
    }
    app.simulation.advance(SignedDuration::from_secs(3600));
    assert_eq!(
        app.renew(&refresh).await.refusal(),
        (400, "invalid_grant".to_owned(), 700_082)
    );
    assert_eq!(app.simulation.entra().families()[0].revoked, None);
}

#[tokio::test]
async fn a_refresh_token_is_of_the_client_that_it_was_given_to() {
    let app = App::new().await;
    let refresh = app.signed_in().await.refresh();
    let stranger = app.simulation.stranger();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
        ("client_id", &stranger.client_id),
        ("client_secret", &stranger.client_secret),
    ];
    assert_eq!(
        app.ask(&fields).await.refusal(),
        (400, "invalid_grant".to_owned(), 700_007)
    );
    assert_eq!(app.renew(&refresh).await.status, 200, "it is not used up");
}

#[tokio::test]
async fn a_refusal_that_is_not_of_the_token_does_not_use_it_up() {
    let app = App::new().await;
    let refresh = app.signed_in().await.refresh();
    let scope = format!("{}/everything", app.simulation.base_url());
    for (changed, value, number) in [
        ("client_secret", "wrong", 7_000_215),
        ("client_secret", "", 7_000_218),
        ("scope", &scope, 65_001),
    ] {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &refresh),
            (changed, value),
        ];
        assert_eq!(app.ask(&fields).await.refusal().2, number);
    }
    let scope = app.user_scope();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
        ("scope", &scope),
    ];
    assert_eq!(app.ask(&fields).await.status, 200);
}

#[tokio::test]
async fn what_nobody_gave_is_malformed() {
    let app = App::new().await;
    assert_eq!(
        app.renew("1.AAAA").await.refusal(),
        (400, "invalid_grant".to_owned(), 9_002_313)
    );
    assert_eq!(app.renew("").await.refusal().2, 900_144);
}

#[tokio::test]
async fn an_operator_takes_back_all_that_users_allowed_a_client() {
    let app = App::new().await;
    let (first, second, code) = (app.signed_in().await, app.signed_in().await, app.code().await);
    let own = app.for_itself(&[]).await;
    app.simulation.entra().revoke_consent(&app.client_id);
    for given in [first, second] {
        assert_eq!(app.shown(&given.access()).await, 401);
        assert_eq!(app.renew(&given.refresh()).await.refusal().2, REVOKED);
    }
    assert_eq!(app.redeem(&code, &[]).await.refusal().2, 9_002_313);
    assert_eq!(app.shown(&own.access()).await, 200, "its own name is its own");
    let families = app.simulation.entra().families();
    assert!(
        families
            .iter()
            .all(|family| family.revoked == Some(Revocation::Operator))
    );
    assert_eq!(app.signed_in().await.status, 200, "the user may allow it again");
}

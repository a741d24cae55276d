//! Servers that go about refresh tokens in other ways.

use jiff::SignedDuration;
use tests::sign_in::{Revocation, Rotation};

use crate::app::App;

async fn under(rotation: Rotation) -> App {
    let app = App::new().await;
    app.simulation
        .entra()
        .change(|settings| settings.rotation = rotation);
    app
}

#[tokio::test]
async fn under_grace_a_used_refresh_token_is_good_for_a_while() {
    let app = under(Rotation::Grace { seconds: 30 }).await;
    let first = app.signed_in().await.refresh();
    let second = app.renew(&first).await.refresh();
    app.simulation.advance(SignedDuration::from_secs(29));
    let again = app.renew(&first).await;
    assert_eq!(again.status, 200, "as after an answer that was lost");
    let third = again.refresh();
    assert!(third != second && third != first);
    app.simulation.advance(SignedDuration::from_secs(1));
    assert_eq!(
        app.renew(&first).await.refusal().2,
        50_173,
        "the while runs from the first use"
    );
    assert_eq!(app.renew(&third).await.refusal().2, 50_173);
    let families = app.simulation.entra().families();
    assert_eq!(families[0].revoked, Some(Revocation::Reuse));
}

#[tokio::test]
async fn under_grace_the_answer_that_came_last_is_the_one_to_keep() {
    let app = under(Rotation::Grace { seconds: 30 }).await;
    let first = app.signed_in().await.refresh();
    let (second, third) = (
        app.renew(&first).await.refresh(),
        app.renew(&first).await.refresh(),
    );
    let entra = app.simulation.entra();
    let newest = |token: &str| entra.is_newest(&tests::sign_in::digest(token));
    assert!(newest(&third) && !newest(&second) && !newest(&first));
    app.simulation.advance(SignedDuration::from_secs(30));
    assert_eq!(app.renew(&third).await.status, 200);
    assert_eq!(
        app.renew(&second).await.refusal().2,
        50_173,
        "the other was superseded"
    );
}

#[tokio::test]
async fn a_server_that_keeps_refresh_tokens_gives_none_or_the_same() {
    for repeated in [false, true] {
        let app = under(Rotation::Keep { repeated }).await;
        let first = app.signed_in().await.refresh();
        for _ in 0..3 {
            let reply = app.renew(&first).await;
            assert_eq!(app.shown(&reply.access()).await, 200);
            let told = reply.json()["refresh_token"].as_str().map(str::to_owned);
            assert_eq!(told, repeated.then(|| first.clone()));
        }
        let family = &app.simulation.entra().families()[0];
        assert_eq!((family.refreshes, family.revoked), (3, None));
        assert!(app.simulation.entra().is_newest(&tests::sign_in::digest(&first)));
    }
}

#[tokio::test]
async fn a_kept_refresh_token_lies_unused_from_its_last_use() {
    let app = under(Rotation::Keep { repeated: false }).await;
    app.simulation
        .entra()
        .change(|settings| settings.idle_seconds = 3600);
    let first = app.signed_in().await.refresh();
    for _ in 0..3 {
        app.simulation.advance(SignedDuration::from_secs(3500));
        assert_eq!(app.renew(&first).await.status, 200);
    }
    app.simulation.advance(SignedDuration::from_secs(3600));
    assert_eq!(app.renew(&first).await.refusal().2, 700_082);
}

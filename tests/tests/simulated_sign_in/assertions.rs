//! Apps that prove who they are by a certificate.

use jiff::SignedDuration;
use tests::sign_in::TestCertificate;
use uuid::Uuid;

use crate::app::{App, Reply};
use crate::assertion::Draft;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn prove(app: &App, assertion: &str) -> Reply {
    let fields = [
        ("client_secret", ""),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    app.for_itself(&fields).await
}

/// Returns the number that an assertion is refused with as the client's own, or 0 where it is taken.
async fn number(app: &App, draft: &Draft) -> u64 {
    let reply = prove(app, &draft.sign()).await;
    let (status, error, number) = reply.refusal();
    let taken = status == 200 && number == 0;
    assert!(taken || (status == 401 && error == "invalid_client"), "{reply:?}");
    number
}

fn good(app: &App) -> Draft {
    Draft::new(app, &TestCertificate::REGISTERED)
}

#[tokio::test]
async fn an_assertion_proves_who_an_app_is_by_either_algorithm_and_either_thumbprint() {
    let app = App::new().await;
    let by_sha1 = good(&app).by_sha1(&TestCertificate::REGISTERED);
    for draft in [
        good(&app),
        good(&app).headed("alg", "RS256"),
        by_sha1.clone().claiming("jti", "another"),
        by_sha1.headed("alg", "RS256"),
    ] {
        let reply = prove(&app, &draft.sign()).await;
        assert_eq!(reply.status, 200, "{draft:?}: {}", reply.text);
        assert_eq!(app.shown(&reply.access()).await, 200);
    }
}

#[tokio::test]
async fn an_assertion_of_another_type_proves_nothing() {
    let app = App::new().await;
    let fields = [
        ("client_secret", ""),
        ("client_assertion_type", "urn:other"),
        ("client_assertion", &good(&app).sign()),
    ];
    assert_eq!(app.for_itself(&fields).await.refusal().2, 7_000_216);
}

#[tokio::test]
async fn an_app_proves_who_it_is_in_one_way() {
    let app = App::new().await;
    let assertion = good(&app).sign();
    let fields = [
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion.as_str()),
    ];
    assert_eq!(app.for_itself(&fields).await.refusal().2, 90_023);
    assert_eq!(prove(&app, &assertion).await.status, 200, "it is not used up");
}

#[tokio::test]
async fn a_signature_is_verified() {
    let app = App::new().await;
    let forged = good(&app).signed_by(&TestCertificate::ANOTHER);
    assert_eq!(number(&app, &forged).await, 700_027);
    let signed = good(&app).sign();
    let (_, signature) = signed.rsplit_once('.').unwrap();
    let other = good(&app).claiming("exp", 4_000_000_000_i64).sign();
    let (text, _) = other.rsplit_once('.').unwrap();
    let reply = prove(&app, &format!("{text}.{signature}")).await;
    assert_eq!(reply.refusal().2, 700_027, "it does not fit another text");
}

#[tokio::test]
async fn an_algorithm_that_asks_for_no_key_of_ours_is_refused() {
    let app = App::new().await;
    for algorithm in ["none", "HS256", "ES256"] {
        assert_eq!(
            number(&app, &good(&app).headed("alg", algorithm)).await,
            700_027,
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn a_certificate_is_good_while_it_is_registered() {
    let app = App::new().await;
    let other = || Draft::new(&app, &TestCertificate::ANOTHER);
    assert_eq!(number(&app, &other()).await, 700_027);
    let entra = app.simulation.entra();
    let [first, second] =
        [TestCertificate::REGISTERED, TestCertificate::ANOTHER].map(|pair| pair.certificate);
    entra.set_certificates(&app.client_id, &[first, second]);
    assert_eq!(
        (number(&app, &good(&app)).await, number(&app, &other()).await),
        (0, 0)
    );
    entra.set_certificates(&app.client_id, &[second]);
    assert_eq!(
        (number(&app, &good(&app)).await, number(&app, &other()).await),
        (700_027, 0)
    );
}

#[tokio::test]
async fn a_certificate_ends() {
    let app = App::new().await;
    app.simulation.advance(SignedDuration::from_hours(24 * 366 * 150));
    assert_eq!(number(&app, &good(&app)).await, 700_027);
}

#[tokio::test]
async fn an_assertion_is_of_the_client_that_shows_it() {
    let app = App::new().await;
    let stranger = &app.simulation.stranger().client_id;
    for name in ["iss", "sub"] {
        let draft = good(&app).claiming(name, stranger.as_str());
        assert_eq!(number(&app, &draft).await, 700_021, "{name}");
    }
}

#[tokio::test]
async fn an_assertion_is_meant_for_this_endpoint() {
    let app = App::new().await;
    let draft = good(&app).claiming("aud", "https://login.microsoftonline.com/common");
    assert_eq!(number(&app, &draft).await, 700_023);
}

#[tokio::test]
async fn an_assertion_is_good_in_its_time_and_five_minutes_around_it() {
    let app = App::new().await;
    let now = app.simulation.now().as_second();
    for (begins, ends, expected) in [
        (now + 290, now + 900, 0),
        (now + 310, now + 900, 700_024),
        (now - 900, now - 290, 0),
        (now - 900, now - 310, 700_024),
    ] {
        let draft = good(&app).claiming("nbf", begins).claiming("exp", ends);
        assert_eq!(
            number(&app, &draft).await,
            expected,
            "{} {}",
            begins - now,
            ends - now
        );
    }
}

#[tokio::test]
async fn the_time_of_an_assertion_is_the_simulations() {
    let app = App::new().await;
    let draft = good(&app);
    app.simulation.advance(SignedDuration::from_mins(11));
    assert_eq!(number(&app, &draft).await, 700_024);
    assert_eq!(number(&app, &good(&app)).await, 0);
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let app = App::new().await;
    let draft = good(&app);
    assert_eq!(number(&app, &draft).await, 0);
    assert_eq!(number(&app, &draft).await, 50_013);
    let again = draft.claiming("exp", app.simulation.now().as_second() + 200);
    assert_eq!(
        number(&app, &again).await,
        50_013,
        "signed anew, under the same id"
    );
    assert_eq!(
        number(&app, &again.claiming("jti", Uuid::new_v4().to_string())).await,
        0
    );
}

#[tokio::test]
async fn an_assertion_that_is_refused_is_not_used_up() {
    let app = App::new().await;
    let draft = good(&app);
    let wrong = draft.clone().claiming("aud", "elsewhere");
    assert_eq!(number(&app, &wrong).await, 700_023);
    assert_eq!(number(&app, &draft).await, 0);
}

#[tokio::test]
async fn what_is_no_assertion_is_malformed() {
    let app = App::new().await;
    let mut incomplete = good(&app);
    incomplete.claims.as_object_mut().unwrap().remove("jti");
    for text in ["a", "a.b", "a.b.c", &incomplete.sign()] {
        let refusal = prove(&app, text).await.refusal();
        assert_eq!(refusal, (400, "invalid_request".to_owned(), 50_027), "{text}");
    }
}

#[tokio::test]
async fn an_assertion_serves_for_codes_and_refresh_tokens_too() {
    let app = App::new().await;
    let code = app.code().await;
    let assertion = good(&app).sign();
    let fields = [
        ("client_secret", ""),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &assertion),
    ];
    let refresh = app.redeem(&code, &fields).await.refresh();
    let assertion = good(&app).sign();
    let fields = [
        ("client_secret", ""),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &assertion),
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
    ];
    assert_eq!(app.ask(&fields).await.status, 200);
}

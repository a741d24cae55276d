//! Many records in one go.

use http::Method;
use serde_json::{Value, json};

use super::breaking::Side;
use super::world::{Answer, World, ask};

const BULK: &str = "/v1/organizations/hlf/members/bulk";

const ENROLLMENTS: &str = "/v1/organizations/hlf/course-enrollments/bulk";

async fn send(world: &World, body: impl Into<axum::body::Bytes>) -> Answer {
    send_to(world, BULK, body).await
}

async fn send_to(world: &World, path: &str, body: impl Into<axum::body::Bytes>) -> Answer {
    world
        .answer(
            ask(Method::POST, path)
                .header("content-type", "application/x-ndjson")
                .body(body),
        )
        .await
}

fn results(answer: &Answer) -> Vec<Value> {
    answer
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn members(count: usize) -> String {
    (0..count)
        .map(|number| format!("{{\"id\":\"m{number}\",\"lastName\":\"Ek\"}}\n"))
        .collect()
}

#[tokio::test]
async fn every_line_gets_its_result_in_order() {
    let world = World::connected().await;
    let answer = send(&world, members(1_000)).await;
    assert_eq!(answer.status, 200);
    for (index, result) in results(&answer).iter().enumerate() {
        let expected =
            json!({ "line": index + 1, "id": format!("m{index}"), "outcome": "created", "version": 1 });
        assert_eq!(result, &expected);
    }
    let again = results(&send(&world, members(1_000)).await);
    assert!(again.iter().all(|result| result["outcome"] == "unchanged"));
}

#[tokio::test]
async fn a_line_that_is_wrong_stops_no_other() {
    let world = World::new();
    let body = "{\"id\":\"1\",\"lastName\":\"a\"}\n\
                {\"id\":\"2\"}\n\
                not json\n\
                {\"id\":\"3\",\"lastName\":\"c\",\"nickname\":\"x\"}\n\
                {\"id\":\"4\",\"lastName\":\"d\"}";
    let results = results(&send(&world, body).await);
    let outcomes: Vec<_> = results
        .iter()
        .map(|result| result["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["created", "refused", "refused", "refused", "created"]);
    assert_eq!(
        results[1]["errors"],
        json!([{ "field": "lastName", "reason": "is required" }])
    );
    assert_eq!(results[2]["errors"][0]["field"], "line");
    assert_eq!(results[3]["errors"][0]["field"], "nickname");
}

#[tokio::test]
async fn of_two_lines_for_one_record_the_later_has_the_last_word() {
    let world = World::connected().await;
    let body = "{\"id\":\"1\",\"lastName\":\"a\"}\n{\"id\":\"2\",\"lastName\":\"x\"}\n{\"id\":\"1\",\"lastName\":\"b\"}";
    let results = results(&send(&world, body).await);
    assert_eq!(
        (&results[2]["outcome"], &results[2]["version"]),
        (&json!("updated"), &json!(2))
    );
    assert_eq!(
        world.get("/v1/organizations/hlf/members/1").await.json()["lastName"],
        "b"
    );
}

#[tokio::test]
async fn a_line_that_may_work_later_says_so() {
    let world = World::new();
    let (broken, _) = world.dying(1, Side::Before);
    let answer = send(&broken, members(3)).await;
    assert!(
        results(&answer)
            .iter()
            .all(|result| result["outcome"] == "failed")
    );
}

#[tokio::test]
async fn too_much_is_refused_before_any_of_it_is_taken() {
    let world = World::new();
    assert_eq!(send(&world, members(10_001)).await.code(), "too_large");
    assert_eq!(
        send(&world, vec![b'x'; 4 * 1024 * 1024 + 1]).await.code(),
        "too_large"
    );
    assert_eq!(
        world.get("/v1/organizations/hlf/members").await.json()["items"],
        json!([])
    );
}

/// A body of nothing but faults, told in less than what a function may answer.
#[tokio::test]
async fn the_longest_answer_fits_into_what_a_function_may_answer() {
    let wild: String = (0..5)
        .map(|number| format!(",\"{}{number}\":1", "x".repeat(190)))
        .collect();
    let body = format!("{{\"id\":\"1\"{wild}}}\n").repeat(4_000);
    let answer = send(&World::new(), body).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() < 6 * 1024 * 1024, "{}", answer.body.len());
}

#[tokio::test]
async fn a_bulk_under_a_key_is_answered_again() {
    let world = World::new();
    let request = || {
        ask(Method::POST, BULK)
            .header("content-type", "application/x-ndjson")
            .body(members(10))
            .key("k")
    };
    let first = world.answer(request()).await;
    let again = world.answer(request()).await;
    assert_eq!(
        (&first.body, again.header("idempotency-replayed")),
        (&again.body, "true")
    );
}

#[tokio::test]
async fn enrollments_of_one_member_are_put_in_one_go() {
    let world = World::connected().await;
    send(&world, members(1)).await;
    let line = |number: usize, member: &str| {
        let line = json!({ "id": format!("e{number}"), "memberId": member, "courseId": "peer-support" });
        format!("{line}\n")
    };
    let body: String = (0..300).map(|number| line(number, "m0")).collect();
    let answer = send_to(&world, ENROLLMENTS, body + &line(300, "nobody")).await;
    assert_eq!(answer.status, 200);
    let mut results = results(&answer);
    let refused = results.pop().unwrap();
    assert_eq!(results.len(), 300);
    assert!(results.iter().all(|result| result["outcome"] == "created"));
    assert_eq!(
        (&refused["outcome"], &refused["errors"][0]["field"]),
        (&json!("refused"), &json!("memberId"))
    );
}

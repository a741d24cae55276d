use serde_json::json;

use crate::client::organization;

fn part(headers: &str, request: &str, body: &str) -> String {
    format!(
        "Content-Type: application/http\r\n{headers}\r\n{request} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
    )
}

fn patch(number: &str, body: &str) -> String {
    format!(
        "--b\r\n{}",
        part(
            "",
            &format!("PATCH /api/data/v9.2/contacts(hlf_memberno='{number}')"),
            body
        )
    )
}

fn change_set(steps: &[(&str, &str, &str)]) -> String {
    let steps: String = steps
        .iter()
        .map(|(id, request, body)| {
            format!("--c\r\n{}", part(&format!("Content-ID: {id}\r\n"), request, body))
        })
        .collect();
    format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{steps}--c--\r\n")
}

fn whole(parts: &[String]) -> String {
    format!("{}--b--\r\n", parts.concat())
}

const BAD: &str = "{\"nosuch\":1}";

#[tokio::test]
async fn a_batch_stops_at_its_first_failure() {
    let (simulation, client) = organization(0).await;
    let body = whole(&[patch("1", "{}"), patch("2", BAD), patch("3", "{}")]);
    let reply = client.batch(&[], &body).await;
    assert_eq!(reply.status, 400);
    let text = reply.text();
    assert_eq!(
        (
            text.matches("HTTP/1.1 204").count(),
            text.matches("HTTP/1.1 400").count()
        ),
        (1, 1)
    );
    assert!(text.contains("REQ_ID: ") && text.contains("0x80048d19"));
    assert_eq!(simulation.row_count("contacts"), 1);
}

#[tokio::test]
async fn a_batch_continues_when_told_to() {
    let (simulation, client) = organization(0).await;
    let body = whole(&[patch("1", "{}"), patch("2", BAD), patch("3", "{}")]);
    let reply = client
        .batch(&[("prefer", "odata.continue-on-error")], &body)
        .await;
    assert_eq!(
        (reply.status, reply.text().matches("HTTP/1.1 204").count()),
        (200, 2)
    );
    assert_eq!(simulation.row_count("contacts"), 2);
    assert!(
        reply
            .header("content-type")
            .starts_with("multipart/mixed; boundary=batchresponse_")
    );
    assert_eq!(simulation.counters().by_kind["batchPart"], 3);
}

#[tokio::test]
async fn a_change_set_is_all_or_nothing() {
    let (simulation, client) = organization(0).await;
    let create = "POST /api/data/v9.2/contacts";
    let body = whole(&[
        change_set(&[("1", create, "{}"), ("2", create, BAD)]),
        patch("9", "{}"),
    ]);
    let reply = client
        .batch(&[("prefer", "odata.continue-on-error")], &body)
        .await;
    let text = reply.text();
    assert!(
        text.contains("Content-ID: 2") && !text.contains("Content-ID: 1"),
        "{text}"
    );
    assert_eq!(
        simulation.row_count("contacts"),
        1,
        "only the part outside the change set"
    );
    let link = client
        .prefer("contacts", "odata.track-changes")
        .await
        .link("@odata.deltaLink")
        .unwrap();
    assert!(client.get(&link).await.rows().is_empty());
}

#[tokio::test]
async fn a_later_step_refers_to_an_earlier_one() {
    let (simulation, client) = organization(0).await;
    let link = "{\"hlf_number\":\"1\",\"hlf_Contact@odata.bind\":\"$7\"}";
    let steps = [
        ("7", "POST /api/data/v9.2/contacts", "{\"firstname\":\"A\"}"),
        ("8", "POST hlf_memberships", link),
        ("9", "PATCH $7", "{\"lastname\":\"B\"}"),
    ];
    let reply = client.batch(&[], &whole(&[change_set(&steps)])).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let contact = &simulation.rows("contacts")[0];
    assert_eq!(contact["fullname"], "A B");
    assert_eq!(
        simulation.rows("hlf_memberships")[0]["_hlf_contact_value"],
        contact["contactid"]
    );
    let early = client
        .batch(&[], &whole(&[change_set(&[("1", "PATCH $2", "{}")])]))
        .await;
    assert!(early.status == 400 && early.text().contains("'$2' does not exist in the batch context"));
}

#[tokio::test]
async fn change_sets_refuse_reading_and_missing_ids() {
    let (_simulation, client) = organization(0).await;
    let reply = client
        .batch(
            &[],
            &whole(&[change_set(&[("1", "GET /api/data/v9.2/contacts", "")])]),
        )
        .await;
    assert_eq!(reply.status, 400);
    let set = change_set(&[("1", "POST /api/data/v9.2/contacts", "{}")]).replace("Content-ID: 1\r\n", "");
    let reply = client.batch(&[], &whole(&[set])).await;
    assert!(
        reply.status == 400 && reply.text().contains("Content-ID"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn line_endings_are_crlf_to_the_last_line() {
    let (simulation, client) = organization(0).await;
    let body = whole(&[patch("1", "{}")]);
    for broken in [
        body.replace("\r\n", "\n"),
        body.trim_end().to_owned(),
        body.replace("--b--", "--x--"),
    ] {
        let reply = client.batch(&[], &broken).await;
        assert!(
            reply.status == 400 && reply.text().contains("Stream was not readable"),
            "{broken}"
        );
    }
    assert_eq!(simulation.row_count("contacts"), 0);
    assert_eq!(client.batch(&[], &body).await.status, 200);
}

#[tokio::test]
async fn a_batch_holds_a_thousand_operations() {
    let (simulation, client) = organization(0).await;
    let parts: Vec<String> = (0..1001).map(|number| patch(&number.to_string(), "{}")).collect();
    let reply = client.batch(&[], &whole(&parts)).await;
    assert!(reply.status == 400 && reply.text().contains("A maximum number of '1000'"));
    assert_eq!(simulation.row_count("contacts"), 0);
    assert_eq!(client.batch(&[], &whole(&parts[1..])).await.status, 200);
    assert_eq!(simulation.row_count("contacts"), 1000);
}

#[tokio::test]
async fn reading_inside_a_batch_returns_rows() {
    let (_simulation, client) = organization(0).await;
    client
        .contact(&json!({"hlf_memberno": "1", "firstname": "Kari"}))
        .await;
    let get = "GET /api/data/v9.2/contacts(hlf_memberno='1')?$select=firstname";
    let body = format!("--b\r\nContent-Type: application/http\r\n\r\n{get} HTTP/1.1\r\n\r\n\r\n--b--\r\n");
    let reply = client.batch(&[], &body).await;
    assert!(
        reply.status == 200 && reply.text().contains("\"firstname\":\"Kari\""),
        "{}",
        reply.text()
    );
}

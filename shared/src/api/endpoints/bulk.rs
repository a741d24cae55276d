//! Many records in one go.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::header;

use crate::api::Problem;
use crate::api::body::Lines;
use crate::api::ndjson::{BulkResult, lines, written};
use crate::api::place::InOrganization;
use crate::flow::Ports;
use crate::model::{Kind, OrganizationId};
use crate::records;

/// Has many members say what the lines say, each as if it were put for itself; answers a line for each.
#[utoipa::path(post, path = "/members/bulk", operation_id = "putMembersInBulk", tag = "records",
    request_body(content = String, content_type = "application/x-ndjson",
        description = "A member for each line, with its `id`; at most 10,000 lines."),
    responses((status = 200, body = BulkResult, content_type = "application/x-ndjson",
        description = "One result for each line, in their order.")))]
pub(in crate::api) async fn put_members_in_bulk(
    State(ports): State<Ports>,
    InOrganization { organization, .. }: InOrganization,
    Lines(body): Lines,
) -> Result<Response, Problem> {
    put_in_bulk(ports, organization, Kind::Member, &body)
}

/// Has many course enrollments say what the lines say, each as if it were put for itself; answers a line for each.
#[utoipa::path(post, path = "/course-enrollments/bulk", operation_id = "putCourseEnrollmentsInBulk", tag = "records",
    request_body(content = String, content_type = "application/x-ndjson",
        description = "A course enrollment for each line, with its `id`; at most 10,000 lines."),
    responses((status = 200, body = BulkResult, content_type = "application/x-ndjson",
        description = "One result for each line, in their order.")))]
pub(in crate::api) async fn put_course_enrollments_in_bulk(
    State(ports): State<Ports>,
    InOrganization { organization, .. }: InOrganization,
    Lines(body): Lines,
) -> Result<Response, Problem> {
    put_in_bulk(ports, organization, Kind::CourseEnrollment, &body)
}

fn put_in_bulk(
    ports: Ports,
    organization: OrganizationId,
    kind: Kind,
    body: &Bytes,
) -> Result<Response, Problem> {
    let results = records::bulk(ports, organization, kind, lines(body, kind)?);
    let results = results.map(|result| Ok::<_, Infallible>(written(result)));
    let ndjson = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((ndjson, Body::from_stream(results)).into_response())
}

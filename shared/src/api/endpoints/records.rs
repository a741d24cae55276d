//! The platform's records: one path for each kind, one way for all.

use axum::Json as JsonAnswer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::api::body::JsonObject;
use crate::api::place::{AtRecord, InOrganization};
use crate::api::precondition::{If, etag};
use crate::api::query::Paging;
use crate::api::view::{CourseEnrollmentBody, MemberBody, MembershipBody, RecordList, RecordView};
use crate::api::{Code, Problem};
use crate::flow::Ports;
use crate::integration::Precondition;
use crate::model::{Fields, Kind};
use crate::records::{self, PutOutcome, StoredRecord, Wish};

/// Has a member say what the body says; a field that is left out has no value.
#[utoipa::path(put, path = "/members/{recordId}", operation_id = "putMember", tag = "records", request_body = MemberBody,
    responses((status = 200, body = RecordView), (status = 201, body = RecordView)))]
pub(in crate::api) async fn put_member(
    ports: State<Ports>,
    at: AtRecord,
    when: If,
    body: JsonObject,
) -> Result<Response, Problem> {
    put(ports, Kind::Member, at, when, body).await
}

/// Has a membership say what the body says; a field that is left out has no value.
#[utoipa::path(put, path = "/memberships/{recordId}", operation_id = "putMembership", tag = "records",
    request_body = MembershipBody,
    responses((status = 200, body = RecordView), (status = 201, body = RecordView)))]
pub(in crate::api) async fn put_membership(
    ports: State<Ports>,
    at: AtRecord,
    when: If,
    body: JsonObject,
) -> Result<Response, Problem> {
    put(ports, Kind::Membership, at, when, body).await
}

/// Has a course enrollment say what the body says; a field that is left out has no value.
#[utoipa::path(put, path = "/course-enrollments/{recordId}", operation_id = "putCourseEnrollment", tag = "records",
    request_body = CourseEnrollmentBody,
    responses((status = 200, body = RecordView), (status = 201, body = RecordView)))]
pub(in crate::api) async fn put_course_enrollment(
    ports: State<Ports>,
    at: AtRecord,
    when: If,
    body: JsonObject,
) -> Result<Response, Problem> {
    put(ports, Kind::CourseEnrollment, at, when, body).await
}

/// Returns a member.
#[utoipa::path(get, path = "/members/{recordId}", operation_id = "getMember", tag = "records",
    responses((status = 200, body = RecordView)))]
pub(in crate::api) async fn get_member(ports: State<Ports>, at: AtRecord) -> Result<Response, Problem> {
    get(ports, Kind::Member, at).await
}

/// Returns a membership.
#[utoipa::path(get, path = "/memberships/{recordId}", operation_id = "getMembership", tag = "records",
    responses((status = 200, body = RecordView)))]
pub(in crate::api) async fn get_membership(ports: State<Ports>, at: AtRecord) -> Result<Response, Problem> {
    get(ports, Kind::Membership, at).await
}

/// Returns a course enrollment.
#[utoipa::path(get, path = "/course-enrollments/{recordId}", operation_id = "getCourseEnrollment", tag = "records",
    responses((status = 200, body = RecordView)))]
pub(in crate::api) async fn get_course_enrollment(
    ports: State<Ports>,
    at: AtRecord,
) -> Result<Response, Problem> {
    get(ports, Kind::CourseEnrollment, at).await
}

/// Deletes a member.
#[utoipa::path(delete, path = "/members/{recordId}", operation_id = "deleteMember", tag = "records",
    responses((status = 204)))]
pub(in crate::api) async fn delete_member(
    ports: State<Ports>,
    at: AtRecord,
    when: If,
) -> Result<StatusCode, Problem> {
    delete(ports, Kind::Member, at, when).await
}

/// Deletes a membership.
#[utoipa::path(delete, path = "/memberships/{recordId}", operation_id = "deleteMembership", tag = "records",
    responses((status = 204)))]
pub(in crate::api) async fn delete_membership(
    ports: State<Ports>,
    at: AtRecord,
    when: If,
) -> Result<StatusCode, Problem> {
    delete(ports, Kind::Membership, at, when).await
}

/// Deletes a course enrollment.
#[utoipa::path(delete, path = "/course-enrollments/{recordId}", operation_id = "deleteCourseEnrollment", tag = "records",
    responses((status = 204)))]
pub(in crate::api) async fn delete_course_enrollment(
    ports: State<Ports>,
    at: AtRecord,
    when: If,
) -> Result<StatusCode, Problem> {
    delete(ports, Kind::CourseEnrollment, at, when).await
}

/// Lists members, in the order of their ids.
#[utoipa::path(get, path = "/members", operation_id = "listMembers", tag = "records",
    responses((status = 200, body = RecordList)))]
pub(in crate::api) async fn list_members(
    ports: State<Ports>,
    place: InOrganization,
    paging: Paging,
) -> Result<JsonAnswer<RecordList>, Problem> {
    list(ports, Kind::Member, place, paging).await
}

/// Lists memberships, in the order of their ids.
#[utoipa::path(get, path = "/memberships", operation_id = "listMemberships", tag = "records",
    responses((status = 200, body = RecordList)))]
pub(in crate::api) async fn list_memberships(
    ports: State<Ports>,
    place: InOrganization,
    paging: Paging,
) -> Result<JsonAnswer<RecordList>, Problem> {
    list(ports, Kind::Membership, place, paging).await
}

/// Lists course enrollments, in the order of their ids.
#[utoipa::path(get, path = "/course-enrollments", operation_id = "listCourseEnrollments", tag = "records",
    responses((status = 200, body = RecordList)))]
pub(in crate::api) async fn list_course_enrollments(
    ports: State<Ports>,
    place: InOrganization,
    paging: Paging,
) -> Result<JsonAnswer<RecordList>, Problem> {
    list(ports, Kind::CourseEnrollment, place, paging).await
}

async fn put(
    State(ports): State<Ports>,
    kind: Kind,
    AtRecord {
        organization,
        record: id,
    }: AtRecord,
    If(precondition): If,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let fields = Fields::from_json(kind, &object).map_err(Problem::of_fields)?;
    let put = records::put(&ports, &organization, &Wish { id, fields }, precondition).await?;
    let status = match put.outcome {
        PutOutcome::Created => StatusCode::CREATED,
        PutOutcome::Updated | PutOutcome::Unchanged => StatusCode::OK,
    };
    Ok((status, shown(put.stored)).into_response())
}

async fn get(
    State(ports): State<Ports>,
    kind: Kind,
    AtRecord { organization, record }: AtRecord,
) -> Result<Response, Problem> {
    let stored = records::read(&*ports.store, &organization, kind, &record).await?;
    stored.map(shown).ok_or_else(|| Problem::new(Code::UnknownRecord))
}

async fn delete(
    State(ports): State<Ports>,
    kind: Kind,
    AtRecord { organization, record }: AtRecord,
    If(precondition): If,
) -> Result<StatusCode, Problem> {
    if precondition == Precondition::Absent {
        return Err(Problem::of_field(
            "If-None-Match",
            "says nothing about a deletion",
        ));
    }
    records::delete(&ports, &organization, kind, &record, precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(
    State(ports): State<Ports>,
    kind: Kind,
    InOrganization { organization, .. }: InOrganization,
    paging: Paging,
) -> Result<JsonAnswer<RecordList>, Problem> {
    let after = paging.after("")?;
    let page = records::list(&*ports.store, &organization, kind, after, paging.limit).await?;
    Ok(JsonAnswer(page.into()))
}

fn shown(stored: StoredRecord) -> Response {
    let tag = [etag(stored.version)];
    (tag, JsonAnswer(RecordView::from(stored))).into_response()
}

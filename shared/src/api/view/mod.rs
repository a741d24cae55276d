//! What answers look like.

mod export;
mod file;
mod integration;
mod record;
mod registry;
mod run;
mod schedule;
mod token;
mod waiting;
mod webhook;

pub(super) use export::{
    BooksView, CompareBody, ExportBody, ExportList, ExportReview, ExportedView, ForceBody, OF_REIMBURSEMENT,
    ReimbursementBody, ReimbursementList, ReimbursementView,
};
pub(super) use file::{AnnouncementBody, FileDecisionBody, FileList, FileView};
pub(super) use integration::{IntegrationBody, IntegrationList, IntegrationView, StatusView};
pub(super) use record::{CourseEnrollmentBody, MemberBody, MembershipBody, RecordList, RecordView};
pub(super) use registry::{GraphqlAnswer, GraphqlRequest, IntrospectionForm, TokenAnswer, TokenForm};
pub(super) use run::{LastResult, RunList, RunView, StartedAll};
pub(super) use schedule::{ScheduleBody, ScheduleView};
pub(super) use token::{SignInView, TokenView};
pub(super) use waiting::{QuarantineList, ReviewItem, ReviewList, ReviewView};
pub(super) use webhook::{
    EndpointBody, EndpointList, EndpointView, EventList, EventView, ReplayBody, Replayed, RotationBody,
    TestView,
};

use crate::model::IntegrationId;

/// Returns the path of an integration.
pub(super) fn path_of(id: &IntegrationId) -> String {
    format!("/v1/organizations/{}/integrations/{}", id.organization, id.system)
}

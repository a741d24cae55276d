//! Questions whose answers tell an operator what works, and if something does not, where it fails.
//!
//! Whether transcripts may be changed is not asked: the only way to know for certain would be to change one. The scopes that
//! the token has do not say: `all` is granted where each of them is.

use serde_json::Value;

use super::adapter::Cornerstone;
use super::columns::{COURSE, Column, USER, USER_ID, USER_REF, View};
use super::key::{Key, course_id};
use super::map;
use super::wire::Row;
use crate::adapter::{Error, ErrorKind, Finding, Result};
use crate::http::Limits;
use crate::model::Kind;

impl Cornerstone {
    pub(super) async fn ask_everything(&self) -> Vec<Finding> {
        let signed_in = self.client.tokens.token().await.map_err(Error::from);
        let signed_in = told(
            "sign in",
            signed_in.map(|_| "a token was issued".to_owned()),
            "check client id and secret, and that the application is enabled",
        );
        if !signed_in.works {
            return vec![signed_in];
        }
        let mut findings = vec![signed_in];
        let transcripts = self.first(View::Transcript).await;
        let row = transcripts.as_ref().ok().cloned().flatten();
        findings.push(self.judge_view(View::Transcript, transcripts));
        findings.push(self.judge_status(row.as_ref()));
        let users = self.first(View::User).await;
        findings.push(self.judge_view(View::User, users));
        if self.settings.columns.of(View::Training).next().is_some() {
            let trainings = self.first(View::Training).await;
            findings.push(self.judge_view(View::Training, trainings));
        }
        findings.push(self.ask_for_details(row.as_ref()).await);
        findings
    }

    /// Reads one row of a view, nothing where it has none.
    async fn first(&self, view: View) -> Result<Option<Row>> {
        let select = self.settings.columns.select(view);
        let url = self.client.view(view, &select, None)?;
        let (page, _) = self.client.get_page(url, 1, Limits::METADATA).await?;
        let malformed = || Error::new(ErrorKind::Malformed, "the page has no member `value`");
        Ok(page.value.ok_or_else(malformed)?.into_iter().next())
    }

    fn judge_view(&self, view: View, read: Result<Option<Row>>) -> Finding {
        let question = format!("read {}", view.name());
        let way_out = format!(
            "give the application the scope {}:read, and its user the permission for the reporting API",
            view.name()
        );
        let row = match read {
            Ok(Some(row)) => row,
            Ok(None) => return works(&question, "the view can be read, and has no row yet"),
            Err(error) => return told(&question, Err(error), &way_out),
        };
        let is_missing = |column: &&Column| !row.contains_key(&column.name);
        let missing: Vec<&str> = self
            .settings
            .columns
            .of(view)
            .filter(is_missing)
            .map(|column| column.name.as_str())
            .collect();
        match missing.is_empty() {
            true => works(&question, "the view can be read, and has every mapped column"),
            false => {
                let names = missing.join(", ");
                let answer = format!("the view lacks {names}: correct `course-enrollments.fields`");
                finding(&question, false, Some("configuration"), &answer)
            }
        }
    }

    /// Looks whether the words of the settings are those of the portal.
    fn judge_status(&self, row: Option<&Row>) -> Finding {
        let question = "understand statuses";
        let position = Kind::CourseEnrollment.position("status");
        let column = self
            .settings
            .columns
            .all
            .iter()
            .find(|column| Some(column.position) == position);
        let told = row
            .zip(column)
            .and_then(|(row, column)| row.get(&column.name))
            .filter(|value| !value.is_null());
        match told.and_then(map::text) {
            Some(word) if self.settings.statuses.ours(&word).is_some() => works(
                question,
                "the status of a row is one that the settings have a word for",
            ),
            Some(word) => {
                let answer = format!(
                    "the portal has the status {word:?}, which the settings have no word for: add it to \
                     `course-enrollments.statuses`"
                );
                finding(question, false, Some("configuration"), &answer)
            }
            None if column.is_some() && !self.settings.statuses.has_numbers() => finding(
                question,
                false,
                Some("configuration"),
                "`course-enrollments.statuses` names no number, and the views tell statuses by number: add those of the portal",
            ),
            None => works(question, "no row tells a status yet"),
        }
    }

    /// Reads the details of an enrolment that the view tells of.
    async fn ask_for_details(&self, row: Option<&Row>) -> Finding {
        let question = "read a transcript";
        let way_out =
            "give the application the scope transcript:read, and its user the permission to view transcripts";
        match self.known_key(row).await {
            Err(error) => told(question, Err(error), way_out),
            Ok(None) => works(question, "there is no enrolment to read yet"),
            Ok(Some(key)) => {
                let read = self.look(&key).await;
                let read = read.map(|_| {
                    "transcripts can be read; whether they may be changed is not asked: that takes transcript:update"
                        .to_owned()
                });
                told(question, read, way_out)
            }
        }
    }

    async fn known_key(&self, row: Option<&Row>) -> Result<Option<Key>> {
        let Some((user, course)) = row.and_then(|row| row.get(USER).and_then(map::text).zip(row.get(COURSE)))
        else {
            return Ok(None);
        };
        let is_number = user.bytes().all(|byte| byte.is_ascii_digit());
        let Some(course) = course.as_str().and_then(course_id).filter(|_| is_number) else {
            return Ok(None);
        };
        let filter = format!("{USER_ID} eq {user}");
        let url = self.client.view(
            View::User,
            &self.settings.columns.select(View::User),
            Some(&filter),
        )?;
        let (page, _) = self.client.get_page(url, 1, Limits::METADATA).await?;
        let member = page.value.unwrap_or_default().into_iter().next();
        let member = member.and_then(|row| row.get(USER_REF).and_then(Value::as_str).map(str::to_owned));
        Ok(member.and_then(|member| Key::new(&member, &course)))
    }
}

/// Adds the way out to what fails for a permission: Cornerstone does not say which.
fn told(question: &str, result: Result<String>, way_out: &str) -> Finding {
    match result {
        Ok(answer) => works(question, &answer),
        Err(error) => {
            let answer = match error.kind() {
                ErrorKind::PermissionDenied | ErrorKind::Unauthenticated => format!("{error}: {way_out}"),
                _ => error.to_string(),
            };
            finding(question, false, Some(cause(&error)), &answer)
        }
    }
}

fn works(question: &str, answer: &str) -> Finding {
    finding(question, true, None, answer)
}

fn finding(question: &str, works: bool, cause: Option<&'static str>, answer: &str) -> Finding {
    Finding {
        question: question.to_owned(),
        works,
        cause,
        answer: answer.to_owned(),
    }
}

fn cause(error: &Error) -> &'static str {
    const KNOWN: [&str; 8] = [
        "name",
        "tls",
        "network",
        "key",
        "scope",
        "permission",
        "configuration",
        "clock",
    ];
    let named = error
        .fact("cause")
        .and_then(|cause| KNOWN.into_iter().find(|known| *known == cause));
    named.unwrap_or(match error.kind() {
        ErrorKind::Unauthenticated => "key",
        ErrorKind::PermissionDenied => "permission",
        ErrorKind::NotFound | ErrorKind::Rejected | ErrorKind::Unsupported => "configuration",
        _ => "system",
    })
}

//! Misbehaviour on demand: which requests it strikes, and what it does to them.

mod batch;
mod instead;
mod page;
mod spoil;

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::access::Privilege;
use super::limits::Limit;
use super::server::Dataverse;
use crate::cornerstone::faults::Misbehaviour as CornerstoneMisbehaviour;
use crate::wire::{Answer, Request};
use crate::xledger::faults::Misbehaviour;

/// Says which requests a fault strikes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// The method, or any.
    #[serde(default)]
    pub method: Option<String>,
    /// A part of the path and query as sent, or any.
    #[serde(default)]
    pub path: Option<String>,
    /// A part of the body as sent, or any.
    #[serde(default)]
    pub body: Option<String>,
    /// The number of matching requests that pass first.
    #[serde(default)]
    pub skip: u32,
    /// The number of matching requests that are struck; all when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub fault: Fault,
}

/// Says what goes wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Fault {
    /// Answers with a status and, where given, a body and a `Retry-After` header.
    Status {
        /// The status.
        status: u16,
        /// The body: JSON, or text when it is a string.
        #[serde(default)]
        body: Option<Value>,
        /// The text of `Retry-After`.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// Answers 429 as service protection does, with any text in `Retry-After`.
    TooManyRequests {
        /// The limit that is said to be exceeded.
        limit: Limit,
        /// The text of `Retry-After`.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// Answers 401 as if the token were bad.
    Unauthorized,
    /// Answers 200 with an error in the body.
    ErrorInBody,
    /// Answers 200 with a page for humans.
    Html,
    /// Answers with a redirect.
    Redirect {
        /// The status.
        status: u16,
        /// The new address.
        location: String,
    },
    /// Resets the connection before anything is done.
    ResetBefore,
    /// Does what was asked, and resets the connection instead of answering.
    ResetAfter,
    /// Does what was asked, and answers this instead, as a gateway does that lost the answer.
    StatusAfter {
        /// The status.
        status: u16,
        /// The body: JSON, or text when it is a string.
        #[serde(default)]
        body: Option<Value>,
        /// The text of `Retry-After`.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// Never answers.
    Stall,
    /// Answers half and then nothing.
    StallInBody,
    /// Waits first.
    Delay {
        /// The wait.
        milliseconds: u64,
    },
    /// Does what was asked, and waits before answering.
    DelayAfter {
        /// The wait.
        milliseconds: u64,
    },
    /// Sends one byte at a time.
    Drip {
        /// The pause between bytes.
        milliseconds: u64,
    },
    /// Ends the JSON early, in a message that is whole otherwise.
    TruncatedJson,
    /// Ends the encoded body early.
    TruncatedBody,
    /// Declares a longer body than is sent.
    WrongContentLength,
    /// Adds this much white space to the body.
    Oversized {
        /// The number of bytes.
        bytes: u64,
    },
    /// Sets a header, or removes it.
    Header {
        /// The name.
        name: String,
        /// The value; none removes the header.
        #[serde(default)]
        value: Option<String>,
    },
    /// Dates the answer by a clock that is wrong.
    SkewedDate {
        /// How far the clock is ahead, behind when negative.
        seconds: i64,
    },
    /// Empties a page and keeps its links.
    EmptyPage,
    /// Removes the next link and the delta link.
    NoLinks,
    /// Points the next link to another host.
    ForeignNextLink {
        /// The origin, such as `https://elsewhere.example`.
        origin: String,
    },
    /// Leaves rows out of a page.
    DropRows {
        /// The number of rows.
        count: usize,
    },
    /// Repeats the end of the page before at the beginning of this one.
    DuplicateRows {
        /// The number of rows.
        count: usize,
    },
    /// Repeats the first rows of a page at its end.
    RepeatRows {
        /// The number of rows.
        count: usize,
    },
    /// Adds a column to every row, or a member to an answer without rows, in the place of one of that name.
    AddColumn {
        /// The column.
        name: String,
        /// Its value.
        value: Value,
    },
    /// Removes a column from every row.
    RemoveColumn {
        /// The column.
        name: String,
    },
    /// Turns a column's texts into numbers and everything else into texts.
    RetypeColumn {
        /// The column.
        name: String,
    },
    /// Empties a column in every row.
    NullColumn {
        /// The column.
        name: String,
    },
    /// Leaves one part out of a batch's answer.
    MissingPart {
        /// The part, counted from 0.
        index: usize,
    },
    /// Refuses one part of a batch for want of a privilege.
    DeniedPart {
        /// The part, counted from 0.
        index: usize,
    },
    /// Answers a batch's parts in reverse order.
    MisorderedParts,
    /// Separates a batch's parts by a boundary that needs quotes.
    OddBoundary,
    /// Takes a privilege away before the request is looked at, and keeps it.
    RevokePrivilege {
        /// The table's logical name.
        table: String,
        /// The privilege.
        privilege: Privilege,
    },
    /// Makes every delta link too old.
    ExpireDeltaLinks,
    /// Does what only Xledger does wrong; strikes requests to it alone.
    Xledger {
        /// What it does.
        misbehaviour: Misbehaviour,
    },
    /// Does what only Cornerstone does wrong; strikes requests to it alone.
    Cornerstone {
        /// What it does.
        misbehaviour: CornerstoneMisbehaviour,
    },
    /// Lets a human change the addressed row just before the request is performed.
    HumanEdit {
        /// The columns to set; a telephone number when absent.
        #[serde(default)]
        changes: Option<Map<String, Value>>,
    },
}

/// Keeps the rules and what they have struck.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Vec<Armed>>,
    /// Rows that a later page repeats.
    carried: Mutex<Vec<Value>>,
}

#[derive(Debug)]
struct Armed {
    rule: FaultRule,
    seen: u32,
    struck: u32,
}

impl FaultRule {
    /// Returns a rule that strikes the first request.
    pub fn once(fault: Fault) -> Self {
        Self {
            times: Some(1),
            ..Self::always(fault)
        }
    }

    /// Returns a rule that strikes every request.
    pub fn always(fault: Fault) -> Self {
        Self {
            method: None,
            path: None,
            body: None,
            skip: 0,
            times: None,
            fault,
        }
    }

    /// Strikes requests with this method only.
    #[must_use]
    pub fn on(mut self, method: &Method) -> Self {
        self.method = Some(method.to_string());
        self
    }

    /// Strikes requests whose path or query contains this only.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Strikes requests whose body contains this only.
    #[must_use]
    pub fn holding(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        let method = self
            .method
            .as_deref()
            .is_none_or(|method| method.eq_ignore_ascii_case(request.method.as_str()));
        let path = self.path.as_deref();
        let body = self.body.as_deref();
        method
            && path.is_none_or(|path| request.target().contains(path))
            && body.is_none_or(|body| String::from_utf8_lossy(&request.body).contains(body))
    }
}

impl Fault {
    /// Returns whether the fault may strike a part of a batch instead of a whole request.
    fn strikes_parts(&self) -> bool {
        matches!(
            self,
            Self::Status { .. } | Self::TooManyRequests { .. } | Self::HumanEdit { .. }
        )
    }
}

impl Armed {
    fn strike(&mut self, request: &Request) -> Option<Fault> {
        if !self.rule.matches(request) {
            return None;
        }
        self.seen += 1;
        if self.seen <= self.rule.skip || self.rule.times.is_some_and(|times| self.struck >= times) {
            return None;
        }
        self.struck += 1;
        Some(self.rule.fault.clone())
    }
}

impl Faults {
    pub(crate) fn add(&self, rule: FaultRule) {
        self.rules().push(Armed {
            rule,
            seen: 0,
            struck: 0,
        });
    }

    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    /// Returns the faults that strike a request.
    pub(crate) fn of_request(&self, request: &Request) -> Vec<Fault> {
        self.rules()
            .iter_mut()
            .filter_map(|armed| armed.strike(request))
            .collect()
    }

    /// Strikes a part of a batch; returns the answer that it gets instead of being performed.
    pub(super) fn of_part(&self, dataverse: &Dataverse, request: &Request) -> Option<Answer> {
        let mut rules = self.rules();
        let armed = rules.iter_mut().filter(|armed| armed.rule.fault.strikes_parts());
        let faults: Vec<Fault> = armed.filter_map(|armed| armed.strike(request)).collect();
        drop(rules);
        faults.iter().find_map(|fault| fault.instead(dataverse, request))
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn swap_carried(&self, rows: Vec<Value>) -> Vec<Value> {
        std::mem::replace(
            &mut *self.carried.lock().unwrap_or_else(PoisonError::into_inner),
            rows,
        )
    }
}

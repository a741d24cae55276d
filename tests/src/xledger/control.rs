//! The control API below `/_simulator/xledger/`.
//!
//! | request | does |
//! | --- | --- |
//! | `GET queue`, `GET journal`, `GET errors` | the lines in the queue, those that were posted, and what is wrong |
//! | `GET month` | what was asked in the month that it is |
//! | `POST job` | runs the import job |
//! | `POST files/gl02b`, `POST files/gl02` | imports the body as a human does |
//! | `POST periods` | `{entity, year, month, closed}` |
//! | `POST locks` | `{object, code, locked}` |
//! | `POST registers` | `{object, code, description}`: adds a row, or changes its description |
//! | `POST tokens` | `{token, entity, revoked}`: adds an API token or takes it back |
//! | `POST maintenance` | `{closed}` |
//! | `POST settings` | some of `{atomic, certificateRequired, faultsIn200, quotedCells, jobMinutes, readBackLagSeconds}`; 0 minutes is no job |
//! | `POST webhooks` | `{dbId, state}` |
//! | `POST deliveries` | tells listeners of what changed |

use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::file::Layout;
use super::server::Xledger;
use super::token::ApiToken;
use super::webhook::WebhookState;
use crate::control::{Controlled, Problem, done, ok, read, told, unknown};
use crate::wire::{Answer, Request};

#[derive(Deserialize)]
struct Period {
    entity: String,
    year: i16,
    month: i8,
    closed: bool,
}

#[derive(Deserialize)]
struct Lock {
    object: String,
    code: String,
    locked: bool,
}

#[derive(Deserialize)]
struct Register {
    object: String,
    code: String,
    description: String,
}

#[derive(Deserialize)]
struct Token {
    token: String,
    entity: String,
    #[serde(default)]
    revoked: bool,
}

#[derive(Deserialize)]
struct Maintenance {
    closed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Changes {
    atomic: Option<bool>,
    certificate_required: Option<bool>,
    faults_in_200: Option<bool>,
    quoted_cells: Option<bool>,
    job_minutes: Option<i64>,
    read_back_lag_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    db_id: i64,
    state: WebhookState,
}

impl Xledger {
    /// Answers a request below `/_simulator/xledger/`.
    pub(crate) async fn control(&self, request: &Request, path: &str) -> Answer {
        if (request.method.as_str(), path) == ("POST", "deliveries") {
            let delivered = self.deliver_webhooks().await;
            let rows = delivered
                .iter()
                .map(|one| json!({ "dbId": one.webhook, "status": one.status, "body": one.body }));
            return told(ok(&rows.collect::<Vec<Value>>()));
        }
        told(match request.method.as_str() {
            "GET" => self.show(request, path),
            "POST" => self.act(request, path),
            _ => Err(unknown(request)),
        })
    }

    fn show(&self, request: &Request, path: &str) -> Controlled {
        match path {
            "queue" => {
                let lines = self.queue();
                ok(&lines.iter().map(|line| line.to_node(0)).collect::<Vec<_>>())
            }
            "journal" => {
                let entries = self.posted();
                let rows = entries.iter().map(|entry| entry.to_journal_entry(0, |_| None));
                ok(&rows.collect::<Vec<_>>())
            }
            "errors" => {
                let errors = self.errors();
                ok(&errors.iter().map(|error| error.to_node(0)).collect::<Vec<_>>())
            }
            "month" => ok(&self.month()),
            _ => Err(unknown(request)),
        }
    }

    fn act(&self, request: &Request, path: &str) -> Controlled {
        match path {
            "job" => {
                let report = self.run_job();
                return ok(&json!({ "posted": report.posted, "refused": report.refused }));
            }
            "files/gl02b" => return self.take_file(request, &Layout::Gl02b),
            "files/gl02" => {
                let entity = self.entity().to_owned();
                return self.take_file(request, &Layout::Gl02 { entity });
            }
            "periods" => {
                let period: Period = read(request)?;
                self.close_period(&period.entity, period.year, period.month, period.closed);
            }
            "locks" => {
                let lock: Lock = read(request)?;
                found(self.lock(&lock.object, &lock.code, lock.locked), request)?;
            }
            "registers" => {
                let row: Register = read(request)?;
                self.register(&row.object, &row.code, |item| item.description = row.description);
            }
            "tokens" => self.take_token(read(request)?),
            "maintenance" => {
                let Maintenance { closed } = read(request)?;
                self.set_maintenance(closed);
            }
            "settings" => self.take_changes(&read(request)?),
            "webhooks" => {
                let State { db_id, state } = read(request)?;
                found(self.set_webhook_state(db_id, state), request)?;
            }
            _ => return Err(unknown(request)),
        }
        done()
    }

    fn take_file(&self, request: &Request, layout: &Layout) -> Controlled {
        let lines = self.import_file(layout, "imported.csv", &request.body);
        let lines = lines.map_err(|why| Problem(StatusCode::BAD_REQUEST, why))?;
        ok(&json!({ "lines": lines }))
    }

    fn take_changes(&self, changes: &Changes) {
        self.change(|settings| {
            let set = |flag: &mut bool, wanted: Option<bool>| *flag = wanted.unwrap_or(*flag);
            set(&mut settings.atomic, changes.atomic);
            set(&mut settings.certificate_required, changes.certificate_required);
            set(&mut settings.faults_in_200, changes.faults_in_200);
            set(&mut settings.quoted_cells, changes.quoted_cells);
            if let Some(minutes) = changes.job_minutes {
                settings.job_interval = (minutes > 0).then(|| SignedDuration::from_mins(minutes));
            }
            if let Some(seconds) = changes.read_back_lag_seconds {
                settings.read_back_lag = SignedDuration::from_secs(seconds);
            }
        });
    }

    fn take_token(&self, asked: Token) {
        let known = super::server::lock(&self.tokens)
            .iter()
            .any(|token| token.token == asked.token);
        if !known {
            self.add_token(ApiToken::new(&asked.token, &asked.entity));
        }
        self.change_token(&asked.token, |token| token.revoked = asked.revoked);
    }
}

fn found(found: bool, request: &Request) -> Result<(), Problem> {
    found.then_some(()).ok_or_else(|| unknown(request))
}

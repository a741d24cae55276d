//! The control API below `/_simulator/`, for demonstrations and for programs in other languages.
//!
//! | request | does |
//! | --- | --- |
//! | `GET connection` | tells address, tenant, and credentials |
//! | `GET counters`, `POST reset-counters` | what was asked and answered, in numbers |
//! | `GET journal`, `DELETE journal` | what was asked and answered, one by one |
//! | `POST faults`, `DELETE faults` | adds a list of [`FaultRule`]s; removes all |
//! | `POST edits` | `{count, seed}` random edits by humans |
//! | `GET`, `POST tables/{set}` | all rows as NDJSON; creates a row as a human |
//! | `GET`, `PATCH`, `DELETE tables/{set}/{id}` | one row, as a human |
//! | `POST merge` | `{loser, master}` |
//! | `POST clock` | `{advanceSeconds}` |
//! | `POST revoke-tokens`, `POST expire-delta-links` | makes access tokens or delta links invalid |
//! | `POST privileges` | `{table, privilege, granted}` |
//! | `POST metadata` | `{table}`: changes a table's definition |
//! | `sign-in/entra/…`, `sign-in/cornerstone/…` | what [`SignIn`](crate::sign_in::SignIn) does |
//! | `cornerstone/…` | what [`Cornerstone`](crate::cornerstone::Cornerstone) does |
//! | `xledger/…` | what [`Xledger`](crate::xledger::Xledger) does |

use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::Privilege;
use super::error::Refusal;
use super::faults::FaultRule;
use super::server::Dataverse;
use crate::control::{Controlled, Problem, done, ok, read, told, unknown};
use crate::wire::{Answer, Request};

#[derive(Deserialize)]
struct Edits {
    count: usize,
    #[serde(default)]
    seed: u64,
}

#[derive(Deserialize)]
struct Merge {
    loser: Uuid,
    master: Uuid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Advance {
    advance_seconds: i64,
}

#[derive(Deserialize)]
struct PrivilegeChange {
    table: String,
    privilege: Privilege,
    granted: bool,
}

#[derive(Deserialize)]
struct MetadataChange {
    table: String,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.status, refusal.message)
    }
}

impl Dataverse {
    /// Answers a request below `/_simulator/`.
    pub(crate) fn control(&self, request: &Request) -> Answer {
        let path = request.path.trim_start_matches("/_simulator/");
        let segments: Vec<&str> = path.split('/').collect();
        told(match &segments[..] {
            ["tables", set] => self.control_table(request, set),
            ["tables", set, id] => self.control_row(request, set, id),
            [name] => self.control_one(request, name),
            _ => Err(unknown(request)),
        })
    }

    fn control_one(&self, request: &Request, name: &str) -> Controlled {
        match (request.method.as_str(), name) {
            ("GET", "counters") => ok(&self.recorder.counters()),
            ("POST", "reset-counters") => {
                self.recorder.reset_counters();
                done()
            }
            ("GET", "journal") => ok(&self.recorder.entries()),
            ("DELETE", "journal") => {
                self.recorder.clear_entries();
                done()
            }
            ("POST", "faults") => {
                let rules: Vec<FaultRule> = read(request)?;
                rules.into_iter().for_each(|rule| self.faults.add(rule));
                done()
            }
            ("DELETE", "faults") => {
                self.faults.clear();
                done()
            }
            ("POST", "edits") => {
                let Edits { count, seed } = read(request)?;
                ok(&self.random_edits(count, seed))
            }
            _ => self.control_state(request, name),
        }
    }

    fn control_state(&self, request: &Request, name: &str) -> Controlled {
        match (request.method.as_str(), name) {
            ("POST", "merge") => {
                let Merge { loser, master } = read(request)?;
                self.merge_as_human(loser, master)?;
                done()
            }
            ("POST", "clock") => {
                let Advance { advance_seconds } = read(request)?;
                self.clock.advance(SignedDuration::from_secs(advance_seconds));
                ok(&json!({ "now": self.clock.now().to_string() }))
            }
            ("POST", "revoke-tokens") => {
                self.sign_in.revoke_access_tokens();
                done()
            }
            ("POST", "expire-delta-links") => {
                self.expire_delta_links();
                done()
            }
            ("POST", "privileges") => {
                self.change_privilege(&read(request)?);
                done()
            }
            ("POST", "metadata") => {
                let MetadataChange { table } = read(request)?;
                self.change_metadata(&table)?;
                done()
            }
            _ => Err(unknown(request)),
        }
    }

    fn control_table(&self, request: &Request, set: &str) -> Controlled {
        match request.method {
            Method::GET => {
                let lines = self
                    .all_rows(set)?
                    .into_iter()
                    .map(|row| Value::Object(row).to_string() + "\n");
                let dump: String = lines.collect();
                Ok(Answer::bytes(StatusCode::OK, dump).with("content-type", "application/x-ndjson"))
            }
            Method::POST => {
                let body: Map<String, Value> = read(request)?;
                let id = self.create_as_human(set, &body)?;
                Ok(Answer::json(StatusCode::CREATED, &json!({ "id": id })))
            }
            _ => Err(unknown(request)),
        }
    }

    fn control_row(&self, request: &Request, set: &str, id: &str) -> Controlled {
        let id: Uuid = id.parse().map_err(|_| unknown(request))?;
        match request.method {
            Method::GET => ok(&self.row(set, id).ok_or_else(|| unknown(request))?),
            Method::PATCH => {
                let body: Map<String, Value> = read(request)?;
                self.edit_as_human(set, id, &body)?;
                done()
            }
            Method::DELETE => {
                self.delete_as_human(set, id)?;
                done()
            }
            _ => Err(unknown(request)),
        }
    }

    fn change_privilege(&self, change: &PrivilegeChange) {
        let mut access = self.access();
        if change.granted {
            access.grant(&change.table, change.privilege);
        } else {
            access.revoke(&change.table, change.privilege);
        }
    }

    /// Changes a table's definition, which makes its delta links invalid.
    pub(crate) fn change_metadata(&self, set: &str) -> Result<(), Refusal> {
        let mut store = self.store_mut();
        let table = store.position(set).ok_or_else(|| Refusal::unknown_segment(set))?;
        store.change_metadata(table);
        Ok(())
    }
}

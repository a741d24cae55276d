//! The control API below `/_simulator/rest/`.
//!
//! | request | does |
//! | --- | --- |
//! | `GET writes` | what was written through the API |
//! | `GET rows/{collection}` | the rows that were not deleted |
//! | `POST rows/{collection}` | makes a row as a human does: `{id}` |
//! | `POST rows/{collection}/{id}` | changes a row as a human does |
//! | `DELETE rows/{collection}/{id}` | deletes a row as a human does |
//! | `POST settings` | how the register behaves from now on, as [`Settings`] has it; what is left out is the usual |

use serde_json::{Value, json};

use super::server::Rest;
use super::settings::Settings;
use super::store::Collection;
use super::write::merge;
use crate::control::{Controlled, Problem, done, ok, read, told, unknown};
use crate::wire::{Answer, Request};

impl Rest {
    /// Answers a request below `/_simulator/rest/`.
    pub(crate) fn control(&self, request: &Request, path: &str) -> Answer {
        told(self.act(request, path))
    }

    fn act(&self, request: &Request, path: &str) -> Controlled {
        let segments: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["writes"]) => ok(&self.writes()),
            ("POST", ["settings"]) => {
                let settings: Settings = read(request)?;
                self.change_settings(|current| *current = settings);
                done()
            }
            (_, ["rows", name, rest @ ..]) => {
                let collection = Collection::named(name).ok_or_else(|| unknown(request))?;
                self.act_on_rows(request, collection, rest)
            }
            _ => Err(unknown(request)),
        }
    }

    fn act_on_rows(&self, request: &Request, collection: Collection, rest: &[&str]) -> Controlled {
        let id = rest.first().and_then(|id| id.parse().ok());
        let id = id.filter(|id| self.row(collection, *id).is_some());
        match (request.method.as_str(), rest, id) {
            ("GET", [], _) => ok(&self.rows(collection)),
            ("POST", [], _) => {
                let row = checked(collection, read(request)?)?;
                ok(&json!({ "id": self.create_as_human(collection, &row) }))
            }
            ("POST", [_], Some(id)) => {
                let changes = checked(collection, read(request)?)?;
                self.edit_as_human(collection, id, &changes);
                done()
            }
            ("DELETE", [_], Some(id)) => {
                self.delete_as_human(collection, id);
                done()
            }
            _ => Err(unknown(request)),
        }
    }
}

fn checked(collection: Collection, row: Value) -> Result<Value, Problem> {
    let fits = merge(&mut collection.template(), &row, "").is_ok();
    let wrong = || {
        Problem(
            http::StatusCode::BAD_REQUEST,
            "rows have no such member".to_owned(),
        )
    };
    fits.then_some(row).ok_or_else(wrong)
}

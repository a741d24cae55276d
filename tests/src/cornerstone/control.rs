//! The control API below `/_simulator/cornerstone/`.
//!
//! | request | does |
//! | --- | --- |
//! | `GET users`, `GET learning-objects`, `GET registrations` | tells the records as they are |
//! | `GET writes` | tells every change of a transcript |
//! | `POST users` | `{externalId, firstName, lastName, email, active}`: adds a user or changes the one there is |
//! | `POST learning-objects` | `{id, title, trainingType, active, recurs}`: adds one, or changes the one with the id; tells it |
//! | `POST registrations` | `{externalId, learningObject, status}`: enrols, as a human does; tells it |
//! | `POST advance` | `{externalId, learningObject, status}`: moves the latest registration on, as a human does |
//! | `POST seed` | `{prefix, users, learningObjects, registrations, seed}`: makes them up |
//! | `POST outage` | `{all}` or `{only: ["reporting"]}`: takes it down; `{}` brings it back |
//! | `POST settings` | some of `{warehouseLagSeconds, repeatedRows, shiftingPages, repeatedAssignment, listsOfOne, refusalsIn200, latencyMilliseconds, limits}` |
//! | `POST expire-next-links` | makes every next link invalid |
//! | `POST subscriptions` | `{url, headers, gzip}`: adds somebody who is told |
//! | `POST deliveries` | tells them |

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::resource::Resource;
use super::server::{Cornerstone, Outage};
use super::settings::{Limits, Repeated};
use super::status::{Status, TrainingType};
use super::webhook::Subscription;
use crate::control::{Controlled, Problem, done, ok, read, told, unknown};
use crate::wire::{Answer, Request};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AskedUser {
    external_id: String,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    active: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AskedObject {
    id: Option<Uuid>,
    title: Option<String>,
    training_type: Option<TrainingType>,
    active: Option<bool>,
    recurs: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    external_id: String,
    learning_object: Uuid,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seed {
    prefix: String,
    users: usize,
    learning_objects: usize,
    registrations: usize,
    #[serde(default)]
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Down {
    #[serde(default)]
    all: bool,
    #[serde(default)]
    only: BTreeSet<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Changes {
    warehouse_lag_seconds: Option<i64>,
    repeated_rows: Option<usize>,
    shifting_pages: Option<bool>,
    repeated_assignment: Option<Repeated>,
    lists_of_one: Option<bool>,
    refusals_in_200: Option<bool>,
    latency_milliseconds: Option<u64>,
    limits: Option<Limits>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedSubscription {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    gzip: Option<bool>,
}

impl Cornerstone {
    /// Answers a request below `/_simulator/cornerstone/`.
    pub(crate) async fn control(&self, request: &Request, path: &str) -> Answer {
        if (request.method.as_str(), path) == ("POST", "deliveries") {
            let delivered = self.deliver_webhooks().await;
            let rows = delivered.iter();
            let rows = rows.map(
                |one| json!({ "subscription": one.subscription, "status": one.status, "body": one.body }),
            );
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
            "users" => ok(&self.users()),
            "learning-objects" => ok(&self.learning_objects()),
            "registrations" => ok(&self.registrations()),
            "writes" => ok(&self.writes()),
            _ => Err(unknown(request)),
        }
    }

    fn act(&self, request: &Request, path: &str) -> Controlled {
        match path {
            "users" => return self.take_user(read(request)?),
            "learning-objects" => return self.take_object(read(request)?),
            "registrations" => {
                let line: Line = read(request)?;
                self.check_line(&line)?;
                return ok(&self.enrol(&line.external_id, line.learning_object, line.status));
            }
            "advance" => {
                let line: Line = read(request)?;
                let known = self.registration(&line.external_id, line.learning_object);
                known.ok_or_else(|| missing("registration"))?;
                return ok(&self.advance(&line.external_id, line.learning_object, line.status));
            }
            "seed" => {
                let asked: Seed = read(request)?;
                let Seed {
                    prefix,
                    users,
                    learning_objects,
                    registrations,
                    seed,
                } = asked;
                self.seed(&prefix, users, learning_objects, registrations, seed);
            }
            "outage" => {
                let Down { all, only } = read(request)?;
                self.set_outage(if all { Outage::All } else { Outage::Only(only) });
            }
            "settings" => self.take_changes(read(request)?),
            "expire-next-links" => self.expire_next_links(),
            "subscriptions" => self.take_subscription(read(request)?)?,
            _ => return Err(unknown(request)),
        }
        done()
    }

    fn take_user(&self, asked: AskedUser) -> Controlled {
        if self.user(&asked.external_id).is_none() {
            self.add_user(&asked.external_id, "", "");
        }
        ok(&self.change_user(&asked.external_id, |user| {
            set(&mut user.first_name, asked.first_name);
            set(&mut user.last_name, asked.last_name);
            set(&mut user.email, asked.email);
            set(&mut user.active, asked.active);
        }))
    }

    fn take_object(&self, asked: AskedObject) -> Controlled {
        let known = self.learning_objects();
        let id = match asked.id {
            Some(id) if known.iter().any(|object| object.id == id) => id,
            Some(_) => return Err(missing("learning object")),
            None => {
                let training_type = asked.training_type.unwrap_or(TrainingType::OnlineClass);
                self.add_learning_object("", training_type).id
            }
        };
        ok(&self.change_learning_object(id, |object| {
            set(&mut object.title, asked.title);
            set(&mut object.training_type, asked.training_type);
            set(&mut object.active, asked.active);
            set(&mut object.recurs, asked.recurs);
        }))
    }

    fn check_line(&self, line: &Line) -> Result<(), Problem> {
        self.user(&line.external_id).ok_or_else(|| missing("user"))?;
        let known = self.learning_objects();
        let mut ids = known.iter().map(|object| object.id);
        ids.find(|id| *id == line.learning_object)
            .ok_or_else(|| missing("learning object"))?;
        Ok(())
    }

    fn take_changes(&self, changes: Changes) {
        self.change(|settings| {
            let lag = changes.warehouse_lag_seconds.map(SignedDuration::from_secs);
            set(&mut settings.warehouse_lag, lag);
            set(&mut settings.repeated_rows, changes.repeated_rows);
            set(&mut settings.shifting_pages, changes.shifting_pages);
            set(&mut settings.repeated_assignment, changes.repeated_assignment);
            set(&mut settings.lists_of_one, changes.lists_of_one);
            set(&mut settings.refusals_in_200, changes.refusals_in_200);
            let latency = changes.latency_milliseconds.map(Duration::from_millis);
            set(&mut settings.latency, latency);
            set(&mut settings.limits, changes.limits);
        });
    }

    fn take_subscription(&self, asked: AskedSubscription) -> Result<(), Problem> {
        if asked.headers.len() > 4 {
            return Err(Problem(
                StatusCode::BAD_REQUEST,
                "there are at most four headers".to_owned(),
            ));
        }
        let mut subscription = Subscription::new(&asked.url);
        subscription.headers = asked.headers.into_iter().collect();
        set(&mut subscription.gzip, asked.gzip);
        self.subscribe(subscription);
        Ok(())
    }
}

fn set<T>(place: &mut T, wanted: Option<T>) {
    if let Some(wanted) = wanted {
        *place = wanted;
    }
}

fn missing(what: &str) -> Problem {
    Problem(StatusCode::NOT_FOUND, format!("there is no such {what}"))
}

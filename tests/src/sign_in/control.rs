//! The control API of a sign-in server, below `/_simulator/sign-in/{server}/`.
//!
//! | request | does |
//! | --- | --- |
//! | `GET calls`, `GET refusals` | tells what was asked: by client and grant type; what was refused, one by one |
//! | `GET families` | tells the families of refresh tokens |
//! | `GET settings`, `POST settings` | tells the [`Settings`]; changes those that are given |
//! | `POST revoke-access-tokens` | makes access tokens invalid |
//! | `POST clients/{id}/expire-secret` | makes its secrets expired ones |
//! | `POST clients/{id}/rotate-secret` | `{keepOld}`: gives it a new secret, and tells it |
//! | `POST clients/{id}/certificates` | a list of certificates in PEM: registers these and no others |
//! | `POST clients/{id}/redirect-uris` | a list of addresses: registers these and no others |
//! | `POST clients/{id}/revoke-consent` | ends all that users allowed it |

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Settings, SignIn};
use crate::control::{Controlled, Problem, done, ok, read, told, unknown};
use crate::wire::{Answer, Request};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rotate {
    keep_old: bool,
}

impl SignIn {
    /// Answers a control request whose path ends with `path`.
    pub(crate) fn control(&self, request: &Request, path: &str) -> Answer {
        let segments: Vec<&str> = path.split('/').collect();
        told(match (request.method.as_str(), &segments[..]) {
            ("GET", ["calls"]) => ok(&self.calls()),
            ("GET", ["refusals"]) => ok(&self.refusals()),
            ("GET", ["families"]) => ok(&self.families()),
            ("GET", ["settings"]) => ok(&self.settings()),
            ("POST", ["settings"]) => self.control_settings(request),
            ("POST", ["revoke-access-tokens"]) => {
                self.revoke_access_tokens();
                done()
            }
            ("POST", ["clients", id, action]) if self.knows(id) => self.control_client(request, id, action),
            _ => Err(unknown(request)),
        })
    }

    fn control_settings(&self, request: &Request) -> Controlled {
        let changes: Map<String, Value> = read(request)?;
        let mut settings = serde_json::to_value(self.settings()).expect("settings are plain data");
        let members = settings.as_object_mut().expect("settings are an object");
        members.extend(changes);
        let changed: Settings = serde_json::from_value(settings).map_err(|error| bad(error.to_string()))?;
        self.replace(changed).map_err(bad)?;
        done()
    }

    fn control_client(&self, request: &Request, id: &str, action: &str) -> Controlled {
        match action {
            "expire-secret" => self.expire_secret(id),
            "rotate-secret" => {
                let Rotate { keep_old } = read(request)?;
                return ok(&json!({ "clientSecret": self.rotate_secret(id, keep_old) }));
            }
            "certificates" => {
                let pems: Vec<String> = read(request)?;
                let pems: Vec<&str> = pems.iter().map(String::as_str).collect();
                self.register_certificates(id, &pems).map_err(bad)?;
            }
            "redirect-uris" => {
                let uris: Vec<String> = read(request)?;
                self.set_redirect_uris(id, &uris.iter().map(String::as_str).collect::<Vec<_>>());
            }
            "revoke-consent" => self.revoke_consent(id),
            _ => return Err(unknown(request)),
        }
        done()
    }
}

fn bad(message: String) -> Problem {
    Problem(StatusCode::BAD_REQUEST, message)
}

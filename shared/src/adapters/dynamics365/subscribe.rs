//! Webhooks: one endpoint, and a step for each of three messages of each mapped table.
//!
//! Everything is read before anything is written, and what is written is what differs. A step without its endpoint cannot
//! be, so that the endpoint is made first and removed last; whatever breaks off in between, the next call finds.
//!
//! The secret cannot be read back. What tells that it is another one by now is a code of it in the endpoint's description:
//! its first 64 bits are enough to tell two secrets apart, and none of a secret that cannot be guessed. Whoever changes
//! anything of the endpoint may have changed the secret as well: it is written with everything else.
//!
//! The application user needs the privileges to read, create, write and delete `ServiceEndpoint` and
//! `SdkMessageProcessingStep`, and to read `SdkMessage` and `SdkMessageFilter`.

use http::{HeaderName, HeaderValue};
use ring::hmac;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::adapter::Dynamics365;
use super::registration::{Endpoint, Filter, HTTP_HEADER, Message, Step, StepSettings, WEBHOOK, guid};
use super::table::Table;
use crate::adapter::{Error, ErrorKind, Result, Subscribed, Subscription};

/// What is told, as the system calls it, and as an operator reads it.
const TOLD: [(&str, &str); 3] = [
    ("Create", "creations"),
    (UPDATE, "updates"),
    ("Delete", "deletions"),
];
const UPDATE: &str = "Update";

/// A step as it should be.
struct WantedStep {
    /// What it is for, such as `updates of contact`.
    purpose: String,
    name: String,
    message: Box<str>,
    filter: Box<str>,
    settings: StepSettings,
}

/// What is to be done with a step.
enum Repair {
    Make(Value),
    Change(String, Value),
    Remove(String),
}

impl Dynamics365 {
    /// Makes an endpoint and its steps what they should be; says what was wrong with them.
    pub(super) async fn see_to(&self, wanted: &Subscription) -> Result<Subscribed> {
        check_name(&wanted.name)?;
        let body = endpoint(wanted)?;
        let steps = self.wanted_steps(&wanted.name).await?;
        let mut registered = self.registered(&wanted.name).await?.into_iter();
        let mut wrong = Vec::new();
        if let Some((endpoint, found)) = registered.next() {
            let differs = differences(&endpoint, &body);
            if !differs.is_empty() {
                self.client.patch_endpoint(&endpoint.id, &body).await?;
            }
            wrong.extend(differs);
            wrong.extend(self.mend(&endpoint.id, &steps, found).await?);
        } else {
            let id = self.client.post_endpoint(&body).await?;
            self.mend(&id, &steps, Vec::new()).await?;
            wrong.push("missing".to_owned());
        }
        for (endpoint, steps) in registered {
            self.remove(&endpoint, &steps).await?;
            wrong.push("a second endpoint of the same name was there".to_owned());
        }
        Ok(match wrong.is_empty() {
            true => Subscribed::Running,
            false => Subscribed::Mended(wrong),
        })
    }

    /// Removes every endpoint of a name, with its steps.
    pub(super) async fn remove_all(&self, name: &str) -> Result<()> {
        check_name(name)?;
        for (endpoint, steps) in self.registered(name).await? {
            self.remove(&endpoint, &steps).await?;
        }
        Ok(())
    }

    async fn remove(&self, endpoint: &Endpoint, steps: &[Step]) -> Result<()> {
        for step in steps {
            self.client.delete_step(&step.id).await?;
        }
        self.client.delete_endpoint(&endpoint.id).await
    }

    /// Reads the endpoints of a name, each with its steps.
    async fn registered(&self, name: &str) -> Result<Vec<(Endpoint, Vec<Step>)>> {
        let mut registered = Vec::new();
        for endpoint in self.client.get_endpoints(name).await? {
            let steps = self.client.get_steps(&endpoint).await?;
            registered.push((endpoint, steps));
        }
        Ok(registered)
    }

    async fn wanted_steps(&self, name: &str) -> Result<Vec<WantedStep>> {
        let tables = &self.settings.tables;
        let names: Vec<&str> = tables.iter().map(|table| table.logical_name.as_str()).collect();
        let messages = self
            .client
            .get_messages(&TOLD.map(|(message, _)| message))
            .await?;
        let filters = self.client.get_filters(&messages, &names).await?;
        let mut wanted = Vec::new();
        for table in tables {
            for (message, told) in TOLD {
                let (message_id, filter) = place(&messages, &filters, message, table)?;
                wanted.push(WantedStep {
                    purpose: format!("{told} of {}", table.logical_name),
                    name: format!("{name}: {message} of {}", table.logical_name),
                    message: message_id,
                    filter,
                    settings: settings((message == UPDATE).then(|| columns(table))),
                });
            }
        }
        Ok(wanted)
    }

    async fn mend(&self, endpoint: &str, wanted: &[WantedStep], found: Vec<Step>) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for (repair, why) in plan(endpoint, wanted, found) {
            match repair {
                Repair::Make(body) => self.client.post_step(&body).await?,
                Repair::Change(id, body) => self.client.patch_step(&id, &body).await?,
                Repair::Remove(id) => self.client.delete_step(&id).await?,
            }
            wrong.push(why);
        }
        Ok(wrong)
    }
}

/// The name stands in a query as it is.
fn check_name(name: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match (1..=128).contains(&name.len()) && name.bytes().all(plain) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Unsupported,
            "the name of a subscription is 1 to 128 of A-Z, a-z, 0-9, '-', '_' and '.'",
        )),
    }
}

/// Returns the row of an endpoint.
fn endpoint(wanted: &Subscription) -> Result<Value> {
    let secret = wanted.secret.expose_secret();
    let unfit = |message: &'static str| Error::new(ErrorKind::Unsupported, message);
    let header = wanted.header.as_deref().and_then(|header| header.parse().ok());
    let header: HeaderName =
        header.ok_or_else(|| unfit("the header of a subscription is no name of a header"))?;
    if HeaderValue::from_str(secret).is_err() || secret.contains('\t') {
        return Err(unfit("the secret of a subscription does not fit into a header"));
    }
    Ok(json!({
        "name": wanted.name,
        "contract": WEBHOOK,
        "url": wanted.url.as_str(),
        "authtype": HTTP_HEADER,
        "authvalue": format!(
            r#"<settings><setting name="{}" value="{}" /></settings>"#,
            escape(header.as_str()),
            escape(secret),
        ),
        "description": format!("Kept by the service that it calls. Secret: {}", code(secret, &header)),
    }))
}

/// Tells one secret, in one header, from another.
fn code(secret: &str, header: &HeaderName) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, header.as_str().as_bytes());
    tag.as_ref()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes text as the value of an attribute of XML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Says what of an endpoint is not as it should be, as far as it can be read.
fn differences(endpoint: &Endpoint, wanted: &Value) -> Vec<String> {
    let differs = [
        (
            endpoint.url.as_deref() != wanted["url"].as_str(),
            "another address",
        ),
        (
            endpoint.auth_type != wanted["authtype"].as_i64(),
            "another kind of proof",
        ),
        (
            endpoint.description.as_deref() != wanted["description"].as_str(),
            "another secret",
        ),
    ];
    let told = differs.into_iter().filter(|(differs, _)| *differs);
    told.map(|(_, what)| what.to_owned()).collect()
}

/// Finds the ids that a step for a message of a table is bound to.
fn place(
    messages: &[Message],
    filters: &[Filter],
    name: &str,
    table: &Table,
) -> Result<(Box<str>, Box<str>)> {
    let message = messages.iter().find(|message| message.name == name);
    let found = message.and_then(|message| {
        let of = |filter: &&Filter| filter.table == table.logical_name && filter.message == message.id;
        Some((message, filters.iter().find(of)?))
    });
    let (message, filter) = found.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "the system tells nobody of this table")
            .with("table", &table.logical_name)
            .with("message", name)
    })?;
    Ok((guid(&message.id)?, guid(&filter.id)?))
}

fn settings(columns: Option<String>) -> StepSettings {
    StepSettings {
        mode: 1,
        stage: 40,
        rank: 1,
        deployment: 0,
        forgets: true,
        columns,
    }
}

/// Returns the columns that a record is made of, and those that say which record it is and whether it is in use.
fn columns(table: &Table) -> String {
    let mapped = table.columns.iter().map(super::table::Column::logical_name);
    let mut names: Vec<&str> = mapped
        .chain(table.alternate_key.as_deref())
        .chain(["statecode"])
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(",")
}

/// Says what is to be done so that what is found is what is wanted, and why.
fn plan(endpoint: &str, wanted: &[WantedStep], mut found: Vec<Step>) -> Vec<(Repair, String)> {
    let mut repairs = Vec::new();
    for step in wanted {
        let is_for = |found: &Step| {
            found
                .filter
                .as_deref()
                .is_some_and(|id| *step.filter == id.to_ascii_lowercase())
        };
        let Some(position) = found.iter().position(is_for) else {
            let why = format!("the step for {} was missing", step.purpose);
            repairs.push((Repair::Make(step.body(endpoint)), why));
            continue;
        };
        let found = found.remove(position);
        if found.state != 0 {
            // A row that is not in use is read-only: its state is written apart.
            let body = json!({ "statecode": 0, "statuscode": 1 });
            let why = format!("the step for {} was disabled", step.purpose);
            repairs.push((Repair::Change(found.id.clone(), body), why));
        }
        if found.settings.in_order() != step.settings.in_order() {
            let why = format!("the step for {} had other settings", step.purpose);
            repairs.push((Repair::Change(found.id, json!(step.settings)), why));
        }
    }
    for step in found {
        let why = "a step that nobody needs was there".to_owned();
        repairs.push((Repair::Remove(step.id), why));
    }
    repairs
}

impl WantedStep {
    fn body(&self, endpoint: &str) -> Value {
        let mut body = json!({
            "name": self.name,
            "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({endpoint})"),
            "sdkmessageid@odata.bind": format!("/sdkmessages({})", self.message),
            "sdkmessagefilterid@odata.bind": format!("/sdkmessagefilters({})", self.filter),
        });
        if let (Value::Object(body), Value::Object(settings)) = (&mut body, json!(self.settings)) {
            body.extend(settings);
        }
        body
    }
}

impl StepSettings {
    /// Puts the columns in one order, however they were written.
    fn in_order(&self) -> Self {
        let listed = self
            .columns
            .as_deref()
            .filter(|columns| !columns.trim().is_empty());
        let columns = listed.map(|columns| {
            let mut names: Vec<String> = columns
                .split(',')
                .map(|name| name.trim().to_lowercase())
                .collect();
            names.sort_unstable();
            names.dedup();
            names.join(",")
        });
        Self {
            columns,
            ..self.clone()
        }
    }
}

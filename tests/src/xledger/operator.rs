//! What tests do at Xledger's end: as its administrator, as a human at its screen, or as its clock.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

use super::file::{self, Layout};
use super::graphql::render_change;
use super::ledger::{Entry, ImportError, Item, JobReport, Line};
use super::server::{ENTITY, TOKEN, Xledger, lock};
use super::settings::Settings;
use super::soap::User;
use super::token::ApiToken;
use super::usage::Month;
use super::webhook::{Delivered, Parcel, Webhook, WebhookState, signature};

impl Xledger {
    /// Returns the API token that may do everything.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// Returns the code of the entity that the API token is for.
    pub fn entity(&self) -> &'static str {
        ENTITY
    }

    /// Adds an API token.
    pub fn add_token(&self, token: ApiToken) {
        lock(&self.tokens).push(token);
    }

    /// Changes an API token, such as when it ends.
    pub fn change_token(&self, token: &str, change: impl FnOnce(&mut ApiToken)) {
        if let Some(found) = lock(&self.tokens).iter_mut().find(|known| known.token == token) {
            change(found);
        }
    }

    /// Returns the user of the SOAP services.
    pub fn user(&self) -> User {
        lock(&self.desk).users[0].clone()
    }

    /// Adds a user of the SOAP services.
    pub fn add_user(&self, user: User) {
        lock(&self.desk).users.push(user);
    }

    /// Makes every key of the SOAP services invalid.
    pub fn expire_keys(&self) {
        lock(&self.desk).expire_keys();
    }

    /// Changes how Xledger behaves from now on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.settle();
        change(&mut lock(&self.ledger).settings);
    }

    /// Closes Xledger for maintenance, or opens it again. The job goes on.
    pub fn set_maintenance(&self, closed: bool) {
        self.maintenance.store(closed, Ordering::SeqCst);
    }

    /// Returns the lines in the import queue, seen or not.
    pub fn queue(&self) -> Vec<Line> {
        self.settle();
        lock(&self.ledger).queue.clone()
    }

    /// Returns the lines that were posted.
    pub fn posted(&self) -> Vec<Entry> {
        self.settle();
        lock(&self.ledger).posted.clone()
    }

    /// Returns what is wrong with the lines in the queue.
    pub fn errors(&self) -> Vec<ImportError> {
        self.settle();
        lock(&self.ledger).errors.clone()
    }

    /// Returns the names of the files that were uploaded or imported.
    pub fn files(&self) -> Vec<String> {
        lock(&self.ledger).files.iter().cloned().collect()
    }

    /// Runs the import job now.
    pub fn run_job(&self) -> JobReport {
        self.settle();
        lock(&self.ledger).run_job(self.clock.now())
    }

    /// Imports a file as a human does, and returns the number of its lines.
    ///
    /// # Errors
    ///
    /// Fails when the file is not of the layout; nothing is imported then.
    pub fn import_file(&self, layout: &Layout, name: &str, bytes: &[u8]) -> Result<usize, String> {
        self.settle();
        let mut ledger = lock(&self.ledger);
        let drafts = file::read(layout, bytes, ledger.settings.quoted_cells)?;
        let lines = drafts.len();
        for draft in drafts {
            ledger.enqueue(draft.into_line(), self.clock.now());
        }
        ledger.files.push_back(name.to_owned());
        Ok(lines)
    }

    /// Removes a line from the queue as a human does; returns whether it was there.
    pub fn remove_line(&self, db_id: i64) -> bool {
        self.settle();
        let mut ledger = lock(&self.ledger);
        let lines = ledger.queue.len();
        ledger.queue.retain(|line| line.db_id != db_id);
        ledger.errors.retain(|error| error.line != db_id);
        ledger.queue.len() < lines
    }

    /// Closes a month for an entity, or opens it again.
    pub fn close_period(&self, entity: &str, year: i16, month: i8, closed: bool) {
        self.settle();
        lock(&self.ledger).close(entity, year, month, closed);
    }

    /// Adds a row to a register such as `Account`, or changes the one that has the code.
    pub fn register(&self, object: &str, code: &str, change: impl FnOnce(&mut Item)) {
        self.settle();
        let mut ledger = lock(&self.ledger);
        let item = ledger.registers.add(object, code, code);
        change(item);
        let db_id = item.db_id;
        if object == "Project" {
            ledger.changed("projectsMutated", db_id);
        }
    }

    /// Locks a row of a register for lines, or unlocks it; returns whether there is such a row.
    pub fn lock(&self, object: &str, code: &str, locked: bool) -> bool {
        self.settle();
        let mut ledger = lock(&self.ledger);
        let item = ledger.registers.find_mut(object, code);
        item.map(|item| item.open = !locked).is_some()
    }

    /// Lets the job refuse lines that their sender called this, and say why; without a reason it no longer does.
    pub fn reject(&self, ext_identifier: &str, why: Option<&str>) {
        self.settle();
        let mut ledger = lock(&self.ledger);
        match why {
            Some(why) => drop(ledger.rejected.insert(ext_identifier.to_owned(), why.to_owned())),
            None => drop(ledger.rejected.remove(ext_identifier)),
        }
    }

    /// Returns what was asked of GraphQL in the month that it is.
    pub fn month(&self) -> Month {
        lock(&self.usage).month(self.clock.now())
    }

    /// Returns the webhooks.
    pub fn webhooks(&self) -> Vec<Webhook> {
        lock(&self.ledger).webhooks.clone()
    }

    /// Puts a webhook into a state; returns whether there is such a webhook.
    pub fn set_webhook_state(&self, db_id: i64, state: WebhookState) -> bool {
        let mut ledger = lock(&self.ledger);
        let webhook = ledger.webhooks.iter_mut().find(|webhook| webhook.db_id == db_id);
        webhook.map(|webhook| webhook.state = state).is_some()
    }

    /// Tells all listeners of what changed, each until one delivery to it fails.
    pub async fn deliver_webhooks(&self) -> Vec<Delivered> {
        self.settle();
        let http = client();
        let mut delivered: Vec<Delivered> = Vec::new();
        while let Some(parcel) = self.next_parcel(&delivered) {
            let status = self.deliver(&http, &parcel).await;
            let mut ledger = lock(&self.ledger);
            let most = ledger.settings.webhook_failures;
            let mut webhooks = ledger.webhooks.iter_mut();
            if let Some(webhook) = webhooks.find(|webhook| webhook.db_id == parcel.webhook) {
                webhook.book(status, most, self.clock.now());
            }
            delivered.push(Delivered {
                webhook: parcel.webhook,
                status,
                body: parcel.body,
            });
        }
        delivered
    }

    /// Takes the next change that somebody wants to know of, and who has not failed to listen this time.
    fn next_parcel(&self, delivered: &[Delivered]) -> Option<Parcel> {
        let mut ledger = lock(&self.ledger);
        let failed = |id: i64| {
            let mut attempts = delivered.iter();
            attempts.any(|attempt| attempt.webhook == id && attempt.status != Some(200))
        };
        loop {
            let mut telling = ledger.webhooks.iter();
            let at = telling.position(|webhook| {
                webhook.is_telling() && !webhook.waiting.is_empty() && !failed(webhook.db_id)
            })?;
            let webhook = &ledger.webhooks[at];
            let change = webhook.waiting.front()?;
            let node = ledger.node(change.stream, change.db_id);
            let body = node.and_then(|node| render_change(&self.schema, &webhook.query, change, node));
            if let Some(body) = body {
                return Some(Parcel {
                    webhook: webhook.db_id,
                    url: webhook.url.clone(),
                    token: webhook.token.clone(),
                    body,
                });
            }
            ledger.webhooks[at].waiting.pop_front();
        }
    }

    async fn deliver(&self, http: &reqwest::Client, parcel: &Parcel) -> Option<u16> {
        let now = self.clock.now();
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok()?;
        let signed = signature(&parcel.token, now, parcel.body.as_bytes())?;
        let request = http
            .post(&parcel.url)
            .header(CONTENT_TYPE, "application/json")
            .header(DATE, date)
            .header("X-XL-Webhook-Signature", signed)
            .body(parcel.body.clone());
        let answer = request.send().await.ok()?;
        Some(answer.status().as_u16())
    }
}

impl super::ledger::Ledger {
    /// Returns what changed as it is now; none where it is gone.
    fn node(&self, stream: &str, db_id: i64) -> Option<Value> {
        let row = if stream == "projectsMutated" {
            let mut projects = self.registers.all("Project").iter();
            projects.find(|item| item.db_id == db_id)?.to_node()
        } else {
            let posted = self.posted.iter().map(|entry| &entry.line);
            let line = self.queue.iter().chain(posted).find(|line| line.db_id == db_id)?;
            line.to_node(self.owner(&line.entity))
        };
        Some(Value::Object(row))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulation is outside of what has one door to HTTP"
)]
fn client() -> reqwest::Client {
    // Whoever builds the workspace as a whole builds it with TLS, which wants to know whose ciphers to use.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5));
    client.build().expect("the client has nothing that can be wrong")
}

//! An API, and files while it is down.
//!
//! | the API | a change | the row for it is in |
//! | --- | --- | --- |
//! | works | goes to the API | no file, or one of which a human has said what became of it |
//! | works | is in a file already, and nothing is sent | a file that waits for a human, and says the same |
//! | works | takes the place of that row | a file that still collects |
//! | works | waits, until a human has said whether the file was imported | a file that waits for a human, and says something else |
//! | is down for long | goes into the file that collects | no file, or one that collects, or of which a human has said it |
//! | is down for long | waits for the API | none: no file can carry it |
//!
//! So nothing is sent both ways while nobody knows whether a file was imported; once that is known, the API is asked what is so
//! right now, and gets what differs.
//!
//! While the API is down for long, a reading takes what was uploaded, and then asks the API for what it was to be asked all the
//! same: no cursor moves before the API answers. What was uploaded and not taken by then is discarded once a reading is kept,
//! since the API has told it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::breaker::{Breaker, Side};
use super::table::is_number;
use super::{Files, Layout, failed};
use crate::adapter::{
    Adapter, Capability, Change, Cursor, Error, ErrorKind, Finding, Found, From, Next, Outcome, Pulled,
    Pushed, Result, Subscribed, Subscription, Usage,
};
use crate::model::{Kind, System};
use crate::transfer::{self, FileDecision, FileState, FileVerdict, RowStanding};

/// How long an API that has been down for long may take for a page.
const IMPATIENCE: Duration = Duration::from_secs(40);

/// An adapter whose changes go by files while its API is down.
#[derive(Debug)]
pub(in crate::adapters) struct Fallback<A, L> {
    api: A,
    files: Files<L>,
    breaker: Breaker,
    /// Whether the API was asked to make changes in vain, in this slice.
    refused: AtomicBool,
}

/// Where a reading stands that takes uploads before it asks the API.
///
/// # Shape
///
/// `{"uploads":"{\"files\":[\"0190…\"],\"taken\":[]}","read":false,"then":{"since":"…"}}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Detour {
    /// The bookmark of the uploads.
    uploads: Cursor,
    /// Whether all of them were read.
    read: bool,
    /// What the API is to be asked for.
    then: From,
}

/// What is done with a change.
enum Way {
    Api,
    File,
    Settled(Pushed),
}

impl<A: Adapter, L: Layout> Fallback<A, L> {
    /// Puts an API and files together; changes go by files once the API has been down for so long. Files that went out at
    /// other times are known in any case.
    pub(in crate::adapters) fn new(api: A, files: Files<L>, after: SignedDuration) -> Self {
        Self {
            api,
            files,
            breaker: Breaker::new(after),
            refused: AtomicBool::new(false),
        }
    }

    fn is_down(&self, side: Side) -> bool {
        self.breaker.is_open(side, self.files.clock.now())
    }

    /// Takes note of what a call ended in: that it is down, that it works, or, by other errors, neither.
    async fn note(&self, side: Side, error: Option<&Error>) {
        let (store, id, now) = (
            &*self.files.stores.store,
            &self.files.integration,
            self.files.clock.now(),
        );
        match error.map(Error::kind) {
            Some(ErrorKind::Unavailable) => self.breaker.failed(store, id, side, now).await,
            Some(_) => self.breaker.load(store, id).await,
            None => self.breaker.worked(store, id, side, now).await,
        }
    }

    /// Asks the API; one that has been down for long is not waited for as long as others are.
    async fn ask(&self, kind: Kind, from: &From) -> Result<Pulled> {
        let (store, id) = (&*self.files.stores.store, &self.files.integration);
        self.breaker.load(store, id).await;
        let end = if self.is_down(Side::Reading) {
            let late = |_| {
                Err(Error::new(
                    ErrorKind::Unavailable,
                    "it is down, and did not answer in time",
                ))
            };
            tokio::time::timeout(IMPATIENCE, self.api.pull(kind, from))
                .await
                .unwrap_or_else(late)
        } else {
            self.api.pull(kind, from).await
        };
        self.note(Side::Reading, end.as_ref().err()).await;
        end
    }

    /// Reads a page of the uploads, and goes on to what the API is to be asked for.
    async fn detour(&self, kind: Kind, uploads: &From, then: From) -> Result<Pulled> {
        let pulled = self.files.read(kind, uploads).await?;
        let (uploads, read) = match pulled.next {
            Next::Page(cursor) => (cursor, false),
            Next::End(cursor) | Next::Enough(cursor) => (cursor, true),
        };
        let detour = Detour { uploads, read, then };
        let cursor = serde_json::to_string(&detour).expect("a bookmark is plain JSON");
        Ok(Pulled {
            next: Next::Page(Cursor(cursor)),
            ..pulled
        })
    }

    /// Says which way each change goes.
    async fn ways(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Way>> {
        let standings = self.files.standings(kind, changes).await?;
        Ok(standings.into_iter().map(way).collect())
    }

    /// Has the API make changes; nothing where it is down for long.
    async fn by_api(&self, kind: Kind, changes: &[Change]) -> Result<Option<Vec<Outcome>>> {
        let tried = self.refused.load(Ordering::Relaxed);
        if self.is_down(Side::Reading) || tried && self.is_down(Side::Writing) {
            return Ok(None);
        }
        let end = self.api.push(kind, changes).await;
        match &end {
            Err(error) => self.note(Side::Writing, Some(error)).await,
            Ok(outcomes) if outcomes.iter().any(Result::is_ok) => self.note(Side::Writing, None).await,
            Ok(outcomes) => {
                let down = |error: &&Error| error.kind() == ErrorKind::Unavailable;
                let errors = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
                if let Some(error) = errors.clone().find(down).or_else(|| errors.clone().next()) {
                    self.note(Side::Writing, Some(error)).await;
                }
            }
        }
        match end {
            Err(error) if error.kind() == ErrorKind::Unavailable && self.is_down(Side::Writing) => {
                self.refused.store(true, Ordering::Relaxed);
                Ok(None)
            }
            end => end.map(Some),
        }
    }

    /// Puts changes into files; those that no file can carry wait for the API.
    async fn by_file(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        let outcomes = self.files.hand_over(kind, changes).await?;
        let waits = |error: Error| {
            let field = error.field().unwrap_or("the change");
            let reason = format!("for the API, since no file can carry them: {field} {error}");
            Ok(Pushed::Waits(reason))
        };
        Ok(outcomes
            .into_iter()
            .map(|outcome| outcome.or_else(waits))
            .collect())
    }

    /// Discards uploads that nobody took while the API was down.
    async fn put_aside(&self, kind: Kind) -> Result<()> {
        let Ok(reason) = "the API answers again, and has told what is so".parse() else {
            return Ok(());
        };
        for file in self.files.accepted(kind).await? {
            let verdict = FileVerdict {
                decision: FileDecision::Discarded,
                reason: &reason,
                by: self.system().as_str(),
                now: self.files.clock.now(),
            };
            let (store, id) = (&*self.files.stores.store, &self.files.integration);
            transfer::decide(store, id, &file.id, &verdict)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }
}

fn way(standing: Option<(RowStanding, bool)>) -> Way {
    match standing {
        None => Way::Api,
        Some((_, true)) => Way::Settled(Pushed::HandedOver),
        Some((standing, false)) if standing.state == FileState::Collecting => Way::File,
        Some((standing, false)) if standing.state == FileState::Failed => {
            Way::Settled(Pushed::Waits(format!(
                "for somebody to discard the file {}, which could not be written and holds what they were before",
                standing.file
            )))
        }
        Some((standing, false)) => Way::Settled(Pushed::Waits(format!(
            "for somebody to say whether the file {} was imported, which holds what they were before",
            standing.file
        ))),
    }
}

#[async_trait]
impl<A: Adapter, L: Layout> Adapter for Fallback<A, L> {
    fn system(&self) -> System {
        self.api.system()
    }

    fn capability(&self) -> Capability {
        Capability {
            pushes_unread: self.is_down(Side::Reading),
            ..self.api.capability()
        }
    }

    fn usable(&self) -> Result<()> {
        self.api.usable()
    }

    fn take_usage(&self) -> Usage {
        self.api.take_usage()
    }

    async fn probe(&self) -> Vec<Finding> {
        self.api.probe().await
    }

    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled> {
        let detour = match from {
            From::Page(cursor) => serde_json::from_str::<Detour>(&cursor.0).ok(),
            From::Start | From::Since(_) => None,
        };
        match detour {
            Some(Detour { uploads, read, then }) if !read => {
                self.detour(kind, &From::Page(uploads), then).await
            }
            Some(Detour { uploads, then, .. }) => {
                // The last page of them may not be kept yet; should that fail, the API tells what it said.
                self.files.settle(&uploads).await?;
                self.ask(kind, &then).await
            }
            None => match self.ask(kind, from).await {
                Err(error) if error.kind() == ErrorKind::Unavailable && self.is_down(Side::Reading) => {
                    let fresh = !matches!(from, From::Page(_));
                    match fresh && !self.files.accepted(kind).await?.is_empty() {
                        true => self.detour(kind, &From::Start, from.clone()).await,
                        false => Err(error),
                    }
                }
                end => end,
            },
        }
    }

    async fn acknowledge(&self, kind: Kind, since: &Cursor) -> Result<()> {
        self.api.acknowledge(kind, since).await?;
        self.put_aside(kind).await
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(changes.len());
        let (mut to_api, mut to_file) = (Vec::new(), Vec::new());
        for (place, way) in self.ways(kind, changes).await?.into_iter().enumerate() {
            outcomes.push(match way {
                Way::Settled(pushed) => Some(Ok(pushed)),
                Way::Api => {
                    to_api.push(place);
                    None
                }
                Way::File => {
                    to_file.push(place);
                    None
                }
            });
        }
        let of = |places: &[usize]| -> Vec<Change> {
            places
                .iter()
                .filter_map(|place| changes.get(*place).cloned())
                .collect()
        };
        let by_api = match to_api.is_empty() {
            true => Some(Vec::new()),
            false => self.by_api(kind, &of(&to_api)).await?,
        };
        match by_api {
            Some(made) => place(&mut outcomes, &to_api, made),
            None => to_file.append(&mut to_api),
        }
        let handed_over = self.by_file(kind, &of(&to_file)).await?;
        place(&mut outcomes, &to_file, handed_over);
        let unknown = || Err(Error::new(ErrorKind::Unknown, "nothing was said of the change"));
        Ok(outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(unknown))
            .collect())
    }

    /// What stood in an upload without a name is nothing that the API knows of. That it answers this says nothing of listings.
    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        let named: Vec<Box<str>> = ids.iter().filter(|id| !is_number(id)).cloned().collect();
        let end = match named.is_empty() {
            true => Ok(Vec::new()),
            false => self.api.find(kind, &named).await,
        };
        if let Err(error) = &end {
            self.note(Side::Reading, Some(error)).await;
        }
        let mut found = end?.into_iter();
        let mut answer = |id: &str| match is_number(id) {
            true => Found::Nothing,
            false => found.next().unwrap_or(Found::Hidden),
        };
        Ok(ids.iter().map(|id| answer(id)).collect())
    }

    async fn subscribe(&self, wanted: &Subscription) -> Result<Subscribed> {
        self.api.subscribe(wanted).await
    }

    async fn unsubscribe(&self, name: &str) -> Result<()> {
        self.api.unsubscribe(name).await
    }
}

/// Puts outcomes where their changes stood.
fn place(outcomes: &mut [Option<Outcome>], places: &[usize], found: Vec<Outcome>) {
    for (place, outcome) in places.iter().zip(found) {
        if let Some(slot) = outcomes.get_mut(*place) {
            *slot = Some(outcome);
        }
    }
}

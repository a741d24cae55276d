//! What a human does with files: exports, uploads, downloads, imports, and says what became of them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use shared::adapters;
use shared::csv::Profile;
use shared::model::{FileId, Kind};
use shared::objects::{Objects as _, sha256};
use shared::transfer::{self, Announcement, File, FileDecision, FileDirection, FileState, FileVerdict};

use crate::consio::{Cells, read};
use crate::world::{World, id, integration};

/// Files in.
impl World {
    pub(crate) fn profile(kind: Kind) -> Value {
        let purpose = kind.plural().parse().unwrap();
        adapters::upload_profile(&integration(), &purpose, None).unwrap()
    }

    pub(crate) fn csv(kind: Kind) -> Profile {
        Profile::check(&Self::profile(kind)).unwrap()
    }

    /// Exports all rows of a kind, to be uploaded now or later.
    pub(crate) fn export(&self, kind: Kind) -> Vec<u8> {
        self.consio.export(kind, &Self::csv(kind))
    }

    /// Exports the rows with these ids.
    pub(crate) fn export_some(&self, kind: Kind, ids: &[&str]) -> Vec<u8> {
        self.consio
            .export_some(kind, &Self::csv(kind), |id| ids.contains(&id))
    }

    /// Uploads everything that there is of members and memberships.
    pub(crate) async fn upload_all(&self) -> [FileId; 2] {
        let members = self.upload(Kind::Member, self.export(Kind::Member), true).await;
        let memberships = self.export(Kind::Membership);
        [members, self.upload(Kind::Membership, memberships, true).await]
    }

    /// Uploads a file.
    pub(crate) async fn upload(&self, kind: Kind, bytes: Vec<u8>, complete: bool) -> FileId {
        self.upload_by(&Self::profile(kind), kind, bytes, complete).await
    }

    /// Uploads a file of another profile.
    pub(crate) async fn upload_by(
        &self,
        profile: &Value,
        kind: Kind,
        bytes: Vec<u8>,
        complete: bool,
    ) -> FileId {
        self.wait(1);
        let (store, objects, now) = (self.rows(), &*self.objects, self.ports.now());
        let sha256 = sha256(&bytes);
        let purpose = kind.plural().parse().unwrap();
        let profile = adapters::upload_profile(&integration(), &purpose, Some(profile)).unwrap();
        let announcement = Announcement {
            purpose: &purpose,
            profile: &profile,
            complete,
            bytes: bytes.len() as u64,
            sha256: &sha256,
        };
        let announced = transfer::announce(store, objects, &id(), &announcement, "human", now).await;
        let (file, link) = announced.unwrap();
        let content_type = file.content_type.unwrap();
        assert!(objects.upload(&link, &content_type, Bytes::from(bytes), now));
        let accepted = transfer::accept(store, objects, &id(), &file.id, "human", now).await;
        let accepted = accepted.unwrap();
        assert_eq!(accepted.state, FileState::Accepted, "{accepted:?}");
        file.id
    }

    pub(crate) async fn uploads(&self) -> Vec<File> {
        let (mut files, _) = transfer::list_files(self.rows(), &id(), None, 1_000)
            .await
            .unwrap();
        files.retain(|file| file.direction == FileDirection::In);
        files
    }

    pub(crate) async fn faults(&self, file: &FileId) -> usize {
        let file = transfer::read_file(self.rows(), &id(), file).await.unwrap();
        file.faults.len()
    }

    pub(crate) async fn state(&self, file: &FileId) -> FileState {
        transfer::read_file(self.rows(), &id(), file).await.unwrap().state
    }
}

/// Files out.
impl World {
    /// Waits until nothing comes any more, so that files that collect are closed; returns those that can be downloaded:
    /// members first, and the oldest first.
    pub(crate) async fn outbox(&self) -> Vec<File> {
        self.wait(10);
        self.sweep().await;
        self.ready().await
    }

    pub(crate) async fn out(&self) -> Vec<File> {
        let (mut files, _) = transfer::list_files(self.rows(), &id(), None, 1_000)
            .await
            .unwrap();
        files.retain(|file| file.direction == FileDirection::Out);
        files.reverse();
        files
    }

    async fn ready(&self) -> Vec<File> {
        let mut files = self.out().await;
        files.retain(|file| file.state == FileState::Ready);
        files.sort_by_key(|file| (kind(file), file.id.clone()));
        files
    }

    async fn bytes(&self, file: &File) -> Bytes {
        self.objects.get(file.object.as_deref().unwrap()).await.unwrap()
    }

    /// Returns what a file says.
    pub(crate) async fn read(&self, file: &File) -> Vec<Cells> {
        read(&Self::csv(kind(file)), &self.bytes(file).await)
    }

    /// Imports a file, and says so.
    pub(crate) async fn import(&mut self, file: &File) {
        let bytes = self.bytes(file).await;
        self.consio.import(kind(file), &Self::csv(kind(file)), &bytes);
        self.say(file, FileDecision::Imported).await;
    }

    /// Imports what is there to be imported.
    pub(crate) async fn import_all(&mut self) {
        for file in &self.outbox().await {
            self.import(file).await;
        }
    }

    /// Says what became of a file.
    pub(crate) async fn say(&self, file: &File, decision: FileDecision) {
        self.say_of(&file.id, decision).await;
    }

    pub(crate) async fn say_of(&self, file: &FileId, decision: FileDecision) {
        self.wait(1);
        let reason = "as the import log says".parse().unwrap();
        let verdict = FileVerdict {
            decision,
            reason: &reason,
            by: "human",
            now: self.ports.now(),
        };
        let decided = transfer::decide(self.rows(), &id(), file, &verdict).await;
        decided.unwrap();
    }

    /// Returns how often each record went out in files that were not discarded, by kind and key.
    pub(crate) async fn went_out(&self) -> BTreeMap<(Kind, String), usize> {
        let mut counts = BTreeMap::new();
        for file in self.out().await {
            if matches!(file.state, FileState::Ready | FileState::Imported) {
                for row in self.read(&file).await {
                    let key = row["key"].as_str().unwrap().to_owned();
                    *counts.entry((kind(&file), key)).or_default() += 1;
                }
            }
        }
        counts
    }
}

/// Returns what a file is about.
pub(crate) fn kind(file: &File) -> Kind {
    let kinds = Kind::ALL.iter().copied();
    let named = |kind: &Kind| kind.plural() == file.purpose.as_str();
    kinds.into_iter().find(named).unwrap()
}

//! Both implementations under one long, random and repeatable row of writes: they answer and keep the same.

use jiff::{SignedDuration, Timestamp};
use shared::store::{Content, Due, Expect, Key, MemoryStore, Query, Row, Store, StoreError, Table, Write};

use crate::dynamo::Dynamo;

/// A linear congruential generator, with the constants of Knuth's MMIX.
struct Dice(u64);

impl Dice {
    const fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn time(&mut self) -> Option<Timestamp> {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let seconds = i64::try_from(self.roll(1_000)).unwrap();
        (self.roll(3) == 0).then(|| start + SignedDuration::from_secs(seconds))
    }

    fn due(&mut self) -> Option<(Due, Timestamp)> {
        let list = if self.roll(4) == 0 {
            Due::Tokens
        } else {
            Due::Reconcile
        };
        self.time().map(|at| (list, at))
    }

    /// Expects what is so, more often than not.
    fn expect(&mut self, stored: Option<&Row>) -> Expect {
        let version = stored.map_or(0, |row| row.version) + u64::from(self.roll(5) == 0);
        match self.roll(5) {
            _ if stored.is_none() && self.roll(3) > 0 => Expect::Absent,
            0 => Expect::Absent,
            1 => Expect::Anything,
            2 => Expect::Version(version),
            _ => Expect::Fenced {
                version,
                fence: self.roll(3),
            },
        }
    }

    fn content(&mut self, table: Table) -> Content {
        Content {
            body: self.roll(1_000_000).to_string(),
            fence: Some(self.roll(3)).filter(|fence| *fence > 0),
            due: self.due().filter(|_| table == Table::Control),
            expires_at: self.time(),
        }
    }

    fn write(&mut self, rows: &[Row]) -> Write {
        let table = if self.roll(2) == 0 {
            Table::Control
        } else {
            Table::Records
        };
        let key = Key::new(table, "hlf", format!("row#{}", self.roll(3)));
        let expect = self.expect(rows.iter().find(|row| row.key == key));
        match self.roll(8) {
            0..=2 => Write::delete(key, expect),
            3 => Write::check(key, expect),
            _ => Write::put(key, expect, self.content(table)),
        }
    }

    fn writes(&mut self, rows: &[Row]) -> Vec<Write> {
        let parts = 1 + self.roll(3);
        (0..parts).map(|_| self.write(rows)).collect()
    }
}

fn summary(outcome: Result<(), StoreError>) -> String {
    match outcome {
        Ok(()) => "made".to_owned(),
        Err(StoreError::Refused { parts }) => format!("refused: {parts:?}"),
        Err(StoreError::Invalid(_)) => "invalid".to_owned(),
        Err(other) => panic!("{other:?}"),
    }
}

/// Returns all that a store keeps: its rows, and what is due.
async fn state(store: &dyn Store) -> (Vec<Row>, Vec<Vec<Key>>) {
    let mut rows = Vec::new();
    for table in [Table::Control, Table::Records] {
        let page = store.query(&Query::new(table, "hlf", "", 100)).await.unwrap();
        rows.extend(page.rows);
    }
    let mut lists = Vec::new();
    for list in [Due::Reconcile, Due::Tokens] {
        let now = "2026-01-01T00:08:00Z".parse().unwrap();
        let mut due = store.due(list, now, 100).await.unwrap();
        // Which of two rows that are due at the same time comes first is left open.
        due.sort_unstable();
        lists.push(due);
    }
    (rows, lists)
}

#[tokio::test]
async fn memory_and_dynamodb_answer_and_keep_the_same() {
    let (memory, dynamo) = (MemoryStore::new(), Dynamo::start().await.store());
    let mut dice = Dice(20_260_101);
    let mut made = 0;
    for round in 0..1_500 {
        let (rows, _) = state(&memory).await;
        let writes = dice.writes(&rows);
        let expected = summary(memory.write(writes.clone()).await);
        let outcome = summary(dynamo.write(writes.clone()).await);
        assert_eq!(outcome, expected, "round {round}: {writes:#?}");
        made += usize::from(outcome == "made");
        if round % 10 == 0 {
            assert_eq!(
                state(&dynamo).await,
                state(&memory).await,
                "round {round}: {writes:#?}"
            );
        }
    }
    assert!(made > 300, "too few writes were made to mean much: {made}");
}

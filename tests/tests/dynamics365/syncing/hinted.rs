//! What webhooks hint at, with the real adapter; and what they missed.

use shared::adapter::Hint;
use shared::adapters::webhook_support;
use shared::flow::process;
use shared::inbox::{self, Delivery, Event, EventState, Say, WantedEndpoint};

use super::*;

impl Pair {
    /// Opens an endpoint, as somebody does who wants to be told.
    async fn endpoint(&self) -> inbox::EndpointId {
        let wanted =
            json!({ "name": "portal", "scheme": { "type": "dataverse", "header": "x-webhook-secret" } });
        let support = webhook_support(System::Dynamics365);
        let wanted = WantedEndpoint::read(wanted.as_object().unwrap(), support).unwrap();
        let (ports, keys) = (&self.worker.ports, &*self.worker.registrar.keys);
        let opened = inbox::open(ports, keys, &self.id(), wanted, "tests", None)
            .await
            .unwrap();
        opened.stored.endpoint.id
    }

    /// Is told that something happened to contacts.
    async fn told_of(&self, endpoint: &inbox::EndpointId, contacts: &[Uuid]) -> Event {
        let hint = |id: &Uuid| Hint {
            kind: Kind::Member,
            id: id.to_string().into(),
        };
        let name: Box<str> = Uuid::new_v4().to_string().into();
        let delivery = Delivery {
            endpoint: endpoint.clone(),
            integration: self.id(),
            dedup_key: name.clone(),
            content: name,
            received_at: self.worker.ports.now(),
            signed_at: None,
            sender_id: None,
            say: Say::Rows(contacts.iter().map(hint).collect()),
        };
        process::delivered(&self.worker, &delivery).await.unwrap();
        self.world.simulation.advance(SignedDuration::from_secs(1));
        let (events, _) = inbox::list_events(self.store(), &self.id(), None, 1)
            .await
            .unwrap();
        events.into_iter().next().unwrap()
    }

    fn change_there(&self, contact: Uuid, last_name: &str) {
        let change = json!({ "lastname": last_name });
        self.world.simulation.edit_as_human("contacts", contact, &change);
    }
}

#[tokio::test]
async fn a_row_that_was_made_changed_or_deleted_is_taken_over_by_one_request() {
    let pair = Pair::new(30).await;
    pair.sync().await;
    let endpoint = pair.endpoint().await;
    let contact = guid(&pair.contacts()[0], "contactid");
    pair.change_there(contact, "Nyestad");
    let event = pair.told_of(&endpoint, &[contact]).await;
    assert_eq!(
        (event.state, event.rows.unwrap().updated),
        (EventState::Applied, 1)
    );
    let names = async || {
        let members = pair.members().await;
        members
            .iter()
            .map(|member| said(member, "lastName"))
            .collect::<Vec<_>>()
    };
    assert!(names().await.contains(&json!("Nyestad")));
    // The same once more says nothing new, and neither does the next run.
    assert_eq!(
        pair.told_of(&endpoint, &[contact]).await.rows.unwrap().unchanged,
        1
    );
    let run = pair.sync().await;
    assert_eq!(totals(&run, Kind::Member).updated, 0);
    pair.world.simulation.delete_as_human("contacts", contact);
    assert_eq!(pair.told_of(&endpoint, &[contact]).await.rows.unwrap().removed, 1);
    assert_eq!(pair.members().await.len(), 29);
    let run = pair.sync().await;
    assert_eq!((run.state, pair.members().await.len()), (RunState::Succeeded, 29));
}

#[tokio::test]
async fn what_is_no_id_of_a_row_is_put_aside_as_a_fault_of_the_mapping() {
    let pair = Pair::new(3).await;
    let endpoint = pair.endpoint().await;
    let name: Box<str> = "one".into();
    let hint = Hint {
        kind: Kind::Member,
        id: "4711".into(),
    };
    let delivery = Delivery {
        endpoint,
        integration: pair.id(),
        dedup_key: name.clone(),
        content: name,
        received_at: pair.worker.ports.now(),
        signed_at: None,
        sender_id: None,
        say: Say::Rows(vec![hint]),
    };
    process::delivered(&pair.worker, &delivery).await.unwrap();
    let (events, _) = inbox::list_events(pair.store(), &pair.id(), None, 1)
        .await
        .unwrap();
    assert_eq!(events[0].cause, Some(inbox::Cause::Mapping), "{events:?}");
}

#[tokio::test]
async fn a_limit_that_a_webhook_meets_is_kept_by_all_and_waited_for() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    let endpoint = pair.endpoint().await;
    let contact = guid(&pair.contacts()[0], "contactid");
    let limit = Fault::TooManyRequests {
        limit: Limit::Requests,
        retry_after: Some("300".to_owned()),
    };
    pair.world.inject(FaultRule::once(limit).at("$batch"));
    let waits = pair.told_of(&endpoint, &[contact]).await;
    assert_eq!((waits.state, waits.attempts), (EventState::Received, 1));
    let asked = pair.world.simulation.counters().requests;
    assert_eq!(
        pair.told_of(&endpoint, &[contact]).await.state,
        EventState::Received
    );
    assert_eq!(
        pair.world.simulation.counters().requests,
        asked,
        "nothing is sent before its time"
    );
}

#[tokio::test]
async fn what_no_webhook_told_of_is_found_by_the_next_run_and_counted() {
    let pair = Pair::new(30).await;
    pair.sync().await;
    let endpoint = pair.endpoint().await;
    pair.world.simulation.advance(SignedDuration::from_mins(16));
    let [told, missed, late] = [0, 1, 2].map(|number| guid(&pair.contacts()[number], "contactid"));
    pair.change_there(told, "Fortalt");
    pair.told_of(&endpoint, &[told]).await;
    pair.change_there(missed, "Oversett");
    let members = pair.members().await;
    let ours = members.iter().find(|member| {
        let id: Uuid = member.links[&System::Dynamics365].parse().unwrap();
        ![told, missed, late].contains(&id)
    });
    pair.edit(ours.unwrap(), "lastName", "Selv").await;
    pair.world.simulation.advance(SignedDuration::from_mins(30));
    // Of this, a webhook may still tell.
    pair.change_there(late, "Nylig");
    let run = pair.sync().await;
    let members = totals(&run, Kind::Member);
    assert_eq!((members.updated, members.missed), (2, 1), "{members:?}");
    assert_eq!(totals(&pair.sync().await, Kind::Member).missed, 0);
}

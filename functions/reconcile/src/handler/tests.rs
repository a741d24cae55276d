//! Events as AWS delivers them.

use lambda::testing::{events, memory};
use shared::objects::MemoryObjects;
use shared::publish::MemoryPublish;
use shared::scheduler::MemoryScheduler;

use super::*;

#[tokio::test]
async fn every_event_is_a_tick() {
    for (_, event) in events("reconcile") {
        let handler = Handler {
            ports: memory(),
            publish: Arc::new(MemoryPublish::new()),
            scheduler: Arc::new(MemoryScheduler::new()),
            objects: Arc::new(MemoryObjects::new()),
        };
        let answer = serde_json::to_value(handler.handle(event).await.unwrap()).unwrap();
        assert_eq!(answer["woken"], 0);
    }
}

//! Bytes that nobody meant to send: whatever they are, they are refused or told, and nothing breaks.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::{Delivery, EndpointId, KeptBody, Records, Say};
use crate::adapter::ReadWebhook;
use crate::flow::work::Job;
use crate::model::FieldError;

fn records() -> Arc<dyn ReadWebhook> {
    let rules = json!([{ "kind": "member", "when": { "/type": ["a"] }, "list": "/data", "id": "/id" }]);
    Arc::new(Records::check(&rules).unwrap())
}

/// JSON that is nearly what the rules want.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let id = prop_oneof![
        "[ -~]{0,250}".prop_map(|text| json!(text)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number)),
        Just(json!(null)),
        Just(json!([[]])),
    ];
    let entries =
        vec(id, 0..5).prop_map(|ids| ids.into_iter().map(|id| json!({ "id": id })).collect::<Vec<_>>());
    let whole = entries.prop_map(|data| json!({ "type": "a", "data": data }).to_string().into_bytes());
    (whole, any::<prop::sample::Index>(), any::<u8>(), any::<bool>()).prop_map(
        |(mut bytes, at, byte, broken)| {
            if broken {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        },
    )
}

proptest! {
    #[test]
    fn an_id_of_an_endpoint_is_read_only_from_what_is_written_so(text in "\\PC{0,80}") {
        if let Ok(id) = text.parse::<EndpointId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn whatever_a_body_is_it_says_something_or_is_told_to_be_unreadable(body in prop_oneof![vec(any::<u8>(), 0..300), nearly()]) {
        let reader: Result<_, FieldError> = Ok(records());
        if let Say::Unreadable { fault, body: kept } = Say::read(&reader, &body) {
            prop_assert!(fault.field.starts_with("body"));
            prop_assert_eq!(&kept.unwrap().bytes().unwrap()[..], &body[..]);
        }
    }

    #[test]
    fn what_was_not_kept_by_us_is_no_body_and_what_is_no_message_is_no_job(text in "\\PC{0,200}", bytes in vec(any::<u8>(), 0..200)) {
        let kept: KeptBody = serde_json::from_value(json!(text)).unwrap();
        let _any = kept.bytes();
        prop_assert!(serde_json::from_slice::<Delivery>(&bytes).is_err());
        prop_assert!(serde_json::from_slice::<Job>(&bytes).is_err());
    }
}

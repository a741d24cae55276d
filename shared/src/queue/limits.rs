//! What a FIFO queue accepts, checked before it is asked, so that every implementation refuses the same.

use super::{Message, QueueError};

const MAX_BODY: usize = 1024 * 1024;
const MAX_ID: usize = 128;

/// Why a queue would not accept a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unacceptable {
    #[error("a message has 1 to {MAX_BODY} bytes")]
    Body,
    #[error("the group is not 1 to {MAX_ID} printable ASCII characters without spaces")]
    Group,
    #[error("the deduplication id is not 1 to {MAX_ID} printable ASCII characters without spaces")]
    Deduplication,
}

impl From<Unacceptable> for QueueError {
    fn from(why: Unacceptable) -> Self {
        Self(Box::new(why))
    }
}

pub(super) fn check(message: &Message) -> Result<(), Unacceptable> {
    let is_id = |id: &str| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=MAX_BODY).contains(&message.body.len()) {
        return Err(Unacceptable::Body);
    }
    if !is_id(&message.group) {
        return Err(Unacceptable::Group);
    }
    if is_id(&message.deduplication) {
        Ok(())
    } else {
        Err(Unacceptable::Deduplication)
    }
}

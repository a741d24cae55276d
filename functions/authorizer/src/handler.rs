//! Headers in, who sends them out.

use lambda::{Failure, Invocation, authorization_headers};
use serde::Serialize;
use shared::authorize::{Doorkeeper, Identity};

/// What the gateway asks is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) keeper: Doorkeeper,
}

/// What the gateway is told.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Authorization {
    is_authorized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Identity>,
}

impl Handler {
    /// Names whoever has a good token, and nobody else.
    ///
    /// Who is not named goes through all the same, and is answered 401 by whatever function the route leads to, in the
    /// shape that its callers know. A refusal here would be a bare 403, by which no client knows to get another token.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Authorization, Failure> {
        let headers = authorization_headers(&event);
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        let context = self.keeper.identify(&headers).await;
        let context = context.map_err(|error| Failure::new("unavailable", &error))?;
        Ok(Authorization {
            is_authorized: true,
            context,
        })
    }
}

#[cfg(test)]
mod tests;

//! The issuer that is built in: a client is no more than its credential, and tokens are signed by our own key.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Client, Issuer, IssuerError, Presented};
use crate::registry::scope::Scopes;
use crate::registry::secret::ClientSecret;
use crate::registry::token::{Tokens, VerifyError};

/// Issues tokens itself.
#[derive(Debug, Clone)]
pub struct BuiltIn(pub Arc<Tokens>);

#[async_trait]
impl Issuer for BuiltIn {
    async fn create(&self, _: Uuid, secret: ClientSecret, _: &Scopes) -> Result<Client, IssuerError> {
        let id = Uuid::new_v4();
        Ok(Client { id, secret })
    }

    async fn made_for(&self, _: Uuid) -> Result<Vec<Uuid>, IssuerError> {
        Ok(Vec::new())
    }

    async fn delete(&self, _: Uuid) -> Result<(), IssuerError> {
        Ok(())
    }

    async fn inspect(&self, token: &str, now: Timestamp) -> Result<Option<Presented>, IssuerError> {
        match self.0.verify(token, now).await {
            Ok(claims) => Ok(Some(Presented {
                client: claims.client_id,
                scopes: claims.scope,
                token: Some(claims.jti),
            })),
            Err(VerifyError::Refused(_)) => Ok(None),
            Err(VerifyError::Key(error)) => Err(error.into()),
        }
    }

    fn token_url(&self) -> String {
        format!("{}/oauth2/token", self.0.place())
    }
}

//! Name resolution that gives out public addresses only.
//!
//! The connection is made to the very addresses that were vetted here, so that a name that changes its answer
//! between check and use gains nothing.

use std::collections::HashSet;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Exceptions;
use super::address::is_public;

/// Says that a name leads to no public address.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no public address")]
pub(super) struct NotPublic;

#[derive(Debug)]
pub(super) struct PublicOnly {
    exempt: HashSet<String>,
}

impl PublicOnly {
    pub(super) fn new(exceptions: &Exceptions) -> Self {
        Self {
            exempt: exceptions.names().map(str::to_owned).collect(),
        }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let exempt = self.exempt.contains(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let vetted = if exempt { found } else { vet(found)? };
            Ok(Box::new(vetted.into_iter()) as Addrs)
        })
    }
}

fn vet(mut found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    found.retain(|address| is_public(address.ip()));
    if found.is_empty() {
        Err(NotPublic)
    } else {
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_resolved() {
        let resolver = PublicOnly::new(&Exceptions::none());
        let error = resolver
            .resolve("localhost".parse().unwrap())
            .await
            .err()
            .unwrap();
        assert!(error.is::<NotPublic>());
    }

    #[tokio::test]
    async fn a_name_that_is_an_exception_is_resolved() {
        let resolver = PublicOnly::new(&"http://localhost:1".parse().unwrap());
        assert!(resolver.resolve("localhost".parse().unwrap()).await.is_ok());
    }

    #[test]
    fn private_addresses_are_dropped_from_an_answer_that_mixes_them_in() {
        let mixed = vec!["10.0.0.1:0".parse().unwrap(), "8.8.8.8:0".parse().unwrap()];
        assert_eq!(vet(mixed).unwrap(), ["8.8.8.8:0".parse().unwrap()]);
    }
}

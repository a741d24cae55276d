//! What the operator of a sign-in server does, and sees.

use uuid::Uuid;

use super::certificate::Certificate;
use super::client::{Client, Secret};
use super::server::{SignIn, State};
use super::{Family, Revocation, Settings, unguessable};

impl SignIn {
    /// Returns the settings.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Changes the settings.
    ///
    /// # Panics
    ///
    /// Panics when the server does not have access tokens live that long.
    #[track_caller]
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings();
        change(&mut settings);
        self.replace(settings).expect("the server takes the settings");
    }

    pub(super) fn replace(&self, settings: Settings) -> Result<(), String> {
        let seconds = settings.access_token_seconds;
        if !self.lifetimes.contains(&seconds) {
            return Err(format!("access tokens do not live {seconds} seconds here"));
        }
        self.state().settings = settings;
        Ok(())
    }

    /// Makes every secret of a client one that has expired.
    ///
    /// # Panics
    ///
    /// Panics when there is no such client.
    #[track_caller]
    pub fn expire_secret(&self, client_id: &str) {
        let mut state = self.state();
        let secrets = &mut state.known(client_id).secrets;
        secrets.iter_mut().for_each(|secret| secret.expired = true);
    }

    /// Gives a client a new secret, beside those that it has or in their place, and returns it.
    ///
    /// # Panics
    ///
    /// Panics when there is no such client.
    #[track_caller]
    pub fn rotate_secret(&self, client_id: &str, keep_old: bool) -> String {
        let value = format!("simulated~{}", unguessable());
        let mut state = self.state();
        let secrets = &mut state.known(client_id).secrets;
        if !keep_old {
            secrets.clear();
        }
        secrets.push(Secret::new(value.clone()));
        value
    }

    /// Registers these certificates for a client, in PEM, and no others.
    ///
    /// # Panics
    ///
    /// Panics when there is no such client, or when one is not the certificate of an RSA key.
    #[track_caller]
    pub fn set_certificates(&self, client_id: &str, certificates: &[&str]) {
        self.register_certificates(client_id, certificates)
            .expect("these are certificates");
    }

    pub(super) fn register_certificates(&self, client_id: &str, pems: &[&str]) -> Result<(), String> {
        let certificates: Result<Vec<_>, _> = pems.iter().map(|pem| Certificate::from_pem(pem)).collect();
        self.state().known(client_id).certificates = certificates?;
        Ok(())
    }

    /// Lets users be sent back to these addresses of a client, and to no others.
    ///
    /// # Panics
    ///
    /// Panics when there is no such client.
    #[track_caller]
    pub fn set_redirect_uris(&self, client_id: &str, uris: &[&str]) {
        self.state().known(client_id).redirect_uris = uris.iter().map(|&uri| uri.to_owned()).collect();
    }

    /// Withdraws all that users allowed a client: its families end, and codes that it has not used.
    ///
    /// # Panics
    ///
    /// Panics when there is no such client.
    #[track_caller]
    pub fn revoke_consent(&self, client_id: &str) {
        let mut state = self.state();
        let id = state.known(client_id).id.clone();
        let families = state.families.all().iter();
        let of_client: Vec<Uuid> = families
            .filter(|family| family.client_id == id)
            .map(|family| family.id)
            .collect();
        for family in of_client {
            state.revoke(family, Revocation::Operator);
        }
        state.codes.withdraw(&id);
    }

    /// Makes every access token invalid that was given so far.
    pub fn revoke_access_tokens(&self) {
        self.state().access.end_all();
    }

    /// Returns all families, in the order in which they began.
    pub fn families(&self) -> Vec<Family> {
        self.state().families.all().to_vec()
    }

    /// Returns whether a token, named by its [`digest`](super::digest), is the one that its family was given last.
    pub fn is_newest(&self, digest: &str) -> bool {
        self.state()
            .families
            .all()
            .iter()
            .any(|family| family.newest == digest)
    }

    pub(super) fn knows(&self, client_id: &str) -> bool {
        self.state().clients.iter().any(|client| client.is(client_id))
    }
}

impl State {
    #[track_caller]
    fn known(&mut self, client_id: &str) -> &mut Client {
        let mut clients = self.clients.iter_mut();
        clients
            .find(|client| client.is(client_id))
            .expect("there is such a client")
    }
}

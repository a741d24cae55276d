//! What the function is made of: the routes, and the one who may show refresh tokens.

use std::sync::Arc;
use std::time::Duration;

use shared::adapters::{Connections, Registry};
use shared::api::{Api, TokenState, token_routes};
use shared::config::TokenRefreshConfig;
use shared::flow::Ports;
use shared::integration::Vault;
use shared::keys::Keys;
use shared::oauth::SharedTokens;
use shared::secrets::Secrets;

use crate::handler::Handler;

/// For how long a tick begins to renew: what it begins at the very end may wait 20 seconds for another's answer and take
/// 150 more, if a refresh token is shown, and the function has three minutes and a half.
pub(crate) const TICK: Duration = Duration::from_secs(20);

/// How long credentials may take to show that they work, while somebody waits: less than the gateway's half a minute.
const PROOF: Duration = Duration::from_secs(25);

/// Puts the routes and what they work with together.
pub(crate) fn handler(
    ports: Ports,
    keys: Arc<dyn Keys>,
    secrets: Arc<dyn Secrets>,
    config: TokenRefreshConfig,
) -> Handler {
    let tokens = SharedTokens {
        store: Arc::clone(&ports.store),
        keys: Arc::clone(&keys),
        spends: true,
    };
    let connections = Connections::new(config.outbound_exceptions, Arc::clone(&ports.clock));
    let registry = Arc::new(Registry {
        connections: connections.sharing(tokens),
        secrets: Arc::clone(&secrets),
        secret_prefix: config.secret_prefix.clone(),
        time_limit: PROOF,
    });
    let state = TokenState {
        ports: ports.clone(),
        keys,
        registrations: Arc::<Registry>::clone(&registry),
        callback: config.callback,
        vault: Vault::new(secrets, config.secret_prefix),
        prove: registry,
    };
    let api = Api::new(token_routes(state.clone()), &ports);
    Handler { api, state }
}

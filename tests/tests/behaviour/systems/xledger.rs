//! Xledger, which keeps books.

use world::World;

#[expect(dead_code, reason = "the rest is for its own tests")]
#[path = "../../xledger/world.rs"]
mod world;

pub(crate) async fn begin() -> World {
    World::new().await
}

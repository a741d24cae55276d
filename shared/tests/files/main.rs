//! A system without an API, as an organization lives with it: records go out in files that somebody imports, and come in by
//! files that somebody has exported; late, out of order, twice, or never.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may panic, print its seed and read it from outside"
)]

mod carrying;
mod chance;
mod changes;
mod conflicts;
mod consio;
mod crashes;
mod deletions;
mod mortal;
mod privacy;
mod uploads;
mod world;

use serde_json::{Value, json};
use shared::model::Kind;

use crate::world::World;

fn person(last_name: &str) -> Value {
    json!({ "firstName": "Kari", "lastName": last_name, "city": "Oslo", "birthDate": "1980-02-29" })
}

/// Both sides hold the same two members, C1 and C2, and a membership of the first, C3.
async fn filled() -> World {
    fill(World::new().await).await
}

async fn fill(mut world: World) -> World {
    let first = world.consio.make(Kind::Member, &person("Ek"));
    world.consio.make(Kind::Member, &person("Berg"));
    let membership = json!({ "memberId": first, "type": "Ordinær", "from": "2020-01-01" });
    world.consio.make(Kind::Membership, &membership);
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    world
}

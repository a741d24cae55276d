//! What can be asked.

#![expect(clippy::unused_async, reason = "the library calls every resolver so")]

use async_graphql::{Context, ID, Object};

use super::paging::{self, PageCursor};
use super::shape::{IntegrationSystem, IntegrationSystemPage, PageInfo, Viewer, ViewerType};
use super::{Asked, Refusal};
use crate::registry::{Scope, find_system, id_of, list_systems};

/// How many systems a page has where nobody says.
pub(super) const PAGE: i32 = 100;

/// What can be asked.
#[derive(Debug)]
pub(super) struct Query;

/// What a page costs: what a system costs, as often as there may be one.
fn of_page(first: Option<i32>, child: usize) -> usize {
    let first = first.unwrap_or(1).clamp(1, paging::MOST);
    usize::try_from(first).unwrap_or(1) * child
}

/// What can be asked.
#[Object]
impl Query {
    /// Lists the integration systems, in the order of their ids.
    #[graphql(complexity = "of_page(first, child_complexity)")]
    async fn integration_systems(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(PAGE)", desc = "How many, at most: 1 to 200.")] first: Option<i32>,
        #[graphql(desc = "The end cursor of the page before.")] after: Option<PageCursor>,
    ) -> Result<IntegrationSystemPage, Refusal> {
        let asked = Asked::of(ctx)?;
        asked.may(Scope::IntegrationSystemRead)?;
        let start_cursor = after.unwrap_or_default();
        let (size, offset) = (paging::size(first)?, start_cursor.position()?);
        let page = list_systems(&*asked.registry.store, size, offset).await?;
        let data = asked.show(page.systems, ctx.look_ahead().field("data")).await?;
        let next = offset.saturating_add(size);
        let has_next_page = page.total > next;
        let end_cursor = if has_next_page {
            PageCursor::at(next)
        } else {
            PageCursor::default()
        };
        Ok(IntegrationSystemPage {
            data,
            page_info: PageInfo {
                start_cursor,
                end_cursor,
                has_next_page,
            },
            total_count: i32::try_from(page.total).unwrap_or(i32::MAX),
        })
    }

    /// Finds an integration system; null is none.
    async fn integration_system(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> Result<Option<IntegrationSystem>, Refusal> {
        let asked = Asked::of(ctx)?;
        asked.may(Scope::IntegrationSystemRead)?;
        let Some(id) = id_of(&id) else {
            return Ok(None);
        };
        match find_system(&*asked.registry.store, id).await? {
            None => Ok(None),
            Some(system) => Ok(Some(asked.show_one(system, ctx.look_ahead()).await?)),
        }
    }

    /// Says who asks.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer, Refusal> {
        let caller = Asked::of(ctx)?.caller;
        Ok(match caller.system() {
            Some(system) => Viewer {
                id: system.into(),
                kind: ViewerType::IntegrationSystem,
            },
            None => Viewer {
                id: caller.name().into(),
                kind: ViewerType::User,
            },
        })
    }
}

//! The tables that webhooks are registered in, and what the platform refuses there.
//!
//! Source: Microsoft Learn, "Register a webhook", and the references of `serviceendpoint`, `sdkmessage`, `sdkmessagefilter`
//! and `sdkmessageprocessingstep`; read 2026-11-22. That an endpoint cannot be deleted while steps are bound to it is the
//! stricter reading: the reference lists a cascade, and components that others depend on are known to be refused.

use std::sync::Arc;

use http::StatusCode;
use uuid::Uuid;

use super::columns::narrow;
use super::error::{Outcome, Refusal};
use super::row::{Cell, Row};
use super::schema::{Kind, Required, Table};
use super::settings;
use super::store::Store;
use crate::random::Random;

pub(super) const ENDPOINT: &str = "serviceendpoint";
pub(super) const STEP: &str = "sdkmessageprocessingstep";
const MESSAGE: &str = "sdkmessage";
const FILTER: &str = "sdkmessagefilter";

/// The messages of every table; the last is one that no webhook here is for.
const MESSAGES: [&str; 4] = ["Create", "Update", "Delete", "Retrieve"];

pub(super) const WEBHOOK: i64 = 8;
pub(super) const WEBHOOK_KEY: i64 = 4;
pub(super) const HTTP_HEADER: i64 = 5;
pub(super) const HTTP_QUERY_STRING: i64 = 6;
const ASYNCHRONOUS: i64 = 1;
const POST_OPERATION: i64 = 40;

/// Returns the tables.
pub(super) fn tables() -> [Arc<Table>; 4] {
    [endpoints(), messages(), filters(), steps()].map(Arc::new)
}

fn endpoints() -> Table {
    let contracts = vec![
        (1, "OneWay"),
        (2, "Queue"),
        (3, "Rest"),
        (4, "TwoWay"),
        (5, "Topic"),
        (6, "Queue (Persistent)"),
        (7, "Event Hub"),
        (WEBHOOK, "Webhook"),
        (9, "Event Grid"),
        (10, "Managed Data Lake"),
    ];
    let proofs = vec![
        (1, "ACS"),
        (2, "SAS Key"),
        (3, "SAS Token"),
        (WEBHOOK_KEY, "Webhook Key"),
        (HTTP_HEADER, "Http Header"),
        (HTTP_QUERY_STRING, "Http Query String"),
        (7, "Connection String"),
        (8, "Access Key"),
    ];
    let formats = vec![(1, "Binary XML"), (2, "Json"), (3, "Text XML")];
    Table::of_platform(ENDPOINT, "serviceendpoints")
        .text("name", 256)
        .required(Required::System)
        .text("description", 2000)
        .writable("contract", Kind::Choice(contracts))
        .required(Required::System)
        .writable("authtype", Kind::Choice(proofs))
        .text("authvalue", 2048)
        .secret()
        .writable("messageformat", Kind::Choice(formats))
        .text("url", 2000)
}

fn messages() -> Table {
    Table::of_platform(MESSAGE, "sdkmessages")
        .text("name", 256)
        .read_only()
}

fn filters() -> Table {
    Table::of_platform(FILTER, "sdkmessagefilters")
        .lookup("sdkmessageid", MESSAGE, "sdkmessageid")
        .text("primaryobjecttypecode", 64)
        .text("secondaryobjecttypecode", 64)
        .flag("iscustomprocessingstepallowed")
        .read_only()
}

fn steps() -> Table {
    let modes = vec![(0, "Synchronous"), (ASYNCHRONOUS, "Asynchronous")];
    let stages = vec![
        (10, "Pre-validation"),
        (20, "Pre-operation"),
        (POST_OPERATION, "Post-operation"),
    ];
    let deployments = vec![
        (0, "Server Only"),
        (1, "Microsoft Dynamics 365 Client for Outlook Only"),
        (2, "Both"),
    ];
    Table::of_platform(STEP, "sdkmessageprocessingsteps")
        .stated("Enabled", "Disabled")
        .text("name", 256)
        .required(Required::System)
        .text("description", 256)
        .writable("mode", Kind::Choice(modes))
        .writable("stage", Kind::Choice(stages))
        .writable("rank", Kind::Whole)
        .writable("supporteddeployment", Kind::Choice(deployments))
        .flag("asyncautodelete")
        .text("filteringattributes", 100_000)
        .lookup("eventhandler", ENDPOINT, "eventhandler_serviceendpoint")
        .lookup("sdkmessageid", MESSAGE, "sdkmessageid")
        .lookup("sdkmessagefilterid", FILTER, "sdkmessagefilterid")
}

/// Fills in what the platform knows of itself: its messages, and to which tables they go.
pub(super) fn fill(store: &mut Store, user: Uuid) {
    let own = tables().map(|table| table.logical_name.clone());
    let names: Vec<String> = store
        .tables()
        .map(|rows| rows.table.logical_name.clone())
        .collect();
    for message in MESSAGES {
        let message_id = id(message);
        put(
            store,
            MESSAGE,
            message_id,
            user,
            &[("name", Cell::Text(message.into()))],
        );
        for name in names.iter().filter(|name| !own.contains(name)) {
            let cells = [
                ("_sdkmessageid_value", Cell::Id(message_id)),
                ("primaryobjecttypecode", Cell::Text(name.as_str().into())),
                ("secondaryobjecttypecode", Cell::Text("none".into())),
                ("iscustomprocessingstepallowed", Cell::Flag(true)),
            ];
            put(store, FILTER, id(&format!("{message} {name}")), user, &cells);
        }
    }
}

fn put(store: &mut Store, table: &str, id: Uuid, user: Uuid, cells: &[(&str, Cell)]) {
    let position = store.tables().position(|rows| rows.table.logical_name == table);
    let position = position.expect("the platform has its own tables");
    let definition = Arc::clone(&store.rows(position).table);
    let column = |name: &str| narrow(definition.index(name).expect("the platform knows its columns"));
    let stamps = [
        ("_createdby_value", Cell::Id(user)),
        ("_modifiedby_value", Cell::Id(user)),
    ];
    let changes = cells.iter().chain(&stamps);
    let changes = changes
        .map(|(name, cell)| (column(name), Some(cell.clone())))
        .collect();
    let empty = Row {
        id,
        version: 0,
        cells: Box::new([]),
    };
    store.put(position, empty.changed(changes));
}

/// Returns an id that is the same in every organization.
fn id(name: &str) -> Uuid {
    let seed = name
        .bytes()
        .fold(3, |seed: u64, byte| seed.rotate_left(9) ^ u64::from(byte));
    Random::new(seed).id()
}

/// Reads the cells of one row by the names of their columns.
pub(super) struct Cells<'a> {
    pub(super) table: &'a Table,
    pub(super) row: &'a Row,
}

impl<'a> Cells<'a> {
    pub(super) fn of(store: &'a Store, table: &str, id: Uuid) -> Option<Self> {
        let rows = store.by_logical_name(table)?;
        Some(Self {
            table: &rows.table,
            row: rows.get(id)?,
        })
    }

    fn get(&self, property: &str) -> Option<&'a Cell> {
        self.row.get(self.table.index(property)?)
    }

    pub(super) fn text(&self, property: &str) -> Option<&'a str> {
        match self.get(property)? {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, property: &str) -> Option<i64> {
        match self.get(property)? {
            Cell::Whole(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn id(&self, property: &str) -> Option<Uuid> {
        match self.get(property)? {
            Cell::Id(id) => Some(*id),
            _ => None,
        }
    }
}

/// Refuses what cannot be registered.
pub(super) fn check(store: &Store, table: &Table, row: &Row) -> Outcome<()> {
    let cells = Cells { table, row };
    match table.logical_name.as_str() {
        ENDPOINT => check_endpoint(&cells),
        STEP => check_step(store, &cells),
        _ => Ok(()),
    }
}

fn check_endpoint(cells: &Cells<'_>) -> Outcome<()> {
    need(cells.text("name").is_some(), "name")?;
    need(cells.number("contract").is_some(), "contract")?;
    if cells.number("contract") != Some(WEBHOOK) {
        return Err(not_simulated("only endpoints of webhooks are"));
    }
    let url = cells.text("url").unwrap_or_default();
    need(reqwest::Url::parse(url).is_ok_and(|url| url.has_host()), "url")?;
    let value = cells.text("authvalue");
    need(
        match cells.number("authtype") {
            Some(WEBHOOK_KEY) => value.is_some(),
            Some(HTTP_HEADER | HTTP_QUERY_STRING) => value.and_then(settings::read).is_some(),
            _ => false,
        },
        "authvalue",
    )
}

fn check_step(store: &Store, cells: &Cells<'_>) -> Outcome<()> {
    need(cells.text("name").is_some(), "name")?;
    for property in ["mode", "stage", "rank", "supporteddeployment"] {
        need(cells.number(property).is_some(), property)?;
    }
    for property in [
        "_eventhandler_value",
        "_sdkmessageid_value",
        "_sdkmessagefilterid_value",
    ] {
        need(cells.id(property).is_some(), property)?;
    }
    if cells.number("mode") != Some(ASYNCHRONOUS) {
        return Err(not_simulated("only asynchronous steps are"));
    }
    need(cells.number("stage") == Some(POST_OPERATION), "stage")?;
    let filter = cells
        .id("_sdkmessagefilterid_value")
        .and_then(|id| Cells::of(store, FILTER, id));
    let message = filter
        .as_ref()
        .and_then(|filter| filter.id("_sdkmessageid_value"));
    need(message == cells.id("_sdkmessageid_value"), "sdkmessagefilterid")?;
    need(
        columns_exist(store, cells, filter.as_ref()),
        "filteringattributes",
    )
}

/// Says whether the columns that a step looks at are columns of its table.
fn columns_exist(store: &Store, step: &Cells<'_>, filter: Option<&Cells<'_>>) -> bool {
    let table = filter
        .and_then(|filter| filter.text("primaryobjecttypecode"))
        .and_then(|name| store.by_logical_name(name));
    let known = |name: &str| {
        table.is_some_and(|rows| {
            rows.table
                .columns
                .iter()
                .any(|column| column.logical_name == name)
        })
    };
    attributes(step).is_none_or(|mut names| names.all(known))
}

/// Returns the columns that a step looks at; without any it looks at all.
pub(super) fn attributes<'a>(step: &Cells<'a>) -> Option<impl Iterator<Item = &'a str>> {
    let names = step.text("filteringattributes")?;
    Some(names.split(',').map(str::trim))
}

/// Returns what a step is for: a message and a table.
pub(super) fn purpose<'a>(store: &'a Store, step: &Cells<'_>) -> Option<(&'a str, &'a str)> {
    let message = Cells::of(store, MESSAGE, step.id("_sdkmessageid_value")?)?;
    let filter = Cells::of(store, FILTER, step.id("_sdkmessagefilterid_value")?)?;
    Some((message.text("name")?, filter.text("primaryobjecttypecode")?))
}

/// Refuses to delete an endpoint that steps are bound to.
pub(super) fn check_unused(store: &Store, table: &Table, id: Uuid) -> Outcome<()> {
    let steps = store
        .by_logical_name(STEP)
        .filter(|_| table.logical_name == ENDPOINT);
    let bound = steps.map_or(0, |steps| steps.pointing_to(id).count());
    if bound == 0 {
        return Ok(());
    }
    let message = format!(
        "The ServiceEndpoint({id}) component cannot be deleted because it is referenced by {bound} other components. \
         For a list of referenced components, use the RetrieveDependenciesForDeleteRequest."
    );
    Err(Refusal::new(StatusCode::BAD_REQUEST, "0x8004f01f", message))
}

fn need(fits: bool, property: &str) -> Outcome<()> {
    let message = format!("The value of '{property}' is missing or does not fit the others.");
    match fits {
        true => Ok(()),
        false => Err(Refusal::new(StatusCode::BAD_REQUEST, "0x80040203", message)),
    }
}

fn not_simulated(what: &str) -> Refusal {
    let message = format!("Not simulated: {what}.");
    Refusal::new(StatusCode::NOT_IMPLEMENTED, "0x80060888", message)
}

//! The members that an organization begins with: made up, and the same for the same seed.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use uuid::Uuid;

use super::columns::narrow;
use super::row::{Cell, Row};
use super::schema::Table;
use super::store::Store;
use crate::random::Random;

const FIRST_NAMES: [&str; 40] = [
    "Anne", "Arne", "Astrid", "Bjørn", "Camilla", "Dag", "Eirik", "Elin", "Eva", "Frode", "Geir", "Grete",
    "Hanne", "Harald", "Ingrid", "Ivar", "Jorunn", "Kari", "Kjell", "Kristin", "Lars", "Liv", "Magnus",
    "Marit", "Morten", "Nina", "Odd", "Ola", "Per", "Ragnhild", "Roar", "Silje", "Sissel", "Stein", "Svein",
    "Tone", "Tor", "Turid", "Øystein", "Åse",
];
const LAST_NAMES: [&str; 36] = [
    "Aasen",
    "Andersen",
    "Bakke",
    "Berg",
    "Berge",
    "Bjørnstad",
    "Brekke",
    "Dahl",
    "Eide",
    "Fjeld",
    "Foss",
    "Granli",
    "Hagen",
    "Halvorsen",
    "Haugen",
    "Hauge",
    "Holm",
    "Iversen",
    "Johansen",
    "Knutsen",
    "Lie",
    "Lund",
    "Moen",
    "Myhre",
    "Nilsen",
    "Nygård",
    "Ødegård",
    "Pedersen",
    "Rønning",
    "Sæther",
    "Solberg",
    "Strand",
    "Sørli",
    "Tangen",
    "Vik",
    "Åsheim",
];
const PLACES: [(&str, &str); 12] = [
    ("Oslo", "0150"),
    ("Bergen", "5003"),
    ("Trondheim", "7010"),
    ("Stavanger", "4006"),
    ("Tromsø", "9008"),
    ("Drammen", "3015"),
    ("Kristiansand", "4610"),
    ("Bodø", "8006"),
    ("Ålesund", "6002"),
    ("Hamar", "2317"),
    ("Tønsberg", "3110"),
    ("Førde", "6800"),
];
const STREETS: [&str; 8] = [
    "Bjørkeveien",
    "Elvegata",
    "Fjellveien",
    "Granstien",
    "Havnegata",
    "Kirkeveien",
    "Skolegata",
    "Åsveien",
];
const TYPES: [&str; 4] = ["Hovedmedlem", "Familiemedlem", "Ungdomsmedlem", "Støttemedlem"];

/// Member numbers count up from here.
const FIRST_NUMBER: usize = 100_000;

/// Fills a store's contacts and memberships.
pub(super) fn fill(store: &mut Store, contacts: usize, seed: u64, user: Uuid) {
    let mut random = Random::new(seed);
    let people = store.position("contacts").expect("there is a table of contacts");
    let memberships = store
        .position("hlf_memberships")
        .expect("there is a table of memberships");
    for at in 0..contacts {
        let number = random.chance(70).then(|| (FIRST_NUMBER + at).to_string());
        let row = contact(store, people, &mut random, number.as_deref(), user);
        let id = store.put(people, row).id;
        if let Some(number) = number {
            let row = membership(store, memberships, &mut random, &number, id, user);
            store.put(memberships, row);
        }
    }
}

struct Draft<'a> {
    table: &'a Table,
    id: Uuid,
    cells: Vec<(u16, Cell)>,
}

impl Draft<'_> {
    fn set(&mut self, property: &str, cell: Cell) {
        let column = narrow(self.table.index(property).expect("seeded columns exist"));
        self.cells.push((column, cell));
    }

    fn text(&mut self, property: &str, text: impl AsRef<str>) {
        self.set(property, Cell::Text(text.as_ref().into()));
    }

    fn finish(mut self, random: &mut Random, user: Uuid) -> Row {
        let created = 1_577_836_800 + i64::try_from(random.below(180_000_000)).unwrap_or_default();
        self.set("statecode", Cell::Whole(0));
        self.set("statuscode", Cell::Whole(1));
        for property in ["createdon", "modifiedon"] {
            self.set(property, Cell::Moment(created));
        }
        for property in ["_createdby_value", "_modifiedby_value"] {
            self.set(property, Cell::Id(user));
        }
        self.cells.sort_by_key(|(column, _)| *column);
        Row {
            id: self.id,
            version: 0,
            cells: self.cells.into(),
        }
    }
}

fn draft<'a>(table: &'a Table, random: &mut Random) -> Draft<'a> {
    Draft {
        table,
        id: random.id(),
        cells: Vec::with_capacity(32),
    }
}

fn contact(store: &Store, table: usize, random: &mut Random, number: Option<&str>, user: Uuid) -> Row {
    let table = &store.rows(table).table;
    let mut draft = draft(table, random);
    let (first, last) = (random.pick(&FIRST_NAMES), random.pick(&LAST_NAMES));
    draft.text("firstname", first);
    draft.text("lastname", last);
    draft.text("fullname", format!("{first} {last}"));
    reach(&mut draft, random);
    settle(&mut draft, random);
    draft.set("birthdate", Cell::Day(day(random, date(1935, 1, 1), 25_000)));
    draft.set("gendercode", Cell::Whole(1 + i64::from(random.chance(50))));
    for flag in [
        "donotemail",
        "donotphone",
        "donotbulkemail",
        "donotpostalmail",
        "merged",
    ] {
        draft.set(flag, Cell::Flag(flag == "donotbulkemail" && random.chance(15)));
    }
    if let Some(number) = number {
        draft.text("hlf_memberno", number);
        certify(&mut draft, random);
    }
    draft.finish(random, user)
}

fn reach(draft: &mut Draft<'_>, random: &mut Random) {
    if random.chance(85) {
        draft.text("emailaddress1", email(random));
    }
    if random.chance(90) {
        draft.text("mobilephone", phone(random));
    }
}

/// Returns an address in a domain that is reserved for examples.
pub(super) fn email(random: &mut Random) -> String {
    format!("medlem{}@example.org", random.below(100_000_000))
}

/// Returns a number that no telephone has, since none begins with a zero.
pub(super) fn phone(random: &mut Random) -> String {
    format!("+470{:07}", random.below(10_000_000))
}

fn settle(draft: &mut Draft<'_>, random: &mut Random) {
    let (city, code) = PLACES[random.below(PLACES.len())];
    let street = format!("{} {}", random.pick(&STREETS), 1 + random.below(120));
    draft.text("address1_composite", format!("{street}\r\n{city}\r\nNorge"));
    draft.text("address1_line1", street);
    draft.text("address1_postalcode", code);
    draft.text("address1_city", city);
    draft.text("address1_country", "Norge");
}

fn certify(draft: &mut Draft<'_>, random: &mut Random) {
    if random.chance(20) {
        draft.text(
            "hlf_certificationstatus",
            random.pick(&["Sertifisert", "Under opplæring", "Utløpt"]),
        );
        draft.set(
            "hlf_certificationvalidto",
            Cell::Day(day(random, date(2026, 1, 1), 900)),
        );
    }
    if random.chance(3) {
        draft.set("hlf_pauseduntil", Cell::Day(day(random, date(2026, 6, 1), 400)));
    }
}

fn membership(
    store: &Store,
    table: usize,
    random: &mut Random,
    number: &str,
    contact: Uuid,
    user: Uuid,
) -> Row {
    let table = &store.rows(table).table;
    let mut draft = draft(table, random);
    draft.text("hlf_number", format!("M-{number}"));
    draft.set("_hlf_contact_value", Cell::Id(contact));
    draft.text("hlf_type", random.pick(&TYPES));
    let from = day(random, date(2000, 1, 1), 9_000);
    draft.set("hlf_from", Cell::Day(from));
    let ended = random.chance(10);
    if ended {
        draft.set("hlf_to", Cell::Day(from.saturating_add(2.years())));
    }
    draft.text("hlf_status", if ended { "Utmeldt" } else { "Aktiv" });
    draft.finish(random, user)
}

fn day(random: &mut Random, from: Date, days: usize) -> Date {
    from.saturating_add(i64::try_from(random.below(days)).unwrap_or_default().days())
}

//! Tables as data: which columns they have, what fits in them, and who may write them.

use std::sync::Arc;

/// Describes one table.
#[derive(Debug, Clone)]
pub struct Table {
    /// The singular name, such as `contact`.
    pub logical_name: String,
    /// The name in URLs, such as `contacts`.
    pub entity_set: String,
    /// The column with the row's id.
    pub primary_id: String,
    /// Whether deltas can be asked for.
    pub change_tracking: bool,
    /// Whether rows can be compared by etag.
    pub optimistic_concurrency: bool,
    /// Whether rows are the platform's own, and nobody writes them.
    pub read_only: bool,
    /// The columns, in the order in which they are listed when none are selected.
    pub columns: Vec<Column>,
    /// The alternate keys.
    pub keys: Vec<Key>,
}

/// Describes one column.
#[derive(Debug, Clone)]
pub struct Column {
    /// The name in bodies and queries, such as `_hlf_contact_value`.
    pub property: String,
    /// The name in metadata, such as `hlf_contact`.
    pub logical_name: String,
    /// What the column holds.
    pub kind: Kind,
    /// Whether it may be set when a row is created.
    pub on_create: bool,
    /// Whether it may be set later.
    pub on_update: bool,
    /// Whether it can be read; a secret cannot.
    pub on_read: bool,
    /// How strongly forms ask for it; the Web API does not.
    pub required: Required,
}

/// Says what a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The row's own id.
    PrimaryId,
    /// Text of at most so many UTF-16 units.
    Text(usize),
    /// A whole number.
    Whole,
    /// `true` or `false`, with its labels.
    Flag(&'static str, &'static str),
    /// One of a set of numbers.
    Choice(Vec<(i64, &'static str)>),
    /// A point in time, in whole seconds.
    Moment,
    /// A day without time.
    Day,
    /// Another row.
    Lookup(Lookup),
    /// The row's version.
    Version,
}

/// Describes a lookup column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The logical name of the table that is pointed to.
    pub target: String,
    /// The name before `@odata.bind`.
    pub navigation: String,
}

/// Says how strongly forms ask for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// Not at all.
    None,
    /// Forms insist on it.
    Application,
    /// The system fills it in.
    System,
}

/// Describes an alternate key.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key's logical name.
    pub name: String,
    /// The properties that make it up.
    pub columns: Vec<String>,
}

impl Table {
    /// Returns a tracked table with an id, a state, and the columns that every table has.
    pub fn new(logical_name: &str, entity_set: &str) -> Self {
        Self::stateless(logical_name, entity_set)
            .stated("Active", "Inactive")
            .stamped()
    }

    /// Returns a tracked table with an id.
    fn stateless(logical_name: &str, entity_set: &str) -> Self {
        let primary_id = format!("{logical_name}id");
        let table = Self {
            logical_name: logical_name.to_owned(),
            entity_set: entity_set.to_owned(),
            primary_id: primary_id.clone(),
            change_tracking: true,
            optimistic_concurrency: true,
            read_only: false,
            columns: Vec::new(),
            keys: Vec::new(),
        };
        table
            .column(&primary_id, Kind::PrimaryId, true, false)
            .required(Required::System)
    }

    /// Returns a table of the platform's own, whose changes are not tracked, with the columns that all of them have.
    pub(super) fn of_platform(logical_name: &str, entity_set: &str) -> Self {
        Self::stateless(logical_name, entity_set).stamped().untracked()
    }

    /// Adds a state, with what it is called where a row is in use and where it is not.
    pub(super) fn stated(self, open: &'static str, closed: &'static str) -> Self {
        let states = Kind::Choice(vec![(0, open), (1, closed)]);
        let statuses = Kind::Choice(vec![(1, open), (2, closed)]);
        self.column("statecode", states, false, true)
            .column("statuscode", statuses, true, true)
    }

    fn stamped(self) -> Self {
        self.column("createdon", Kind::Moment, false, false)
            .column("modifiedon", Kind::Moment, false, false)
            .reference("createdby", "systemuser", "createdby", false)
            .reference("modifiedby", "systemuser", "modifiedby", false)
            .column("versionnumber", Kind::Version, false, false)
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, name: &str, kind: Kind, on_create: bool, on_update: bool) -> Self {
        let (property, logical_name, required) = (name.to_owned(), name.to_owned(), Required::None);
        self.columns.push(Column {
            property,
            logical_name,
            kind,
            on_create,
            on_update,
            on_read: true,
            required,
        });
        self
    }

    /// Adds a column that callers may write.
    #[must_use]
    pub fn writable(self, name: &str, kind: Kind) -> Self {
        self.column(name, kind, true, true)
    }

    /// Adds a text column.
    #[must_use]
    pub fn text(self, name: &str, max_length: usize) -> Self {
        self.writable(name, Kind::Text(max_length))
    }

    /// Adds a yes-or-no column.
    #[must_use]
    pub fn flag(self, name: &str) -> Self {
        self.writable(name, Kind::Flag("Yes", "No"))
    }

    /// Adds a lookup that is written through its navigation property.
    #[must_use]
    pub fn lookup(self, name: &str, target: &str, navigation: &str) -> Self {
        self.reference(name, target, navigation, true)
    }

    fn reference(mut self, name: &str, target: &str, navigation: &str, writable: bool) -> Self {
        let lookup = Lookup {
            target: target.to_owned(),
            navigation: navigation.to_owned(),
        };
        self = self.column(
            &format!("_{name}_value"),
            Kind::Lookup(lookup),
            writable,
            writable,
        );
        if let Some(column) = self.columns.last_mut() {
            name.clone_into(&mut column.logical_name);
        }
        self
    }

    /// Says how strongly forms ask for the column that was added last.
    #[must_use]
    pub fn required(mut self, required: Required) -> Self {
        if let Some(column) = self.columns.last_mut() {
            column.required = required;
        }
        self
    }

    /// Says that the column that was added last holds a secret, which nobody reads.
    #[must_use]
    pub(super) fn secret(mut self) -> Self {
        if let Some(column) = self.columns.last_mut() {
            column.on_read = false;
        }
        self
    }

    /// Says that nobody writes the rows.
    #[must_use]
    pub(super) fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Adds an alternate key.
    #[must_use]
    pub fn key(mut self, name: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        self.keys.push(Key {
            name: name.to_owned(),
            columns,
        });
        self
    }

    /// Turns change tracking off.
    #[must_use]
    pub fn untracked(mut self) -> Self {
        self.change_tracking = false;
        self
    }

    /// Returns where a property stands among the columns.
    pub fn index(&self, property: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.property == property)
    }

    /// Returns where a property that can be read stands among the columns.
    pub fn readable(&self, property: &str) -> Option<usize> {
        self.index(property).filter(|&index| self.columns[index].on_read)
    }

    /// Returns whether the table was added by the organization.
    pub fn is_custom(&self) -> bool {
        self.logical_name.contains('_')
    }
}

/// Returns the tables that an organization of members has: contacts and their memberships.
pub fn member_tables() -> Vec<Arc<Table>> {
    vec![Arc::new(contacts()), Arc::new(memberships())]
}

fn contacts() -> Table {
    let table = Table::new("contact", "contacts")
        .text("firstname", 50)
        .text("middlename", 50)
        .text("lastname", 50)
        .required(Required::Application)
        .column("fullname", Kind::Text(160), false, false)
        .text("emailaddress1", 100)
        .text("telephone1", 50)
        .text("telephone2", 50)
        .text("mobilephone", 50);
    preferences(address(table))
        .writable("birthdate", Kind::Day)
        .writable("gendercode", Kind::Choice(vec![(1, "Male"), (2, "Female")]))
        .text("externaluseridentifier", 50)
        .text("employeeid", 50)
        .text("governmentid", 50)
        .column("merged", Kind::Flag("Yes", "No"), false, false)
        .reference("masterid", "contact", "masterid", false)
        .text("hlf_memberno", 50)
        .text("hlf_certificationstatus", 100)
        .writable("hlf_certificationvalidto", Kind::Day)
        .writable("hlf_pauseduntil", Kind::Day)
        .key("hlf_memberno_key", &["hlf_memberno"])
}

fn address(table: Table) -> Table {
    table
        .text("address1_line1", 250)
        .text("address1_line2", 250)
        .text("address1_line3", 250)
        .text("address1_postalcode", 20)
        .text("address1_city", 80)
        .text("address1_country", 80)
        .column("address1_composite", Kind::Text(1000), false, false)
}

fn preferences(table: Table) -> Table {
    table
        .flag("donotemail")
        .flag("donotphone")
        .flag("donotbulkemail")
        .flag("donotpostalmail")
}

fn memberships() -> Table {
    Table::new("hlf_membership", "hlf_memberships")
        .text("hlf_number", 50)
        .lookup("hlf_contact", "contact", "hlf_Contact")
        .text("hlf_type", 100)
        .writable("hlf_from", Kind::Day)
        .writable("hlf_to", Kind::Day)
        .text("hlf_status", 100)
        .key("hlf_number_key", &["hlf_number"])
}

//! What lines refer to: accounts, dimensions, currencies, and the like.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// One row of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The id, unique among all rows of all registers.
    pub db_id: i64,
    /// The id within the register, where there is one.
    pub db_sub_id: Option<i64>,
    /// The code.
    pub code: String,
    /// The description.
    pub description: String,
    /// Whether lines may be posted to it.
    pub open: bool,
    /// Of an object value: the number of the dimension, 1 to 5.
    pub dimension: Option<u8>,
    /// Of an entity: the code of the one above it.
    pub parent: Option<String>,
    /// Of an account: the fields that a line must have, such as `glObject1`.
    pub requires: Vec<String>,
}

/// Names a row of a register in one of the ways that a caller may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) db_id: Option<i64>,
    pub(crate) db_sub_id: Option<i64>,
    pub(crate) code: Option<String>,
    pub(crate) description: Option<String>,
}

/// Says where a field of a line points.
pub(crate) struct Reference {
    pub(crate) field: &'static str,
    pub(crate) object: &'static str,
    pub(crate) dimension: Option<u8>,
    /// Whether it can be named by `dbSubId` too.
    pub(crate) sub: bool,
}

const fn to(field: &'static str, object: &'static str) -> Reference {
    Reference {
        field,
        object,
        dimension: None,
        sub: false,
    }
}

const fn value(field: &'static str, dimension: u8) -> Reference {
    Reference {
        field,
        object: "ObjectValue",
        dimension: Some(dimension),
        sub: false,
    }
}

const fn level(field: &'static str, object: &'static str) -> Reference {
    Reference {
        field,
        object,
        dimension: None,
        sub: true,
    }
}

/// The fields of a line that point to a register.
pub(crate) const REFERENCES: [Reference; 34] = [
    to("transactionSource", "TransactionSource"),
    to("account", "Account"),
    to("taxRule", "TaxRule"),
    to("currency", "Currency"),
    value("glObject1", 1),
    value("glObject2", 2),
    value("glObject3", 3),
    value("glObject4", 4),
    value("glObject5", 5),
    to("transactionReg", "TransactionReg"),
    to("subledger", "Subledger"),
    level("slTransactionType", "SlTransactionType"),
    to("ourRef", "OurRef"),
    to("payTerms", "PayTerms"),
    to("payMethod", "PayMethod"),
    level("paymentStatus", "PaymentStatus"),
    to("product", "Product"),
    to("objectDef", "ObjectDef"),
    to("objectValueDef", "ObjectValueDef"),
    to("payDocCode", "PayDocCode"),
    level("payCode", "PayCode"),
    to("collectCode", "CollectCode"),
    to("project", "Project"),
    to("xgl", "Xgl"),
    to("bankAccountRef", "BankAccount"),
    to("discountTaxRule", "TaxRule"),
    to("unit", "Unit"),
    level("unitQuantity", "UnitQuantity"),
    level("unitNumber", "UnitNumber"),
    level("jobLevel", "JobLevel"),
    to("owner", "Entity"),
    to("company", "Company"),
    to("invoiceFileInput", "File"),
    to("importDefinition", "ImportDefinition"),
];

/// Keeps all registers.
#[derive(Debug)]
pub(crate) struct Registers {
    items: BTreeMap<String, Vec<Item>>,
    next_id: i64,
}

impl Item {
    /// Returns the row as it is read.
    pub(crate) fn to_node(&self) -> Map<String, Value> {
        let node = json!({
            "dbId": self.db_id, "dbSubId": self.db_sub_id, "code": self.code, "description": self.description,
            "objectKindDbId": self.dimension,
        });
        node.as_object().cloned().unwrap_or_default()
    }

    /// Returns the row as an error offers it.
    pub(crate) fn to_alternative(&self, owner: i64) -> Value {
        json!({ "code": self.code, "dbId": self.db_id, "ownerDbId": owner, "text": self.description })
    }
}

impl Wanted {
    pub(crate) fn code(code: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            ..Self::default()
        }
    }

    /// Returns whether the row is meant; whoever names it in two ways must mean the same row by both.
    fn means(&self, item: &Item) -> bool {
        *self != Self::default()
            && self.db_id.is_none_or(|id| id == item.db_id)
            && self.db_sub_id.is_none_or(|id| Some(id) == item.db_sub_id)
            && self.code.as_ref().is_none_or(|code| *code == item.code)
            && self
                .description
                .as_ref()
                .is_none_or(|text| *text == item.description)
    }
}

impl Default for Registers {
    fn default() -> Self {
        let mut registers = Self {
            items: BTreeMap::new(),
            next_id: 10_000,
        };
        for (object, rows) in BEGINNING {
            for (code, description) in *rows {
                registers.add(object, code, description);
            }
        }
        for (code, description) in [("100", "Sentralt"), ("200", "Likepersonarbeid"), ("300", "Kurs")] {
            registers.add("ObjectValue", code, description).dimension = Some(1);
        }
        registers.add("Entity", "23002", "").parent = Some("23001".to_owned());
        registers.add("JobLevel", "LOAD", "Load").db_sub_id = Some(1);
        registers
    }
}

const BEGINNING: &[(&str, &[(&str, &str)])] = &[
    (
        "Account",
        &[
            ("1500", "Kundefordringer"),
            ("1920", "Bankinnskudd"),
            ("2400", "Leverandørgjeld"),
            ("2910", "Skyldig ansatte"),
            ("5330", "Godtgjørelse"),
            ("6800", "Kontorrekvisita"),
            ("7100", "Bilgodtgjørelse"),
            ("7140", "Reisekostnad"),
        ],
    ),
    (
        "TaxRule",
        &[
            ("0", "Ingen mva"),
            ("1", "Inngående 25 %"),
            ("3", "Utgående 25 %"),
        ],
    ),
    (
        "Currency",
        &[
            ("NOK", "Norske kroner"),
            ("EUR", "Euro"),
            ("SEK", "Svenske kroner"),
        ],
    ),
    (
        "TransactionSource",
        &[
            ("GL", "General ledger"),
            ("AR", "Customer"),
            ("LG", "Purchase"),
            ("SO", "Sales order"),
        ],
    ),
    (
        "Entity",
        &[("23001", "Forbundet sentralt"), ("23002", "Et fylkeslag")],
    ),
    (
        "Project",
        &[("P10", "Likepersonordningen"), ("P20", "Sommerleir")],
    ),
    ("Subledger", &[("50012", "En likeperson"), ("50013", "En annen")]),
];

impl Registers {
    /// Adds a row, or returns the one that has the code already.
    pub(crate) fn add(&mut self, object: &str, code: &str, description: &str) -> &mut Item {
        let next_id = self.next_id;
        let items = self.items.entry(object.to_owned()).or_default();
        let found = items.iter().position(|item| item.code == code);
        let at = found.unwrap_or(items.len());
        if found.is_none() {
            self.next_id += 1;
            items.push(Item {
                db_id: next_id,
                db_sub_id: None,
                code: code.to_owned(),
                description: description.to_owned(),
                open: true,
                dimension: None,
                parent: None,
                requires: Vec::new(),
            });
        }
        &mut items[at]
    }

    pub(crate) fn all(&self, object: &str) -> &[Item] {
        self.items.get(object).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn find(&self, object: &str, wanted: &Wanted) -> Option<&Item> {
        self.all(object).iter().find(|item| wanted.means(item))
    }

    pub(crate) fn find_mut(&mut self, object: &str, code: &str) -> Option<&mut Item> {
        let items = self.items.get_mut(object)?;
        items.iter_mut().find(|item| item.code == code)
    }

    /// Returns whether an entity is another one or below it.
    pub(crate) fn is_within(&self, entity: &str, root: &str) -> bool {
        // Nobody has that many levels, so that a circle of entities ends here.
        let mut code = Some(entity.to_owned());
        for _ in 0..16 {
            let Some(current) = code else { return false };
            if current == root {
                return true;
            }
            let item = self.find("Entity", &Wanted::code(&current));
            code = item.and_then(|item| item.parent.clone());
        }
        false
    }

    /// Returns what a reference may name.
    pub(crate) fn choices(&self, reference: &Reference) -> impl Iterator<Item = &Item> {
        let dimension = reference.dimension;
        let items = self.all(reference.object).iter();
        items.filter(move |item| dimension.is_none() || item.dimension == dimension)
    }

    /// Returns the row that a reference names.
    pub(crate) fn resolve(&self, reference: &Reference, wanted: &Wanted) -> Option<&Item> {
        self.choices(reference).find(|item| wanted.means(item))
    }
}

//! What a document may cost, counted before anything of it is looked at: a short text can ask for a great deal.

use std::collections::HashMap;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned};

/// The longest document, in bytes.
const LONGEST: usize = 32 * 1024;

/// The most brackets that are opened: the parser goes one call deeper with each that is not closed.
const BRACKETS: usize = 300;

/// What a document may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Fields below each other.
    pub(super) depth: usize,
    /// Braces within each other, in the text.
    pub(super) nesting: usize,
    /// Fields, each as often as its list is long.
    pub(super) complexity: usize,
    /// Directives at one place.
    pub(super) directives: usize,
    /// Fields, with every fragment written out.
    fields: usize,
    /// Fields under another name.
    aliases: usize,
}

/// What a part of a document costs, with every fragment written out.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    fields: usize,
    aliases: usize,
    directives: usize,
}

/// Counts, and remembers what each fragment costs.
struct Count<'a> {
    document: &'a ExecutableDocument,
    /// A fragment that is being counted costs nothing yet.
    fragments: HashMap<&'a Name, Option<Cost>>,
}

impl Limits {
    pub(super) const fn new(introspection: bool) -> Self {
        Self {
            depth: if introspection { 15 } else { 8 },
            nesting: 24,
            complexity: 15_000,
            directives: 4,
            fields: 400,
            aliases: 20,
        }
    }

    /// Parses a document, if it costs no more than it may.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn check(&self, text: &str) -> Result<ExecutableDocument, String> {
        if text.len() > LONGEST {
            return Err(format!("a document has at most {LONGEST} bytes"));
        }
        if text.bytes().filter(|byte| b"{[(".contains(byte)).count() > BRACKETS {
            return Err(format!("a document has at most {BRACKETS} brackets"));
        }
        let document = parse_query(text).map_err(|error| error.to_string())?;
        let cost = Count::of(&document)?;
        let most = [
            (cost.fields, self.fields, "fields"),
            (cost.aliases, self.aliases, "aliases"),
            (cost.directives, self.fields, "directives"),
        ];
        for (counted, most, what) in most {
            if counted > most {
                return Err(format!("a document has at most {most} {what}"));
            }
        }
        Ok(document)
    }
}

impl Cost {
    const fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
    }
}

impl<'a> Count<'a> {
    fn of(document: &'a ExecutableDocument) -> Result<Cost, String> {
        let mut count = Self {
            document,
            fragments: HashMap::new(),
        };
        let mut cost = Cost::default();
        for (_, operation) in document.operations.iter() {
            cost.directives += operation.node.directives.len();
            cost.add(count.set(&operation.node.selection_set)?);
        }
        // One that is spread nowhere is validated all the same.
        for name in document.fragments.keys() {
            cost.add(count.fragment(name)?);
        }
        Ok(cost)
    }

    fn set(&mut self, set: &'a Positioned<SelectionSet>) -> Result<Cost, String> {
        let mut cost = Cost::default();
        for selection in &set.node.items {
            cost.directives += selection.node.directives().len();
            match &selection.node {
                Selection::Field(field) => {
                    cost.fields += 1;
                    cost.aliases += usize::from(field.node.alias.is_some());
                    cost.add(self.set(&field.node.selection_set)?);
                }
                Selection::InlineFragment(fragment) => cost.add(self.set(&fragment.node.selection_set)?),
                Selection::FragmentSpread(spread) => {
                    cost.add(self.fragment(&spread.node.fragment_name.node)?);
                }
            }
        }
        Ok(cost)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Cost, String> {
        if let Some(known) = self.fragments.get(name) {
            return known.ok_or_else(|| "a fragment spreads itself".to_owned());
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Err("a fragment that is spread is not there".to_owned());
        };
        self.fragments.insert(name, None);
        let mut cost = self.set(&fragment.node.selection_set)?;
        cost.directives += fragment.node.directives.len();
        self.fragments.insert(name, Some(cost));
        Ok(cost)
    }
}

/// Says whether a variable is the size of a page somewhere in a document.
pub(super) fn is_page_size(document: &ExecutableDocument, variable: &Name) -> bool {
    let operations = document
        .operations
        .iter()
        .map(|(_, operation)| &operation.node.selection_set);
    let fragments = document
        .fragments
        .values()
        .map(|fragment| &fragment.node.selection_set);
    operations.chain(fragments).any(|set| sizes_a_page(set, variable))
}

fn sizes_a_page(set: &Positioned<SelectionSet>, variable: &Name) -> bool {
    set.node.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => {
            let size = field.node.get_argument("first");
            size.is_some_and(|size| size.node.to_string() == format!("${variable}"))
                || sizes_a_page(&field.node.selection_set, variable)
        }
        Selection::InlineFragment(fragment) => sizes_a_page(&fragment.node.selection_set, variable),
        Selection::FragmentSpread(_) => false,
    })
}

//! What is asked of a view.

use super::cell::Kind;
use super::filter::Filter;
use crate::cornerstone::answer::{Outcome, Refusal};
use crate::sign_in::Form;
use crate::wire::Request;

/// The size of a page when none is asked for.
const DEFAULT_PAGE: usize = 1000;

/// The largest page.
const LARGEST_PAGE: usize = 10_000;

const OPTIONS: [&str; 6] = ["$select", "$filter", "$orderby", "$top", "$count", "$skiptoken"];

/// Holds a checked query; columns are named by their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// The columns to show; all when empty.
    pub(super) select: Vec<usize>,
    pub(super) filter: Option<Filter>,
    /// The columns to sort by, and whether downwards.
    pub(super) order: Vec<(usize, bool)>,
    pub(super) top: Option<usize>,
    pub(super) count: bool,
    pub(super) page: usize,
}

/// Knows the columns of a view by name.
pub(super) struct Names<'a> {
    pub(super) view: &'a str,
    pub(super) columns: Vec<(&'static str, Kind)>,
}

impl Names<'_> {
    fn find(&self, name: &str) -> Outcome<(usize, Kind)> {
        let place = self.columns.iter().position(|(known, _)| *known == name);
        let found = place.and_then(|place| Some((place, self.columns.get(place)?.1)));
        found.ok_or_else(|| {
            let view = self.view;
            Refusal::bad(format!(
                "The query specified in the URI is not valid. Could not find a property named '{name}' on type '{view}'."
            ))
        })
    }
}

impl Query {
    pub(super) fn read(request: &Request, form: &Form, names: &Names<'_>) -> Outcome<Self> {
        refuse_unknown(request)?;
        let column = |name: &str| names.find(name.trim()).map(|(place, _)| place);
        let select = form
            .get("$select")
            .map(|list| list.split(',').map(column).collect());
        let order = form
            .get("$orderby")
            .map(|list| list.split(',').map(|one| order(one, names)).collect());
        let filter = form.get("$filter");
        let filter = filter.map(|text| Filter::parse(text, &|name| names.find(name)));
        let top = form.get("$top").map(str::parse).transpose();
        Ok(Self {
            select: select.transpose()?.unwrap_or_default(),
            filter: filter.transpose()?,
            order: order.transpose()?.unwrap_or_default(),
            top: top.map_err(|_| Refusal::bad("$top is not a number"))?,
            count: form.get("$count") == Some("true"),
            page: page_size(request),
        })
    }
}

/// Refuses what begins with a dollar sign and is not known.
fn refuse_unknown(request: &Request) -> Outcome<()> {
    let query = request.query.as_deref().unwrap_or_default().replace("%24", "$");
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    match names
        .filter(|name| name.starts_with('$'))
        .find(|name| !OPTIONS.contains(name))
    {
        None => Ok(()),
        Some(unknown) => Err(Refusal::bad(format!(
            "The query option '{unknown}' is not supported."
        ))),
    }
}

fn order(text: &str, names: &Names<'_>) -> Outcome<(usize, bool)> {
    let mut words = text.split_whitespace();
    let (place, _) = names.find(words.next().unwrap_or_default())?;
    match (words.next(), words.next()) {
        (None | Some("asc"), None) => Ok((place, false)),
        (Some("desc"), None) => Ok((place, true)),
        _ => Err(Refusal::bad(
            "The query specified in the URI is not valid: $orderby.",
        )),
    }
}

fn page_size(request: &Request) -> usize {
    let preferred = request
        .headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut preferences = preferred.flat_map(|value| value.split([',', ';'])).map(str::trim);
    let size = preferences.find_map(|preference| {
        let (name, size) = preference.split_once('=')?;
        let asked: usize = size.trim().trim_matches('"').parse().ok()?;
        (name.trim().eq_ignore_ascii_case("odata.maxpagesize") && asked > 0).then_some(asked)
    });
    size.unwrap_or(DEFAULT_PAGE).min(LARGEST_PAGE)
}

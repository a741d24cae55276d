//! Pages of a view.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::cell::Cell;
use super::query::Query;
use super::views::{Column, Seen};
use crate::cornerstone::settings::Settings;

/// Says where a page ended.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    pub(super) view: String,
    pub(super) query: Query,
    /// What the rows are sorted by, of the last of them.
    last: Vec<Cell>,
    /// The number of rows so far.
    passed: usize,
}

/// What one page holds.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Vec<Map<String, Value>>,
    /// The number of rows of all pages, where it is asked for.
    pub(super) count: Option<usize>,
    pub(super) next: Option<Cursor>,
}

/// Knows a view: its name, its columns, and how many of them, from the first, name a row and are what rows come sorted by.
#[derive(Debug)]
pub(super) struct View<'a, T: 'static> {
    pub(super) name: &'a str,
    pub(super) columns: &'static [Column<T>],
    pub(super) keys: usize,
}

impl<T> View<'_, T> {
    pub(super) fn page(
        &self,
        rows: Vec<Seen<'_, T>>,
        query: Query,
        cursor: Option<&Cursor>,
        settings: &Settings,
    ) -> Page {
        let rows = self.chosen(rows, &query);
        let matching = rows.len();
        let end = query.top.map_or(matching, |top| matching.min(top));
        let resumed = cursor.map_or(0, |cursor| match settings.shifting_pages {
            true => cursor.passed,
            false => {
                rows.partition_point(|row| self.order(&query, &self.key(&query, row), &cursor.last).is_le())
            }
        });
        let repeated = if cursor.is_some() {
            settings.repeated_rows
        } else {
            0
        };
        let first = resumed.saturating_sub(repeated.min(query.page - 1)).min(end);
        let last = (first + query.page).min(end);
        let shown = rows.get(first..last).unwrap_or_default();
        let next = shown.last().filter(|_| last < end).map(|row| Cursor {
            view: self.name.to_owned(),
            last: self.key(&query, row),
            passed: last,
            query: query.clone(),
        });
        Page {
            rows: shown.iter().map(|row| self.render(&query, row)).collect(),
            count: query.count.then_some(matching),
            next,
        }
    }

    /// Returns the rows that match, sorted.
    fn chosen<'a>(&self, rows: Vec<Seen<'a, T>>, query: &Query) -> Vec<Seen<'a, T>> {
        let mut rows = rows;
        if let Some(filter) = &query.filter {
            rows.retain(|row| filter.matches(&|column| self.cell(row, column)));
        }
        if !query.order.is_empty() {
            rows.sort_by(|a, b| self.order(query, &self.key(query, a), &self.key(query, b)));
        }
        rows
    }

    fn cell(&self, row: &Seen<'_, T>, column: usize) -> Cell {
        self.columns
            .get(column)
            .map_or(Cell::Null, |column| (column.read)(row))
    }

    /// Returns what a row is sorted by.
    fn key(&self, query: &Query, row: &Seen<'_, T>) -> Vec<Cell> {
        let asked = query.order.iter().map(|(column, _)| *column);
        asked
            .chain(0..self.keys)
            .map(|column| self.cell(row, column))
            .collect()
    }

    fn order(&self, query: &Query, a: &[Cell], b: &[Cell]) -> Ordering {
        let downwards = query.order.iter().map(|(_, downwards)| *downwards);
        let mut compared = a.iter().zip(b).zip(downwards.chain(std::iter::repeat(false)));
        let differing = compared.find_map(|((a, b), downwards)| {
            let order = a.order(b);
            let order = if downwards { order.reverse() } else { order };
            order.is_ne().then_some(order)
        });
        differing.unwrap_or(Ordering::Equal)
    }

    fn render(&self, query: &Query, row: &Seen<'_, T>) -> Map<String, Value> {
        let shown = self.columns.iter().enumerate();
        let shown = shown.filter(|(place, _)| query.select.is_empty() || query.select.contains(place));
        shown
            .map(|(_, column)| (column.name.to_owned(), (column.read)(row).to_json()))
            .collect()
    }
}

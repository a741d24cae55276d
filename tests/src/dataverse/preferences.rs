//! The `Prefer` header.

use http::HeaderMap;

/// The largest page, and the size of a page when none is asked for.
pub(crate) const LARGEST_PAGE: usize = 5000;

/// Holds what a caller prefers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) max_page_size: Option<usize>,
    pub(crate) track_changes: bool,
    pub(crate) representation: bool,
    pub(crate) continue_on_error: bool,
    pub(crate) annotations: Option<String>,
}

impl Preferences {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        for value in headers.get_all("prefer") {
            for preference in split(value.to_str().unwrap_or_default()) {
                preferences.apply(preference.trim());
            }
        }
        preferences
    }

    fn apply(&mut self, preference: &str) {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "odata.maxpagesize" => self.max_page_size = value.parse().ok().filter(|size| *size > 0),
            "odata.track-changes" => self.track_changes = true,
            "odata.continue-on-error" => self.continue_on_error = value != "false",
            "odata.include-annotations" => self.annotations = Some(value.to_owned()),
            "return" => self.representation = value == "representation",
            _ => {}
        }
    }

    pub(crate) fn page_size(&self) -> usize {
        self.max_page_size.unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE)
    }

    /// Returns whether an annotation is asked for, by name or wildcard.
    pub(crate) fn wants(&self, annotation: &str) -> bool {
        let patterns = self
            .annotations
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        patterns
            .into_iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => annotation.starts_with(start),
                None => pattern == annotation,
            })
    }

    /// Returns the `Preference-Applied` header of a listing.
    pub(crate) fn applied(&self) -> Option<String> {
        let tracking = self.track_changes.then(|| "odata.track-changes".to_owned());
        let size = self
            .max_page_size
            .map(|_| format!("odata.maxpagesize={}", self.page_size()));
        let annotations = self
            .annotations
            .as_ref()
            .map(|names| format!("odata.include-annotations=\"{names}\""));
        let applied: Vec<String> = [tracking, size, annotations].into_iter().flatten().collect();
        (!applied.is_empty()).then(|| applied.join(","))
    }
}

/// Splits at the commas outside quotes.
fn split(header: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    header.split(move |sign| {
        quoted ^= sign == '"';
        sign == ',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_preferences_may_share_a_header() {
        let mut headers = HeaderMap::new();
        let value = "odata.track-changes, odata.maxpagesize=7000,odata.include-annotations=\"a.b,c*\"";
        headers.insert("prefer", value.parse().unwrap());
        let preferences = Preferences::read(&headers);
        assert!(preferences.track_changes && preferences.wants("cde") && !preferences.wants("a.c"));
        assert_eq!(preferences.page_size(), LARGEST_PAGE);
    }
}

//! The `Link` header, as far as the next page goes.
//!
//! Source: RFC 8288, section 3.

use http::HeaderMap;
use http::header::LINK;

/// Returns the target of the link whose relation is `next`.
pub(super) fn next(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(LINK).into_iter();
    values.filter_map(|value| value.to_str().ok()).find_map(next_of)
}

fn next_of(mut rest: &str) -> Option<&str> {
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let (parameters, after) = split(after, b',');
        if is_next(parameters.trim_start()) {
            return Some(target);
        }
        rest = after;
    }
}

/// Splits at the first of these bytes that stands in no quotes.
fn split(text: &str, at: u8) -> (&str, &str) {
    let mut quoted = false;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            byte if byte == at && !quoted => return text.split_at(position),
            _ => {}
        }
    }
    (text, "")
}

fn is_next(mut parameters: &str) -> bool {
    while let Some(rest) = parameters.strip_prefix(';') {
        let (parameter, after) = split(rest, b';');
        if names_next(parameter) {
            return true;
        }
        parameters = after;
    }
    false
}

fn names_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let mut relations = value.trim().trim_matches('"').split_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|one| one.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(value: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(LINK, value.parse().ok()?)]);
        next(&headers).map(str::to_owned)
    }

    #[test]
    fn the_next_page_is_found_among_other_links() {
        for (value, expected) in [
            ("<https://x/?p=2>; rel=\"next\"", Some("https://x/?p=2")),
            ("<https://x/?p=1>; rel=prev, </x?p=3>;rel=next", Some("/x?p=3")),
            (
                "<a>; rel=\"last\"; title=\"a, <b>; rel=next\", <c>; rel=\"first next\"",
                Some("c"),
            ),
            ("<a,b>; REL=Next", Some("a,b")),
            ("<a>; rel=\"prev\"", None),
            ("<a>; rel=nextish", None),
            ("<a", None),
            ("", None),
        ] {
            assert_eq!(of(value).as_deref(), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_header_stops_the_reading(value in "[ -~]{0,60}") {
            let _ = of(&value);
        }
    }
}

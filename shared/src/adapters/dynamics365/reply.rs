//! The answer to a batch, part by part, as far as it came.

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::http::Answer;

/// The answer to one operation.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: &'a [u8],
}

/// The answer to what was to be done together.
#[derive(Debug)]
pub(super) enum Reply<'a> {
    One(Part<'a>),
    Together(Vec<Part<'a>>),
}

/// More headers than this stand in no part.
const MOST_HEADERS: usize = 64;

/// Reads the parts that came whole; one that breaks off, or cannot be read, ends the list.
pub(super) fn read<'a>(content_type: &str, body: &'a [u8]) -> Vec<Reply<'a>> {
    let Some(boundary) = boundary(content_type) else {
        return Vec::new();
    };
    parts(body, boundary).map_while(read_reply).collect()
}

/// Returns what an answer says that it is.
pub(super) fn content_type(answer: &Answer) -> &str {
    let value = answer.headers.get(CONTENT_TYPE);
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn read_reply(part: &[u8]) -> Option<Reply<'_>> {
    let (headers, content) = mime(part)?;
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/mixed")
    {
        let inner = parts(content, boundary(content_type)?);
        return Some(Reply::Together(inner.map_while(read_part).collect()));
    }
    Some(Reply::One(read_http(content)?))
}

fn read_part(part: &[u8]) -> Option<Part<'_>> {
    let (_, content) = mime(part)?;
    read_http(content)
}

fn mime(part: &[u8]) -> Option<(HeaderMap, &[u8])> {
    let mut room = [httparse::EMPTY_HEADER; MOST_HEADERS];
    match httparse::parse_headers(part, &mut room).ok()? {
        httparse::Status::Complete((length, found)) => Some((collect(found), part.get(length..)?)),
        httparse::Status::Partial => None,
    }
}

fn read_http(content: &[u8]) -> Option<Part<'_>> {
    let mut room = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut room);
    let httparse::Status::Complete(length) = response.parse(content).ok()? else {
        return None;
    };
    Some(Part {
        status: StatusCode::from_u16(response.code?).ok()?,
        headers: collect(response.headers),
        body: content.get(length..)?.trim_ascii(),
    })
}

/// Leaves out what is no header: one odd line does not make the rest worthless.
fn collect(found: &[httparse::Header<'_>]) -> HeaderMap {
    let read = |header: &httparse::Header<'_>| {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(header.value).ok()?))
    };
    found.iter().filter_map(read).collect()
}

/// Returns the boundary that a content type names.
fn boundary(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let value = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find_map(|(name, value)| {
            name.trim()
                .eq_ignore_ascii_case("boundary")
                .then(|| value.trim().trim_matches('"'))
        });
    value.filter(|boundary| !boundary.is_empty() && boundary.len() <= 200)
}

/// Yields what stands between two delimiters; what no delimiter ends did not come whole.
fn parts<'a, 'b>(body: &'a [u8], boundary: &'b str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'b> {
    let mut rest = next_delimiter(body, boundary)
        .filter(|delimiter| !delimiter.last)
        .map(|delimiter| delimiter.after);
    std::iter::from_fn(move || {
        let delimiter = next_delimiter(rest?, boundary)?;
        rest = (!delimiter.last).then_some(delimiter.after);
        Some(delimiter.before)
    })
}

struct Delimiter<'a> {
    before: &'a [u8],
    after: &'a [u8],
    last: bool,
}

/// Finds the next line that is the boundary, with either ending of lines.
fn next_delimiter<'a>(body: &'a [u8], boundary: &str) -> Option<Delimiter<'a>> {
    let mut start = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        let mark = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary.as_bytes()));
        match mark.map(<[u8]>::trim_ascii_end) {
            Some(b"") if line.ends_with(b"\n") => return Some(split(body, start, end, false)),
            Some(b"--") => return Some(split(body, start, end, true)),
            _ => start = end,
        }
    }
    None
}

fn split(body: &[u8], start: usize, end: usize, last: bool) -> Delimiter<'_> {
    let (before, _) = body.split_at(start);
    let (_, after) = body.split_at(end);
    Delimiter { before, after, last }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/mixed; boundary=batchresponse_1";

    fn part(status: u16, body: &str) -> String {
        format!(
            "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
             HTTP/1.1 {status} OK\r\nOData-Version: 4.0\r\nRetry-After: 7\r\n\r\n{body}\r\n"
        )
    }

    fn answer(parts: &[String]) -> String {
        let parts: String = parts
            .iter()
            .map(|part| format!("--batchresponse_1\r\n{part}"))
            .collect();
        format!("{parts}--batchresponse_1--\r\n")
    }

    fn statuses(replies: &[Reply<'_>]) -> Vec<Vec<u16>> {
        let all = |reply: &Reply<'_>| match reply {
            Reply::One(part) => vec![part.status.as_u16()],
            Reply::Together(parts) => parts.iter().map(|part| part.status.as_u16()).collect(),
        };
        replies.iter().map(all).collect()
    }

    #[test]
    fn parts_are_read_in_their_order_with_headers_and_body() {
        let text = answer(&[part(200, "{\"a\":1}"), part(412, ""), part(204, "")]);
        let replies = read(TYPE, text.as_bytes());
        assert_eq!(statuses(&replies), [vec![200], vec![412], vec![204]]);
        let Reply::One(first) = &replies[0] else { panic!() };
        assert_eq!(first.body, b"{\"a\":1}");
        assert_eq!(first.headers["retry-after"], "7");
    }

    #[test]
    fn a_change_set_is_read_as_one_reply() {
        let inner =
            answer(&[part(200, "{}"), part(204, "")]).replace("batchresponse_1", "changesetresponse_2");
        let nested =
            format!("Content-Type: multipart/mixed; boundary=\"changesetresponse_2\"\r\n\r\n{inner}");
        let text = answer(&[nested, part(200, "")]);
        assert_eq!(
            statuses(&read(TYPE, text.as_bytes())),
            [vec![200, 204], vec![200]]
        );
    }

    #[test]
    fn a_part_that_breaks_off_is_not_read() {
        let text = answer(&[part(200, "{}"), part(200, "{}")]);
        let cut = text.len() - 25;
        assert_eq!(statuses(&read(TYPE, &text.as_bytes()[..cut])), [vec![200]]);
        assert!(read(TYPE, b"<html>").is_empty());
        assert!(read("text/html", text.as_bytes()).is_empty());
    }

    #[test]
    fn bare_line_feeds_are_read_too() {
        let text = answer(&[part(200, "{}"), part(404, "")]).replace("\r\n", "\n");
        assert_eq!(statuses(&read(TYPE, text.as_bytes())), [vec![200], vec![404]]);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_fault(bytes: Vec<u8>, cut in 0_usize..400) {
            read(TYPE, &bytes);
            let text = answer(&[part(200, "{}"), part(200, "{}")]);
            let cut = cut.min(text.len());
            read(TYPE, &[&text.as_bytes()[..cut], &bytes].concat());
        }

        #[test]
        fn as_many_parts_are_read_as_came_whole(count in 0_usize..8, cut in 0_usize..2000) {
            let parts: Vec<String> = (0..count).map(|_| part(200, "{}")).collect();
            let text = answer(&parts);
            let whole = read(TYPE, text.as_bytes()).len();
            prop_assert_eq!(whole, count);
            prop_assert!(read(TYPE, &text.as_bytes()[..cut.min(text.len())]).len() <= count);
        }
    }
}

//! The request's form: `multipart/mixed` with CRLF at the end of every line, the last one too.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::wire::Request;

/// URLs in parts may be this long.
///
/// Source: Microsoft Learn, "Execute batch operations using the Web API", read 2026-11-21.
const LONGEST_URL: usize = 65_536;

/// Says that a body is not a batch, as far as a reader of streams can tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Holds one item of a batch.
#[derive(Debug)]
pub(super) enum Item {
    Single(Box<Operation>),
    ChangeSet(Vec<Operation>),
}

/// Holds one operation of a batch.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) content_id: Option<String>,
    pub(super) request: Request,
}

/// Reads a whole batch.
pub(super) fn read(content_type: &str, body: &Bytes) -> Result<Vec<Item>, Unreadable> {
    let boundary = boundary(content_type).ok_or(Unreadable)?;
    if !body.ends_with(b"\r\n") {
        return Err(Unreadable);
    }
    parts(body, &boundary)?.into_iter().map(item).collect()
}

/// Returns the boundary of a `multipart/mixed` content type.
fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"').to_owned())
    });
    value.filter(|boundary| !boundary.is_empty() && boundary.len() <= 70)
}

fn item(part: Bytes) -> Result<Item, Unreadable> {
    let (headers, content) = head(&part)?;
    let kind = text(&headers, "content-type").unwrap_or_default();
    if let Some(inner) = boundary(kind) {
        let operations = parts(&content, &inner)?.into_iter().map(operation);
        return operations.collect::<Result<_, _>>().map(Item::ChangeSet);
    }
    operation(part).map(|operation| Item::Single(Box::new(operation)))
}

fn operation(part: Bytes) -> Result<Operation, Unreadable> {
    let (headers, content) = head(&part)?;
    if text(&headers, "content-type") != Some("application/http") {
        return Err(Unreadable);
    }
    let content_id = text(&headers, "content-id").map(str::to_owned);
    Ok(Operation {
        content_id,
        request: request(&content)?,
    })
}

/// Cuts a body at its delimiters, each alone on a line that ends with CRLF.
fn parts(body: &Bytes, boundary: &str) -> Result<Vec<Bytes>, Unreadable> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(found) = find(&body[at..], delimiter.as_bytes()).map(|offset| at + offset) {
        let after = found + delimiter.len();
        at = after;
        if found > 0 && body[found - 1] != b'\n' {
            continue;
        }
        if found > 0 && !body[..found].ends_with(b"\r\n") {
            return Err(Unreadable);
        }
        parts.extend(start.map(|start| body.slice(start..found.saturating_sub(2).max(start))));
        match &body[after..] {
            [b'\r', b'\n', ..] => start = Some(after + 2),
            [b'-', b'-', ..] => return Ok(parts),
            _ => return Err(Unreadable),
        }
    }
    Err(Unreadable)
}

/// Splits headers from content at the first empty line.
fn head(part: &Bytes) -> Result<(HeaderMap, Bytes), Unreadable> {
    if let Some(content) = part.strip_prefix(b"\r\n") {
        return Ok((HeaderMap::new(), part.slice_ref(content)));
    }
    let end = find(part, b"\r\n\r\n");
    let (lines, content) = match end {
        Some(end) => (&part[..end], part.slice(end + 4..)),
        None => (part.strip_suffix(b"\r\n").ok_or(Unreadable)?, Bytes::new()),
    };
    let lines = std::str::from_utf8(lines).map_err(|_| Unreadable)?;
    Ok((
        lines.split("\r\n").map(header).collect::<Result<_, _>>()?,
        content,
    ))
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), Unreadable> {
    let (name, value) = line.split_once(':').ok_or(Unreadable)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| Unreadable)?;
    // A bare line feed makes the value invalid, which is how wrong line endings show.
    Ok((name, HeaderValue::from_str(value.trim()).map_err(|_| Unreadable)?))
}

fn request(content: &Bytes) -> Result<Request, Unreadable> {
    let end = find(content, b"\r\n").ok_or(Unreadable)?;
    let line = std::str::from_utf8(&content[..end]).map_err(|_| Unreadable)?;
    let (method, rest) = line.split_once(' ').ok_or(Unreadable)?;
    let url = rest.strip_suffix(" HTTP/1.1").ok_or(Unreadable)?;
    if url.len() > LONGEST_URL || line.contains('\n') {
        return Err(Unreadable);
    }
    let (headers, body) = match content.len() - end {
        2 => (HeaderMap::new(), Bytes::new()),
        _ => head(&content.slice(end + 2..))?,
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Unreadable)?;
    let (path, query) = url
        .split_once('?')
        .map_or((url, None), |(path, query)| (path, Some(query.to_owned())));
    Ok(Request {
        method,
        path: path.to_owned(),
        query,
        headers,
        body,
        certificate: None,
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str =
        "--b\r\nContent-Type: application/http\r\n\r\nGET /api/data/v9.2/contacts HTTP/1.1\r\n\r\n\r\n";

    fn count(body: &str) -> Result<usize, Unreadable> {
        read(
            "multipart/mixed; boundary=\"b\"",
            &Bytes::copy_from_slice(body.as_bytes()),
        )
        .map(|items| items.len())
    }

    #[test]
    fn parts_are_read_in_order() {
        assert_eq!(count(&format!("{PART}{PART}--b--\r\n")), Ok(2));
    }

    #[test]
    fn the_last_line_needs_its_end_too() {
        assert_eq!(count(&format!("{PART}--b--")), Err(Unreadable));
    }

    #[test]
    fn bare_line_feeds_are_refused() {
        assert_eq!(
            count(&format!("{PART}--b--\r\n").replace("\r\n", "\n")),
            Err(Unreadable)
        );
        assert_eq!(
            count(&format!("{}--b--\r\n", PART.replacen("http\r\n", "http\n", 1))),
            Err(Unreadable)
        );
    }

    #[test]
    fn a_boundary_inside_a_body_does_not_end_its_part() {
        let part = "--b\r\nContent-Type: application/http\r\n\r\nPOST /x HTTP/1.1\r\n\r\n{\"a\":\"--b\"}\r\n";
        assert_eq!(count(&format!("{part}--b--\r\n")), Ok(1));
    }
}

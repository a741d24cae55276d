//! The pairs in `authvalue`: `<settings><setting name="…" value="…" /></settings>`, and no other XML.

/// Reads the pairs; none where it is something else.
pub(super) fn read(text: &str) -> Option<Vec<(String, String)>> {
    let mut rest = text
        .trim()
        .strip_prefix("<settings>")?
        .strip_suffix("</settings>")?
        .trim();
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let (name, after) = attribute(rest.strip_prefix("<setting")?, "name")?;
        let (value, after) = attribute(after, "value")?;
        pairs.push((name, value));
        rest = after.trim_start().strip_prefix("/>")?.trim_start();
    }
    (!pairs.is_empty()).then_some(pairs)
}

fn attribute<'a>(text: &'a str, name: &str) -> Option<(String, &'a str)> {
    let text = text.strip_prefix(char::is_whitespace)?.trim_start();
    let text = text.strip_prefix(name)?.strip_prefix("=\"")?;
    let (value, rest) = text.split_once('"')?;
    Some((unescape(value)?, rest))
}

/// Resolves the five names that XML knows; a bare `&` or `<` is none.
fn unescape(text: &str) -> Option<String> {
    const NAMES: [(&str, char); 5] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
    ];
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';')?;
        let (_, letter) = NAMES.iter().find(|(known, _)| *known == name)?;
        plain.push(*letter);
        plain.push_str(rest);
    }
    (!text.contains('<')).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_anything_else_is_not() {
        let one = r#"<settings><setting name="x-key" value="a&quot;&lt;&amp;b" /></settings>"#;
        assert_eq!(read(one).unwrap(), [("x-key".to_owned(), "a\"<&b".to_owned())]);
        let two = r#"<settings><setting name="a" value="1"/> <setting name="b" value="2"/></settings>"#;
        assert_eq!(read(two).unwrap().len(), 2);
        for other in [
            "",
            "secret",
            "<settings></settings>",
            r#"<settings><setting name="a" value="<" /></settings>"#,
            r#"<settings><setting name="a" value="&" /></settings>"#,
            r#"<settings><setting name="a" value="&x;" /></settings>"#,
            r#"<settings><setting name="a" value="b"></settings>"#,
            r#"{"a":"b"}"#,
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}

//! Parses files with `NAME=value` lines.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

/// Parses `NAME=value` lines. `#` starts a comment at the start of a line or value, after white
/// space in an unquoted value, and after a quoted value. Double quotes support the escapes `\n`,
/// `\"` and `\\`, single quotes none. A value can't span lines.
///
/// # Errors
/// When a line is malformed. The message has its number.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = i + 1;
        let assignment = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = assignment
            .split_once('=')
            .with_context(|| format!("line {number} is not NAME=value"))?;
        let name = name.trim();
        let is_name = |name: &str| {
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty()
        };
        ensure!(is_name(name), "line {number}: {name:?} is not the name of a variable");
        let value = unquoted(value.trim()).with_context(|| format!("line {number}, {name}"))?;
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

fn unquoted(value: &str) -> Result<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        let (quoted, after) = rest.split_once('\'').context("the quote is not closed")?;
        return only_comment_after(after).map(|()| quoted.to_owned());
    }
    if let Some(rest) = value.strip_prefix('"') {
        let mut plain = String::new();
        let mut chars = rest.chars();
        loop {
            match chars.next().context("the quote is not closed")? {
                '"' => break,
                '\\' => match chars.next() {
                    Some('n') => plain.push('\n'),
                    Some(c @ ('"' | '\\')) => plain.push(c),
                    other => {
                        bail!("\\{} is not an escape", other.map(String::from).unwrap_or_default())
                    }
                },
                c => plain.push(c),
            }
        }
        return only_comment_after(chars.as_str()).map(|()| plain);
    }
    let end = value
        .match_indices('#')
        .map(|(i, _)| i)
        .find(|i| *i == 0 || value[..*i].ends_with(char::is_whitespace));
    Ok(value[..end.unwrap_or(value.len())].trim_end().to_owned())
}

fn only_comment_after(rest: &str) -> Result<()> {
    let rest = rest.trim_start();
    ensure!(rest.is_empty() || rest.starts_with('#'), "{rest:?} follows the quote");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_be_quoted() {
        let text = "
            # a comment
            A=bare value  # and why
            export B = 'single \"$x\" \\n'
            C=\"line\\nline \\\"q\\\"\" # why
            D={\"keys\":[{\"kty\":\"OKP\"}]}
            E=
            F=a#b=c";
        let expected = [
            ("A", "bare value"),
            ("B", "single \"$x\" \\n"),
            ("C", "line\nline \"q\""),
            ("D", "{\"keys\":[{\"kty\":\"OKP\"}]}"),
            ("E", ""),
            ("F", "a#b=c"),
        ];
        assert_eq!(
            parse(text).unwrap(),
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
    }

    #[test]
    fn the_error_for_a_malformed_line_has_its_number() {
        for (text, expected) in [
            ("\nnothing", "line 2 is not NAME=value"),
            ("A B=1", "line 1: \"A B\" is not the name of a variable"),
            ("A='x", "line 1, A: the quote is not closed"),
            ("A=\"x\" y", "line 1, A: \"y\" follows the quote"),
            ("A=\"\\t\"", "line 1, A: \\t is not an escape"),
        ] {
            assert_eq!(format!("{:#}", parse(text).unwrap_err()), expected);
        }
    }
}

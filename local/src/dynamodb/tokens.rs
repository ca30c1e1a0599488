//! Reads DynamoDB's expressions.

use serde_json::Value;

/// Splits an expression into names, placeholders and operators. Parentheses and commas are dropped.
pub fn tokens(expression: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '#' | ':' | '.' | '-');
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let belongs: &dyn Fn(char) -> bool =
            if is_word(first) { &is_word } else { &|c| matches!(c, '<' | '=' | '>') };
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        match end {
            0 => rest = &rest[first.len_utf8()..],
            _ => {
                tokens.push(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    tokens
}

/// Returns the attribute of the item that a path (`a`, `#a.b` or `a[0]`) leads through. `request`
/// has the `ExpressionAttributeNames`.
pub fn attribute<'v>(path: &'v str, request: &'v Value) -> Option<&'v str> {
    let first = path.split(['.', '[']).next()?.trim();
    match first.strip_prefix('#') {
        Some(_) => request["ExpressionAttributeNames"][first].as_str(),
        None => Some(first).filter(|first| !first.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_split_into_names_placeholders_and_operators() {
        assert_eq!(
            tokens("begins_with(#a, :b)AND c.d<>:e"),
            ["begins_with", "#a", ":b", "AND", "c.d", "<>", ":e"]
        );
    }
}

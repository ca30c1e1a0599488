//! Splits Rust source into tokens, as far as reading its dependencies needs.

/// A word, `::` or a single character.
#[derive(Debug, Clone)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// Returns the tokens without the items under `#[cfg(test)]`.
pub fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
        if !attribute.iter().enumerate().all(|(n, expected)| text(at + n) == *expected) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        // Up to the end of the item: a semicolon or the brace that closes its body.
        let mut depth = 0;
        at += attribute.len();
        loop {
            match text(at) {
                "" => break,
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            let ends = depth == 0 && matches!(text(at), ";" | "}");
            at += 1;
            if ends {
                break;
            }
        }
    }
    kept
}

/// Splits source text into words, `::` and single characters. Leaves out comments, strings and
/// character literals.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if is_word(rest) {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let token = &rest[..length];
        if is_word(token) || token == "::" || (length == 1 && !first.is_whitespace()) {
            tokens.push(Token { text: token.to_owned(), line });
        }
        line += token.matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// Returns the length of the string or character literal that the text starts with, if it does.
fn literal(text: &str) -> Option<usize> {
    let prefix = text.find(|c: char| !"bcr".contains(c)).unwrap_or(0);
    let hashes = text[prefix..].chars().take_while(|c| *c == '#').count();
    let body = &text[prefix + hashes..];
    if body.starts_with('"') && prefix <= 2 {
        if text[..prefix].contains('r') {
            let end = format!("\"{}", "#".repeat(hashes));
            return body[1..].find(&end).map(|at| prefix + hashes + 1 + at + end.len());
        }
        if hashes == 0 {
            return end_of(&body[1..], '"').map(|at| prefix + 1 + at);
        }
    }
    // A character, not a lifetime.
    let quoted = text.strip_prefix('\'').or_else(|| text.strip_prefix("b'"))?;
    let is_character = quoted.starts_with('\\') || quoted.chars().nth(1) == Some('\'');
    let start = text.len() - quoted.len();
    is_character.then(|| end_of(quoted, '\'').map(|at| start + at)).flatten()
}

/// Returns the length up to and including the first quote that is not escaped.
fn end_of(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// Whether the text starts with a word.
pub fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

//! Parameters in Stripe's form encoding: `application/x-www-form-urlencoded` with brackets in the
//! names, such as `metadata[order]=1`, `expand[]=a&expand[]=b` or `expand[0]=a`, nested to any
//! depth.
//!
//! An endpoint takes the parameters it knows out of [`Params`], then calls [`Params::finish`],
//! which rejects the rest as unknown.

use std::collections::BTreeMap;

use crate::error::Error;

/// The parameters of a call, or of one bracketed part of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    /// The bracketed name of this part, for error messages. Empty at the top level.
    path: String,
    pub(crate) nodes: BTreeMap<String, Node>,
}

/// A value, or a hash or array of values.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text(String),
    Branch(BTreeMap<String, Node>),
}

impl Params {
    /// Parses a body or a query string.
    ///
    /// # Errors
    /// 400 when a bracket is not closed, or a name is both a value and a hash.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, Error> {
        let mut root = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            let (first, brackets) =
                name.split_once('[').map_or((&*name, None), |(first, rest)| (first, Some(rest)));
            let mut path = vec![first];
            if let Some(brackets) = brackets {
                let inner = brackets.strip_suffix(']').ok_or_else(|| {
                    Error::parameter(
                        &*name,
                        format!("Invalid parameter name: {name}. Brackets must be closed."),
                    )
                })?;
                path.extend(inner.split("]["));
            }
            insert(&mut root, &path, value.into_owned()).map_err(|()| {
                Error::parameter(
                    &*name,
                    format!("Parameter {name} is given both as a value and as a hash."),
                )
            })?;
        }
        Ok(Self { path: String::new(), nodes: root })
    }

    /// Takes a string.
    ///
    /// # Errors
    /// 400 when the parameter is a hash or an array, or `parameter_invalid_empty` when it is empty.
    /// Stripe takes an empty value as an attempt to unset the parameter, which none here allows.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<String>, Error> {
        let name = self.name(key);
        let text = match self.nodes.remove(key) {
            None => return Ok(None),
            Some(Node::Text(text)) => text,
            Some(Node::Branch(_)) => {
                let message = format!("Invalid string: {name} is a hash or an array");
                return Err(Error::parameter(name, message));
            }
        };
        if text.is_empty() {
            let message = format!(
                "You passed an empty string for '{name}'. We assume empty values are an attempt to \
                 unset a parameter; however '{name}' cannot be unset. You should remove '{name}' \
                 from your request or supply a non-empty value."
            );
            return Err(Error::parameter(name, message).code("parameter_invalid_empty"));
        }
        Ok(Some(text))
    }

    /// Takes an integer of at least `minimum`.
    ///
    /// # Errors
    /// 400 `parameter_invalid_integer`, or the errors of [`Self::text`].
    pub(crate) fn integer(&mut self, key: &str, minimum: i64) -> Result<Option<i64>, Error> {
        let name = self.name(key);
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let invalid =
            |message: String| Error::parameter(&*name, message).code("parameter_invalid_integer");
        let number: i64 = text.parse().map_err(|_| invalid(format!("Invalid integer: {text}")))?;
        if number < minimum {
            return Err(invalid(format!("This value must be greater than or equal to {minimum}.")));
        }
        Ok(Some(number))
    }

    /// Takes `true` or `false`.
    ///
    /// # Errors
    /// 400 when it is neither.
    pub(crate) fn boolean(&mut self, key: &str) -> Result<Option<bool>, Error> {
        let name = self.name(key);
        match self.text(key)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(text) => Err(Error::parameter(name, format!("Invalid boolean: {text}"))),
        }
    }

    /// Takes one of the `allowed` values.
    ///
    /// # Errors
    /// 400 when it is none of them.
    pub(crate) fn choice(
        &mut self,
        key: &str,
        allowed: &[&'static str],
    ) -> Result<Option<&'static str>, Error> {
        let name = self.name(key);
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        match allowed.iter().find(|word| **word == text) {
            Some(word) => Ok(Some(word)),
            None => Err(Error::parameter(
                &*name,
                format!("Invalid {name}: must be one of {}", allowed.join(", ")),
            )),
        }
    }

    /// Takes an array of strings.
    ///
    /// # Errors
    /// 400 when the parameter is not an array, or its elements are not strings.
    pub(crate) fn list(&mut self, key: &str) -> Result<Option<Vec<String>>, Error> {
        let name = self.name(key);
        let invalid = || Error::parameter(&*name, "Invalid array");
        match self.nodes.remove(key) {
            None => Ok(None),
            Some(Node::Text(_)) => Err(invalid()),
            Some(Node::Branch(items)) => {
                let mut numbered = items
                    .into_iter()
                    .map(|(index, item)| match (index.parse::<usize>(), item) {
                        (Ok(index), Node::Text(text)) => Ok((index, text)),
                        _ => Err(invalid()),
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                numbered.sort_unstable();
                Ok(Some(numbered.into_iter().map(|(_, text)| text).collect()))
            }
        }
    }

    /// Takes a bracketed part. The caller must take its parameters and call
    /// [`finish`](Self::finish) on it.
    ///
    /// # Errors
    /// 400 when the parameter is a plain value.
    pub(crate) fn branch(&mut self, key: &str) -> Result<Option<Self>, Error> {
        let path = self.name(key);
        match self.nodes.remove(key) {
            None => Ok(None),
            Some(Node::Text(_)) => Err(Error::parameter(path, "Invalid object")),
            Some(Node::Branch(nodes)) => Ok(Some(Self { path, nodes })),
        }
    }

    /// Returns a string without taking it.
    pub(crate) fn peek(&self, key: &str) -> Option<&str> {
        match self.nodes.get(key)? {
            Node::Text(text) => Some(text),
            Node::Branch(_) => None,
        }
    }

    /// Returns whether `key` is a bracketed part, not a plain value.
    pub(crate) fn is_branch(&self, key: &str) -> bool {
        matches!(self.nodes.get(key), Some(Node::Branch(_)))
    }

    /// Rejects parameters that Stripe has but the stand-in does not support.
    ///
    /// # Errors
    /// 400 when any of `keys` was sent. The message names the first one.
    pub(crate) fn reject_unsupported(&self, keys: &[&str]) -> Result<(), Error> {
        match keys.iter().find(|key| self.nodes.contains_key(**key)) {
            Some(key) => Err(self.unsupported(key)),
            None => Ok(()),
        }
    }

    /// Returns the error for a parameter, or a value of it, that the stand-in does not support.
    pub(crate) fn unsupported(&self, key: &str) -> Error {
        let name = self.name(key);
        Error::parameter(
            &*name,
            format!(
                "The local Stripe stand-in does not support '{name}' as given; test this against \
                 Stripe's own test mode."
            ),
        )
    }

    /// Checks that every parameter has been taken.
    ///
    /// # Errors
    /// 400 `parameter_unknown` when a parameter has not been taken.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.nodes.keys().next() {
            None => Ok(()),
            Some(key) => {
                let name = self.name(key);
                Err(Error::parameter(&*name, format!("Received unknown parameter: {name}"))
                    .code("parameter_unknown"))
            }
        }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}[{key}]", self.path) }
    }
}

/// Inserts a value into the tree at `path`. Fails when a name is both a value and a hash.
fn insert(nodes: &mut BTreeMap<String, Node>, path: &[&str], value: String) -> Result<(), ()> {
    let Some((first, rest)) = path.split_first() else {
        return Err(());
    };
    // `a[]` is the next element of the array.
    let key = if first.is_empty() { nodes.len().to_string() } else { (*first).to_owned() };
    if rest.is_empty() {
        return match nodes.insert(key, Node::Text(value)) {
            Some(Node::Branch(_)) => Err(()),
            _ => Ok(()),
        };
    }
    match nodes.entry(key).or_insert_with(|| Node::Branch(BTreeMap::new())) {
        Node::Branch(branch) => insert(branch, rest, value),
        Node::Text(_) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(encoded: &str) -> Params {
        Params::parse(encoded.as_bytes()).unwrap()
    }

    #[test]
    fn arrays_keep_their_order_with_and_without_indexes() {
        assert_eq!(params("a[]=x&a[]=y").list("a").unwrap().unwrap(), ["x", "y"]);
        assert_eq!(params("a[10]=z&a[2]=y&a[0]=x").list("a").unwrap().unwrap(), ["x", "y", "z"]);
        assert!(params("a=x").list("a").is_err());
    }

    #[test]
    fn errors_name_a_nested_parameter_in_full() {
        let mut whole = params(
            "payment_method_data%5Bcard%5D%5Bnumber%5D=4242&payment_method_data[card][odd]=1",
        );
        let mut card =
            whole.branch("payment_method_data").unwrap().unwrap().branch("card").unwrap().unwrap();
        assert_eq!(card.text("number").unwrap().unwrap(), "4242");
        let error = card.finish().unwrap_err();
        assert_eq!(
            (error.body.code, error.body.param.as_deref()),
            (Some("parameter_unknown"), Some("payment_method_data[card][odd]"))
        );
        whole.finish().unwrap();
    }

    #[test]
    fn unclosed_brackets_and_names_with_two_meanings_are_rejected() {
        assert!(Params::parse(b"a=1&a[b]=2").is_err());
        assert!(Params::parse(b"a[b]=2&a=1").is_err());
        assert!(Params::parse(b"a[b=2").is_err());
    }

    #[test]
    fn integers_are_whole_and_at_least_the_minimum() {
        for (text, message) in [
            ("1.5", "Invalid integer: 1.5"),
            ("abc", "Invalid integer: abc"),
            ("-1", "This value must be greater than or equal to 1."),
        ] {
            let error = params(&format!("amount={text}")).integer("amount", 1).unwrap_err();
            assert_eq!(
                (error.body.code, &*error.body.message),
                (Some("parameter_invalid_integer"), message)
            );
        }
        assert_eq!(params("amount=5").integer("amount", 1).unwrap(), Some(5));
    }
}

//! `expand[]` (<https://docs.stripe.com/expand>): an object in the place of its id, up to four
//! levels deep.

use serde_json::Value;

use crate::error::Error;
use crate::transaction::Transaction;

/// Expands every path in `object`; in a list, paths begin with `data`.
pub(super) fn expand(
    transaction: &Transaction<'_>,
    object: &mut Value,
    paths: &[String],
) -> Result<(), Error> {
    for path in paths {
        let levels: Vec<&str> = path.split('.').collect();
        if levels.len() > 4 {
            return Err(Error::parameter(
                "expand",
                "You cannot expand more than 4 levels of a property.",
            ));
        }
        if !reach(transaction, object, &levels) {
            return Err(Error::parameter(
                "expand",
                format!("This property cannot be expanded ({path})."),
            ));
        }
    }
    Ok(())
}

/// Expands along `levels`; false when there is no such property to expand. What is null stays null.
fn reach(transaction: &Transaction<'_>, value: &mut Value, levels: &[&str]) -> bool {
    if let Value::String(id) = value {
        match transaction.find(id) {
            Some(object) => *value = object,
            None => return false,
        }
    }
    let Some((level, rest)) = levels.split_first() else {
        return true;
    };
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter_mut().all(|item| reach(transaction, item, levels)),
        Value::Object(fields) => {
            fields.get_mut(*level).is_some_and(|field| reach(transaction, field, rest))
        }
        _ => false,
    }
}

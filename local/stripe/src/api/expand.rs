//! `expand[]` (<https://docs.stripe.com/expand>): replaces ids with their objects, up to four
//! levels deep.

use serde_json::Value;

use crate::error::Error;
use crate::lookup;
use crate::store::Store;

/// Expands every path in `object`. In a list, paths begin with `data`.
///
/// # Errors
/// 400 when a path is too deep or names no property that can be expanded.
pub(super) fn expand(store: &Store, object: &mut Value, paths: &[String]) -> Result<(), Error> {
    for path in paths {
        let levels: Vec<&str> = path.split('.').collect();
        if levels.len() > 4 {
            let message = "You cannot expand more than 4 levels of a property.";
            return Err(Error::parameter("expand", message));
        }
        if !expand_path(store, object, &levels) {
            let message = format!("This property cannot be expanded ({path}).");
            return Err(Error::parameter("expand", message));
        }
    }
    Ok(())
}

/// Expands along `levels`. Returns false if they don't lead to a property that can be expanded.
/// Null stays null.
fn expand_path(store: &Store, value: &mut Value, levels: &[&str]) -> bool {
    if let Value::String(id) = value {
        match lookup::object(store, id) {
            Some(object) => *value = object,
            None => return false,
        }
    }
    let Some((level, rest)) = levels.split_first() else {
        return true;
    };
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter_mut().all(|item| expand_path(store, item, levels)),
        Value::Object(fields) => {
            fields.get_mut(*level).is_some_and(|field| expand_path(store, field, rest))
        }
        _ => false,
    }
}

//! A table: records of one kind, found by id and listed by age.

use std::collections::HashMap;

/// A record in a table.
pub(crate) trait Row {
    /// Returns its id.
    fn id(&self) -> &str;
    /// Returns when it was created, in Unix seconds.
    fn created(&self) -> i64;
}

/// The records of one kind, oldest first.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    positions: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), positions: HashMap::new() }
    }
}

impl<T: Row> Table<T> {
    /// Returns the record `id`.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.positions.get(id).map(|position| &self.rows[*position])
    }

    /// Iterates over the records, oldest first.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// Inserts a record, or replaces the one with its id.
    pub(crate) fn put(&mut self, record: T) {
        match self.positions.get(record.id()) {
            Some(position) => self.rows[*position] = record,
            None => {
                self.positions.insert(record.id().to_owned(), self.rows.len());
                self.rows.push(record);
            }
        }
    }
}

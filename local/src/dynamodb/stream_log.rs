//! Keeps dynoxide's stream log fast, bounded and like DynamoDB's. dynoxide stores stream records in
//! one SQLite table that it never trims and that has no index on the columns it looks records up
//! by. Without the index, a write to a table with a stream takes time in proportion to all earlier
//! writes. And dynoxide records writes that change nothing, which DynamoDB does not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use rusqlite::Connection;

/// How long a stream keeps its records.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// An index for the two queries that dynoxide runs: the last sequence number of a table, and the
/// records of a shard after a sequence number.
const INDEX: &str = "CREATE INDEX IF NOT EXISTS _local_stream_sequence
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id)";

/// Drops the record of a write that changes nothing, because DynamoDB doesn't record such a write:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
///
/// The order of members in the images is random, so their leaves are compared. This needs both
/// images: in a stream with another view, the record stays.
const DROP_UNCHANGED: &str = "CREATE TRIGGER IF NOT EXISTS _local_stream_unchanged
    BEFORE INSERT ON _stream_records
    WHEN NEW.event_name = 'MODIFY' AND length(NEW.new_image) = length(NEW.old_image)
        AND NOT EXISTS (
            SELECT fullkey, type, atom FROM json_tree(NEW.new_image)
            EXCEPT SELECT fullkey, type, atom FROM json_tree(NEW.old_image))
        AND NOT EXISTS (
            SELECT fullkey, type, atom FROM json_tree(NEW.old_image)
            EXCEPT SELECT fullkey, type, atom FROM json_tree(NEW.new_image))
    BEGIN SELECT RAISE(IGNORE); END";

/// Adds an index to the stream log, and a trigger that drops records of writes without a change.
///
/// # Errors
/// When the database can't be opened or its schema isn't the expected one.
pub fn prepare(path: &str) -> anyhow::Result<()> {
    connect(path)?
        .execute_batch(&format!("{INDEX};\n{DROP_UNCHANGED};"))
        .context("this version of dynoxide has an unexpected stream log schema")
}

/// Deletes the records that are older than [`RETENTION`], and returns their number.
///
/// # Errors
/// When the database can't be opened or refuses the deletion, or the clock is far off.
pub fn trim(path: &str) -> anyhow::Result<usize> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let oldest =
        i64::try_from(now.saturating_sub(RETENTION).as_secs()).context("the clock is far off")?;
    Ok(connect(path)?.execute("DELETE FROM _stream_records WHERE created_at < ?1", [oldest])?)
}

/// Opens a second connection to the database that dynoxide has open.
fn connect(path: &str) -> anyhow::Result<Connection> {
    let connection = Connection::open(path).with_context(|| format!("can't open {path}"))?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The queries that dynoxide runs on every write and on every `GetRecords`.
    const QUERIES: [&str; 2] = [
        "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = 't'",
        "SELECT event_name FROM _stream_records WHERE table_name = 't' AND shard_id = 's'
         AND CAST(sequence_number AS INTEGER) > 5 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 10",
    ];

    fn database() -> (dynoxide::Database, String) {
        let path = super::super::embedded::memory_path();
        (dynoxide::Database::new(&path).unwrap(), path)
    }

    #[test]
    fn the_stream_log_queries_use_the_index() {
        let (_database, path) = database();
        prepare(&path).unwrap();
        let connection = connect(&path).unwrap();
        for query in QUERIES {
            let plan: String = connection
                .query_row(&format!("EXPLAIN QUERY PLAN {query}"), [], |row| row.get("detail"))
                .unwrap();
            assert!(plan.contains("USING") && plan.contains("_local_stream_sequence"), "{plan}");
        }
    }

    #[test]
    fn the_record_of_a_write_that_changes_nothing_is_dropped() {
        let (_database, path) = database();
        prepare(&path).unwrap();
        let connection = connect(&path).unwrap();
        let old = r#"{"a":{"S":"1"},"m":{"M":{"x":{"N":"1"},"y":{"L":[]}}}}"#;
        for (event, new, kept) in [
            ("MODIFY", old, 0),
            ("MODIFY", r#"{"m":{"M":{"y":{"L":[]},"x":{"N":"1"}}},"a":{"S":"1"}}"#, 0),
            ("MODIFY", r#"{"a":{"S":"1"},"m":{"M":{"x":{"N":"2"},"y":{"L":[]}}}}"#, 1),
            ("MODIFY", r#"{"a":{"N":"1"},"m":{"M":{"x":{"N":"1"},"y":{"L":[]}}}}"#, 1),
            ("MODIFY", r#"{"a":{"S":"1"}}"#, 1),
            ("REMOVE", old, 1),
        ] {
            let inserted = connection
                .execute(
                    "INSERT INTO _stream_records (table_name, event_name, keys_json, new_image, old_image, sequence_number, shard_id, created_at)
                     VALUES ('t', ?1, '{}', ?2, ?3, '1', 's', 0)",
                    [event, new, old],
                )
                .unwrap();
            assert_eq!(inserted, kept, "{event} {new}");
        }
    }

    #[test]
    fn records_are_trimmed_after_a_day() {
        let (_database, path) = database();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let connection = connect(&path).unwrap();
        for created_at in [now - 90_000, now - 80_000, now] {
            connection
                .execute(
                    "INSERT INTO _stream_records (table_name, event_name, keys_json, sequence_number, shard_id, created_at)
                     VALUES ('t', 'INSERT', '{}', '1', 's', ?1)",
                    [i64::try_from(created_at).unwrap()],
                )
                .unwrap();
        }
        assert_eq!(trim(&path).unwrap(), 1);
    }
}

//! The one readable log of everything that runs: a line has its time (UTC), its source (a function
//! or a part of the cloud) and the end of its request id.

mod render;

use std::io::{IsTerminal, Write};

use jiff::Timestamp;

/// How wide the column of sources is; longer names push their line to the right.
const SOURCE_WIDTH: usize = 20;

/// Colours for sources, all readable on dark and on light: ANSI 31 to 36 and 91 to 96.
const COLOURS: [u8; 12] = [32, 33, 34, 35, 36, 31, 92, 93, 94, 95, 96, 91];

/// A handle to the log; clones write to the same place (stderr, a line at a time).
#[derive(Debug, Clone)]
pub struct Log {
    coloured: bool,
}

impl Default for Log {
    fn default() -> Self {
        // <https://no-color.org>
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Self { coloured: std::io::stderr().is_terminal() && !unwanted }
    }
}

impl Log {
    /// Writes one line. `source` is a function's name, or `http`, `ws`, `dynamodb`, `streams`,
    /// `schedule`, `stripe`. A `text` that is a JSON event of `tracing-subscriber` is written for
    /// people, any other as it is.
    pub fn line(&self, source: &str, request_id: Option<&str>, text: &str) {
        let line = self.format(&Timestamp::now(), source, request_id, text);
        // A log that cannot be written (a closed pipe) must not end the cloud.
        drop(std::io::stderr().lock().write_all(line.as_bytes()));
    }

    fn format(
        &self,
        now: &Timestamp,
        source: &str,
        request_id: Option<&str>,
        text: &str,
    ) -> String {
        let time = now.strftime("%H:%M:%S%.3f");
        let event = render::event(text);
        let (level, text, own_id) = match &event {
            Some(event) => {
                (Some(event.level.as_str()), event.text.as_str(), event.request_id.as_deref())
            }
            None => (None, text, None),
        };
        // The id that the function itself names is the one that its caller was told: API Gateway's,
        // where there is one.
        let id = short(own_id.or(request_id).unwrap_or("-"));
        let level_column = level.map(|level| format!("{level:<5} ")).unwrap_or_default();
        if !self.coloured {
            return format!("{time} {source:<SOURCE_WIDTH$} {id:<8} {level_column}{text}\n");
        }
        let colour = colour(source);
        let (level_on, level_off) = match level {
            Some("ERROR") => ("\x1b[1;31m", "\x1b[0m"),
            Some("WARN") => ("\x1b[33m", "\x1b[0m"),
            _ => ("", ""),
        };
        format!(
            "\x1b[2m{time}\x1b[0m \x1b[{colour}m{source:<SOURCE_WIDTH$}\x1b[0m \x1b[2m{id:<8}\x1b[0m {level_on}{level_column}{level_off}{text}\n"
        )
    }
}

/// The last eight characters: ids begin with the time, so that those of one minute begin alike.
fn short(id: &str) -> &str {
    id.char_indices().nth_back(7).map_or(id, |(start, _)| &id[start..])
}

/// Always the same colour for the same source.
fn colour(source: &str) -> u8 {
    // FNV-1a.
    let hash = source
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    COLOURS[hash as usize % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198f6d2-3c7e-7b1c-8a52-5d1f0c9e4a77";

    fn format(coloured: bool, request_id: Option<&str>, text: &str) -> String {
        let now: Timestamp = "2026-03-04T05:06:07.089Z".parse().unwrap();
        Log { coloured }.format(&now, "orders-create", request_id, text)
    }

    #[test]
    fn a_line_has_time_source_and_the_end_of_the_request_id() {
        assert_eq!(
            format(false, Some(ID), "hello"),
            "05:06:07.089 orders-create        0c9e4a77 hello\n"
        );
        assert_eq!(
            format(false, None, "hello"),
            "05:06:07.089 orders-create        -        hello\n"
        );
    }

    #[test]
    fn a_json_event_is_written_for_people() {
        let event = r#"{"level":"WARN","fields":{"message":"late","order":"o1"},"span":{"request_id":"0198f6d2-3c7e-7b1c-8a52-5d1f0c9e4a77"}}"#;
        let line = "05:06:07.089 orders-create        0c9e4a77 WARN  late order=o1\n";
        assert_eq!(
            [format(false, None, event), format(false, Some("of-the-invocation"), event)],
            [line; 2]
        );
    }

    #[test]
    fn colours_are_for_terminals_only() {
        assert!(!format(false, None, "x").contains('\x1b'));
        assert!(
            format(true, None, "x")
                .contains(&format!("\x1b[{}morders-create", colour("orders-create")))
        );
    }
}

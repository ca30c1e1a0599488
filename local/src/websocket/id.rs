//! Connection, request and message ids in API Gateway's format: 11 bytes in base64url, such as
//! `L0SM9cOFvHcCIhw=`.

use data_encoding::BASE64URL;
use ring::rand::{SecureRandom, SystemRandom};

const BYTES: usize = 11;

/// Returns a new random id. It must be unguessable, because anyone who knows a connection's id can
/// write to it.
pub(super) fn new() -> String {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).expect("the operating system has randomness");
    BASE64URL.encode(&bytes)
}

/// Whether `id` has API Gateway's format. `@connections` answers other ids with 400, as AWS does
/// (localstack issue 4694).
pub(super) fn is_well_formed(id: &str) -> bool {
    BASE64URL.decode(id.as_bytes()).is_ok_and(|bytes| bytes.len() == BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_api_gateways_format() {
        let id = new();
        assert_eq!((id.len(), id.ends_with('=')), ("L0SM9cOFvHcCIhw=".len(), true));
        assert_ne!(id, new());
    }

    #[test]
    fn only_ids_in_api_gateways_format_are_well_formed() {
        assert!(is_well_formed(&new()));
        assert!(is_well_formed("L0SM9cOFvHcCIhw="));
        for id in
            ["", "abc", "L0SM9cOFvHcCIhw", "cjy8i76bx002884le6n17d49b", "L0SM9cOFvHcCIhwAAAAA"]
        {
            assert!(!is_well_formed(id), "{id}");
        }
    }
}

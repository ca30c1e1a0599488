//! `GET /.well-known/jwks.json`: the public keys that access tokens are signed with (RFC 7517), for
//! whoever else wants to verify them.

use shared::auth::KeySet;
use shared::error::Result;

use super::Keys;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::get("/.well-known/jwks.json", Who::Anyone);

/// How long caches may keep the keys: as long, a new one is published before it signs.
const CACHED: u32 = 300;

/// The keys.
///
/// # Errors
/// None of its own.
pub async fn handle(context: &Keys, _: Request) -> Result<Reply> {
    Reply::ok(&context.keys)?.cacheable(CACHED)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "The public keys of access tokens")
        .details("A JSON Web Key Set (RFC 7517). Access tokens are JWTs (RFC 9068), signed with EdDSA by one of these.")
        .answer(Answer::ok::<KeySet>("The keys."))
        .without_database()
}

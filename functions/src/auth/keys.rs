//! `GET /.well-known/jwks.json`: the public keys of access tokens (RFC 7517), for other services
//! that verify the tokens.

use shared::auth::KeySet;
use shared::error::Result;

use super::PublicKeys;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::get("/.well-known/jwks.json", Who::Anyone);

/// How long caches may keep the keys. A new key must be published for this long before tokens are
/// signed with it.
const MAX_AGE_SECONDS: u32 = 300;

/// Returns the key set.
///
/// # Errors
/// `internal` when the keys can't be serialized.
pub async fn handle(context: &PublicKeys, _: Request) -> Result<Reply> {
    Reply::ok(&context.key_set)?.cacheable_for(MAX_AGE_SECONDS)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Get the public keys of access tokens")
        .details(
            "A JSON Web Key Set (RFC 7517). Access tokens are JWTs (RFC 9068), signed with EdDSA \
             by one of these keys.",
        )
        .answer(Answer::ok::<KeySet>("The keys."))
        .without_database()
}

//! Refresh tokens: `rt.<user>.<session>.<256 random bits>`. A token names its user and session, so
//! that one read finds them; the random bits prove that the token is genuine.

use shared::auth::{Issuer, OpaqueToken};
use shared::domain::ids::UserId;
use shared::error::Result;

/// Generates the first token of a session.
pub(super) fn generate(user: &UserId, session: &str) -> Result<OpaqueToken> {
    OpaqueToken::generate(&prefix(user, session))
}

/// Derives the token that replaces `token`.
pub(super) fn successor(issuer: &Issuer, user: &UserId, session: &str, token: &str) -> OpaqueToken {
    OpaqueToken::from_bits(&prefix(user, session), issuer.successor(token))
}

fn prefix(user: &UserId, session: &str) -> String {
    format!("rt.{user}.{session}.")
}

/// Parses the user and the session that a refresh token names.
pub(super) fn parse(token: &str) -> Option<(UserId, &str)> {
    let mut parts = token.strip_prefix("rt.")?.split('.');
    let (user, session, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.len() <= 64
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_well_formed = is_plain(session) && is_plain(secret) && parts.next().is_none();
    Some((user.parse().ok().filter(|_| is_well_formed)?, session))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_names_its_user_and_session() {
        let user = UserId::derived(&["u"]);
        let token = generate(&user, "abc_-1").unwrap();
        assert_eq!(parse(token.token.expose()), Some((user.clone(), "abc_-1")));
        for wrong in [
            "",
            "rt.",
            "rt.a.b.c",
            &format!("rt.{user}.a#b.c"),
            &format!("rt.{user}..c"),
            &format!("rt.{user}.a.b.c"),
            &format!("{user}.a.b"),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}

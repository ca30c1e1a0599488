//! Limits how often a password may be tried, and how often one network may register.
//!
//! An attempt is counted before the password is checked, so that parallel attempts can't exceed the
//! limit. A successful attempt is uncounted, so that only failures count. Success uncounts only
//! itself: an attacker gains nothing by signing in to their own account between guesses.
//!
//! There is a limit per login name, whether or not the user exists, and a limit per network.
//! Someone who fails on purpose under another user's name can lock that user out only on networks
//! that are new to the user: a network from which the user has signed in before has a limit of its
//! own.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use shared::auth::sha256;
use shared::config::ConfigError;
use shared::domain::ids::UserId;
use shared::error::{Result, catalogue};
use shared::store::{Account, CountedAttempt, RateLimit, SignInAddress, Store, normalized_login};

use crate::http::Request;

/// How long we remember that a user signed in from a network.
const SOURCE_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The limits of failed sign-ins.
pub struct SignInLimits {
    /// Per login name.
    per_name: RateLimit,
    /// Per user and network, for networks from which the user has signed in before.
    per_known_network: RateLimit,
    /// Per user, for wrong current passwords when changing the password.
    per_password_change: RateLimit,
    /// Per network.
    per_network: RateLimit,
}

impl SignInLimits {
    /// Reads `SIGN_INS_PER_NAME` and `SIGN_INS_PER_ADDRESS`.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let per_name = RateLimit { name: "sign-ins-name", max: 10, window_seconds: 900 }
            .or_env("SIGN_INS_PER_NAME")?;
        let per_network = RateLimit { name: "sign-ins-address", max: 100, window_seconds: 900 };
        Ok(Self {
            per_name,
            per_known_network: RateLimit { name: "sign-ins-known", ..per_name },
            per_password_change: RateLimit { name: "password-changes", ..per_name },
            per_network: per_network.or_env("SIGN_INS_PER_ADDRESS")?,
        })
    }

    /// Counts an attempt on a login name, and reads its account at the same time. An unknown name
    /// takes the same steps.
    ///
    /// # Errors
    /// - 429 when the name or the network has reached its limit of failures, even with the right
    ///   password
    /// - `database_unavailable` or internal when the database fails; then the attempt is not
    ///   counted
    pub(super) async fn count_sign_in(
        &self,
        store: &Store,
        name: &str,
        network_hash: &str,
        now: Timestamp,
    ) -> Result<(Attempt, Option<Account>)> {
        let key = sha256(&normalized_login(name));
        let (by_network, by_name, account) = futures::join!(
            store.count(&self.per_network, network_hash, now),
            store.count(&self.per_name, &key, now),
            store.account_by_login(name)
        );
        let network_allows = by_network.is_ok();
        let counted = Attempt(by_network.iter().chain(&by_name).cloned().collect());
        let result = async {
            let (by_network, account) = (by_network?, account?);
            let by_name = match by_name {
                Err(refused) if refused.is(&catalogue::TOO_MANY_REQUESTS) => {
                    let user = account.as_ref().map_or_else(UserId::nobody, |a| a.user.id.clone());
                    if !store.is_known_address(&user, network_hash, now).await? {
                        return Err(refused);
                    }
                    let key = sha256(&format!("{user} {network_hash}"));
                    store.count(&self.per_known_network, &key, now).await?
                }
                counted => counted?,
            };
            Ok((Attempt(vec![by_network, by_name]), account))
        }
        .await;
        if let Err(error) = &result {
            // An attempt refused for its name counts against the network. One refused for its
            // network does not count against the name, and a failure of the database is nobody's.
            let refused_for_name = network_allows && error.is(&catalogue::TOO_MANY_REQUESTS);
            if !refused_for_name {
                counted.uncount(store).await;
            }
        }
        result
    }

    /// Counts a signed-in user's attempt to change the password.
    ///
    /// # Errors
    /// 429 after too many wrong current passwords.
    pub(super) async fn count_password_change(
        &self,
        store: &Store,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Attempt> {
        Ok(Attempt(vec![store.count(&self.per_password_change, user.as_str(), now).await?]))
    }
}

/// A counted attempt.
pub(super) struct Attempt(Vec<CountedAttempt>);

impl Attempt {
    /// Takes the attempt back, because it succeeded or was refused for another reason. A failure to
    /// do so is logged.
    pub(super) async fn uncount(self, store: &Store) {
        for result in
            futures::future::join_all(self.0.into_iter().map(|counted| store.uncount(counted)))
                .await
        {
            if let Err(error) = result {
                tracing::warn!(source = error.cause(), "failed to uncount an attempt");
            }
        }
    }
}

/// The limit of registrations from one network.
pub struct RegistrationLimit(pub(super) RateLimit);

impl RegistrationLimit {
    /// Reads `REGISTRATIONS_PER_ADDRESS`.
    ///
    /// # Errors
    /// When its value is wrong.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let limit = RateLimit { name: "registrations", max: 20, window_seconds: 3600 };
        limit.or_env("REGISTRATIONS_PER_ADDRESS").map(Self)
    }
}

/// A record that the user signed in from this network.
pub(super) fn sign_in_address(user: &UserId, network_hash: &str, now: Timestamp) -> SignInAddress {
    SignInAddress {
        user_id: user.clone(),
        hash: network_hash.to_owned(),
        until: now + SOURCE_LIFETIME,
    }
}

/// The hashed network that a request comes from.
pub(super) fn network_hash(request: &Request) -> String {
    sha256(&network(&request.source_ip()))
}

/// The network of one subscriber: an IPv4 address, or an IPv6 /64 (RFC 6177), because a subscriber
/// can use every address in it.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_subscriber_is_an_ipv4_address_or_an_ipv6_64() {
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }
}

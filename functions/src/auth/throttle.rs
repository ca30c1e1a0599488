//! Limits how often a password may be tried, and how often users may register from one IP address.
//!
//! An attempt is counted before the password is checked, so that parallel attempts can't exceed the
//! limit. A successful attempt is uncounted, so that only failures count. Success uncounts only
//! itself: an attacker gains nothing by signing in to their own account between guesses.
//!
//! There is a limit per login (the username or e-mail address that is sent), whether or not the
//! user exists, and a limit per IP address. Someone who fails on purpose with another user's login
//! can lock that user out only on IP addresses that are new to the user: an IP address from which
//! the user has signed in before has a limit of its own.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use shared::auth::sha256;
use shared::config::ConfigError;
use shared::domain::ids::UserId;
use shared::error::{Result, catalogue};
use shared::store::{Account, CountedAttempt, KnownIpAddress, RateLimit, Store, normalized_login};

use crate::http::Request;

/// How long we remember that a user signed in from an IP address.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The limits of failed sign-ins.
pub struct SignInLimits {
    /// Per login.
    per_login: RateLimit,
    /// Per user and IP address, for IP addresses from which the user has signed in before.
    per_known_ip_address: RateLimit,
    /// Per user, for wrong current passwords when changing the password.
    per_password_change: RateLimit,
    /// Per IP address.
    per_ip_address: RateLimit,
}

impl SignInLimits {
    /// Reads `SIGN_INS_PER_USERNAME` and `SIGN_INS_PER_IP_ADDRESS`.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let per_login = RateLimit { name: "sign-ins-name", max: 10, window_seconds: 900 }
            .or_env("SIGN_INS_PER_USERNAME")?;
        let per_ip_address = RateLimit { name: "sign-ins-address", max: 100, window_seconds: 900 };
        Ok(Self {
            per_login,
            per_known_ip_address: RateLimit { name: "sign-ins-known", ..per_login },
            per_password_change: RateLimit { name: "password-changes", ..per_login },
            per_ip_address: per_ip_address.or_env("SIGN_INS_PER_IP_ADDRESS")?,
        })
    }

    /// Counts an attempt to sign in with this login, and reads its account at the same time. An
    /// unknown login takes the same steps.
    ///
    /// # Errors
    /// - 429 when the login or the IP address has reached its limit of failures, even with the
    ///   right password
    /// - `database_unavailable` or internal when the database fails; then the attempt is not
    ///   counted
    pub(super) async fn count_sign_in(
        &self,
        store: &Store,
        login: &str,
        ip_hash: &str,
        now: Timestamp,
    ) -> Result<(Attempt, Option<Account>)> {
        let key = sha256(&normalized_login(login));
        let (by_ip, by_login, account) = futures::join!(
            store.count_attempt(&self.per_ip_address, ip_hash, now),
            store.count_attempt(&self.per_login, &key, now),
            store.account_by_login(login)
        );
        let ip_address_allows = by_ip.is_ok();
        let counted = Attempt(by_ip.iter().chain(&by_login).cloned().collect());
        let result = async {
            let (by_ip, account) = (by_ip?, account?);
            let by_login = match by_login {
                Err(refused) if refused.is(&catalogue::TOO_MANY_REQUESTS) => {
                    let user = account.as_ref().map_or_else(UserId::nobody, |a| a.user.id.clone());
                    if !store.is_known_ip_address(&user, ip_hash, now).await? {
                        return Err(refused);
                    }
                    let key = sha256(&format!("{user} {ip_hash}"));
                    store.count_attempt(&self.per_known_ip_address, &key, now).await?
                }
                counted => counted?,
            };
            Ok((Attempt(vec![by_ip, by_login]), account))
        }
        .await;
        if let Err(error) = &result {
            // An attempt refused for its login counts against the IP address. One refused for its
            // IP address does not count against the login. If the database fails, nothing counts.
            let refused_for_login = ip_address_allows && error.is(&catalogue::TOO_MANY_REQUESTS);
            if !refused_for_login {
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
        Ok(Attempt(vec![store.count_attempt(&self.per_password_change, user.as_str(), now).await?]))
    }
}

/// A counted attempt.
pub(super) struct Attempt(Vec<CountedAttempt>);

impl Attempt {
    /// Takes the attempt back, because it succeeded or was refused for another reason. Logs a
    /// failure to do so.
    pub(super) async fn uncount(self, store: &Store) {
        let uncounted = self.0.into_iter().map(|counted| store.uncount_attempt(counted));
        for result in futures::future::join_all(uncounted).await {
            if let Err(error) = result {
                tracing::warn!(source = error.cause(), "failed to uncount an attempt");
            }
        }
    }
}

/// The limit of registrations from one IP address.
pub struct RegistrationLimit(pub(super) RateLimit);

impl RegistrationLimit {
    /// Reads `REGISTRATIONS_PER_IP_ADDRESS`.
    ///
    /// # Errors
    /// When its value is wrong.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let limit = RateLimit { name: "registrations", max: 20, window_seconds: 3600 };
        limit.or_env("REGISTRATIONS_PER_IP_ADDRESS").map(Self)
    }
}

/// Creates the record that the user signed in from this IP address.
pub(super) fn known_ip_address(user: &UserId, ip_hash: &str, now: Timestamp) -> KnownIpAddress {
    KnownIpAddress { user_id: user.clone(), hash: ip_hash.to_owned(), until: now + KNOWN_FOR }
}

/// Returns a hash of the request's IP address, so that the address itself is not stored.
pub(super) fn ip_hash(request: &Request) -> String {
    sha256(&subscriber(&request.ip_address()))
}

/// Returns what identifies a subscriber: an IPv4 address, or the /64 of an IPv6 address (RFC 6177),
/// because a subscriber can use every address in it.
fn subscriber(ip_address: &str) -> String {
    match ip_address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => ip_address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::subscriber;

    #[test]
    fn a_subscriber_is_an_ipv4_address_or_an_ipv6_64() {
        assert_eq!(subscriber("203.0.113.7"), "203.0.113.7");
        assert_eq!(subscriber("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(subscriber("2001:db8:1:2:3:4:5:6"), subscriber("2001:db8:1:2:ffff::1"));
        assert_ne!(subscriber("2001:db8:1:2::1"), subscriber("2001:db8:1:3::1"));
    }
}

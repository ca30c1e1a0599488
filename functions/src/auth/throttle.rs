//! How often one may try a password, or register.
//!
//! An attempt is counted before it is looked at, so that no number of attempts at once is more than
//! the limit, and taken back when it succeeds: what counts is failures. One success takes back one
//! attempt, its own; an attacker with an account of their own gains nothing by signing in between.
//!
//! Each name has its limit, whether there is such a user or not, and each address has one. Someone
//! who fails on another's name on purpose locks out everyone but the user: where a user has signed
//! in before, only failures from there count.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use shared::auth::sha256;
use shared::config::ConfigError;
use shared::domain::ids::UserId;
use shared::error::{Result, catalogue};
use shared::store::{Account, CountedAttempt, RateLimit, SignInSource, Store, login_name};

use crate::http::Request;

/// How long it is remembered that a user signed in from somewhere.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How often a password may be wrong.
pub struct SignInLimits {
    name: RateLimit,
    /// The same, of a name from where its user has signed in before.
    known: RateLimit,
    /// The same, of a user who gives the password to change it.
    change: RateLimit,
    address: RateLimit,
}

impl SignInLimits {
    /// From `SIGN_INS_PER_NAME` and `SIGN_INS_PER_ADDRESS`.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let name = RateLimit { name: "sign-ins-name", max: 10, window_seconds: 900 }
            .or_env("SIGN_INS_PER_NAME")?;
        let address = RateLimit { name: "sign-ins-address", max: 100, window_seconds: 900 };
        Ok(Self {
            name,
            known: RateLimit { name: "sign-ins-known", ..name },
            change: RateLimit { name: "password-changes", ..name },
            address: address.or_env("SIGN_INS_PER_ADDRESS")?,
        })
    }

    /// Counts an attempt on a name, and finds its account meanwhile. As much is done for a name
    /// that is no one's.
    ///
    /// # Errors
    /// 429 when the name or the address has used up its failures, whatever the password is.
    pub(super) async fn attempt(
        &self,
        store: &Store,
        name: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<(Attempt, Option<Account>)> {
        let key = sha256(&login_name(name));
        let (by_address, by_name, account) = futures::join!(
            store.count(&self.address, address, now),
            store.count(&self.name, &key, now),
            store.account_by_login(name)
        );
        let by_address = match by_address {
            Ok(counted) => counted,
            Err(refused) => {
                // What does not get past the address is no attempt on the name.
                Attempt(by_name.into_iter().collect()).take_back(store).await;
                return Err(refused);
            }
        };
        let account = account?;
        let by_name = match by_name {
            Err(refused) if refused.is(&catalogue::TOO_MANY_REQUESTS) => {
                let user = account
                    .as_ref()
                    .map_or_else(|| UserId::derived(&["nobody"]), |a| a.user.id.clone());
                if !store.is_known_source(&user, address, now).await? {
                    return Err(refused);
                }
                store.count(&self.known, &sha256(&format!("{user} {address}")), now).await?
            }
            counted => counted?,
        };
        Ok((Attempt(vec![by_address, by_name]), account))
    }

    /// Counts an attempt of a signed-in user to change the password.
    ///
    /// # Errors
    /// 429 when the current password was wrong too often.
    pub(super) async fn change(
        &self,
        store: &Store,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Attempt> {
        Ok(Attempt(vec![store.count(&self.change, user.as_str(), now).await?]))
    }
}

/// An attempt that was counted.
pub(super) struct Attempt(Vec<CountedAttempt>);

impl Attempt {
    /// It succeeded, and does not count.
    pub(super) async fn take_back(self, store: &Store) {
        for taken in
            futures::future::join_all(self.0.into_iter().map(|counted| store.uncount(counted)))
                .await
        {
            if let Err(error) = taken {
                tracing::warn!(source = error.cause(), "an attempt that succeeded stays counted");
            }
        }
    }
}

/// How often one may register from one address: `REGISTRATIONS_PER_ADDRESS`.
pub struct RegistrationLimit(pub(super) RateLimit);

impl RegistrationLimit {
    /// From the environment.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let limit = RateLimit { name: "registrations", max: 20, window_seconds: 3600 };
        limit.or_env("REGISTRATIONS_PER_ADDRESS").map(Self)
    }
}

/// That a user signed in from there.
pub(super) fn source(user: &UserId, address: &str, now: Timestamp) -> SignInSource {
    SignInSource { user_id: user.clone(), hash: address.to_owned(), until: now + REMEMBERED }
}

/// Where a request comes from, hashed.
pub(super) fn address(request: &Request) -> String {
    sha256(&network(&request.source_ip()))
}

/// An IPv4 address is one subscriber's. Of IPv6, a subscriber has a /64 (RFC 6177), and could come
/// from 2^64 addresses.
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
    fn a_subscriber_is_an_ipv4_address_or_an_ipv6_network() {
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }
}

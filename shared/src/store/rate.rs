//! Rate limits: how often a caller may do something in a time window. Windows start at fixed times
//! (12:00, 12:01, ...), so that counting takes only one write per request. In return, a burst
//! around such a time can reach twice the limit.

use jiff::Timestamp;

use super::connection::Connections;
use super::error::{is_condition_failed, sdk_error};
use super::keys;
use super::row::{Key, number};
use super::table::Store;
use crate::config::{ConfigError, optional};
use crate::error::{Error, Result, catalogue};

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The name of the limited action, which is part of the counter's key.
    pub name: &'static str,
    /// How many times the action may be done in one window.
    pub max: u64,
    /// The length of a window in seconds.
    pub window_seconds: i64,
}

impl RateLimit {
    /// Reads the limit from an environment variable: `SIGN_INS_PER_USERNAME=10/900` means 10 times
    /// in 900 seconds. Returns `self` if the variable is not set.
    ///
    /// # Errors
    /// Fails if the variable's value is malformed.
    pub fn or_env(self, variable: &str) -> std::result::Result<Self, ConfigError> {
        let Some(text) = optional(variable) else { return Ok(self) };
        self.parse(&text).ok_or_else(|| {
            ConfigError::new(
                variable,
                "must be a number of times and a number of seconds, such as 10/900",
            )
        })
    }

    fn parse(self, text: &str) -> Option<Self> {
        let (max, seconds) = text.split_once('/')?;
        let (max, window_seconds) = (max.parse().ok()?, seconds.parse().ok()?);
        (max > 0 && window_seconds > 0).then_some(Self { max, window_seconds, ..self })
    }
}

/// An attempt that was counted, for [`Store::uncount_attempt`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedAttempt(Key);

impl Store {
    /// Counts an attempt by a caller. Only start the attempt after this has returned: then no more
    /// than the limit get through, however many requests arrive at once.
    ///
    /// # Errors
    /// - `too_many_requests` (429), with the seconds until the next window, if the limit is reached
    /// - `database_unavailable` when DynamoDB is down or throttles, internal when it fails
    ///   otherwise
    pub async fn count_attempt(
        &self,
        limit: &RateLimit,
        who: &str,
        now: Timestamp,
    ) -> Result<CountedAttempt> {
        let start = now.as_second() - now.as_second().rem_euclid(limit.window_seconds);
        let end = start + limit.window_seconds;
        let key = keys::rate(limit.name, who, start);
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.clone().into_item()))
            .update_expression("ADD #count :one SET expires_at = :end")
            // A refused attempt is not counted, so an attack can't make the counter grow.
            .condition_expression("attribute_not_exists(pk) OR #count < :max")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":end", number(end))
            .expression_attribute_values(":max", number(limit.max))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(CountedAttempt(key)),
            Err(error) if is_condition_failed(&error) => {
                let left = u64::try_from(end - now.as_second()).unwrap_or(1);
                let unit = if left == 1 { "second" } else { "seconds" };
                let detail = format!("Too many requests. Try again in {left} {unit}.");
                Err(Error::new(&catalogue::TOO_MANY_REQUESTS, detail).retry_after(left))
            }
            Err(error) => Err(sdk_error(error)),
        }
    }

    /// Takes back one counted attempt. Attempts that others made in the meantime stay counted.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn uncount_attempt(&self, counted: CountedAttempt) -> Result<()> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(counted.0.into_item()))
            .update_expression("ADD #count :minus")
            // Long after the window, TTL has deleted the counter, and there is nothing to take
            // back.
            .condition_expression("#count > :zero")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":minus", number(-1))
            .expression_attribute_values(":zero", number(0))
            .send()
            .await;
        match sent {
            Err(error) if !is_condition_failed(&error) => Err(sdk_error(error)),
            _ => Ok(()),
        }
    }
}

impl Connections {
    /// Like [`Store::count_attempt`], but in the connections table.
    ///
    /// # Errors
    /// - `too_many_requests` (429), with the seconds until the next window, if the limit is reached
    /// - `database_unavailable` when DynamoDB is down or throttles, internal when it fails
    ///   otherwise
    pub async fn count_attempt(
        &self,
        limit: &RateLimit,
        who: &str,
        now: Timestamp,
    ) -> Result<CountedAttempt> {
        self.table.count_attempt(limit, who, now).await
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::store::testing::tables;

    #[tokio::test]
    async fn each_user_has_its_own_limit_and_it_resets_with_the_next_window() {
        let (store, _) = tables().await;
        let limit = RateLimit { name: "test", max: 3, window_seconds: 60 };
        let now = Timestamp::from_second(1_760_000_010).unwrap();
        for _ in 0..3 {
            store.count_attempt(&limit, "ann", now).await.unwrap();
        }
        let refused = store.count_attempt(&limit, "ann", now).await.unwrap_err();
        assert_eq!(refused.code().code, "too_many_requests");
        let left = refused.retry_after_seconds().unwrap();
        assert!((1..=60).contains(&left));
        store.count_attempt(&limit, "bob", now).await.unwrap();
        store.count_attempt(&RateLimit { name: "other", ..limit }, "ann", now).await.unwrap();
        let wait = SignedDuration::from_secs(i64::try_from(left).unwrap());
        store.count_attempt(&limit, "ann", now + wait).await.unwrap();
        assert!(
            store
                .count_attempt(&limit, "ann", now + wait - SignedDuration::from_secs(1))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn concurrent_attempts_never_exceed_the_limit_and_uncount_frees_one() {
        let (store, _) = tables().await;
        let limit = RateLimit { name: "test", max: 5, window_seconds: 60 };
        let now = Timestamp::from_second(1_760_000_010).unwrap();
        let attempts =
            futures::future::join_all((0..20).map(|_| store.count_attempt(&limit, "ann", now)))
                .await;
        let mut passed: Vec<_> = attempts.into_iter().filter_map(Result::ok).collect();
        assert_eq!(passed.len(), 5);
        store.uncount_attempt(passed.pop().unwrap()).await.unwrap();
        assert!(store.count_attempt(&limit, "ann", now).await.is_ok());
        assert!(store.count_attempt(&limit, "ann", now).await.is_err());
        let gone = CountedAttempt(keys::rate("test", "nobody", 0));
        store.uncount_attempt(gone.clone()).await.unwrap();
        assert!(
            store.get::<crate::store::Session>(gone.0).await.unwrap().is_none(),
            "uncount does not create a counter"
        );
    }

    #[test]
    fn a_limit_is_parsed_as_times_and_seconds() {
        let default = RateLimit { name: "test", max: 5, window_seconds: 60 };
        assert_eq!(
            default.parse("10/900"),
            Some(RateLimit { max: 10, window_seconds: 900, ..default })
        );
        for malformed in ["", "10", "0/60", "10/0", "10/-1", "-1/60", "a/b", "10/60/2"] {
            assert_eq!(default.parse(malformed), None, "{malformed}");
        }
    }
}

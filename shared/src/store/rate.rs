//! Rate limits: how often someone may do something in a window of time. Windows are fixed (12:00 to
//! 12:01), which takes one write a request and lets through twice the limit across a boundary at
//! most.

use jiff::Timestamp;

use super::error::failed;
use super::row::Key;
use super::transaction::n;
use super::{Connections, Store, keys};
use crate::config::{ConfigError, optional};
use crate::error::{Error, Result, catalogue};

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is limited: part of the counter's key.
    pub name: &'static str,
    /// How often it may be done.
    pub most: u64,
    /// In how many seconds.
    pub seconds: i64,
}

impl Limit {
    /// From a variable such as `SIGN_INS_PER_NAME=10/900`: how often, and in how many seconds. This
    /// one when it is not set.
    pub fn or_env(self, variable: &str) -> std::result::Result<Self, ConfigError> {
        let Some(text) = optional(variable) else { return Ok(self) };
        self.parse(&text).ok_or_else(|| {
            ConfigError::new(variable, "must be how often and in how many seconds, as in 10/900")
        })
    }

    fn parse(self, text: &str) -> Option<Self> {
        let (most, seconds) = text.split_once('/')?;
        let (most, seconds) = (most.parse().ok()?, seconds.parse().ok()?);
        (most > 0 && seconds > 0).then_some(Self { most, seconds, ..self })
    }
}

/// One that was counted: what it takes to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted(Key);

impl Store {
    /// Counts one more. Whoever counts before trying can't be outrun: of any number at once, as
    /// many pass as the limit says.
    ///
    /// # Errors
    /// 429, with the seconds until the next window, for one too many.
    pub async fn count(&self, limit: &Limit, who: &str, now: Timestamp) -> Result<Counted> {
        let start = now.as_second() - now.as_second().rem_euclid(limit.seconds);
        let end = start + limit.seconds;
        let key = keys::rate(limit.name, who, start);
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.clone().into_item()))
            .update_expression("ADD #count :one SET expires_at = :end")
            // What is refused is not written: an attack does not make a counter grow.
            .condition_expression("attribute_not_exists(pk) OR #count < :most")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":end", n(end))
            .expression_attribute_values(":most", n(limit.most))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Counted(key)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                let left = u64::try_from(end - now.as_second()).unwrap_or(1);
                let detail = format!("That was too often. Try again in {left} seconds.");
                Err(Error::new(&catalogue::TOO_MANY_REQUESTS, detail).retry_after(left))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Takes back what was counted, and no more: whoever succeeds in between does not set others'
    /// failures to nothing.
    pub async fn uncount(&self, counted: Counted) -> Result<()> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(counted.0.into_item()))
            .update_expression("ADD #count :minus")
            // Gone when its window is long over: nothing to take back then.
            .condition_expression("#count > :none")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":minus", n(-1))
            .expression_attribute_values(":none", n(0))
            .send()
            .await;
        match sent {
            Err(error)
                if !error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Err(failed(error))
            }
            _ => Ok(()),
        }
    }
}

impl Connections {
    /// As [`Store::count`], in the table of sockets.
    pub async fn count(&self, limit: &Limit, who: &str, now: Timestamp) -> Result<Counted> {
        self.table.count(limit, who, now).await
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::store::testing::tables;

    #[tokio::test]
    async fn a_limit_is_each_ones_own_and_starts_anew_with_the_next_window() {
        let (store, _) = tables().await;
        let limit = Limit { name: "test", most: 3, seconds: 60 };
        let now = Timestamp::from_second(1_760_000_010).unwrap();
        for _ in 0..3 {
            store.count(&limit, "ann", now).await.unwrap();
        }
        let refused = store.count(&limit, "ann", now).await.unwrap_err();
        assert_eq!(refused.code().code, "too_many_requests");
        let left = refused.retry_after_seconds().unwrap();
        assert!((1..=60).contains(&left));
        store.count(&limit, "bob", now).await.unwrap();
        store.count(&Limit { name: "other", ..limit }, "ann", now).await.unwrap();
        let wait = SignedDuration::from_secs(i64::try_from(left).unwrap());
        store.count(&limit, "ann", now + wait).await.unwrap();
        assert!(
            store.count(&limit, "ann", now + wait - SignedDuration::from_secs(1)).await.is_err()
        );
    }

    #[tokio::test]
    async fn of_many_at_once_as_many_pass_as_the_limit_says_and_one_taken_back_makes_room_for_one()
    {
        let (store, _) = tables().await;
        let limit = Limit { name: "test", most: 5, seconds: 60 };
        let now = Timestamp::from_second(1_760_000_010).unwrap();
        let tries =
            futures::future::join_all((0..20).map(|_| store.count(&limit, "ann", now))).await;
        let mut passed: Vec<_> = tries.into_iter().filter_map(Result::ok).collect();
        assert_eq!(passed.len(), 5);
        store.uncount(passed.pop().unwrap()).await.unwrap();
        assert!(store.count(&limit, "ann", now).await.is_ok());
        assert!(store.count(&limit, "ann", now).await.is_err());
        let gone = Counted(keys::rate("test", "nobody", 0));
        store.uncount(gone.clone()).await.unwrap();
        assert!(
            store.get::<crate::store::Session>(gone.0).await.unwrap().is_none(),
            "taking back makes no counter"
        );
    }

    #[test]
    fn a_limit_from_the_environment_says_how_often_and_in_how_many_seconds() {
        let usual = Limit { name: "test", most: 5, seconds: 60 };
        assert_eq!(usual.parse("10/900"), Some(Limit { most: 10, seconds: 900, ..usual }));
        for wrong in ["", "10", "0/60", "10/0", "10/-1", "-1/60", "a/b", "10/60/2"] {
            assert_eq!(usual.parse(wrong), None, "{wrong}");
        }
    }
}

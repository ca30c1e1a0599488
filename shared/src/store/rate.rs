//! Rate limits: how often someone may do something in a window of time. Windows are fixed (12:00 to 12:01), which takes one write a request and lets
//! through twice the limit across a boundary at most.

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;

use super::error::failed;
use super::transaction::n;
use super::{Connections, Store, keys};
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

impl Store {
    /// Counts one more.
    ///
    /// # Errors
    /// 429, with the seconds until the next window, for one too many.
    pub async fn count(&self, limit: &Limit, who: &str, now: Timestamp) -> Result<()> {
        let start = now.as_second() - now.as_second().rem_euclid(limit.seconds);
        let end = start + limit.seconds;
        let counted = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::rate(limit.name, who, start).into_item()))
            .update_expression("ADD #count :one SET expires_at = :end")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":end", n(end))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(failed)?;
        let count = counted.attributes.as_ref().and_then(|new| new.get("count")?.as_n().ok()?.parse::<u64>().ok());
        if count.is_some_and(|count| count <= limit.most) {
            return Ok(());
        }
        let detail = format!("This may be done {} times in {} seconds. Wait a little.", limit.most, limit.seconds);
        let left = u64::try_from(end - now.as_second()).unwrap_or(1);
        Err(Error::new(&catalogue::TOO_MANY_REQUESTS, detail).retry_after(left))
    }
}

impl Connections {
    /// As [`Store::count`], in the table of sockets.
    pub async fn count(&self, limit: &Limit, who: &str, now: Timestamp) -> Result<()> {
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
        assert!(store.count(&limit, "ann", now + wait - SignedDuration::from_secs(1)).await.is_err());
    }
}

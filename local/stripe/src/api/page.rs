//! Lists (<https://docs.stripe.com/api/pagination>), newest first. Their parameters are `limit`,
//! `starting_after`, `ending_before`, and `created` as a time or a range.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::error::Error;
use crate::params::Params;
use crate::store::table::{Row, Table};

/// The part of a list that a call requests.
#[derive(Debug)]
pub(super) struct Page {
    limit: usize,
    cursor: Cursor,
    created: RangeInclusive<i64>,
}

/// Where a page begins or ends.
#[derive(Debug)]
enum Cursor {
    Start,
    After(String),
    Before(String),
}

impl Page {
    /// Takes the parameters that all lists share.
    ///
    /// # Errors
    /// 400 when one of them is invalid, or both cursors are given.
    pub(super) fn take(params: &mut Params) -> Result<Self, Error> {
        let limit = params.integer("limit", 1)?.unwrap_or(10);
        let limit = usize::try_from(limit).ok().filter(|limit| *limit <= 100).ok_or_else(|| {
            let message = format!(
                "This value must be less than or equal to 100 (it currently is '{limit}')."
            );
            Error::parameter("limit", message).code("parameter_invalid_integer")
        })?;
        let created = take_created(params)?;
        let cursor = match (params.text("starting_after")?, params.text("ending_before")?) {
            (None, None) => Cursor::Start,
            (Some(id), None) => Cursor::After(id),
            (None, Some(id)) => Cursor::Before(id),
            (Some(_), Some(_)) => {
                let message =
                    "You may only specify one of these parameters: starting_after, ending_before.";
                return Err(Error::parameter("ending_before", message));
            }
        };
        Ok(Self { limit, cursor, created })
    }

    /// Returns the page of the records that `filter` accepts. `url` is the path of the list.
    ///
    /// # Errors
    /// 400 `resource_missing` when the cursor's record does not exist.
    pub(super) fn of<T: Row>(
        &self,
        table: &Table<T>,
        url: &str,
        filter: impl Fn(&T) -> bool,
        show: impl Fn(&T) -> Value,
    ) -> Result<Value, Error> {
        self.check_cursor(table, url)?;
        let accepted = |record: &&T| self.created.contains(&record.created()) && filter(record);
        // One more than the page holds, to find out whether there are more.
        let count = self.limit + 1;
        let newest_first = table.iter().rev();
        let mut found: Vec<&T> = match &self.cursor {
            Cursor::Start => newest_first.filter(accepted).take(count).collect(),
            Cursor::After(id) => newest_first
                .skip_while(|record| record.id() != id)
                .skip(1)
                .filter(accepted)
                .take(count)
                .collect(),
            // The page before a record is read from that record to newer ones.
            Cursor::Before(id) => table
                .iter()
                .skip_while(|record| record.id() != id)
                .skip(1)
                .filter(accepted)
                .take(count)
                .collect(),
        };
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        if matches!(self.cursor, Cursor::Before(_)) {
            found.reverse();
        }
        let data: Vec<Value> = found.into_iter().map(show).collect();
        Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": url }))
    }

    fn check_cursor<T: Row>(&self, table: &Table<T>, url: &str) -> Result<(), Error> {
        let (param, id) = match &self.cursor {
            Cursor::Start => return Ok(()),
            Cursor::After(id) => ("starting_after", id),
            Cursor::Before(id) => ("ending_before", id),
        };
        if table.get(id).is_some() {
            return Ok(());
        }
        // `/v1/refunds` lists objects of the kind `refund`.
        let kind = url.trim_start_matches("/v1/").trim_end_matches('s');
        Err(Error::missing(kind, id).for_param(param))
    }
}

fn take_created(params: &mut Params) -> Result<RangeInclusive<i64>, Error> {
    if !params.is_branch("created") {
        let time = params.integer("created", 0)?;
        return Ok(time.map_or(i64::MIN..=i64::MAX, |time| time..=time));
    }
    let Some(mut range) = params.branch("created")? else {
        return Ok(i64::MIN..=i64::MAX);
    };
    let after = range.integer("gt", 0)?.map(|time| time.saturating_add(1));
    let before = range.integer("lt", 0)?.map(|time| time.saturating_sub(1));
    // Of two lower bounds the later one counts, and of two upper bounds the earlier one.
    let first = range.integer("gte", 0)?.max(after).unwrap_or(i64::MIN);
    let last = [range.integer("lte", 0)?, before].into_iter().flatten().min().unwrap_or(i64::MAX);
    range.finish()?;
    Ok(first..=last)
}

/// Filters refunds and disputes by their payment.
pub(super) struct PaymentFilter {
    payment_intent: Option<String>,
    charge: Option<String>,
}

impl PaymentFilter {
    /// Takes `payment_intent` and `charge`.
    ///
    /// # Errors
    /// 400 when one of them is not a string.
    pub(super) fn take(params: &mut Params) -> Result<Self, Error> {
        Ok(Self { payment_intent: params.text("payment_intent")?, charge: params.text("charge")? })
    }

    /// Returns whether an object of this payment intent and charge passes.
    pub(super) fn matches(&self, payment_intent: &str, charge: &str) -> bool {
        let equals = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        equals(&self.payment_intent, payment_intent) && equals(&self.charge, charge)
    }
}

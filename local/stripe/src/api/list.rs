//! Lists (<https://docs.stripe.com/api/pagination>): newest first, `limit`, `starting_after`,
//! `ending_before`, `created` as a time or a range.

use serde_json::{Value, json};

use crate::error::Error;
use crate::params::Params;
use crate::store::{Record, Table};

/// Which part of a list is asked for.
#[derive(Debug)]
pub(super) struct Page {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
    /// Bounds on `created`, both inclusive.
    created: (i64, i64),
}

impl Page {
    /// Takes the parameters that all lists have.
    pub(super) fn take(params: &mut Params) -> Result<Self, Error> {
        let limit = params.integer("limit", 1)?.unwrap_or(10);
        let limit = usize::try_from(limit).ok().filter(|limit| *limit <= 100).ok_or_else(|| {
            Error::parameter(
                "limit",
                "This value must be less than or equal to 100 (it currently is '".to_owned()
                    + &limit.to_string()
                    + "').",
            )
            .code("parameter_invalid_integer")
        })?;
        let mut created = (i64::MIN, i64::MAX);
        if params.is_branch("created") {
            if let Some(mut range) = params.branch("created")? {
                let after = range.integer("gt", 0)?.map(|time| time.saturating_add(1));
                let before = range.integer("lt", 0)?.map(|time| time.saturating_sub(1));
                created.0 = created
                    .0
                    .max(range.integer("gte", 0)?.unwrap_or(i64::MIN))
                    .max(after.unwrap_or(i64::MIN));
                created.1 = created
                    .1
                    .min(range.integer("lte", 0)?.unwrap_or(i64::MAX))
                    .min(before.unwrap_or(i64::MAX));
                range.finish()?;
            }
        } else if let Some(time) = params.integer("created", 0)? {
            created = (time, time);
        }
        let (starting_after, ending_before) =
            (params.text("starting_after")?, params.text("ending_before")?);
        if starting_after.is_some() && ending_before.is_some() {
            return Err(Error::parameter(
                "ending_before",
                "You may only specify one of these parameters: starting_after, ending_before.",
            ));
        }
        Ok(Self { limit, starting_after, ending_before, created })
    }

    /// The page of those records that `keep` lets through, at the list's own `url`.
    pub(super) fn of<T: Record>(
        &self,
        table: &Table<T>,
        url: &str,
        keep: impl Fn(&T) -> bool,
        show: impl Fn(&T) -> Value,
    ) -> Result<Value, Error> {
        // `/v1/refunds` lists refunds.
        let kind = url.trim_start_matches("/v1/").trim_end_matches('s');
        for (param, cursor) in
            [("starting_after", &self.starting_after), ("ending_before", &self.ending_before)]
        {
            if let Some(id) = cursor.as_ref().filter(|id| table.get(id).is_none()) {
                return Err(Error::missing(kind, id).named_by(param));
            }
        }
        let (from, to) = self.created;
        let kept = |record: &&T| (from..=to).contains(&record.created()) && keep(record);
        let is_not = |cursor: &Option<String>, record: &&T| cursor.as_deref() != Some(record.id());
        // One more than asked for tells whether there are more.
        let mut found: Vec<&T> = match &self.ending_before {
            // The page that ends just before the cursor is, oldest first, the one that begins just
            // after it.
            Some(_) => table
                .iter()
                .skip_while(|record| is_not(&self.ending_before, record))
                .skip(1)
                .filter(kept)
                .take(self.limit + 1)
                .collect(),
            None if self.starting_after.is_some() => table
                .iter()
                .rev()
                .skip_while(|record| is_not(&self.starting_after, record))
                .skip(1)
                .filter(kept)
                .take(self.limit + 1)
                .collect(),
            None => table.iter().rev().filter(kept).take(self.limit + 1).collect(),
        };
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        if self.ending_before.is_some() {
            found.reverse();
        }
        let data: Vec<Value> = found.into_iter().map(show).collect();
        Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": url }))
    }
}

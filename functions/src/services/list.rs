//! `GET /services`: the catalogue, newest first or by price.

use shared::domain::money::{Currency, Price};
use shared::domain::search::Search;
use shared::domain::service::{ServiceSort, ServiceStatus};
use shared::domain::text::CategoryKey;
use shared::error::{Error, Result, catalogue};
use shared::store::{PageRequest, ServiceFilter};

use super::{Catalogue, ServiceView};
use crate::http::page::{Cursor, Limit};
use crate::http::{Endpoint, Number, Reply, Request, Who, body, page};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::get("/services", Who::OptionallySignedIn);

/// An amount in minor units, as in prices: 1999 is 19.99 dollars.
type Amount = Number<0, { Price::MAX.unsigned_abs() }>;

body! {
    /// Filters and order of the list.
    struct Query {
        /// Only services of this category, in any letter case and spacing. Default: all.
        category: Option<CategoryKey>,
        q: Option<Search>,
        /// The order of the list. Default: `newest`.
        sort: Option<ServiceSort>,
        /// Only services that cost at least this, in minor units. Default: 0.
        min_price: Option<Amount>,
        /// Only services that cost at most this, in minor units. Default: no limit.
        max_price: Option<Amount>,
        /// Only services priced in this currency. Default: all. With a price range, or sorted by
        /// price, the default is the marketplace's own currency.
        currency: Option<Currency>,
        /// Only services with this status. Default: `active`. Only administrators may ask for
        /// `deactivated`.
        status: Option<ServiceStatus>,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// Returns one page of the catalogue.
///
/// # Errors
/// 422 for wrong or unknown parameters; 400 for a cursor of another list; 401 and 403 for
/// deactivated services unless the caller is an administrator.
pub async fn handle(context: &Catalogue, request: Request) -> Result<Reply> {
    let (filter, sort, page) = parse(request.query_as()?, context.currency.0)?;
    if filter.status != ServiceStatus::Active {
        request.caller(Who::Admin, &context.verifier)?;
    }
    let listed = context.store.services(&filter, sort, &page, &context.cursors).await?;
    let items = listed.items.iter().map(|stored| ServiceView::from(&stored.service)).collect();
    let reply = page::reply(&request, items, listed.next_cursor)?;
    if filter.status == ServiceStatus::Active {
        reply.cacheable_if_revalidated()
    } else {
        Ok(reply)
    }
}

fn parse(
    query: Query,
    own_currency: Currency,
) -> Result<(ServiceFilter, ServiceSort, PageRequest)> {
    let Query { category, q, sort, min_price, max_price, currency, status, limit, cursor } = query;
    let sort = sort.unwrap_or(ServiceSort::Newest);
    let is_priced = sort != ServiceSort::Newest || min_price.is_some() || max_price.is_some();
    let amount = |amount: Amount| i64::try_from(amount.0).unwrap_or(Price::MAX);
    let (min, max) = (min_price.map_or(0, amount), max_price.map_or(Price::MAX, amount));
    if min > max {
        return Err(Error::field("max_price", "out_of_range", "Must not be less than min_price."));
    }
    let price = currency.or(is_priced.then_some(own_currency)).map(|currency| (currency, min, max));
    let status = status.unwrap_or(ServiceStatus::Active);
    let search = q.unwrap_or_default();
    Ok((ServiceFilter { status, category, search, price }, sort, page::page_request(limit, cursor)))
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List services")
        .details(
            "Prices in different currencies can't be compared. A price range, or sorting by price, \
             therefore covers one currency: the marketplace's own, unless `currency` names \
             another. A search reads at most a thousand services for one page, so a page may be \
             short or even empty and still have a `next_cursor`.",
        )
        .query::<Query>()
        .answer(Answer::page::<ServiceView<'_>>("One page of services."))
        .problems(&[&catalogue::UNAUTHENTICATED, &catalogue::FORBIDDEN])
}

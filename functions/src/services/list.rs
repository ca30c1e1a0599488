//! `GET /services`: the catalogue, newest first or by price.

use shared::domain::money::{Currency, Price};
use shared::domain::search::Search;
use shared::domain::service::{ServiceSort, ServiceStatus};
use shared::domain::text::CategoryKey;
use shared::error::{Error, Result, catalogue};
use shared::store::{PageRequest, ServiceFilter};

use super::Catalogue;
use super::ServiceView;
use crate::http::page::{Cursor, Limit};
use crate::http::{Endpoint, Number, Reply, Request, Who, body, page};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::get("/services", Who::AnyoneOrUser);

/// An amount in minor units, as in prices: 1999 is 19.99 dollars.
type Amount = Number<0, { Price::MAX.unsigned_abs() }>;

body! {
    /// Filters and order of the list.
    struct Query {
        /// Only services of this category, in any case. Default: all.
        category: Option<CategoryKey>,
        q: Option<Search>,
        /// The order of the list. Default: `newest`.
        sort: Option<ServiceSort>,
        /// Only services that cost at least this, in minor units.
        min_price: Option<Amount>,
        /// Only services that cost at most this, in minor units.
        max_price: Option<Amount>,
        /// Only services priced in this currency. Default: all; with a price range or an order by
        /// price, the marketplace's own currency.
        currency: Option<Currency>,
        /// Default: `active`. `deactivated` is for administrators.
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
    let (of, sort, page) = read(request.query_as()?, context.currency.0)?;
    if of.status != ServiceStatus::Active {
        request.caller(Who::Admin, &context.verifier)?;
    }
    let listed = context.store.services(&of, sort, &page, &context.cursors).await?;
    let items = listed.items.iter().map(|stored| ServiceView::from(&stored.service)).collect();
    let reply = page::reply(&request, items, listed.next_cursor)?;
    if of.status == ServiceStatus::Active { reply.revalidated() } else { Ok(reply) }
}

fn read(query: Query, home: Currency) -> Result<(ServiceFilter, ServiceSort, PageRequest)> {
    let Query { category, q, sort, min_price, max_price, currency, status, limit, cursor } = query;
    let sort = sort.unwrap_or(ServiceSort::Newest);
    let is_priced = sort != ServiceSort::Newest || min_price.is_some() || max_price.is_some();
    let amount = |amount: Amount| i64::try_from(amount.0).unwrap_or(Price::MAX);
    let (min, max) = (min_price.map_or(0, amount), max_price.map_or(Price::MAX, amount));
    if min > max {
        return Err(Error::field("max_price", "out_of_range", "Must not be less than min_price."));
    }
    let price = currency.or(is_priced.then_some(home)).map(|currency| (currency, min, max));
    let status = status.unwrap_or(ServiceStatus::Active);
    let search = q.unwrap_or_default();
    Ok((ServiceFilter { status, category, search, price }, sort, page::of(limit, cursor)))
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List services")
        .details(
            "Amounts in different currencies can't be compared, so a price range or an order by \
             price covers one currency: the marketplace's own, unless `currency` names another. A \
             search reads at most a thousand services for one page. The page may then be short or \
             even empty, with a cursor to continue.",
        )
        .query::<Query>()
        .answer(Answer::page::<ServiceView<'_>>("One page of services."))
        .problems(&[&catalogue::UNAUTHENTICATED, &catalogue::FORBIDDEN])
}

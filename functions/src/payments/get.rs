//! `GET /orders/{id}/payment`: where an order's money is, entry by entry; for its client and
//! administrators.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::ids::OrderId;
use shared::domain::money::{Money, Price};
use shared::domain::order::{
    Attention, Chargeback, ChargebackState, LedgerEntry, LedgerKind, Order, PaymentStatus, Refund,
    RefundStatus,
};
use shared::domain::schema::DateTime;
use shared::domain::user::Role;
use shared::error::{Error, Result, catalogue};

use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::orders::read;
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/orders/{id}/payment", Who::User);

/// `{order_id, payment_intent_id, status, price, balance, ledger, refunds, disputes, attention}`.
///
/// The ledger's entries are signed: what came in is positive, what went out negative; all but fees
/// sum to `balance`, what the marketplace holds of the client's money. Fees and `attention` are for
/// administrators.
///
/// # Errors
/// 404 for an order that the caller may not know of, 403 for its worker.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let (caller, order) = read::visible(&context.store, &claims, &id).await?;
    let admin = caller.role == Role::Admin;
    if !admin && order.client.id != caller.id {
        return Err(Error::new(
            &catalogue::FORBIDDEN,
            "Only the order's client and administrators see its payment.",
        ));
    }
    Reply::ok(&PaymentView::new(&order, admin))?.etag(order.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Where an order's money is")
        .details(
            "For its client and administrators. Entries are signed: what came in is positive, what went out negative; all but fees sum to `balance`. \
             Fees and `attention` are for administrators.",
        )
        .id::<OrderId>()
        .answer(Answer::ok::<PaymentView<'_>>("Entry by entry.").etag())
        .if_none_match()
        .problems(&[&catalogue::FORBIDDEN])
}

/// Where an order's money is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Payment")]
struct PaymentView<'a> {
    #[schemars(with = "OrderId")]
    order_id: &'a str,
    payment_intent_id: Option<&'a str>,
    status: PaymentStatus,
    price: Price,
    balance: Money,
    ledger: Vec<EntryView<'a>>,
    refunds: Vec<RefundView<'a>>,
    disputes: Vec<DisputeView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<Vec<Attention>>,
}

/// One movement of money.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LedgerEntry")]
struct EntryView<'a> {
    id: String,
    kind: LedgerKind,
    money: Money,
    stripe_id: &'a str,
    #[schemars(with = "DateTime")]
    at: Timestamp,
}

/// Money that goes back.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Refund")]
struct RefundView<'a> {
    id: &'a str,
    money: Money,
    status: RefundStatus,
}

/// A dispute at the client's bank.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Dispute")]
struct DisputeView<'a> {
    id: &'a str,
    money: Money,
    status: ChargebackState,
}

impl<'a> PaymentView<'a> {
    fn new(order: &'a Order, admin: bool) -> Self {
        let entries = order.ledger.entries().iter();
        let refund = |refund: &'a Refund| RefundView {
            id: refund.id.as_str(),
            money: refund.amount,
            status: refund.status,
        };
        let dispute = |dispute: &'a Chargeback| DisputeView {
            id: dispute.id.as_str(),
            money: dispute.amount,
            status: dispute.state,
        };
        Self {
            order_id: order.id.as_str(),
            payment_intent_id: order.payment_intent.as_ref().map(|id| id.as_str()),
            status: order.payment_status,
            price: order.price,
            balance: Money::new(order.ledger.balance(), order.price.currency()),
            ledger: entries
                .filter(|entry| admin || entry.kind != LedgerKind::Fee)
                .map(EntryView::from)
                .collect(),
            refunds: order.refunds.iter().map(refund).collect(),
            disputes: order.chargebacks.iter().map(dispute).collect(),
            attention: admin.then(|| order.attention()),
        }
    }
}

impl<'a> From<&'a LedgerEntry> for EntryView<'a> {
    fn from(entry: &'a LedgerEntry) -> Self {
        Self {
            id: entry.id(),
            kind: entry.kind,
            money: entry.money,
            stripe_id: &entry.stripe_id,
            at: entry.at,
        }
    }
}

//! `GET /orders/{id}/payment`: the order's payment with every movement of money, for its client and
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

const ENDPOINT: Endpoint =
    Endpoint::get("/orders/{id}/payment", Who::OrderParty(&[Role::Client, Role::Admin]));

/// Returns the payment. Only administrators see fees and `attention`.
///
/// # Errors
/// 404 for an order that the caller may not see; 403 for a worker who may see it.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let (caller, order) = read::visible_order(&context.store, &claims, &id).await?;
    let is_admin = caller.role == Role::Admin;
    if !is_admin && order.client.id != caller.id {
        return Err(Error::new(
            &catalogue::FORBIDDEN,
            "Only the order's client and administrators may see its payment.",
        ));
    }
    Reply::ok(&PaymentView::new(&order, is_admin))?.etag(order.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Read an order's payment")
        .details(
            "Ledger entries are signed: positive for \
             money that came in, negative for money that went out. Without the fees, they add up \
             to `balance`. Only administrators see fees and `attention`.",
        )
        .id::<OrderId>()
        .answer(Answer::ok::<PaymentView<'_>>("The payment.").etag())
        .if_none_match()
        .problems(&[&catalogue::FORBIDDEN])
}

/// The payment of an order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Payment")]
struct PaymentView<'a> {
    #[schemars(with = "OrderId")]
    order_id: &'a str,
    /// The id of the payment intent at Stripe; `null` until the payment is created.
    payment_intent_id: Option<&'a str>,
    status: PaymentStatus,
    /// The price of the order.
    price: Price,
    /// What the marketplace holds of the client's money.
    balance: Money,
    /// Every movement of money, oldest first.
    ledger: Vec<EntryView<'a>>,
    /// The refunds of the payment, in any status.
    refunds: Vec<RefundView<'a>>,
    /// The disputes that the client opened at the bank.
    disputes: Vec<DisputeView<'a>>,
    /// Why the order needs an administrator. Only administrators see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<Vec<Attention>>,
}

/// One movement of money: positive when it came in, negative when it went out.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LedgerEntry")]
struct EntryView<'a> {
    /// Unique within the order: `kind` and `stripe_id`.
    id: String,
    kind: LedgerKind,
    money: Money,
    /// The id of the charge, refund or dispute at Stripe.
    stripe_id: &'a str,
    #[schemars(with = "DateTime")]
    at: Timestamp,
}

/// A refund to the client.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Refund")]
struct RefundView<'a> {
    /// The id of the refund at Stripe.
    id: &'a str,
    /// The refunded amount, positive.
    money: Money,
    status: RefundStatus,
}

/// A dispute that the client opened at the bank (a chargeback).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Dispute")]
struct DisputeView<'a> {
    /// The id of the dispute at Stripe.
    id: &'a str,
    /// The disputed amount, positive.
    money: Money,
    status: ChargebackState,
}

impl<'a> PaymentView<'a> {
    fn new(order: &'a Order, is_admin: bool) -> Self {
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
            ledger: order
                .ledger
                .entries()
                .iter()
                .filter(|entry| is_admin || entry.kind != LedgerKind::Fee)
                .map(EntryView::from)
                .collect(),
            refunds: order.refunds.iter().map(refund).collect(),
            disputes: order.chargebacks.iter().map(dispute).collect(),
            attention: is_admin.then(|| order.attention()),
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

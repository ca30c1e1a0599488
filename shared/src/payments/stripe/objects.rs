//! Converts Stripe's objects into ours.

use stripe_shared::{DisputeStatus, PaymentIntent, PaymentIntentStatus};
use stripe_types::Expandable;

use crate::config::Secret;
use crate::domain::ids::{ChargeId, ChargebackId, PaymentIntentId, RefundId};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Chargeback, ChargebackState, Refund, RefundStatus};
use crate::error::{Error, Result};
use crate::payments::intent::{Charge, Intent, IntentStatus};

pub(super) fn to_intent(from: PaymentIntent) -> Result<Intent> {
    let charge = from.latest_charge.map(to_charge).transpose()?;
    Ok(Intent {
        id: PaymentIntentId::parse(from.id.as_str()).map_err(Error::internal)?,
        status: match from.status {
            PaymentIntentStatus::RequiresPaymentMethod => IntentStatus::RequiresPaymentMethod,
            PaymentIntentStatus::RequiresConfirmation => IntentStatus::RequiresConfirmation,
            PaymentIntentStatus::RequiresAction => IntentStatus::RequiresAction,
            PaymentIntentStatus::Processing => IntentStatus::Processing,
            PaymentIntentStatus::RequiresCapture => IntentStatus::RequiresCapture,
            PaymentIntentStatus::Succeeded => IntentStatus::Succeeded,
            PaymentIntentStatus::Canceled => IntentStatus::Canceled,
            other => IntentStatus::Other(other.as_str().to_owned()),
        },
        amount: money(from.amount, &from.currency),
        amount_received: from.amount_received,
        order_id: from.metadata.get("order_id").cloned(),
        client_secret: from.client_secret.map(Secret::new),
        declined: from.last_payment_error.is_some(),
        charge,
    })
}

fn to_charge(from: Expandable<stripe_shared::Charge>) -> Result<Charge> {
    let id = ChargeId::parse(from.id().as_str()).map_err(Error::internal)?;
    let Some(from) = from.into_object() else {
        return Ok(Charge { id, fee: None, amount_refunded: 0, disputed: false });
    };
    let balance = from.balance_transaction.and_then(Expandable::into_object);
    let fee = balance.and_then(|balance| money(balance.fee, &balance.currency));
    Ok(Charge { id, fee, amount_refunded: from.amount_refunded, disputed: from.disputed })
}

pub(super) fn to_refund(from: &stripe_shared::Refund) -> Result<Refund> {
    // A status that Stripe may add later counts as pending.
    let status = match from.status.as_deref() {
        Some("succeeded") => RefundStatus::Succeeded,
        Some("failed" | "canceled") => RefundStatus::Failed,
        _ => RefundStatus::Pending,
    };
    let id = RefundId::parse(from.id.as_str()).map_err(Error::internal)?;
    Ok(Refund { id, amount: supported_money(from.amount, &from.currency)?, status })
}

pub(super) fn to_chargeback(from: &stripe_shared::Dispute) -> Result<Chargeback> {
    let state = match &from.status {
        DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => ChargebackState::Open,
        DisputeStatus::Won | DisputeStatus::WarningClosed | DisputeStatus::Prevented => {
            ChargebackState::Won
        }
        DisputeStatus::Lost => ChargebackState::Lost,
        // Warnings, and statuses that Stripe may add later. As far as we know, no money has moved,
        // but an administrator should look at the dispute.
        _ => ChargebackState::Inquiry,
    };
    let id = ChargebackId::parse(from.id.as_str()).map_err(Error::internal)?;
    Ok(Chargeback { id, amount: supported_money(from.amount, &from.currency)?, state })
}

fn money(amount: i64, currency: &stripe_types::Currency) -> Option<Money> {
    Currency::parse(&currency.to_string()).ok().map(|currency| Money::new(amount, currency))
}

/// Converts an amount. It must be in a currency that we support.
fn supported_money(amount: i64, currency: &stripe_types::Currency) -> Result<Money> {
    money(amount, currency).ok_or_else(|| {
        Error::internal(format!("Stripe moved money in {currency}, which no price uses"))
    })
}

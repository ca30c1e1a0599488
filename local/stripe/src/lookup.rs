//! Finds objects of any kind by their id.

use serde_json::Value;

use crate::ids;
use crate::objects::balance_transaction;
use crate::objects::charge::{Charge, ChargeStatus};
use crate::objects::payment_intent::PaymentIntent;
use crate::objects::payment_method::PaymentMethod;
use crate::objects::refund::Refund;
use crate::store::Store;

/// Returns the object with this id. The id's prefix says which kind of object it is. The parameter
/// `expand` replaces ids in responses with these objects.
pub(crate) fn object(store: &Store, id: &str) -> Option<Value> {
    match id.split_once('_')?.0 {
        "pi" => store.intents.get(id).map(PaymentIntent::to_json),
        "ch" => store.charges.get(id).map(Charge::to_json),
        "re" => store.refunds.get(id).map(Refund::to_json),
        "pm" => store
            .intents
            .iter()
            .filter_map(|intent| intent.payment_method.as_ref())
            .find(|method| method.id == id)
            .map(PaymentMethod::to_json),
        "txn" => balance_transaction(store, id),
        _ => None,
    }
}

/// Returns the balance transaction with this id, if its charge succeeded or its refund exists.
pub(crate) fn balance_transaction(store: &Store, id: &str) -> Option<Value> {
    let source = ids::source_of_balance_transaction(id)?;
    let charge =
        store.charges.get(&source).filter(|charge| charge.status == ChargeStatus::Succeeded);
    charge
        .map(balance_transaction::of_charge)
        .or_else(|| store.refunds.get(&source).map(balance_transaction::of_refund))
}

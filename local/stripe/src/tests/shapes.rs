//! async-stripe, a client for the real Stripe, parses the responses in the life of a payment.

use std::collections::HashMap;

use serde_json::json;
use stripe_client_core::{RequestBuilder, StripeMethod};
use stripe_core::payment_intent::{
    CancelPaymentIntent, ConfirmPaymentIntent, CreatePaymentIntent, ListPaymentIntent,
    RetrievePaymentIntent,
};
use stripe_core::refund::{CreateRefund, ListRefund, RetrieveRefund};
use stripe_shared::{
    ApiErrorsCode, ApiErrorsType, BalanceTransaction, Charge, ChargeStatus, Dispute, Event,
    PaymentIntentStatus,
};

use super::Sandbox;
use ::stripe::StripeError;

/// Retrieves an object of a kind whose request types are not in the build.
async fn retrieve<T: client_objects::Object>(sandbox: &Sandbox, path: &str) -> T {
    T::retrieve(sandbox, path).await
}

/// The client's objects. They need a trait, because the client's own deserializer trait isn't
/// accessible.
mod client_objects {
    use super::{
        BalanceTransaction, Charge, Dispute, Event, RequestBuilder, Sandbox, StripeMethod,
    };

    pub(super) trait Object: Sized {
        async fn retrieve(sandbox: &Sandbox, path: &str) -> Self;
    }

    macro_rules! objects {
        ($($kind:ty),*) => {$(
            impl Object for $kind {
                async fn retrieve(sandbox: &Sandbox, path: &str) -> Self {
                    let request = RequestBuilder::new(StripeMethod::Get, path);
                    request.customize::<Self>().send(&sandbox.client()).await.unwrap()
                }
            }
        )*};
    }

    objects!(Charge, Dispute, Event, BalanceTransaction);
}

#[tokio::test]
async fn the_real_client_creates_pays_and_refunds() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    let created = CreatePaymentIntent::new(1099, stripe_types::Currency::EUR)
        .metadata(HashMap::from([("order".to_owned(), "o_1".to_owned())]))
        .send(&client)
        .await
        .unwrap();
    assert_eq!(
        (created.status, created.amount, created.livemode),
        (PaymentIntentStatus::RequiresPaymentMethod, 1099, false)
    );
    assert!(created.client_secret.unwrap().starts_with(&format!("{}_secret_", created.id)));

    let paid = ConfirmPaymentIntent::new(created.id.clone())
        .payment_method("pm_card_visa")
        .expand(vec!["latest_charge.balance_transaction".to_owned()])
        .send(&client)
        .await
        .unwrap();
    assert_eq!((paid.status, paid.amount_received), (PaymentIntentStatus::Succeeded, 1099));
    assert_eq!(paid.metadata["order"], "o_1");
    let charge = paid.latest_charge.unwrap().into_object().unwrap();
    assert!(charge.paid && charge.captured && !charge.refunded);
    let fee = charge.balance_transaction.unwrap().into_object().unwrap();
    assert_eq!((fee.amount, fee.fee, fee.net), (1099, 62, 1037));

    let refund = CreateRefund::new()
        .payment_intent(created.id.as_str())
        .amount(99)
        .send(&client)
        .await
        .unwrap();
    assert_eq!((refund.amount, refund.status.as_deref()), (99, Some("succeeded")));
    let again = RetrieveRefund::new(refund.id.clone())
        .expand(vec!["charge".to_owned()])
        .send(&client)
        .await
        .unwrap();
    assert_eq!(again.charge.unwrap().into_object().unwrap().amount_refunded, 99);
    let listed = ListRefund::new().payment_intent(created.id.as_str()).send(&client).await.unwrap();
    assert_eq!(listed.data.len(), 1);
    let back: BalanceTransaction = retrieve(
        &sandbox,
        &format!("/balance_transactions/{}", refund.balance_transaction.unwrap().id()),
    )
    .await;
    assert_eq!((back.amount, back.fee), (-99, 0));

    let intents = ListPaymentIntent::new()
        .limit(5)
        .expand(vec!["data.latest_charge".to_owned()])
        .send(&client)
        .await
        .unwrap();
    assert_eq!(
        intents.data[0].latest_charge.as_ref().unwrap().as_object().unwrap().amount_refunded,
        99
    );
}

#[tokio::test]
async fn the_real_client_reads_a_decline_and_the_intent_in_it() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    let created =
        CreatePaymentIntent::new(2000, stripe_types::Currency::USD).send(&client).await.unwrap();
    let rejected = ConfirmPaymentIntent::new(created.id.clone())
        .payment_method("pm_card_visa_chargeDeclined")
        .send(&client)
        .await;
    let Err(StripeError::Stripe(error, 402)) = rejected else { panic!("{rejected:?}") };
    assert_eq!(
        (error.type_, error.code),
        (ApiErrorsType::CardError, Some(ApiErrorsCode::CardDeclined))
    );
    assert_eq!(error.decline_code.as_deref(), Some("generic_decline"));
    let intent = error.payment_intent.unwrap();
    assert_eq!(intent.status, PaymentIntentStatus::RequiresPaymentMethod);
    assert_eq!(intent.last_payment_error.unwrap().decline_code.as_deref(), Some("generic_decline"));
    let charge: Charge = retrieve(&sandbox, &format!("/charges/{}", error.charge.unwrap())).await;
    assert_eq!(
        (charge.status, charge.failure_code.as_deref()),
        (ChargeStatus::Failed, Some("card_declined"))
    );
}

#[tokio::test]
async fn the_real_client_parses_every_state_of_an_intent() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    for (method, status) in [
        ("pm_card_threeDSecure2Required", PaymentIntentStatus::RequiresAction),
        ("pm_usBankAccount_processing", PaymentIntentStatus::Processing),
    ] {
        let id = sandbox.pay(method).await.id();
        let expand = vec!["payment_method".to_owned()];
        let intent =
            RetrievePaymentIntent::new(id.as_str()).expand(expand).send(&client).await.unwrap();
        assert_eq!(intent.status, status);
        assert!(intent.payment_method.unwrap().is_object());
    }
    let id = sandbox.intent().await.id();
    let canceled = CancelPaymentIntent::new(id.as_str()).send(&client).await.unwrap();
    assert_eq!(canceled.status, PaymentIntentStatus::Canceled);
    assert!(canceled.canceled_at.is_some());
}

#[tokio::test]
async fn the_real_client_parses_disputes_and_events() {
    let sandbox = Sandbox::start().await;
    sandbox.pay("pm_card_createDispute").await;
    let event = sandbox.get("/v1/events?type=charge.dispute.created").await.json["data"][0].clone();
    let parsed: Event =
        retrieve(&sandbox, &format!("/events/{}", event["id"].as_str().unwrap())).await;
    assert_eq!(parsed.type_.as_str(), "charge.dispute.created");
    assert_eq!(parsed.api_version.as_deref(), Some(stripe_client_core::VERSION.as_str()));
    let id = event["data"]["object"]["id"].as_str().unwrap();
    let dispute: Dispute = retrieve(&sandbox, &format!("/disputes/{id}")).await;
    assert_eq!((dispute.amount, dispute.status.as_str()), (2000, "needs_response"));
    sandbox.control(&format!("disputes/{id}/close"), json!({ "status": "lost" })).await;
    let dispute: Dispute = retrieve(&sandbox, &format!("/disputes/{id}")).await;
    assert_eq!(dispute.status.as_str(), "lost");
}

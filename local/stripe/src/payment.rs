//! Attempts, settles and cancels payments. The states are those of
//! <https://docs.stripe.com/payments/paymentintents/lifecycle>.

use serde_json::{Value, json};

use crate::error::Error;
use crate::objects::charge::{Charge, ChargeStatus};
use crate::objects::payment_intent::{PaymentIntent, Status};
use crate::objects::payment_method::PaymentMethod;
use crate::objects::test_method::{Aftermath, Decline, Outcome, Settlement, debit_failed};
use crate::transaction::Transaction;
use crate::{dispute, ids};

impl Transaction<'_> {
    /// Tries to pay `intent` with its payment method. `on_session` says whether the customer is
    /// present and can authenticate.
    ///
    /// # Errors
    /// 402 when the payment is declined. The intent's `last_payment_error` then says why, and it
    /// can be paid again. 400 `payment_intent_unexpected_state` when the intent has no payment
    /// method.
    pub(crate) fn attempt(
        &mut self,
        mut intent: PaymentIntent,
        on_session: bool,
    ) -> Result<PaymentIntent, Error> {
        let Some(method) = intent.payment_method.clone() else {
            return Err(intent.unexpected_state(
                "You cannot confirm this PaymentIntent because it's missing a payment method. You \
                 can either update the PaymentIntent with a payment method and then confirm it \
                 again, or confirm it again directly with a payment method or ConfirmationToken.",
            ));
        };
        intent.next_action = None;
        intent.last_payment_error = None;
        match method.test().outcome {
            Outcome::Succeeds | Outcome::SucceedsSlowly => Ok(self.succeed(intent, &method)),
            Outcome::Declines(decline) => Err(self.decline(intent, &method, decline)),
            Outcome::Authenticates(_) if !on_session => {
                let message = "Your card was declined. This transaction requires authentication.";
                let error = Error::card(
                    message,
                    "authentication_required",
                    Some("authentication_required"),
                );
                Err(self.fail(intent, &method, error))
            }
            Outcome::Authenticates(_) => {
                intent.status = Status::RequiresAction;
                intent.next_action = Some(self.next_action(&intent));
                self.put(intent.clone());
                self.emit("payment_intent.requires_action", intent.to_json());
                Ok(intent)
            }
            Outcome::Processes(settlement) => {
                let charge = new_charge(&intent, &method, ChargeStatus::Pending, self.now);
                intent.status = Status::Processing;
                intent.latest_charge = Some(charge.id.clone());
                self.put(charge.clone());
                self.put(intent.clone());
                self.emit("charge.pending", charge.to_json());
                self.emit("payment_intent.processing", intent.to_json());
                if settlement.is_some() {
                    self.unsettled.push(intent.id.clone());
                }
                Ok(intent)
            }
        }
    }

    /// Ends the wait of `intent` for the customer's authentication or for the bank. If `succeeds`
    /// is `None`, the test method decides how the bank answers. Does nothing if the intent isn't
    /// waiting.
    pub(crate) fn conclude(
        &mut self,
        mut intent: PaymentIntent,
        succeeds: Option<bool>,
    ) -> PaymentIntent {
        let Some(method) = intent.payment_method.clone() else {
            return intent;
        };
        let id = intent.id.clone();
        intent.next_action = None;
        match (intent.status, method.test().outcome, succeeds) {
            (Status::RequiresAction, _, Some(false)) => {
                let message = "We are unable to authenticate your payment method. Please choose a \
                               different payment method and try again.";
                let mut error =
                    Error::invalid_request(message).code("payment_intent_authentication_failure");
                error.status = 402;
                self.fail(intent, &method, error);
            }
            (Status::RequiresAction, Outcome::Authenticates(Some(decline)), Some(true)) => {
                self.decline(intent, &method, decline);
            }
            (Status::RequiresAction, _, Some(true)) => return self.succeed(intent, &method),
            (Status::Processing, _, Some(true))
            | (Status::Processing, Outcome::Processes(Some(Settlement::Succeeds)), None) => {
                return self.succeed(intent, &method);
            }
            (Status::Processing, Outcome::Processes(Some(Settlement::Fails(decline))), None) => {
                self.decline(intent, &method, decline);
            }
            (Status::Processing, _, Some(false)) => {
                let decline = debit_failed("The payment was declined by the customer's bank.");
                self.decline(intent, &method, decline);
            }
            _ => return intent,
        }
        self.intent(&id).expect("a failed payment keeps its intent")
    }

    /// Cancels `intent`. The caller must have checked its state.
    pub(crate) fn cancel(
        &mut self,
        mut intent: PaymentIntent,
        reason: Option<&str>,
    ) -> PaymentIntent {
        intent.status = Status::Canceled;
        intent.canceled_at = Some(self.now);
        intent.cancellation_reason = reason.map(str::to_owned);
        intent.next_action = None;
        self.put(intent.clone());
        self.emit("payment_intent.canceled", intent.to_json());
        intent
    }

    fn succeed(&mut self, mut intent: PaymentIntent, method: &PaymentMethod) -> PaymentIntent {
        let charge = self.settled_charge(&intent, method, ChargeStatus::Succeeded);
        intent.status = Status::Succeeded;
        intent.amount_received = intent.amount;
        intent.latest_charge = Some(charge.id.clone());
        self.put(charge.clone());
        self.put(intent.clone());
        self.emit_charge_succeeded(&intent, &charge);
        if method.test().aftermath == Aftermath::Dispute {
            dispute::open(self, charge, "fraudulent").expect("a new charge can be disputed");
        }
        intent
    }

    /// Records the events of a successful charge. With asynchronous capture, Stripe creates the
    /// balance transaction after the charge, and `charge.updated` announces it
    /// (<https://docs.stripe.com/payments/payment-intents/asynchronous-capture>).
    fn emit_charge_succeeded(&mut self, intent: &PaymentIntent, charge: &Charge) {
        let charge = charge.to_json();
        let asynchronous = intent.capture_method == "automatic_async";
        let mut captured = charge.clone();
        if asynchronous {
            captured["balance_transaction"] = Value::Null;
        }
        self.emit("charge.succeeded", captured);
        self.emit("payment_intent.succeeded", intent.to_json());
        if asynchronous {
            let previous = json!({ "balance_transaction": null });
            self.emit_update("charge.updated", charge, previous);
        }
    }

    /// Records a payment that the bank declined, with a failed charge.
    fn decline(
        &mut self,
        mut intent: PaymentIntent,
        method: &PaymentMethod,
        decline: Decline,
    ) -> Error {
        let mut charge = self.settled_charge(&intent, method, ChargeStatus::Failed);
        charge.failure = Some((decline.code.to_owned(), decline.message.to_owned()));
        charge.decline_code = decline.decline_code.map(str::to_owned);
        intent.latest_charge = Some(charge.id.clone());
        self.put(charge.clone());
        self.emit("charge.failed", charge.to_json());
        let mut error = Error::card(decline.message, decline.code, decline.decline_code);
        error.body.charge = Some(charge.id);
        error.body.param = decline.param.map(str::to_owned);
        self.fail(intent, method, error)
    }

    /// Makes the intent payable again, with `error` as its `last_payment_error`.
    fn fail(
        &mut self,
        mut intent: PaymentIntent,
        method: &PaymentMethod,
        mut error: Error,
    ) -> Error {
        error.body.payment_method = Some(method.to_json());
        intent.status = Status::RequiresPaymentMethod;
        intent.payment_method = None;
        intent.last_payment_error = Some(json!(error.body));
        self.put(intent.clone());
        self.emit("payment_intent.payment_failed", intent.to_json());
        error.with_intent(intent.to_json())
    }

    /// Returns the intent's pending charge, or else a new one, with the status `status`.
    fn settled_charge(
        &self,
        intent: &PaymentIntent,
        method: &PaymentMethod,
        status: ChargeStatus,
    ) -> Charge {
        let pending = intent
            .latest_charge
            .as_deref()
            .and_then(|id| self.store.charges.get(id))
            .filter(|charge| charge.status == ChargeStatus::Pending);
        match pending {
            Some(charge) => Charge { status, ..charge.clone() },
            None => new_charge(intent, method, status, self.now),
        }
    }

    /// Returns what the customer's browser must do next: show the bank's page, which the stand-in
    /// serves.
    fn next_action(&self, intent: &PaymentIntent) -> Value {
        let page = format!("{}/_local/payment_intents/{}/authenticate", self.base_url, intent.id);
        match &intent.return_url {
            Some(return_url) => json!({
                "redirect_to_url": { "return_url": return_url, "url": page },
                "type": "redirect_to_url",
            }),
            None => json!({
                "type": "use_stripe_sdk",
                "use_stripe_sdk": { "type": "three_d_secure_redirect", "stripe_js": page },
            }),
        }
    }
}

fn new_charge(
    intent: &PaymentIntent,
    method: &PaymentMethod,
    status: ChargeStatus,
    now: i64,
) -> Charge {
    Charge {
        id: ids::new("ch_"),
        amount: intent.amount,
        amount_refunded: 0,
        created: now,
        currency: intent.currency.clone(),
        description: intent.description.clone(),
        disputed: false,
        failure: None,
        decline_code: None,
        metadata: intent.metadata.clone(),
        payment_intent: intent.id.clone(),
        payment_method: method.clone(),
        receipt_email: intent.receipt_email.clone(),
        statement_descriptor_suffix: intent.statement_descriptor_suffix.clone(),
        status,
    }
}

//! Someone who orders and pays, as a browser does.

use serde_json::{Value, json};

use super::{Answer, Client, Cloud, Stripe, User, admin, client, eventually, price, unique};

/// A client, and something to order.
pub struct Shopper {
    pub stripe: Stripe,
    pub user: User,
    /// Who made what there is to order.
    pub admin: User,
    pub category: String,
    service: Value,
    browser: Client,
}

impl Shopper {
    pub async fn new(cloud: &Cloud) -> Self {
        let category = unique("Paid work ");
        let (admin, user) = (admin(cloud).await, client(cloud).await);
        let body = json!({"name": "Work", "description": "Paid.", "category": category, "price": price(1999)});
        let service = admin.api.post("/services", body).await.expect(201);
        Self { stripe: Stripe::of(cloud), user, admin, category, service, browser: cloud.stripe() }
    }

    /// An order without a payment.
    pub async fn order(&self) -> String {
        let order = self
            .user
            .api
            .post("/orders", json!({"service_id": self.service["id"]}))
            .await
            .expect(201);
        order["id"].as_str().expect("an id").to_owned()
    }

    /// An order that is about to be paid.
    pub async fn checkout(&self) -> Checkout {
        let order = self.order().await;
        let payment =
            self.user.api.post(&format!("/orders/{order}/payment"), json!({})).await.expect(200);
        Checkout::new(self, order, &payment)
    }

    /// An order that is paid, and known to be.
    pub async fn paid(&self, card: &str) -> Checkout {
        let checkout = self.checkout().await;
        checkout.pay(card).await.expect(200);
        assert_eq!(checkout.confirm().await.expect(200)["status"], "open");
        checkout
    }
}

/// An order and its payment intent.
pub struct Checkout {
    pub order: String,
    pub intent: String,
    user: User,
    browser: Client,
    client_secret: String,
}

impl Checkout {
    pub fn new(shopper: &Shopper, order: String, payment: &Value) -> Self {
        let text = |name: &str| payment[name].as_str().expect(name).to_owned();
        Self {
            order,
            intent: text("payment_intent_id"),
            user: shopper.user.clone(),
            browser: shopper.browser.bearer(&text("publishable_key")),
            client_secret: text("client_secret"),
        }
    }

    /// What Stripe.js does with a card.
    pub async fn pay(&self, card: &str) -> Answer {
        let fields = [("payment_method", card), ("client_secret", &self.client_secret)];
        self.browser.form(&format!("/v1/payment_intents/{}/confirm", self.intent), &fields).await
    }

    pub async fn confirm(&self) -> Answer {
        self.user.api.post(&format!("/orders/{}/payment/confirm", self.order), json!({})).await
    }

    pub async fn cancel(&self) -> Answer {
        self.user.api.post(&format!("/orders/{}/payment/cancel", self.order), json!({})).await
    }

    pub async fn read(&self) -> Value {
        self.user.api.get(&format!("/orders/{}", self.order)).await.expect(200)
    }

    /// Status, and status of payment.
    pub async fn states(&self) -> (String, String) {
        states(&self.read().await)
    }

    pub async fn payment(&self) -> Value {
        self.user.api.get(&format!("/orders/{}/payment", self.order)).await.expect(200)
    }

    /// Waits until the order is in these states, as a client that polls would.
    pub async fn until(&self, status: &str, payment_status: &str) -> Value {
        let (path, wanted) =
            (format!("/orders/{}", self.order), (status.to_owned(), payment_status.to_owned()));
        let what = format!("{} is {wanted:?}", self.order);
        eventually(&what, async || {
            self.user.api.get(&path).await.unless_busy().filter(|order| states(order) == wanted)
        })
        .await
    }
}

/// Status, and status of payment.
pub fn states(order: &Value) -> (String, String) {
    let text = |name: &str| order[name].as_str().expect(name).to_owned();
    (text("status"), text("payment_status"))
}

/// Kinds and amounts of a payment's ledger, as its client sees them.
pub fn ledger(payment: &Value) -> Vec<(&str, i64)> {
    let entries = payment["ledger"].as_array().expect("a ledger").iter();
    entries
        .map(|entry| {
            (
                entry["kind"].as_str().expect("kind"),
                entry["money"]["amount"].as_i64().expect("amount"),
            )
        })
        .collect()
}

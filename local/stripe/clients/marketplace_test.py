"""What a marketplace does with Stripe, done with Stripe's own Python library against stripe-local.

.ci/stripe starts stripe-local and runs this. STRIPE_URL is where stripe-local listens, and
WEBHOOK_PORT is the port that it posts webhooks to.
"""

import http.server
import json
import os
import queue
import threading
import time
import unittest
import urllib.request

import stripe

URL = os.environ["STRIPE_URL"]
WEBHOOK_SECRET = "whsec_local"


def client(key="sk_test_local", retries=0):
    return stripe.StripeClient(key, base_addresses={"api": URL}, max_network_retries=retries)


def control(path, body):
    """Calls the control API, with which tests make things happen."""
    request = urllib.request.Request(
        f"{URL}/_local/{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Webhooks(http.server.BaseHTTPRequestHandler):
    """Receives webhooks, and puts each one's body and signature into `received`."""

    received = queue.Queue()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.put((body, self.headers["stripe-signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def setUpModule():
    port = int(os.environ["WEBHOOK_PORT"])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Webhooks)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Marketplace(unittest.TestCase):
    def setUp(self):
        self.stripe = client()
        self.intents = self.stripe.v1.payment_intents

    def create(self, **params):
        return self.intents.create({"amount": 2000, "currency": "usd", **params})

    def paid(self, **params):
        return self.create(confirm=True, payment_method="pm_card_visa", **params)

    def test_a_payment_is_created_retrieved_updated_and_confirmed(self):
        intent = self.create(
            description="Order 1",
            metadata={"order": "1"},
            automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
        )
        self.assertIsInstance(intent, stripe.PaymentIntent)
        self.assertEqual(intent.status, "requires_payment_method")
        self.assertTrue(intent.client_secret.startswith(f"{intent.id}_secret_"))
        intent = self.intents.update(intent.id, {"metadata": {"order": "2"}})
        self.assertEqual(intent.metadata["order"], "2")

        intent = self.intents.confirm(
            intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
        )
        self.assertEqual((intent.status, intent.amount_received), ("succeeded", 2000))
        self.assertIsInstance(intent.latest_charge, stripe.Charge)
        self.assertTrue(intent.latest_charge.paid)
        self.assertEqual(intent.latest_charge.payment_method_details.card.brand, "visa")

        intent = self.intents.retrieve(
            intent.id, {"expand": ["latest_charge.balance_transaction"]}
        )
        transaction = intent.latest_charge.balance_transaction
        self.assertIsInstance(transaction, stripe.BalanceTransaction)
        self.assertEqual(transaction.net, transaction.amount - transaction.fee)

    def test_a_customer_authenticates(self):
        intent = self.create(
            confirm=True,
            payment_method="pm_card_authenticationRequired",
            return_url="https://example.com",
        )
        self.assertEqual(intent.status, "requires_action")
        self.assertIsNotNone(intent.next_action)
        control(f"payment_intents/{intent.id}/succeed", {})
        self.assertEqual(self.intents.retrieve(intent.id).status, "succeeded")

    def test_a_payment_is_canceled_once(self):
        intent = self.create()
        canceled = self.intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
        self.assertEqual(
            (canceled.status, canceled.cancellation_reason), ("canceled", "abandoned")
        )
        with self.assertRaises(stripe.InvalidRequestError) as raised:
            self.intents.cancel(intent.id)
        self.assertEqual(raised.exception.code, "payment_intent_unexpected_state")

    def test_a_payment_is_refunded_in_parts(self):
        intent = self.paid()
        refunds = self.stripe.v1.refunds
        first = refunds.create({"payment_intent": intent.id, "amount": 500})
        self.assertIsInstance(first, stripe.Refund)
        self.assertEqual((first.status, first.amount), ("succeeded", 500))
        rest = refunds.create({"payment_intent": intent.id, "reason": "requested_by_customer"})
        self.assertEqual(rest.amount, 1500)
        with self.assertRaises(stripe.InvalidRequestError) as raised:
            refunds.create({"payment_intent": intent.id})
        self.assertEqual(raised.exception.code, "charge_already_refunded")
        listed = refunds.list({"payment_intent": intent.id, "limit": 1})
        self.assertEqual([r.id for r in listed.auto_paging_iter()], [rest.id, first.id])
        charge = self.stripe.v1.charges.retrieve(intent.latest_charge)
        self.assertTrue(charge.refunded)

    def test_events_are_listed_page_by_page(self):
        intent = self.paid()
        events = self.stripe.v1.events.list({"limit": 2})
        self.assertEqual(len(events.data), 2)
        types = []
        for event in events.auto_paging_iter():
            self.assertIsInstance(event, stripe.Event)
            subject = event.data.object
            if intent.id in (subject.id, getattr(subject, "payment_intent", None)):
                types.append(event.type)
        self.assertEqual(types, [
            "charge.updated", "payment_intent.succeeded", "charge.succeeded",
            "payment_intent.created",
        ])
        found = self.stripe.v1.events.list({"types": ["payment_intent.succeeded"], "limit": 1})
        event = found.data[0]
        self.assertEqual(event.type, "payment_intent.succeeded")
        self.assertEqual(self.stripe.v1.events.retrieve(event.id).id, event.id)

    def test_lists_go_backwards_too(self):
        intents = [self.create().id for _ in range(3)]
        before = self.intents.list({"ending_before": intents[0], "limit": 1})
        self.assertEqual([i.id for i in before.auto_paging_iter()], intents[1:])

    def test_lists_are_filtered_and_expanded(self):
        intent = self.paid(metadata={"order": "1", "buyer": "2"})
        now = {"gte": intent.created, "lt": intent.created + 1}
        listed = self.intents.list({"created": now, "expand": ["data.latest_charge"]})
        found = next(i for i in listed.auto_paging_iter() if i.id == intent.id)
        self.assertEqual(found.latest_charge.amount, 2000)
        charges = self.stripe.v1.charges.list({"payment_intent": intent.id})
        self.assertEqual([c.id for c in charges.data], [found.latest_charge.id])
        # An empty value removes a key.
        updated = self.intents.update(intent.id, {"metadata": {"buyer": ""}})
        self.assertEqual(updated.metadata.to_dict(), {"order": "1"})

    def test_an_idempotency_key_replays_and_refuses_other_parameters(self):
        options = {"idempotency_key": f"order-{time.time_ns()}"}
        params = {"amount": 700, "currency": "usd"}
        first = self.intents.create(params, options)
        again = self.intents.create(params, options)
        self.assertEqual(again.id, first.id)
        self.assertEqual(again.last_response.headers["idempotent-replayed"], "true")
        with self.assertRaises(stripe.IdempotencyError) as raised:
            self.intents.create({**params, "amount": 800}, options)
        self.assertEqual(raised.exception.http_status, 400)

    def test_a_lost_response_is_retried_and_pays_once(self):
        for fault in ("connection_reset_after_acting", "connection_reset"):
            order = f"{fault}-{time.time_ns()}"
            control("faults", {"fault": fault, "method": "POST", "containing": order})
            intent = client(retries=2).v1.payment_intents.create(
                {"amount": 900, "currency": "usd", "metadata": {"order": order}}
            )
            intents = self.intents.list({"limit": 100}).auto_paging_iter()
            same = [i.id for i in intents if getattr(i.metadata, "order", None) == order]
            self.assertEqual(same, [intent.id])

    def test_a_declined_card_is_a_card_error(self):
        with self.assertRaises(stripe.CardError) as raised:
            self.create(confirm=True, payment_method="pm_card_chargeDeclinedInsufficientFunds")
        error = raised.exception
        self.assertEqual((error.http_status, error.code), (402, "card_declined"))
        self.assertEqual(error.error.decline_code, "insufficient_funds")
        self.assertEqual(error.error.payment_intent.status, "requires_payment_method")
        self.assertTrue(error.request_id.startswith("req_"))
        self.assertTrue(error.user_message)

    def test_mistakes_are_invalid_request_errors(self):
        mistakes = [
            ({"amount": 10, "currency": "usd"}, "amount", "amount_too_small"),
            ({"amount": -1, "currency": "usd"}, "amount", "parameter_invalid_integer"),
            ({"amount": 2000, "currency": "xxx"}, "currency", None),
            ({"amount": 2000}, "currency", "parameter_missing"),
            ({"amount": 2000, "currency": "usd", "x": 1}, "x", "parameter_unknown"),
            (
                {"amount": 2000, "currency": "usd", "payment_method": "pm_nothing"},
                "payment_method",
                "resource_missing",
            ),
        ]
        for params, param, code in mistakes:
            with self.subTest(params), self.assertRaises(stripe.InvalidRequestError) as raised:
                self.intents.create(params)
            self.assertEqual((raised.exception.param, raised.exception.code), (param, code))
            self.assertEqual(raised.exception.http_status, 400)
        with self.assertRaises(stripe.InvalidRequestError) as raised:
            self.intents.retrieve("pi_nothing")
        self.assertEqual(raised.exception.http_status, 404)
        self.assertEqual(raised.exception.code, "resource_missing")

    def test_keys_that_are_unknown_or_may_not_are_refused(self):
        for key in ("sk_test_other", "sk_live_local"):
            with self.assertRaises(stripe.AuthenticationError) as raised:
                client(key).v1.payment_intents.list()
            self.assertEqual(raised.exception.http_status, 401)
        # A browser's key may read a payment with its client secret, and nothing else.
        browser = client("pk_test_local").v1
        intent = self.create()
        read = browser.payment_intents.retrieve(
            intent.id, {"client_secret": intent.client_secret}
        )
        self.assertEqual(read.id, intent.id)
        with self.assertRaises((stripe.AuthenticationError, stripe.PermissionError)):
            browser.refunds.list()

    def test_failures_of_stripe_have_their_classes(self):
        for fault, error in (("error_429", stripe.RateLimitError), ("error_500", stripe.APIError)):
            control("faults", {"fault": fault, "method": "POST"})
            with self.assertRaises(error):
                self.create()

    def test_webhooks_are_signed(self):
        intent = self.paid()
        expected = {
            "payment_intent.created", "charge.succeeded", "payment_intent.succeeded",
            "charge.updated",
        }
        while expected:
            body, signature = Webhooks.received.get(timeout=10)
            event = stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)
            self.assertIsInstance(event, stripe.Event)
            subject = event.data.object
            if intent.id in (subject.id, getattr(subject, "payment_intent", None)):
                expected.discard(event.type)
        forged = [
            (body, signature, "whsec_other"),
            (body + b" ", signature, WEBHOOK_SECRET),
            (body, signature.replace("v1=", "v1=0"), WEBHOOK_SECRET),
            (body, signature.replace("v1=", "v0="), WEBHOOK_SECRET),
        ]
        for arguments in forged:
            with self.assertRaises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(*arguments)

    def test_a_dispute_is_opened_and_closed(self):
        intent = self.create(confirm=True, payment_method="pm_card_createDispute")
        disputes = self.stripe.v1.disputes.list({"payment_intent": intent.id})
        dispute = disputes.data[0]
        self.assertIsInstance(dispute, stripe.Dispute)
        self.assertEqual(dispute.status, "needs_response")
        control(f"disputes/{dispute.id}/close", {"status": "lost"})
        self.assertEqual(self.stripe.v1.disputes.retrieve(dispute.id).status, "lost")


if __name__ == "__main__":
    unittest.main()

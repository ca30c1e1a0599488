"""What schemathesis has to know of single operations. Nothing is left out."""

import hashlib
import hmac
import json
import os
import random
import time

import requests
import schemathesis

API = os.environ["API"]
PEOPLE = {"admin": "admin123", "worker": "worker123", "client": "client123"}
NAMES = {"admin": "admin", "worker": "worker1", "client": "client1"}

# They end or change the very account or session that calls: each call has one of its own.
OWN_ACCOUNT = {"auth-logout", "auth-password", "auth-update"}


def sign_in(name, password):
    answer = requests.post(f"{API}/auth/token", data={"grant_type": "password", "username": name, "password": password})
    answer.raise_for_status()
    return answer.json()["access_token"]


def newcomer():
    """The access token of someone who has just registered."""
    name = f"s{random.SystemRandom().getrandbits(64):016x}"
    body = {"email": f"{name}@example.com", "username": name, "password": "correct horse", "role": "worker"}
    requests.post(f"{API}/auth/register", json=body).raise_for_status()
    return sign_in(name, "correct horse")


class Tokens:
    """One access token a role, renewed long before it ends."""

    def __init__(self):
        self.tokens = {}

    def of(self, role):
        token, since = self.tokens.get(role, (None, 0))
        if token is None or time.monotonic() - since > 300:
            self.tokens[role] = token, _ = sign_in(NAMES[role], PEOPLE[role]), time.monotonic()
        return token


TOKENS = Tokens()


def role_of(operation):
    """Who is to call: the one who may; of several, a client first."""
    roles = operation.definition.raw.get("x-roles", [])
    return "client" if "client" in roles else roles[0] if roles else None


@schemathesis.auth(refresh_interval=None)
class Caller:
    """The role that may call an operation calls it. Other roles are what tests/it/conventions.rs is about."""

    def get(self, case, context):
        operation = context.operation
        if operation.definition.raw.get("operationId") in OWN_ACCOUNT:
            return newcomer()
        role = role_of(operation)
        return TOKENS.of(role) if role else None

    def set(self, case, data, context):
        if data is not None:
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {data}"

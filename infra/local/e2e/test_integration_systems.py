"""Integration systems: registered once, let in by tokens, kept to what they were given, and gone at once."""

import json
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .. import deploy, emulator, integration_system, organization, processes
from ..api import Api
from ..integration_system import SCOPES, Credential, Declined, SystemApi, Tokens
from ..organization import Organization
from ..place import TEST
from .case import EndToEnd

NOT_UNIQUE, NOT_ALLOWED = 21, 27
AT_ONCE = 20
# For how many seconds the authorizer believes the token that it read, and how long it reads it no more than once.
BELIEVED, QUIET = 60, 5


class IntegrationSystems(EndToEnd):
    def setUp(self):
        super().setUp()
        self.administrator = self.api

    def test_a_registered_system_drives_a_sync_with_its_token(self):
        self.api = self._as(self._credential(self._register()))
        self.connect()
        self.assertEqual(self.sync()["state"], "succeeded")

    def test_a_deleted_credential_is_refused_at_once_and_another_one_of_the_system_is_not(self):
        self.connect()
        system = self._register()
        deleted, kept = self._credential(system), self._credential(system)
        before, beside = self._as(deleted), self._as(kept)
        self.assertEqual(before.status("GET", self.organization.integration), 200)
        integration_system.delete_credential(self.administrator, deleted)
        self.assertEqual(before.status("GET", self.organization.integration), 401)
        self.assertEqual(beside.status("GET", self.organization.integration), 200)
        self.assertNoToken(deleted)

    def test_a_system_stays_with_its_credentials_while_it_manages_an_integration(self):
        system = self._register()
        credential = self._credential(system)
        self.put({**organization.connection(TEST), "integrationSystemId": system})
        with self.assertRaises(Declined) as refused:
            integration_system.unregister(self.administrator, system)
        self.assertEqual(refused.exception.codes, [NOT_ALLOWED])
        caller = self._as(credential)
        self.assertEqual(caller.status("GET", self.organization.integration), 200)
        self.disconnect()
        integration_system.unregister(self.administrator, system)
        self.assertEqual(caller.status("GET", self.organization.integration), 401)
        self.assertNoToken(credential)

    def test_of_many_registrations_of_one_name_exactly_one_wins(self):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            codes = list(pool.map(lambda _: self._refusal_of_registering(), range(AT_ONCE)))
        self.assertEqual(Counter(codes), {None: 1, NOT_UNIQUE: AT_ONCE - 1})

    def test_a_wrong_secret_and_an_unknown_client_are_answered_alike(self):
        credential = self._credential(self._register())
        unknown = replace(credential, id="00000000-0000-4000-8000-000000000000")
        wrong = replace(credential, secret=credential.secret[::-1])
        answers = [self.assertNoToken(each) for each in (unknown, wrong)]
        self.assertEqual(answers[0].text, answers[1].text)
        self.assertEqual(*(answer.headers.get("www-authenticate") for answer in answers))

    def test_a_token_without_scopes_is_known_and_may_do_nothing(self):
        self.connect()
        system = self._register()
        caller = self._as(self._credential(system), scopes="")
        viewer = integration_system.ask(caller, "{ result: viewer { id type } }")
        self.assertEqual(viewer, {"id": system, "type": "INTEGRATION_SYSTEM"})
        self.assertProblem(caller.ask("GET", self.organization.integration), 403, "insufficient_scope")

    def test_a_credential_for_one_organization_knows_of_no_other(self):
        self.connect()
        credential = self._credential(self._register(), organizations=[self.organization.id])
        own, self.organization = self.organization, Organization(f"{self.organization.id}-other")
        self.connect()
        caller = self._as(credential)
        self.assertEqual(caller.status("GET", own.integration), 200)
        self.assertProblem(caller.ask("GET", self.organization.integration), 404, "unknown_organization")

    def test_a_tenant_that_is_not_the_one_of_the_path_is_refused(self):
        self.connect()
        caller, path = self._as(self._credential(self._register())), self.organization.integration
        self.assertEqual(caller.ask("GET", path, Tenant=self.organization.id).status, 200)
        answer = caller.ask("GET", path, Tenant=f"{self.organization.id}-other")
        self.assertEqual((answer.status, answer.headers["content-type"]), (400, "application/problem+json"), answer.text)

    def test_whoever_verifies_tokens_needs_none_to_find_the_keys(self):
        anonymous = Api.anonymous(TEST)
        discovery = anonymous.get("/.well-known/openid-configuration")
        self.assertEqual(discovery["issuer"], anonymous.base)
        self.assertEqual(discovery["token_endpoint"], f"{anonymous.base}/oauth2/token")
        self.assertEqual(discovery["jwks_uri"], f"{anonymous.base}/.well-known/jwks.json")
        keys = anonymous.get("/.well-known/jwks.json")["keys"]
        self.assertEqual([(key["kty"], key["crv"], key["alg"], "d" in key) for key in keys], [("EC", "P-256", "ES256", False)])

    def test_the_administrators_token_can_be_rotated(self):
        client, name = emulator.client(TEST, "secretsmanager"), deploy.outputs(TEST)["AdminSecret"]
        before = client.get_secret_value(SecretId=name)["SecretString"]
        token = secrets.token_urlsafe(48)
        old, new = self.administrator, Api(self.api.base, {"Authorization": f"Bearer {token}"})
        time.sleep(QUIET + 1)
        client.put_secret_value(SecretId=name, SecretString=json.dumps({"token": token}))
        try:
            self.assertEqual(new.status("GET", "/openapi.json"), 200)
            processes.wait_until(lambda: old.status("GET", "/openapi.json") == 401, BELIEVED + 5, "the old token is still accepted.")
        finally:
            client.put_secret_value(SecretId=name, SecretString=before)
            time.sleep(QUIET + 1)
            processes.wait_until(lambda: old.status("GET", "/openapi.json") == 200, BELIEVED + 5, "the token was not put back.")

    def _register(self) -> str:
        return integration_system.register(self.administrator, f"system-{self.organization.id}")["id"]

    def _refusal_of_registering(self) -> int | None:
        try:
            self._register()
        except Declined as declined:
            return declined.codes[0]
        return None

    def _credential(self, system: str, **limits) -> Credential:
        return integration_system.request_credential(self.administrator, system, **limits)

    def _as(self, credential: Credential, scopes: str = SCOPES) -> Api:
        return SystemApi.of(TEST, Tokens(credential, scopes))

    def assertNoToken(self, credential: Credential):
        answer = integration_system.ask_for_token(credential, SCOPES)
        self.assertEqual((answer.status, answer.json["error"]), (401, "invalid_client"), answer.text)
        return answer

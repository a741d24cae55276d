"""Connecting an integration, testing it, changing it, and disconnecting it."""

from .. import organization
from ..place import TEST
from .case import EndToEnd


class Connect(EndToEnd):
    def test_all_faults_are_told_at_once(self):
        wish = organization.connection(TEST, pageSize=0, apiVersion="1.0", baseUrl="http://169.254.169.254/")
        wish["direction"] = "sideways"
        wish["settings"]["members"]["fields"]["shoeSize"] = "shoesize"
        answer = self.api.ask("PUT", self.organization.integration, wish)
        problem = self.assertProblem(answer, 400, "invalid_request")
        named = " ".join(error["field"] for error in problem["errors"])
        for field in ("direction", "pageSize", "apiVersion", "baseUrl", "shoeSize"):
            self.assertIn(field, named)

    def test_a_connection_works_and_never_shows_its_credentials(self):
        self.connect()
        self.assertTrue(self.api.post(f"{self.organization.integration}/test")["works"])
        secret = organization.connection(TEST)["credentials"]["clientSecret"]
        self.assertNotIn(secret, self.api.ask("GET", self.organization.integration).text)

    def test_a_change_of_a_version_that_is_gone_is_refused(self):
        self.connect()
        etag = self.api.ask("GET", self.organization.integration).headers["etag"]
        wish = {**organization.connection(TEST), "displayName": "Renamed"}
        del wish["credentials"]
        self.assertEqual(self.api.ask("PUT", self.organization.integration, wish, If_Match=etag).status, 200)
        self.assertEqual(self.api.ask("PUT", self.organization.integration, wish, If_Match=etag).status, 412)

    def test_a_disconnected_integration_is_gone(self):
        self.connect()
        self.disconnect()
        self.assertEqual(self.api.ask("GET", self.organization.integration).status, 404)

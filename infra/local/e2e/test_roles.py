"""A function may do what its role allows, and nothing else: so what runs here has the rights that it needs on AWS."""

import json

from .. import emulator
from ..place import TEST
from .case import EndToEnd


class Roles(EndToEnd):
    def test_a_function_without_its_policy_can_do_nothing(self):
        self.connect()
        iam = emulator.client(TEST, "iam")
        names = [role["RoleName"] for role in iam.list_roles()["Roles"]]
        role = next(name for name in names if "TriggerSyncRole" in name)
        policy = iam.get_role_policy(RoleName=role, PolicyName="trigger-sync")["PolicyDocument"]
        iam.delete_role_policy(RoleName=role, PolicyName="trigger-sync")
        try:
            answer = self.api.ask("POST", f"{self.organization.integration}/sync")
            self.assertProblem(answer, 500, "internal")
        finally:
            iam.put_role_policy(RoleName=role, PolicyName="trigger-sync", PolicyDocument=json.dumps(policy))
        self.assertEqual(self.sync()["state"], "succeeded")

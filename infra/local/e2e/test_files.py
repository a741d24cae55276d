"""Records that travel by files: uploaded, read by a run, changed, downloaded, and imported by hand."""

import dataclasses
import hashlib
import urllib.request

from ..organization import Organization
from .case import EndToEnd

HEADER = "\ufeffid;key;deleted;firstName;lastName;email"
PROFILE = {
    "dialect": {"audience": "people"},
    "columns": [
        {"name": "id", "type": "text", "required": True}, {"name": "key", "type": "text"}, {"name": "deleted", "type": "bool"},
        {"name": "firstName", "type": "text"}, {"name": "lastName", "type": "text"}, {"name": "email", "type": "text"},
    ],
}


@dataclasses.dataclass(frozen=True)
class ByFiles(Organization):
    """An organization whose system is Consio."""

    @property
    def integration(self) -> str:
        return f"{self.path}/integrations/consio"


class Files(EndToEnd):
    def setUp(self):
        super().setUp()
        self.organization = ByFiles(self.organization.id)
        fields = {"members": ["firstName", "lastName", "email"]}
        settings = {"mode": "csv", "files": {"kinds": ["members"], "fields": fields}}
        self.put({"displayName": "Consio", "direction": "both", "settings": settings})
        self.files = f"{self.organization.integration}/files"

    def test_members_come_in_by_an_upload_and_changes_go_out_by_a_file(self):
        self.assertTrue(self.api.post(f"{self.organization.integration}/test")["works"])
        rows = [f"{number};;Nei;Kari;Nordmann;kari{number}@example.org" for number in range(1, 301)]
        uploaded = self.upload(rows)
        run = self.sync()
        self.assertEqual(run["state"], "succeeded", run)
        self.assertEqual(run["totals"]["member"]["created"], 300, run)
        self.assertEqual(self.api.get(f"{self.files}/{uploaded}")["state"], "done")
        member = f"{self.organization.path}/members/7"
        known = self.api.get(member)
        fields = {name: known[name] for name in ("firstName", "email")}
        self.api.put(member, {**fields, "lastName": "=Ås; Berg"})
        self.assertEqual(self.sync()["totals"]["member"]["handedOver"], 1)
        self.assertEqual(self.sync()["state"], "succeeded")
        file = self.only_file()
        self.assertEqual((file["state"], file["rows"], file["purpose"]), ("ready", 1, "members"))
        text = self.download(file)
        self.assertEqual(hashlib.sha256(text).hexdigest(), file["sha256"])
        header, row = text.decode("utf-8-sig").splitlines()
        said = dict(zip(header.split(";"), row.replace("\"'=Ås; Berg\"", "Berg").split(";")))
        self.assertEqual((said["id"], said["key"], said["lastName"], said["deleted"]), ("7", "7", "Berg", "Nei"), row)
        decision = {"decision": "imported", "reason": "by hand"}
        self.assertEqual(self.api.post(f"{self.files}/{file['fileId']}/decision", decision)["state"], "imported")
        rows[6] = "7;;Nei;Kari;\"'=Ås; Berg\";kari7@example.org"
        self.upload(rows[1:])
        run = self.sync()
        totals = run["totals"]["member"]
        self.assertEqual((totals["updated"], totals["removed"], totals["handedOver"]), (0, 1, 0), run)
        self.assertEqual(self.api.status("GET", f"{self.organization.path}/members/1"), 404)
        self.assertEqual(len(list(self.out())), 1)

    def test_an_upload_that_cannot_be_read_is_refused_with_the_places(self):
        text = "\r\n".join([HEADER, "1;;Kanskje;Kari;Nordmann;kari@example.org", ""]).encode()
        refused = self.accept(self.announce(text), text)
        self.assertEqual(refused["state"], "refused", refused)
        places = [(fault["row"], fault["column"]) for fault in refused["faults"]]
        self.assertIn((1, "deleted"), places)
        self.assertNotIn("kari@example.org", str(refused))

    def upload(self, rows: list[str]) -> str:
        """Uploads a complete listing, and returns which file that is."""
        text = "\r\n".join([HEADER, *rows, ""]).encode()
        accepted = self.accept(self.announce(text), text)
        self.assertEqual((accepted["state"], accepted["rows"]), ("accepted", len(rows)), accepted)
        return accepted["fileId"]

    def announce(self, text: bytes) -> dict:
        announcement = {
            "purpose": "members", "profile": PROFILE, "complete": True,
            "bytes": len(text), "sha256": hashlib.sha256(text).hexdigest(),
        }
        return self.api.post(self.files, announcement)

    def accept(self, announced: dict, text: bytes) -> dict:
        link = announced["upload"]
        request = urllib.request.Request(link["url"], data=text, method=link["method"], headers=link["headers"])
        with urllib.request.urlopen(request):
            pass
        return self.api.post(f"{self.files}/{announced['fileId']}/accept")

    def out(self):
        return (file for file in self.api.items(self.files) if file["direction"] == "out")

    def only_file(self) -> dict:
        """Closes the only file that collects."""
        files = list(self.out())
        self.assertEqual(len(files), 1, files)
        return self.api.post(f"{self.files}/{files[0]['fileId']}/download")

    def download(self, file: dict) -> bytes:
        link = file["download"]
        request = urllib.request.Request(link["url"], headers=link.get("headers") or {})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

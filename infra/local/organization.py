"""Organizations on the platform, and how their fields stand in the simulated Dynamics 365."""

from dataclasses import dataclass

from . import simulator
from .place import Place

MEMBER_FIELDS = {
    "firstName": "firstname",
    "middleName": "middlename",
    "lastName": "lastname",
    "birthDate": "birthdate",
    "gender": "gendercode",
    "email": "emailaddress1",
    "phone": "telephone1",
    "mobilePhone": "mobilephone",
    "addressLine1": "address1_line1",
    "addressLine2": "address1_line2",
    "postalCode": "address1_postalcode",
    "city": "address1_city",
    "country": "address1_country",
    "certificationStatus": "hlf_certificationstatus",
    "certificationValidTo": "hlf_certificationvalidto",
    "pausedUntil": "hlf_pauseduntil",
}
MEMBERSHIP_FIELDS = {"type": "hlf_type", "status": "hlf_status", "from": "hlf_from", "to": "hlf_to"}
OWNER = {"lookup": "_hlf_contact_value", "bind": "hlf_Contact", "entitySet": "contacts"}
GENDERS = {1: "male", 2: "female"}


@dataclass(frozen=True)
class Organization:
    """An organization, and where the API has what belongs to it."""

    id: str

    @property
    def path(self) -> str:
        return f"/v1/organizations/{self.id}"

    @property
    def integration(self) -> str:
        return f"{self.path}/integrations/dynamics365"


DEMO = Organization("hlf")


def connection(place: Place, **settings) -> dict:
    """Returns what connects an organization with the simulated system: settings and credentials."""
    system = simulator.control(place).get("/_simulator/connection")
    return {
        "displayName": "Members in Dynamics 365",
        "direction": "both",
        "settings": {
            "baseUrl": system["baseUrl"],
            "authorityUrl": system["baseUrl"],
            "tenant": system["tenant"],
            **settings,
            "members": {
                "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
                "alternateKey": "hlf_memberno", "fields": dict(MEMBER_FIELDS),
            },
            "memberships": {
                "entitySet": "hlf_memberships", "logicalName": "hlf_membership", "primaryKey": "hlf_membershipid",
                "alternateKey": "hlf_number", "fields": {"memberId": OWNER, **MEMBERSHIP_FIELDS},
            },
        },
        "credentials": {"clientId": system["clientId"], "clientSecret": system["clientSecret"]},
    }


def as_member(row: dict) -> dict:
    """Says in the platform's words what a contact says."""
    fields = {field: row.get(column) for field, column in MEMBER_FIELDS.items()}
    fields["gender"] = GENDERS.get(row.get("gendercode"))
    return {**fields, "active": row["statecode"] == 0}


def as_membership(row: dict, members: dict[str, str]) -> dict:
    """Says it of a membership; `members` gives the member that is linked with a contact."""
    fields = {field: row.get(column) for field, column in MEMBERSHIP_FIELDS.items()}
    return {**fields, "memberId": members.get(row["_hlf_contact_value"]), "active": row["statecode"] == 0}

"""The organization of the demonstration, and how its fields stand in Dynamics 365."""

from .place import Place
from . import simulator

NAME = "hlf"
PATH = f"/v1/organizations/{NAME}"
INTEGRATION = f"{PATH}/integrations/dynamics365"

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


def integration(place: Place) -> dict:
    """Returns what connects the organization with the simulated system: settings and credentials."""
    connection = simulator.control(place).get("/_simulator/connection")
    return {
        "displayName": "Members in Dynamics 365",
        "direction": "both",
        "settings": {
            "baseUrl": connection["baseUrl"],
            "authorityUrl": connection["baseUrl"],
            "tenant": connection["tenant"],
            "members": {
                "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
                "alternateKey": "hlf_memberno", "fields": MEMBER_FIELDS,
            },
            "memberships": {
                "entitySet": "hlf_memberships", "logicalName": "hlf_membership", "primaryKey": "hlf_membershipid",
                "alternateKey": "hlf_number", "fields": {"memberId": OWNER, **MEMBERSHIP_FIELDS},
            },
        },
        "credentials": {"clientId": connection["clientId"], "clientSecret": connection["clientSecret"]},
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

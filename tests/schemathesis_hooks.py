"""What Schemathesis does not do by itself: `SCHEMATHESIS_HOOKS=tests.schemathesis_hooks`.

Catalogues in NDJSON; the token of each route from HANDHELD_TOKEN, OFFICE_TOKEN and GATE_TOKEN. And staff: with STATION, STAFF_NAME and STAFF_PIN in the environment it pairs a tablet by the code on the display, which
this machine may read, logs in, and sends the session's cookies and its CSRF token to the routes of staff; whoever logs out has a session of
his own, so that the others go on.
"""

import os

import requests
import schemathesis

STATION = os.environ.get("STATION", "").rstrip("/")


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


class Session:
    """Somebody of the staff, logged in once on a tablet of his own."""

    sent = None

    def cookies_and_token(self):
        if self.sent is None:
            tablet = requests.Session()
            code = requests.get(f"{STATION}/v1/display", timeout=10).json()["pairing_code"]
            told = tablet.post(f"{STATION}/v1/staff/tablet", json={"code": code, "name": "test"}, timeout=10)
            told.raise_for_status()
            who = {"name": os.environ["STAFF_NAME"], "pin": os.environ["STAFF_PIN"]}
            told = tablet.post(f"{STATION}/v1/staff/session", json=who, timeout=30)
            told.raise_for_status()
            self.sent = tablet.cookies.get_dict(), told.json()["csrf_token"]
        return self.sent


# Both are opened before the first test: wrong PINs, of which there will be many, lock this address out.
AT_WORK, LEAVING = Session(), Session()
if STATION:
    AT_WORK.cookies_and_token(), LEAVING.cookies_and_token()


def is_of_staff(case):
    return (case.operation.path.startswith("/v1/staff/") or case.operation.path == "/v1/audit") and (
        case.operation.path != "/v1/staff/tablet"
    )


# By the heading under which a route stands.
TOKENS = {
    "Baskets": "HANDHELD_TOKEN",
    "Validations": "HANDHELD_TOKEN",
    "Back office": "OFFICE_TOKEN",
    "Operations": "OFFICE_TOKEN",
    "Display": "OFFICE_TOKEN",
    "Gate": "GATE_TOKEN",
}


@schemathesis.auth(refresh_interval=None)
class Credentials:
    """All of them here: headers of the configuration stay with a connection, and would go to routes of somebody else."""

    def get(self, case, context):
        if is_of_staff(case):
            leaves = case.method.upper() == "DELETE" and case.operation.path == "/v1/staff/session"
            return (LEAVING if leaves else AT_WORK).cookies_and_token() if STATION else None
        names = [TOKENS[tag] for tag in case.operation.tags or [] if tag in TOKENS]
        return os.environ.get(names[0]) if names else None

    def set(self, case, data, context):
        if isinstance(data, tuple):
            case.cookies.update(data[0])
            case.headers["x-csrf-token"] = data[1]
        elif data:
            case.headers["Authorization"] = f"Bearer {data}"

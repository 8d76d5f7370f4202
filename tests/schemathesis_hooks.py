"""Catalogues in NDJSON, which Schemathesis does not write by itself: `SCHEMATHESIS_HOOKS=tests/schemathesis_hooks.py`."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")

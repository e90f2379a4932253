"""What schemathesis has to be told of our media types; it loads this file by itself (see test_openapi.py)."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """Logbook lines are a text; whatever else is generated goes out as one line of JSON."""
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("application/octet-stream")
def bytes_as_text(context, response):
    return response.content.decode("latin-1")

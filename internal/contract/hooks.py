"""What the API takes although no schema can say so.

An empty or blank parameter counts as absent (?format=&year=), and so does a list of
nothing (?sort=,,): requests that differ from
valid ones by such parameters alone are answered, and are not asked here. What counts
is what is sent: an object or a list in place of a year may be written as ?year=.
"""

from urllib.parse import parse_qs, urlsplit

import requests
import schemathesis


def sent(case):
    """The parameters as the server sees them: values by name."""
    request = case.as_transport_kwargs("http://server")
    prepared = requests.Request("GET", "http://server", params=request.get("params")).prepare()
    return parse_qs(urlsplit(prepared.url).query, keep_blank_values=True)


def empty(values):
    return not any(value.replace(",", " ").strip() for value in values)


@schemathesis.hook
def filter_case(context, case):
    return not any(empty(values) for values in sent(case).values())

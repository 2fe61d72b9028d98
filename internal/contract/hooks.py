"""What the API takes although no schema can say so.

An empty or blank parameter counts as absent (?format=&year=), and so does a list of
nothing (?sort=,,): requests that differ from
valid ones by such parameters alone are answered, and are not asked here. Nor are
objects in place of a value: a query cannot say them, and some are written as ?year=.
"""

import schemathesis


def empty(value):
    values = value if isinstance(value, list) else [value]
    return not any(v is not None and str(v).replace(",", " ").strip() for v in values)


@schemathesis.hook
def filter_query(context, query):
    return not any(isinstance(value, dict) or empty(value) for value in (query or {}).values())

"""Reads a delivery report as a mail programme would, and prints what it found as JSON.

Independent of the gateway's code: Python's email package takes the message apart.
"""
import json
import sys
from email import message_from_bytes, policy
from email.parser import HeaderParser


def defects(part):
    found = [type(defect).__name__ for defect in part.defects]
    for value in part.values():
        found += [type(defect).__name__ for defect in getattr(value, "defects", [])]
    for inner in part.iter_parts() if part.is_multipart() and part.get_content_maintype() == "multipart" else []:
        found += defects(inner)
    return found


def groups(part):
    """The groups of fields of a delivery-status part, split at empty lines (RFC 3464 2.1)."""
    if part.get_content_type() == "message/delivery-status":
        blocks = [inner.as_string() for inner in part.get_payload()]
    else:
        whole = part.get_payload(0)
        raw = whole.as_bytes().decode("utf-8")
        blocks = raw.replace("\r\n", "\n").split("\n\n")
    parser = HeaderParser(policy=policy.compat32)
    return [dict(parser.parsestr(block).items()) for block in blocks if block.strip()]


message = message_from_bytes(sys.stdin.buffer.read(), policy=policy.default)
parts = list(message.iter_parts())
text, status, returned = (parts + [None, None, None])[:3]
print(json.dumps({
    "type": message.get_content_type(),
    "report_type": message.get_param("report-type"),
    "auto_submitted": message["Auto-Submitted"],
    "from": str(message["From"]),
    "to": str(message["To"]),
    "parts": [part.get_content_type() for part in parts],
    "text": text.get_content(),
    "groups": groups(status),
    "returned": [list(map(str, item)) for item in (
        returned.get_payload(0).items() if returned.get_content_maintype() == "message"
        else HeaderParser(policy=policy.default).parsestr(returned.get_content()).items())],
    "defects": defects(message),
}))

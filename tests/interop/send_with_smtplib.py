"""Hands one message to a server with Python's smtplib. Exit 0: taken for somebody; 1: refused for all; 2: not reached.

Usage: send_with_smtplib.py HOST:PORT clear|starttls|implicit ROOTS FROM TO[,TO...] FILE [USER:PASSWORD]
"""

import smtplib
import ssl
import sys

server, tls, roots, sender, recipients, path = sys.argv[1:7]
login = sys.argv[7] if len(sys.argv) > 7 else None
host, port = server.rsplit(":", 1)
context = ssl.create_default_context(cafile=roots)
with open(path, "rb") as file:
    message = file.read()
try:
    if tls == "implicit":
        session = smtplib.SMTP_SSL(host, int(port), "client.lab.example", context=context, timeout=30)
    else:
        session = smtplib.SMTP(host, int(port), "client.lab.example", timeout=30)
    with session:
        if tls == "starttls":
            session.starttls(context=context)
        session.ehlo()
        if login:
            session.login(*login.split(":", 1))
        international = not (sender + recipients).isascii()
        options = ["BODY=8BITMIME", "RET=HDRS", "ENVID=lab+2Bone"] + (["SMTPUTF8"] if international else [])
        refused = session.sendmail(sender, recipients.split(","), message, options, ["NOTIFY=FAILURE,DELAY"])
        print("refused:", refused)
except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
    print(type(error).__name__, error)
    sys.exit(1)
except OSError as error:
    print(type(error).__name__, error)
    sys.exit(2)

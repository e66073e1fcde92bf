"""Takes mail with aiosmtpd and keeps each message in a file. It offers neither PIPELINING nor CHUNKING nor DSN.

Usage: serve_with_aiosmtpd.py ADDRESS PORT CERTIFICATE KEY FOLDER
"""

import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP

address, port, certificate, key, folder = sys.argv[1:6]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
put_off = set()
kept = 0


class Keeper:
    async def handle_RCPT(self, server, session, envelope, recipient, options):
        name = recipient.split("@")[0]
        if name == "nobody":
            return "550 5.1.1 no such user"
        if name == "later" and recipient not in put_off:
            put_off.add(recipient)
            return "450 4.2.0 greylisted, come back"
        envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        global kept
        kept += 1
        tls = "TLS" if session.ssl else "clear"
        head = f"{tls} {','.join(envelope.rcpt_tos)}\n".encode()
        path = os.path.join(folder, f"{kept:06}")
        with open(path + ".partial", "wb") as file:
            file.write(head + envelope.original_content)
        os.rename(path + ".partial", path + ".message")
        return "250 2.0.0 kept"


def session():
    return SMTP(Keeper(), hostname="mx.partner.example", enable_SMTPUTF8=True, tls_context=context, data_size_limit=50_000_000)


async def main():
    server = await asyncio.get_running_loop().create_server(session, address, int(port))
    await server.serve_forever()


asyncio.run(main())

"""A real SMTP server (aiosmtpd, RFC 5321) on a free loopback port. It prints its port, and then each mail that it takes
as a line of JSON. What comes before the @ of a recipient says what becomes of it: gone is refused for good, later for
now. With a certificate and its key it offers STARTTLS, and takes mails only from who signs in as rollcall/secret."""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 no such user"
        if address.startswith("later@"):
            return "450 4.2.0 greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "encrypted": session.ssl is not None,
            "authenticated": session.authenticated, "data": envelope.original_content.decode("ascii"),
        }), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    # Not handled: the server answers that the password is wrong.
    return AuthResult(success=(data.login, data.password) == (b"rollcall", b"secret"), handled=False)


def smtp(context):
    if context is None:
        return SMTP(Handler())
    return SMTP(Handler(), tls_context=context, authenticator=authenticate, auth_required=True)


async def main():
    context = None
    if len(sys.argv) > 1:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = await asyncio.get_running_loop().create_server(lambda: smtp(context), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The end of standard input is the end of whoever started this.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())

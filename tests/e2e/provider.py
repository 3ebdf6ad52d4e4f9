"""An OpenID Connect provider on this machine: asks who somebody is, and believes every answer."""

import json
import secrets
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "transfer-lab", "a secret of the client"


class Provider:
    """`people`: the name of each subject, offered as links to whoever is sent here to log in."""

    def __init__(self, people: Mapping[str, str]) -> None:
        self.people = people
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.nonces: dict[str, tuple[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def secrets_file(self, app: str) -> str:
        """What an app at this address has to have among its secrets."""
        return (
            f'[auth]\nredirect_uri = "{app}/oauth2callback"\n'
            f'cookie_secret = "{secrets.token_hex(16)}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{self.url}/.well-known/openid-configuration"\n'
        )

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def page(self, asked: Mapping[str, str]) -> str:
        links = []
        for subject, name in self.people.items():
            code = secrets.token_hex(8)
            self.nonces[code] = (subject, asked["nonce"])
            back = urlencode({"code": code, "state": asked["state"]})
            links.append(f'<a href="{asked["redirect_uri"]}?{back}">{name}</a>')
        return f"<!doctype html><title>Who are you?</title>{' '.join(links)}"

    def token(self, asked: Mapping[str, str]) -> dict[str, Any]:
        subject, nonce = self.nonces.pop(asked["code"])
        now = int(time.time())
        claims = {
            **{"iss": self.url, "aud": CLIENT, "sub": subject, "name": self.people[subject]},
            **{"iat": now, "exp": now + 600, "nonce": nonce},
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return {"id_token": signed, "access_token": "none", "token_type": "Bearer"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/authorize":
                    self._send(provider.page(_flat(parts.query)), "text/html")
                elif parts.path == "/keys":
                    self._send({"keys": [provider.key.as_dict(private=False)]})
                else:
                    self._send(provider.metadata())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._send(provider.token(_flat(body)))

            def _send(self, content: Any, kind: str = "application/json") -> None:
                text = content if isinstance(content, str) else json.dumps(content)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}

"""The container file: what it copies is there, its commands are the app's."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILE = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def command(instruction: str) -> list[str]:
    """The JSON form of the last such instruction."""
    return json.loads(re.findall(rf"^{instruction}\b.*?(\[.*\])$", FILE, re.MULTILINE)[-1])


def test_what_it_copies_is_there():
    copied = re.findall(r"^COPY (\S+)", FILE, re.MULTILINE)
    assert "requirements.txt" in copied
    assert all((ROOT / name).exists() for name in copied)


def test_no_data_and_no_tests_get_into_the_image():
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").split()
    assert {".git", "tests", "benchmarks"} <= set(ignored)
    assert not {"app.py", "pages", "tl_core", "tl_ui", ".streamlit"} & set(ignored)


def test_it_runs_the_app_as_somebody_who_is_not_root():
    assert command("CMD")[:3] == ["streamlit", "run", "app.py"]
    user, start = FILE.index("\nUSER lab"), FILE.index("\nCMD")
    assert user < start and "TL_HOME=/data" in FILE


@pytest.mark.parametrize("good", [True, False])
def test_the_health_check_fails_where_nobody_answers(good, tmp_path):
    check = command("HEALTHCHECK")
    assert check[0] == "python"
    serve = (
        "import http.server, sys, threading\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200 if self.path == '/_stcore/health' else 404)\n"
        "        self.end_headers()\n"
        "    def log_message(self, *words): pass\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), Handler)\n"
        "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
        "code = sys.argv[1].replace('8501', str(server.server_port))\n"
        f"exec(code if {good} else code.replace('health', 'nothing'))\n"
    )
    ran = subprocess.run([sys.executable, "-c", serve, check[-1]], capture_output=True, check=False)
    assert (ran.returncode == 0) is good

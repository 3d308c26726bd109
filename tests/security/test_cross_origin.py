"""What a page on another port of this machine can do to the site, in a real browser: nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytestmark = pytest.mark.browser


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>elsewhere</title><iframe name='aim'></iframe>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """A site on another port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def foreign_page(browser: Any, elsewhere: str) -> Iterator[Any]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(elsewhere)
    yield page
    context.close()


def refused(live_server: Any) -> int:
    """How often the server has refused a call from another site."""
    samples = live_server.app.state.metrics.requests.collect()[0].samples
    return int(sum(s.value for s in samples if s.name.endswith("_total") and s.labels["status"] == "403"))


@pytest.mark.parametrize(
    "options",
    [
        "{mode: 'no-cors', credentials: 'include'}",
        "{mode: 'cors', credentials: 'include'}",
        "{mode: 'no-cors', headers: {'Content-Type': 'text/plain'}, body: '{}'}",
        "{mode: 'cors', referrerPolicy: 'no-referrer'}",
    ],
)
def test_another_sites_scripts_open_no_session(live_server: Any, foreign_page: Any, options: str) -> None:
    before, count = refused(live_server), len(live_server.app.state.store)
    foreign_page.evaluate(f"fetch('{live_server.url}/api/sessions', {{method: 'POST', ...{options}}}).catch(() => 0)")
    assert refused(live_server) == before + 1
    assert len(live_server.app.state.store) == count


def test_another_sites_forms_open_no_session(live_server: Any, foreign_page: Any) -> None:
    count = len(live_server.app.state.store)
    with foreign_page.expect_response(lambda response: response.url.endswith("/api/sessions")) as caught:
        foreign_page.evaluate(
            "url => { const form = document.createElement('form'); form.method = 'post'; form.action = url;"
            " form.target = 'aim'; document.body.append(form); form.submit() }",
            f"{live_server.url}/api/sessions",
        )
    assert caught.value.status == 403
    assert len(live_server.app.state.store) == count


def test_another_site_reads_nothing_and_frames_nothing(live_server: Any, foreign_page: Any) -> None:
    for path in ("/api/lessons", "/en/", "/healthz"):
        outcome = foreign_page.evaluate("url => fetch(url).then(() => 'read', () => 'refused')", live_server.url + path)
        assert outcome == "refused", path
    manifest = live_server.app.state.assets.url("main.js")
    outcome = foreign_page.evaluate(
        "url => new Promise(done => { const script = document.createElement('script'); script.src = url;"
        " script.onload = () => done('loaded'); script.onerror = () => done('refused');"
        " document.body.append(script) })",
        live_server.url + manifest,
    )
    assert outcome == "refused"
    outcome = foreign_page.evaluate(
        "url => new Promise(done => { const socket = new WebSocket(url); socket.onopen = () => done('open');"
        " socket.onerror = () => done('refused') })",
        live_server.url.replace("http", "ws") + "/api/sessions",
    )
    assert outcome == "refused"
    with foreign_page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        foreign_page.evaluate("url => { document.querySelector('iframe').src = url }", f"{live_server.url}/en/")


def test_a_name_that_leads_here_is_not_enough(
    live_server: Any, browser_type: Any, browser_type_launch_args: Any
) -> None:
    """DNS rebinding: another site's name, made to point at this machine."""
    port = live_server.url.rpartition(":")[2]
    rules = f"--host-resolver-rules=MAP rebound.example:{port} 127.0.0.1:{port}"
    options = {**browser_type_launch_args, "args": [*browser_type_launch_args["args"], rules]}
    with browser_type.launch(**options) as browser:
        response = browser.new_page().goto(f"http://rebound.example:{port}/en/")
        assert response.status == 421


def test_the_sites_own_pages_run_no_inline_script_and_call_no_other_host(
    live_server: Any, browser: Any, elsewhere: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{live_server.url}/en/")
    page.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = 'window.injected = 1';"
        " document.body.append(script); document.body.insertAdjacentHTML('beforeend',"
        ' \'<img src="data:," onerror="window.injected = 2">\') }'
    )
    outcome = page.evaluate("url => fetch(url, {mode: 'no-cors'}).then(() => 'sent', () => 'refused')", elsewhere)
    assert outcome == "refused"
    assert page.evaluate("window.injected === undefined")
    context.close()

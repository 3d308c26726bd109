"""Running cells through HTTP: real server, real kernels, real engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema_rs
import pytest

from app.resources import PACKAGE
from tests.api.conftest import ENDLESS

GRAPH = "application/vnd.gradlens.graph.v1+json"


def test_printing_and_the_last_expression(learner: Any) -> None:
    answer = learner.run("print('一')\n6 * 7")
    assert (answer.text, answer.result) == ("一\n", "42")
    assert answer.status["status"] == "ok"
    assert answer.status["execution_count"] == 1
    assert answer.status["elapsed_ms"] >= 0
    assert learner.run("None").status["execution_count"] == 2


def test_a_session_has_one_namespace_and_torch_is_there(learner: Any) -> None:
    learner.run("import torch\nx = torch.tensor([1.0, 2.0], requires_grad=True)")
    learner.run("y = (x ** 2).sum()\ny.backward()")
    assert learner.run("x.grad").result == "tensor([2., 4.])"


def test_sessions_do_not_share(new_learner: Callable[[], Any]) -> None:
    one, other = new_learner(), new_learner()
    one.run("secret = 1")
    answer = other.run("secret")
    assert answer.status["status"] == "error"
    assert answer.error["ename"] == "NameError"


def test_errors_name_the_line_and_carry_no_terminal_colours(learner: Any) -> None:
    answer = learner.run("a = 1\n\n1 / 0")
    assert answer.status["status"] == "error"
    assert (answer.error["ename"], answer.error["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert answer.error["metadata"]["line"] == 3
    assert "\x1b" not in json.dumps(answer.error)


def test_a_graph_comes_with_the_cell_that_built_it(learner: Any) -> None:
    answer = learner.run("import torch\nx = torch.tensor(3.0, requires_grad=True)\ny = x * x\ny.backward()")
    graphs = [output["data"][GRAPH] for output in answer.outputs if GRAPH in output.get("data", {})]
    assert len(graphs) == 1
    schema = json.loads((PACKAGE / "schemas" / "graph.v1.json").read_text(encoding="utf-8"))
    jsonschema_rs.validate(schema, graphs[0])
    assert "MulBackward0" in {node.get("name") for node in graphs[0]["nodes"]}
    assert "backward_begin" in {event["type"] for event in graphs[0]["events"]}
    assert not any(GRAPH in output.get("data", {}) for output in learner.run("1 + 1").outputs)


def test_output_arrives_while_the_cell_runs_and_stop_stops_it(learner: Any) -> None:
    with learner.running(ENDLESS) as stream:
        # Here before the cell has ended, for it never ends by itself.
        assert next(stream)[1]["text"].startswith("begun")
        assert learner.call("POST", "/interrupt").status_code == 202
        *_, (name, status) = stream
    assert (name, status["status"]) == ("status", "interrupted")
    assert learner.run("'alive'").result == "'alive'"


def test_hanging_up_stops_the_cell(learner: Any) -> None:
    with learner.running(ENDLESS) as stream:
        next(stream)
    # Would wait for its turn behind the endless cell, and then time out.
    assert learner.run("'alive'").result == "'alive'"


def test_interrupting_nothing_is_harmless(learner: Any) -> None:
    assert learner.call("POST", "/interrupt").status_code == 202
    assert learner.run("1").status["status"] == "ok"


def test_restart_forgets_and_history_rebuilds(learner: Any) -> None:
    learner.run("a = 1")
    assert learner.call("POST", "/restart").status_code == 202
    assert learner.run("a").error["ename"] == "NameError"
    learner.call("POST", "/restart")
    answer = learner.run("a + b", ["a = 20\nprint('silent')", "1 / 0", "b = 22"])
    assert (answer.result, answer.text) == ("42", "")


def test_history_is_not_run_again_while_the_namespace_lives(learner: Any) -> None:
    learner.run("a = 1")
    assert learner.run("a", ["a = 2"]).result == "1"


def test_a_kernel_that_ends_itself_is_reported_and_rebuilt(learner: Any) -> None:
    learner.run("a = 1")
    assert learner.run("import os\nos._exit(3)").status["status"] == "killed"
    assert learner.run("a", ["a = 1"]).result == "1"


def test_two_runs_of_one_session_take_turns(live_server: Any, learner: Any) -> None:
    learner.run("order = []")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: learner.run(f"order.append({number}); len(order)"), range(4)))
    assert sorted(answer.result for answer in answers) == ["1", "2", "3", "4"]
    assert learner.run("sorted(order)").result == "[0, 1, 2, 3]"


def test_many_learners_at_once(new_learner: Callable[[], Any]) -> None:
    learners = [new_learner() for _ in range(12)]

    def work(number: int) -> str | None:
        learners[number].run(f"import torch\nt = torch.full((2,), {number}.)")
        return learners[number].run("t.sum().item()").result

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(work, range(12))) == [f"{2 * number}.0" for number in range(12)]


def test_large_output_is_cut_and_says_so(learner: Any) -> None:
    answer = learner.run("print('head')\nprint('x' * 3_000_000)\nprint('tail')")
    assert answer.status["status"] == "ok"
    assert answer.text.startswith("head")
    assert answer.text.rstrip().endswith("tail")
    assert len(answer.text) < 1_200_000


@pytest.mark.parametrize(
    "source", ["", "   \n", "# nothing", "\ufeffa = 1", "print('\\ud800')", "a = '\u2028'\r\nprint(1)"]
)
def test_odd_sources_end_with_a_status(learner: Any, source: str) -> None:
    assert learner.run(source).status["status"] in ("ok", "error")


def test_completion_and_documentation(learner: Any) -> None:
    learner.run("import torch\nnumbers = torch.arange(3)")
    found = learner.call("POST", "/complete", json={"source": "张 = numbers.requires_gr", "cursor": 23}).json()
    assert (found["start"], found["end"]) == (12, 23)
    assert "requires_grad" in {match["text"].rpartition(".")[2] for match in found["matches"]}
    found = learner.call("POST", "/inspect", json={"source": "torch.arange", "cursor": 12}).json()
    assert found["found"] is True
    assert "arange" in found["data"]["text/plain"]
    assert learner.call("POST", "/inspect", json={"source": "no_such", "cursor": 3}).json()["found"] is False


def test_a_closed_session_is_gone(learner: Any) -> None:
    learner.run("1")
    assert learner.call("DELETE").status_code == 204
    gone = learner.call("POST", "/run", json={"cell": "c", "source": "1"})
    assert (gone.status_code, gone.json()["type"]) == (404, "/docs#unknown-session")


def test_a_browsers_cookie_serves_one_session_only(client: Any, learner: Any) -> None:
    own = client.post("/api/sessions").json()["session"]
    run = {"cell": "c", "source": "1"}
    # The client keeps cookies as a browser does: by path.
    assert client.post(f"/api/sessions/{own}/run", json=run).status_code == 200
    assert client.post(f"/api/sessions/{learner.id}/run", json=run).status_code == 403
    assert client.delete(f"/api/sessions/{own}").status_code == 204
    assert client.post(f"/api/sessions/{own}/run", json=run).status_code == 403


def test_health_names_each_layer(client: Any) -> None:
    answer = client.get("/healthz").json()
    assert answer["status"] == "ok"
    layers = answer["confinement"]["layers"]
    assert layers["no_new_privileges"]["holds"] is True
    assert layers["limits"]["holds"] is True


def test_metrics_count_runs(client: Any, learner: Any) -> None:
    def count() -> float:
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith('gradlens_runs_total{status="error"}'))

    before = count()
    learner.run("1 / 0")
    assert count() == before + 1

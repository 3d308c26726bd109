"""The recorder: what the graph document says about a cell, for all that a learner may do in it."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import engine
from engine.state import state
from engine.trace import Recorder
from engine.trace.document import LIMIT

ROOT = Path(__file__).parents[3]
VALID = jsonschema_rs.validator_for(json.loads((ROOT / "app/schemas/graph.v1.json").read_text(encoding="utf-8")))

Document = dict[str, Any]


class Session:
    """A learner's session: cells that share their names."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.names: dict[str, Any] = {"torch": engine, "nn": engine.nn}
        self.count = 0

    def run(self, source: str) -> Document:
        """Run a cell that builds or runs a graph; its document, validated."""
        document = self.attempt(source)
        assert document is not None
        return document

    def attempt(self, source: str, error: type[BaseException] | None = None) -> Document | None:
        self.count += 1
        filename = f"<cell {self.count}>"
        with self.recorder.recording(cell=f"c{self.count}", source=source, filename=filename, namespace=self.names):
            code = compile(source, filename, "exec")
            if error is None:
                exec(code, self.names)
            else:
                with pytest.raises(error):
                    exec(code, self.names)
        assert state.recorder is None
        document = self.recorder.document()
        if document is not None:
            text = json.dumps(document, ensure_ascii=False, allow_nan=False)
            assert len(text.encode()) <= LIMIT
            assert not [str(error) for error in VALID.iter_errors(json.loads(text))]
            consistent(document)
        return document


def consistent(document: Document) -> None:
    """Every id that is named is a node, and appears on the film before it acts."""
    known = {node["id"] for node in document["nodes"]}
    assert len(known) == len(document["nodes"])
    for edge in document["edges"]:
        assert {edge["from"], edge["to"]} <= known
    shown: set[str] = set()
    for event in document["events"]:
        if event["type"] == "create":
            assert not shown & set(event["nodes"]), "created twice"
            shown |= set(event["nodes"])
        elif event["type"] in ("visit", "free") and event["node"].startswith("f"):
            assert event["node"] in shown
        elif event["type"] == "backward_begin":
            assert set(event["roots"]) <= shown
    assert shown <= known
    assert {node["id"] for node in document["nodes"] if node["kind"] != "accumulate"} <= shown


def run(source: str) -> Document:
    return Session().run(source)


def functions(document: Document) -> list[dict[str, Any]]:
    return [node for node in document["nodes"] if node["kind"] == "function"]


def tensors(document: Document) -> dict[str, dict[str, Any]]:
    """Named tensors; of several with one name the last."""
    return {node["name"]: node for node in document["nodes"] if node["kind"] == "tensor" and node["name"]}


def events(document: Document, kind: str) -> list[dict[str, Any]]:
    return [event for event in document["events"] if event["type"] == kind]


def text_of(document: Document, node: dict[str, Any]) -> str:
    """The stretch of source that a node names."""
    lines = document["sources"][node["cell"]].split("\n")[node["line"] - 1 : node["end_line"]]
    lines[-1] = lines[-1][: node["end_column"]]
    lines[0] = lines[0][node["column"] :]
    return "\n".join(lines)


def source_texts(document: Document) -> list[str]:
    return [text_of(document, node) for node in functions(document)]


LEAVES = "x = torch.tensor(2.0, requires_grad=True)\na = torch.tensor(3.0)\nb = torch.tensor(4.0)\n"


# -- where ----------------------------------------------------------------------------------------------------------


def test_spans_are_sub_expressions() -> None:
    document = run(LEAVES + "y = a*x**2 + b*x + 1")
    assert source_texts(document) == ["x**2", "a*x**2", "b*x", "a*x**2 + b*x", "a*x**2 + b*x + 1"]


def test_columns_count_characters_not_bytes() -> None:
    document = run(LEAVES + "名 = '梯度'; 结果 = a * x  # 乘")
    assert source_texts(document) == ["a * x"]
    assert tensors(document)["结果"]["line"] == 4


def test_an_expression_over_several_lines() -> None:
    document = run(LEAVES + "y = (\n    a * x\n    + b\n)")
    assert source_texts(document) == ["a * x", "a * x\n    + b"]
    assert tensors(document)["y"]["end_line"] == 6


def test_code_of_an_earlier_cell_keeps_its_span() -> None:
    session = Session()
    session.attempt("def f(x):\n    return x ** 2\n")
    document = session.run("x = torch.tensor(3.0, requires_grad=True)\ny = f(x)")
    (square,) = functions(document)
    assert (square["cell"], text_of(document, square)) == ("c1", "x ** 2")
    assert set(document["sources"]) == {"c1", "c2"}
    assert tensors(document)["y"]["role"] == "intermediate"


def test_work_inside_a_library_belongs_to_the_line_that_called_it() -> None:
    document = run("layer = nn.Linear(2, 1)\ny = layer(torch.ones(1, 2))")
    assert set(source_texts(document)) == {"layer(torch.ones(1, 2))"}
    assert {"layer.weight", "layer.bias", "y"} <= set(tensors(document))
    assert tensors(document)["layer.weight"]["role"] == "parameter"


def test_runs_of_a_loop_are_numbered() -> None:
    document = run(LEAVES + "y = x\nfor i in range(3):\n    y = y * a\n")
    assert [(node["instance"], text_of(document, node)) for node in functions(document)] == [
        (1, "y * a"), (2, "y * a"), (3, "y * a"),
    ]  # fmt: skip


# -- names ----------------------------------------------------------------------------------------------------------


def test_names_of_variables() -> None:
    document = run(
        LEAVES + "y = a * x\nu, v = x + 1, x + 2\nw: object = x - 1\nif (n := x * 5) > 0:\n    pass\ny += 1\n"
    )
    found = tensors(document)
    assert {"x", "a", "y", "u", "v", "w", "n"} <= set(found)
    values = [found[name]["value"]["numbers"] for name in ("u", "v", "w", "n", "y")]
    assert values == [[3.0], [4.0], [1.0], [10.0], [7.0]]


def test_a_name_that_is_used_again_names_each_of_its_tensors() -> None:
    document = run(LEAVES + "for v in (1.0, 2.0):\n    z = torch.tensor(v, requires_grad=True)\n    y = z * a\n")
    named = [node for node in document["nodes"] if node["kind"] == "tensor" and node["name"] == "z"]
    assert [node["value"]["numbers"] for node in named] == [[1.0], [2.0]]


def test_tensors_of_a_comprehension() -> None:
    document = run(LEAVES + "ys = [x * k for k in (1.0, 2.0)]\ntotal = ys[0] + ys[1]\n")
    assert source_texts(document) == ["x * k", "x * k", "ys[0] + ys[1]"]
    assert tensors(document)["total"]["value"]["numbers"] == [6.0]


# -- cells ----------------------------------------------------------------------------------------------------------


def test_a_graph_that_goes_on_from_an_earlier_cell() -> None:
    session = Session()
    session.run(LEAVES + "h = a * x\n")
    document = session.run("y = h ** 2\ny.backward()\n")
    first = document["events"][0]
    assert (first["type"], first["span"]) == ("create", None)
    earlier = {node["name"] for node in document["nodes"] if node["id"] in first["nodes"]}
    assert {"x", "a", "h", "MulBackward0"} <= earlier
    assert tensors(document)["x"]["grad"]["numbers"] == [36.0]
    assert [event["node"] for event in events(document, "visit")] == [
        node["id"] for node in sorted(functions(document), key=lambda node: node["name"], reverse=True)
    ]


def test_ids_stay_from_cell_to_cell() -> None:
    session = Session()
    one = session.run(LEAVES + "y = a * x\n")
    two = session.run("z = y + 1\n")
    assert tensors(one)["y"]["id"] == tensors(two)["y"]["id"]


@pytest.mark.parametrize(
    "source", ["", "1 + 1", "x = torch.ones(3)", "y = torch.ones(2) * 3", "with torch.no_grad():\n    z = x * 2"]
)
def test_no_document_without_a_graph(source: str) -> None:
    session = Session()
    session.names["x"] = engine.ones(2, requires_grad=True)
    assert session.attempt(source) is None


# -- passes ---------------------------------------------------------------------------------------------------------


def test_accumulation_over_two_passes() -> None:
    document = run(LEAVES + "y = a * x\ny.backward(retain_graph=True)\ny.backward()\n")
    added = [
        (event["pass"], event["before"] and event["before"]["numbers"], event["after"]["numbers"])
        for event in events(document, "accumulate")
    ]
    assert added == [(1, None, [3.0]), (2, [3.0], [6.0])]
    assert [event["pass"] for event in events(document, "free")] == [2]
    assert functions(document)[0]["freed"] is True
    assert [event["retain_graph"] for event in events(document, "backward_begin")] == [True, False]


def test_a_freed_graph_is_reported_with_its_node() -> None:
    session = Session()
    document = session.attempt(LEAVES + "y = a * x ** 2\ny.backward()\ny.backward()\n", RuntimeError)
    assert document is not None
    end = events(document, "backward_end")[-1]
    assert end["error"].startswith("Trying to backward through the graph a second time")
    names = {node["id"]: node["name"] for node in functions(document)}
    assert names[end["node"]] == "MulBackward0"


def test_an_error_before_the_pass_leaves_the_graph() -> None:
    document = Session().attempt("x = torch.ones(2, requires_grad=True)\ny = x * 2\ny.backward()\n", RuntimeError)
    assert document is not None
    assert events(document, "backward_begin") == []
    assert len(functions(document)) == 1


def test_orders_of_differentiation() -> None:
    document = run(
        "x = torch.tensor(2.0, requires_grad=True)\ng = x ** 4\n"
        "for k in range(3):\n    g = torch.autograd.grad(g, x, create_graph=True)[0]\n"
    )
    assert {node["order"] for node in functions(document)} == {1, 2, 3, 4}
    ends = events(document, "backward_end")
    values = {node["id"]: node["value"]["numbers"] for node in document["nodes"] if node["kind"] == "tensor"}
    assert [values[end["results"][0]["result"]] for end in ends] == [[32.0], [48.0], [48.0]]
    assert tensors(document)["x"]["grad"] is None


def test_broadcasting_is_told() -> None:
    document = run("w = torch.ones(3, requires_grad=True)\nm = torch.ones(2, 3)\ny = (m * w).sum()\ny.backward()\n")
    summed = [out["summed"] for event in events(document, "visit") for out in event["grad_out"] if out["summed"]]
    assert summed == [{"from_shape": [2, 3], "dims": [0]}]
    assert tensors(document)["w"]["grad"]["numbers"] == [2.0, 2.0, 2.0]


def test_only_what_was_needed_is_saved() -> None:
    document = run(LEAVES + "y = a * x ** 2\n")
    power, product = functions(document)
    assert [each["name"] for each in product["saved"]] == ["self"]
    assert [formula["needed"] for formula in product["formula"]] == [False, True]
    assert power["attributes"] == {"exponent": "2"}
    assert power["source"]["file"] == "engine/ops/arithmetic.py"
    assert "class Pow" in power["source"]["text"]


# -- writes ---------------------------------------------------------------------------------------------------------


def test_a_recorded_write_gives_a_tensor_a_new_self() -> None:
    document = run(LEAVES + "h = a * x\nh.mul_(5)\n")
    (write,) = events(document, "mutate")
    by_id = {node["id"]: node for node in document["nodes"]}
    assert by_id[write["by"]]["name"] == "MulBackward0"
    assert (by_id[write["was"]]["value"]["numbers"], write["value"]["numbers"]) == ([6.0], [30.0])
    assert (write["version"], by_id[write["node"]]["version"]) == (1, 1)


def test_a_write_through_a_view() -> None:
    document = run("x = torch.ones(3, requires_grad=True)\nh = x * 2\nv = h[0]\nv.mul_(10)\nh.sum().backward()\n")
    names = [node["name"] for node in functions(document)]
    assert "CopySlices" in names
    assert "AsStridedBackward0" in names
    assert tensors(document)["x"]["grad"]["numbers"] == [20.0, 2.0, 2.0]
    memory = {(node["name"], node["storage"]["id"]) for node in document["nodes"] if node["kind"] == "tensor"}
    of_h = {place for name, place in memory if name in ("h", "v")}
    assert len(of_h) == 1, "all that h and its view ever were lies in one memory"
    assert not of_h & {place for name, place in memory if name not in ("h", "v", None)}
    (free,) = [event for event in events(document, "free") if event["node"] == events(document, "mutate")[0]["by"]]
    assert free["names"] == ["other"]


def test_a_write_without_history_is_a_later_value() -> None:
    document = run(LEAVES + "y = a * x\ny.backward()\nwith torch.no_grad():\n    x -= 0.1 * x.grad\nx.grad = None\n")
    (write,) = events(document, "mutate")
    assert (write["node"], write["by"]) == (tensors(document)["x"]["id"], None)
    assert write["value"]["numbers"] == pytest.approx([1.7])
    assert events(document, "zero_grad")[0]["tensors"] == [write["node"]]
    assert len(functions(document)) == 1


def test_an_optimizer() -> None:
    document = run(
        LEAVES + "optimizer = torch.optim.SGD([x], lr=0.1)\nfor i in range(2):\n    optimizer.zero_grad()\n"
        "    y = a * x ** 2\n    y.backward()\n    optimizer.step()\n"
    )
    steps = events(document, "step")
    assert [step["optimizer"] for step in steps] == ["SGD", "SGD"]
    assert [step["changes"][0]["after"]["numbers"] for step in steps] == [
        pytest.approx([0.8]), pytest.approx([0.32]),
    ]  # fmt: skip
    assert [event["tensors"] for event in events(document, "zero_grad")][-1] == [tensors(document)["x"]["id"]]


# -- what learners make ---------------------------------------------------------------------------------------------


def test_a_function_of_the_learners_own() -> None:
    document = run(
        "class Cube(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, x):\n        ctx.save_for_backward(x)\n        return x ** 3\n"
        "    @staticmethod\n    def backward(ctx, grad):\n"
        "        (x,) = ctx.saved_tensors\n        return 3 * x ** 2 * grad\n"
        "x = torch.tensor(2.0, requires_grad=True)\ny = Cube.apply(x)\ny.backward()\n"
    )
    (cube,) = functions(document)
    assert (cube["name"], cube["op"], text_of(document, cube)) == ("CubeBackward", "Cube", "Cube.apply(x)")
    assert cube["source"] is None
    assert events(document, "accumulate")[0]["after"]["numbers"] == [12.0]


def test_parameters_of_a_module_are_named() -> None:
    document = run(
        "net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))\n"
        "loss = net(torch.ones(4, 2)).pow(2).mean()\nloss.backward()\n"
    )
    found = tensors(document)
    assert {"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias", "loss"} <= set(found)
    assert all(found[f"net.{layer}.weight"]["grad"] is not None for layer in (0, 2))
    assert found["loss"]["role"] == "output"


def test_detached_and_constant_tensors() -> None:
    document = run(LEAVES + "d = (a * x).detach()\nz = d * x\n")
    found = tensors(document)
    assert (found["d"]["role"], found["a"]["role"], found["x"]["role"]) == ("constant", "constant", "leaf")
    product = functions(document)[-1]
    first = {"name": "self", "tensor": found["d"]["id"], "text": None, "next": None, "next_slot": 0}
    assert product["inputs"][0] == first


def test_work_under_no_grad_is_not_drawn() -> None:
    document = run(LEAVES + "with torch.no_grad():\n    k = a * x\ny = k * x\n")
    assert source_texts(document) == ["k * x"]
    assert tensors(document)["k"]["role"] == "constant"


# -- values ---------------------------------------------------------------------------------------------------------


def test_large_tensors_come_as_statistics() -> None:
    document = run("x = torch.arange(10000.0).requires_grad_()\ny = (x * 2).sum()\ny.backward()\n")
    value = tensors(document)["x"]["value"]
    assert (value["shape"], value["complete"], value["min"], value["max"], value["mean"]) == (
        [10000], False, 0.0, 9999.0, 4999.5,
    )  # fmt: skip
    assert value["numbers"][:3] == [0.0, 1.0, 2.0]


def test_numbers_that_json_does_not_have() -> None:
    document = run("x = torch.tensor([float('nan'), float('inf'), -float('inf')], requires_grad=True)\ny = x * 1\n")
    value = tensors(document)["x"]["value"]
    assert value["numbers"] == ["nan", "inf", "-inf"]
    assert value["text"] == "[nan, inf, -inf]"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "complex64"])
def test_values_of_every_kind_that_has_gradients(dtype: str) -> None:
    document = run(f"x = torch.tensor([1, 2], dtype=torch.{dtype}, requires_grad=True)\ny = x * 2\n")
    assert tensors(document)["x"]["dtype"] == f"torch.{dtype}"


def test_empty_and_boolean_tensors() -> None:
    document = run(
        "x = torch.zeros(0, requires_grad=True)\nm = torch.zeros(0, dtype=torch.bool)\n"
        "y = (x * m).sum()\ny.backward()\n"
    )
    assert tensors(document)["x"]["value"]["mean"] is None


# -- bounds ---------------------------------------------------------------------------------------------------------


def test_a_loop_of_500_steps_stays_within_bounds_and_says_so() -> None:
    document = run(
        LEAVES + "optimizer = torch.optim.SGD([x], lr=0.01)\nfor i in range(500):\n    optimizer.zero_grad()\n"
        "    y = a * x ** 2 + b\n    y.backward()\n    optimizer.step()\n"
    )
    truncated = document["truncated"]
    assert truncated is not None
    assert truncated["events_left_out"] > 400
    assert tensors(document)["x"]["grad"] is not None
    # What is shown is whole iterations: each has its pass, from beginning to end, and its step.
    begins, ends = events(document, "backward_begin"), events(document, "backward_end")
    assert len(begins) == len(ends) == len(events(document, "step")) >= 3
    visits = [sum(e["pass"] == begin["pass"] for e in events(document, "visit")) for begin in begins]
    assert visits == [3] * len(begins)


def test_many_operations_at_different_places() -> None:
    source = LEAVES + "y = x\n" + "".join(f"y = y * a + {number}\ny = y / a\n" for number in range(900))
    document = run(source)
    assert document["truncated"] is not None


def test_large_values_everywhere() -> None:
    source = "x = torch.ones(30, 30, requires_grad=True)\ny = x\n" + "y = y.sin() * x\n" * 120 + "y.sum().backward()\n"
    document = run(source)
    assert len(functions(document)) > 10


# -- manners --------------------------------------------------------------------------------------------------------


def test_recorded_tensors_die_when_the_learner_lets_go() -> None:
    session = Session()
    session.run(LEAVES + "y = (a * x) ** 2\ny.backward()\n")
    seen = [weakref.ref(session.names[name]) for name in "xay"]
    nodes = [weakref.ref(session.names["y"].grad_fn)]
    for name in "xay":
        del session.names[name]
    gc.collect()
    assert [reference() for reference in seen + nodes] == [None] * 4


def test_what_a_module_computed_dies_too() -> None:
    session = Session()
    session.run("net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())\nx = torch.ones(1, 2)\ny = net(x)\n")
    seen = [weakref.ref(session.names.pop(name)) for name in ("net", "x", "y")]
    gc.collect()
    assert [reference() for reference in seen] == [None] * 3


def test_nothing_is_left_switched_on_after_an_error() -> None:
    session = Session()
    document = session.attempt(LEAVES + "y = a * x\nraise ValueError\n", ValueError)
    assert document is not None
    assert state.recorder is None
    assert engine.is_grad_enabled()
    session.attempt("with torch.no_grad():\n    1 / 0\n", ZeroDivisionError)
    assert engine.is_grad_enabled()


def test_recordings_can_nest() -> None:
    outer, inner = Recorder(), Recorder()
    with outer.recording(cell="o", source="", filename="<o>"):
        with inner.recording(cell="i", source="", filename="<i>"):
            assert state.recorder is inner
        assert state.recorder is outer
    assert state.recorder is None


def test_a_hook_that_fails_ends_the_pass_on_the_film() -> None:
    source = LEAVES + "y = a * x\ny.register_hook(lambda g: 1 / 0)\ny.backward()\n"
    document = Session().attempt(source, ZeroDivisionError)
    assert document is not None
    assert events(document, "backward_end")[0]["error"] == "division by zero"


def test_a_name_that_misbehaves_does_not_spoil_the_document() -> None:
    session = Session()
    session.attempt("class Odd:\n    def named_parameters(self):\n        raise ValueError\nodd = Odd()\n")
    assert tensors(session.run(LEAVES + "y = a * x\n"))["y"]["value"]["numbers"] == [6.0]

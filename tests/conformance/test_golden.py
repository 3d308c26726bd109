"""The graphs, bit patterns and trajectories that PyTorch 2.13 recorded, in the engine and in the recorder's document.

`golden.json` holds them: for every graph its nodes, edges and saved values, the order of the backward pass with the
gradients that went in and came out, and what a plain backward pass frees.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

import engine
from engine.trace import Recorder
from tests.conformance.programs import FOLDER, namespace

GOLDEN = json.loads((FOLDER / "golden.json").read_text(encoding="utf-8"))
GRAPHS = GOLDEN["golden_graph"]
SCHEMA = json.loads((FOLDER.parent.parent / "app" / "schemas" / "graph.v1.json").read_text(encoding="utf-8"))
VALID = jsonschema_rs.validator_for(SCHEMA)

graphs = pytest.mark.parametrize("case", GRAPHS.values(), ids=GRAPHS.keys())


def built(case: dict[str, Any]) -> dict[str, Any]:
    """The case's program, run."""
    names = namespace()
    exec(case["source"], names)
    return names


def numbered(case: dict[str, Any], root: Any) -> dict[int, Any]:
    """The engine's node for every number of the case, found along the case's edges."""
    nodes = {case["root"]: root}
    for edge in case["edges"]:
        target, output = nodes[edge["src"]].next_functions[edge["slot"]]
        assert target is not None, edge
        assert output == edge["input_nr"]
        assert nodes.setdefault(edge["dst"], target) is target, f"two nodes for {edge['dst']}"
    return nodes


def plain(value: Any) -> Any:
    """A tensor as nested lists; numbers, tuples and None as JSON has them."""
    if isinstance(value, engine.Tensor):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


@graphs
def test_nodes_and_edges(case: dict[str, Any]) -> None:
    names = built(case)
    output = names[case["output"]]
    assert plain(output) == case["value"]
    nodes = numbered(case, output.grad_fn)
    assert len(set(nodes.values())) == len(case["nodes"])
    for described in case["nodes"]:
        node = nodes[described["id"]]
        assert node.name().removeprefix("torch::autograd::") == described["name"]
        leads = [(slot, edge) for slot, (edge, _) in enumerate(node.next_functions) if edge is not None]
        expected = [(edge["slot"], nodes[edge["dst"]]) for edge in case["edges"] if edge["src"] == described["id"]]
        assert leads == expected
        if "leaf" in described:
            assert node.variable is names[described["leaf"]]
            assert plain(node.variable) == described["value"]


@graphs
def test_saved_values(case: dict[str, Any]) -> None:
    nodes = numbered(case, built(case)[case["output"]].grad_fn)
    for described in case["nodes"]:
        for name, expected in described["saved"].items():
            found = plain(getattr(nodes[described["id"]], f"_saved_{name}"))
            assert repr(found) == repr(expected), f"{described['name']}._saved_{name}"


@graphs
def test_backward_order_and_gradients(case: dict[str, Any]) -> None:
    names = built(case)
    output = names[case["output"]]
    nodes = numbered(case, output.grad_fn)
    seen: list[dict[str, Any]] = []

    def watch(number: int) -> Any:
        def hook(grad_inputs: tuple[Any, ...], grad_outputs: tuple[Any, ...]) -> None:
            inputs, outputs = [plain(grad) for grad in grad_inputs], [plain(grad) for grad in grad_outputs]
            seen.append({"node": number, "grad_outputs": outputs, "grad_inputs": inputs})

        return hook

    for number, node in nodes.items():
        node.register_hook(watch(number))
    output.backward()
    assert seen == case["backward_order"]
    assert {name: plain(names[name].grad) for name in case["leaf_grads"]} == case["leaf_grads"]


@graphs
def test_a_plain_backward_frees_what_was_saved_and_nothing_else(case: dict[str, Any]) -> None:
    output = built(case)[case["output"]]
    nodes = numbered(case, output.grad_fn)
    output.backward()
    for described in case["saved_after_plain_backward"]:
        for name, expected in described["saved"].items():
            if expected == "FREED":
                with pytest.raises(RuntimeError, match="they have already been freed"):
                    getattr(nodes[described["id"]], f"_saved_{name}")
            elif expected is not None:
                assert plain(getattr(nodes[described["id"]], f"_saved_{name}")) == expected
    # What has let go of its values keeps its place in the graph.
    assert numbered(case, output.grad_fn) == nodes


# -- the recorder's document --------------------------------------------------------------------------------------


def filmed(case: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document of the case's program and a backward pass, and its nodes by id."""
    source = case["source"] + f"\n{case['output']}.backward()\n"
    recorder = Recorder()
    names = namespace()
    with recorder.recording(cell="golden", source=source, filename="<golden>", namespace=names):
        exec(compile(source, "<golden>", "exec"), names)
    document = recorder.document()
    assert document is not None
    assert not list(VALID.iter_errors(json.loads(json.dumps(document))))
    assert document["truncated"] is None
    return document, {node["id"]: node for node in document["nodes"]}


def drawn(case: dict[str, Any], document: dict[str, Any], by_id: dict[str, Any]) -> dict[int, Any]:
    """The document's node for every number of the case."""
    last = max(event["pass"] for event in document["events"] if event["type"] == "backward_begin")
    begin = next(e for e in document["events"] if e["type"] == "backward_begin" and e["pass"] == last)
    (root,) = begin["roots"]
    made = [by_id[edge["from"]] for edge in document["edges"] if edge["to"] == root]
    nodes = {case["root"]: made[0]}
    for edge in case["edges"]:
        operand = nodes[edge["src"]]["inputs"][edge["slot"]]
        assert operand["next_slot"] == edge["input_nr"]
        assert nodes.setdefault(edge["dst"], by_id[operand["next"]]) is by_id[operand["next"]]
    return nodes


def numbers(preview: dict[str, Any] | None) -> Any:
    """A preview as nested lists."""
    if preview is None:
        return None
    assert preview["complete"]
    return np.array(preview["numbers"]).reshape(preview["shape"]).tolist()


@graphs
def test_document_shows_the_graph(case: dict[str, Any]) -> None:
    document, by_id = filmed(case)
    nodes = drawn(case, document, by_id)
    freed = {n["id"] for n in case["saved_after_plain_backward"] if "FREED" in n["saved"].values()}
    for described in case["nodes"]:
        node = nodes[described["id"]]
        if "leaf" in described:
            leaf = by_id[node["tensor"]]
            assert (node["kind"], leaf["name"], leaf["role"]) == ("accumulate", described["leaf"], "leaf")
            assert numbers(leaf["value"]) == described["value"]
            assert numbers(leaf["grad"]) == case["leaf_grads"][described["leaf"]]
            continue
        assert (node["kind"], node["name"]) == ("function", described["name"])
        assert node["source"]["file"].startswith("engine/ops/")
        assert node["line"] is not None
        leads = [slot for slot, operand in enumerate(node["inputs"]) if operand["next"] is not None]
        assert leads == [edge["slot"] for edge in case["edges"] if edge["src"] == described["id"]]
        assert [formula["slot"] for formula in node["formula"] if formula["needed"]] == leads
        saved = {each["name"]: numbers(each["value"]) for each in node["saved"]}
        expected = {
            name: value
            for name, value in described["saved"].items()
            if value is not None and name not in node["attributes"] and "_sym_" not in name
        }
        assert saved == expected
        assert node["freed"] is (described["id"] in freed)


@graphs
def test_document_tells_the_pass(case: dict[str, Any]) -> None:
    document, by_id = filmed(case)
    nodes = drawn(case, document, by_id)
    last = max(event["pass"] for event in document["events"] if event["type"] == "backward_begin")
    events = [event for event in document["events"] if event.get("pass") == last]
    assert [events[0]["type"], events[-1]["type"]] == ["backward_begin", "backward_end"]
    seen = []
    number = {node["id"]: place for place, node in nodes.items()}
    for event in events:
        if event["type"] == "visit":
            into, out = event["grad_in"], [each["grad"] for each in event["grad_out"]]
            gradients = {
                "grad_outputs": [numbers(each) for each in into],
                "grad_inputs": [numbers(each) for each in out],
            }
            seen.append({"node": number[event["node"]], **gradients})
        elif event["type"] == "accumulate":
            added = numbers(event["added"])
            seen.append({"node": number[event["node"]], "grad_outputs": [added], "grad_inputs": []})
            assert (event["before"], numbers(event["after"])) == (None, added)
    assert seen == case["backward_order"]
    freed = [number[event["node"]] for event in events if event["type"] == "free"]
    order = [step["node"] for step in case["backward_order"]]
    holds = {n["id"] for n in case["saved_after_plain_backward"] if "FREED" in n["saved"].values()}
    assert freed == [node for node in order if node in holds]


# -- bits ---------------------------------------------------------------------------------------------------------


def bits(tensor: Any) -> str:
    """The stored bits of a 0-d tensor, most significant first."""
    if tensor.dtype is engine.bfloat16:
        return f"{int(tensor.to(engine.float32).numpy().view(np.uint32)) >> 16:016b}"
    array = tensor.numpy()
    return f"{int(array.view(f'u{array.itemsize}')):0{8 * array.itemsize}b}"


@pytest.mark.parametrize("case", GOLDEN["golden_bits"], ids=lambda case: f"{case['value']}-{case['dtype']}")
def test_bits(case: dict[str, Any]) -> None:
    dtype = getattr(engine, case["dtype"].removeprefix("torch."))
    value = float(case["value"]) if dtype.is_floating_point else int(case["value"])
    tensor = engine.tensor(value, dtype=dtype)
    assert bits(tensor) == case["bits"]
    assert str(tensor.item()) == case["stored"]
    assert str(tensor) == case["printed"]


# -- trajectories: bit for bit ------------------------------------------------------------------------------------

TRAJECTORIES = GOLDEN["golden_trajectories"]


def parabola(x: Any) -> Any:
    """The article's function with its coefficients as tensors."""
    a, b, c = engine.tensor(1.0), engine.tensor(-2.0), engine.tensor(1.0)
    return a * engine.pow(x, 2) + b * x + c


@pytest.mark.parametrize("rate", TRAJECTORIES["parabola_sgd"])
def test_descent_on_the_parabola(rate: str) -> None:
    expected = TRAJECTORIES["parabola_sgd"][rate]
    x = engine.tensor(0.0, requires_grad=True)
    optimizer = engine.optim.SGD([x], lr=float(rate))
    places, slopes, heights = [x.item()], [], []
    for _ in range(len(expected["grad"])):
        optimizer.zero_grad()
        y = parabola(x)
        y.backward()
        optimizer.step()
        heights.append(y.item())
        slopes.append(x.grad.item())
        places.append(x.item())
    assert {"x": places, "grad": slopes, "y": heights} == expected


def test_descent_without_zero_grad() -> None:
    x = engine.tensor(0.0, requires_grad=True)
    optimizer = engine.optim.SGD([x], lr=0.1)
    for place, slope in TRAJECTORIES["parabola_forgot_zero_grad_lr0_1"]:
        parabola(x).backward()
        optimizer.step()
        assert [x.item(), x.grad.item()] == [place, slope]


def test_the_articles_500_steps() -> None:
    x = engine.tensor(0.0, requires_grad=True)
    optimizer = engine.optim.SGD(params=[x], lr=0.01)
    for expected in TRAJECTORIES["article_500_steps_lr0_01"]:
        optimizer.zero_grad()
        parabola(x).backward()
        optimizer.step()
        assert x.item() == expected


@pytest.mark.parametrize("name", TRAJECTORIES["valley"])
def test_descent_in_the_valley(name: str) -> None:
    kind, *settings = name.split()
    options = {key: float(value) for key, value in (setting.split("=") for setting in settings)}
    point = engine.tensor([-6.0, 2.0], requires_grad=True)
    optimizer = getattr(engine.optim, kind)([point], **options)
    for expected in TRAJECTORIES["valley"][name][1:]:
        optimizer.zero_grad()
        (0.05 * point[0] ** 2 + point[1] ** 2).backward()
        optimizer.step()
        # The others take square roots, and PyTorch's (MKL's) are not rounded correctly: 1 in 6 is off in the last bit.
        assert point.tolist() == (expected if kind == "SGD" else pytest.approx(expected, rel=1e-5, abs=1e-6))


# -- XOR ----------------------------------------------------------------------------------------------------------


def test_xor() -> None:
    """The small classifier: 17 parameters after 100 steps of Adam, and the surface it draws."""
    nn = engine.nn
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid())
    with engine.no_grad():
        for p in net.parameters():
            p.copy_(engine.sin(engine.arange(p.numel()) * 1.7 + 0.5).reshape(p.shape))
    inputs = engine.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = engine.tensor([[0.0], [1.0], [1.0], [0.0]])
    golden = GOLDEN["golden_xor"]
    axis = golden["grid_axis"]
    grid = engine.tensor([[x, y] for x in axis for y in axis])
    loss_fn = nn.BCELoss()
    optimizer = engine.optim.Adam(net.parameters(), lr=0.1)
    for step, expected in enumerate(golden["losses"]):
        if str(step) in golden["snapshots"]:
            snapshot = golden["snapshots"][str(step)]
            found = np.concatenate([p.detach().numpy().reshape(-1) for p in net.parameters()])
            # exp and tanh differ from PyTorch's own in the last bit here and there; a hundred steps carry that on.
            np.testing.assert_allclose(found, np.concatenate(snapshot["params"]), rtol=2e-4, atol=2e-5)
            np.testing.assert_allclose(net(grid).detach().numpy().reshape(-1), snapshot["grid"], atol=2e-4)
        optimizer.zero_grad()
        loss = loss_fn(net(inputs), targets)
        loss.backward()
        optimizer.step()
        assert loss.item() == pytest.approx(expected, abs=2e-5)

"""Cells in real, confined kernels: what comes out of them, and in which order."""

from __future__ import annotations

import asyncio
import importlib.util
import json

import pytest
from kernel_lab import Lab, collect

from app.kernels.events import KernelEvent, Output
from app.kernels.limits import GRAPH_MIME


def test_the_last_expression_is_shown_with_its_number(lab: Lab) -> None:
    kernel = lab.kernel()
    first = lab.run("x = 20 + 1\nx * 2", kernel)
    assert first.value == "42"
    assert first.outputs[0]["execution_count"] == 1
    assert (first.status.status, first.status.reason, first.status.execution_count) == ("ok", None, 1)
    second = lab.run("Out[1] + _", kernel)
    assert second.value == "84"
    assert second.status.execution_count == 2
    assert lab.run("x;", kernel).outputs == []


def test_output_arrives_while_the_cell_runs(lab: Lab) -> None:
    """The cell loops until it is stopped, and it is stopped by what it printed: that cannot have waited for its end."""
    kernel = lab.kernel()
    source = "import os\nprint('first')\nwhile not stop: pass\n"

    async def stop(event: KernelEvent) -> None:
        if isinstance(event, Output) and event.output.get("text") == "first\n":
            await kernel.interrupt()

    async def scenario() -> list[str]:
        result = await collect(kernel, "stop = False\n" + source, on_event=stop)
        return [output["output_type"] for output in result.outputs]

    assert lab.wait(asyncio.wait_for(scenario(), 8)) == ["stream", "error"]


def test_streams_displays_and_results_keep_their_order(lab: Lab) -> None:
    result = lab.run(
        "import sys\nprint('a')\nprint('b', file=sys.stderr)\ndisplay('c')\nprint('d')\n"
        "for i in range(3): print(i, end=' ')\n'e'"
    )
    shown = [output.get("text") or output["data"]["text/plain"] for output in result.outputs]
    assert shown == ["a\n", "b\n", "'c'", "d\n0 1 2 ", "'e'"]


def test_an_error_shows_the_learners_frames_as_jupyter_does(lab: Lab) -> None:
    kernel = lab.kernel()
    lab.run("def g():\n    return 1 / 0", kernel)
    result = lab.run("x = 1\n\ng()", kernel)
    error = result.error
    assert (error["ename"], error["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert error["metadata"]["line"] == 3
    assert "Cell In[2], line 3" in error["traceback"]
    assert "Cell In[1], line 2, in g()" in error["traceback"]
    assert "----> 3 g()" in error["traceback"]
    assert error["traceback"][-1] == "ZeroDivisionError: division by zero"
    assert not any("\x1b" in line or "\n" in line for line in error["traceback"])
    assert result.status.status == "error"


def test_the_line_of_an_error_is_the_deepest_in_the_cell(lab: Lab) -> None:
    assert lab.run("def g():\n    1 / 0\ng()").error["metadata"]["line"] == 2


def test_frames_of_the_engine_are_left_out_and_its_text_stays(lab: Lab) -> None:
    error = lab.run("import torch\ntorch.fail('sizes do not match')").error
    assert error["traceback"][-1] == "RuntimeError: sizes do not match"
    assert error["metadata"]["line"] == 2
    text = "\n".join(error["traceback"])
    assert "fake_engine" not in text
    assert "_deeper" not in text


def test_a_learners_frame_inside_the_engine_stays(lab: Lab) -> None:
    error = lab.run("import torch\ndef hook():\n    raise KeyError('mine')\ntorch.call(hook)").error
    assert "Cell In[1], line 3, in hook()" in error["traceback"]
    assert error["metadata"]["line"] == 3


def test_a_cause_is_shown_first(lab: Lab) -> None:
    lines = lab.run("try:\n    1 / 0\nexcept Exception as e:\n    raise KeyError('k') from e").error["traceback"]
    assert lines.index("ZeroDivisionError: division by zero") < lines.index("KeyError: 'k'")
    assert "The above exception was the direct cause of the following exception:" in lines


def test_a_syntax_error_says_where(lab: Lab) -> None:
    error = lab.run("x = 1\ndef f(:\n    pass").error
    assert (error["ename"], error["evalue"], error["metadata"]) == ("SyntaxError", "invalid syntax", {"line": 2})
    assert error["traceback"][0] == "  Cell In[1], line 2"
    assert lab.run("if True:\nx = 1").error["ename"] == "IndentationError"


def test_several_errors_at_once(lab: Lab) -> None:
    error = lab.run("raise ExceptionGroup('many', [ValueError(1), TypeError(2)])").error
    assert error["ename"] == "ExceptionGroup"
    assert any("Cell In[1]" in line for line in error["traceback"])
    assert any("TypeError: 2" in line for line in error["traceback"])


def test_an_exception_whose_message_fails(lab: Lab) -> None:
    result = lab.run("class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd")
    assert result.error["ename"] == "Odd"
    assert result.status.status == "error"


def test_a_warning_reads_as_in_a_notebook(lab: Lab) -> None:
    result = lab.run("import warnings\nwarnings.warn('the .grad attribute is None')")
    assert result.stream("stderr") == (
        "Cell In[1]:2: UserWarning: the .grad attribute is None\n  warnings.warn('the .grad attribute is None')\n"
    )
    assert result.status.status == "ok"


def test_input_says_that_it_is_not_available(lab: Lab) -> None:
    assert "input() is not available" in lab.run("input('name? ')").error["evalue"]


@pytest.mark.parametrize("source", ["exit()", "quit()", "import sys; sys.exit(1)", "raise SystemExit"])
def test_leaving_ends_the_cell_and_not_the_kernel(lab: Lab, source: str) -> None:
    kernel = lab.kernel()
    result = lab.run(f"x = 5; {source}", kernel)
    assert result.error["ename"] == "SystemExit"
    assert result.stream("stderr") == ""
    assert lab.run("x", kernel).value == "5"


def test_notebook_conveniences_work(lab: Lab) -> None:
    kernel = lab.kernel()
    assert "per loop" in lab.run("%timeit -n 1 -r 1 1 + 1", kernel).stream()
    assert "Return the number of items" in lab.run("len?", kernel).stream()
    assert lab.run("import asyncio\nawait asyncio.sleep(0)\n'awaited'", kernel).value == "'awaited'"
    markdown = lab.run("from IPython.display import Markdown\nMarkdown('*x*')", kernel)
    assert markdown.outputs[0]["data"]["text/markdown"] == "*x*"


def test_lone_surrogates_and_odd_text_pass(lab: Lab) -> None:
    result = lab.run("print('\\ud800', '张量 \\U0001f600', '\\0')")
    assert result.stream() == "\\ud800 张量 \U0001f600 \0\n"


def test_figures_appear_as_pictures(lab: Lab) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        assert "matplotlib" in lab.run("import matplotlib").error["evalue"]
        return
    result = lab.run("import matplotlib.pyplot as plt\nplt.plot([1, 4, 9]);")
    (figure,) = result.outputs
    assert figure["output_type"] == "display_data"
    assert figure["data"]["image/png"].startswith("iVBOR")


def test_torch_is_the_engine_the_very_same_modules(lab: Lab) -> None:
    source = (
        "import sys, torch, engine, torch.nn, torch.nn.functional as F\n"
        "from torch import nn\n"
        "import engine.nn.functional\n"
        "[torch is engine, nn is engine.nn, F is engine.nn.functional, torch.__spec__.name, nn.__spec__.name,"
        " sys.modules['torch.nn.functional'] is F]"
    )
    assert lab.run(source).value == "[True, True, True, 'engine', 'engine.nn', True]"


def test_below_torch_there_is_nothing_but_the_engine(lab: Lab) -> None:
    """Also on machines where real PyTorch is installed."""
    error = lab.run("import torch.cuda.amp").error
    assert (error["ename"], error["evalue"]) == ("ModuleNotFoundError", "No module named 'torch.cuda'")


def test_learners_do_not_share_random_numbers(lab: Lab) -> None:
    source = "import random, numpy\n(random.random(), numpy.random.rand())"
    assert lab.run(source).value != lab.run(source).value


def test_a_silent_run_leaves_its_names_and_its_count(lab: Lab) -> None:
    kernel = lab.kernel()
    silent = lab.run("z = 41\nprint('x')\nz", kernel, silent=True)
    assert silent.outputs == []
    result = lab.run("z + 1", kernel)
    assert result.value == "42"
    assert result.status.execution_count == 2


def test_every_run_is_recorded_under_the_name_of_its_code(lab: Lab) -> None:
    kernel = lab.kernel()
    lab.run("def f(): pass", kernel, cell="3.1-c1")
    result = lab.run(
        "import engine.trace as t\nf.__code__.co_filename == t.recorded[-2][2], t.recorded[-2][:2]",
        kernel,
    )
    assert result.value == "(True, ('3.1-c1', 'def f(): pass'))"


def choose_document(document: object) -> str:
    text = json.dumps(json.dumps(document))
    return f"import json, engine.trace\nengine.trace.next_document = json.loads({text})\nprint(1)"


def test_a_graph_document_comes_after_the_other_outputs(lab: Lab) -> None:
    document = {"version": 1, "sources": {}, "nodes": [], "edges": [], "events": [], "truncated": None}
    result = lab.run(choose_document(document))
    assert [output["output_type"] for output in result.outputs] == ["stream", "display_data"]
    assert result.outputs[1]["data"] == {GRAPH_MIME: document}


def test_a_document_that_breaks_the_schema_never_reaches_the_page(lab: Lab) -> None:
    result = lab.run(choose_document({"version": 1, "nodes": "<script>"}))
    assert "does not follow its schema" in result.stream("stderr")
    assert all(output["output_type"] == "stream" for output in result.outputs)
    assert result.status.status == "ok"


@pytest.mark.parametrize(("size", "says"), [(600_000, "KiB"), (6_000_000, "over the limit")])
def test_a_document_that_is_too_large_is_said_to_be(lab: Lab, size: int, says: str) -> None:
    result = lab.run(f"import engine.trace\nengine.trace.next_document = {{'sources': {{'a': 'x' * {size}}}}}")
    assert says in result.stream("stderr")
    assert result.status.status == "ok"


def test_completion_and_documentation(lab: Lab) -> None:
    kernel = lab.kernel()
    assert lab.wait(kernel.complete("torch.te", 8)) == {
        "matches": [{"text": "tensor", "type": "attribute"}],
        "start": 6,
        "end": 8,
    }
    found = lab.wait(kernel.inspect("torch.tensor", 12))
    assert found["found"] is True
    assert "Make a tensor." in found["data"]["text/plain"]
    assert lab.wait(kernel.inspect("nothing_here", 3)) == {"found": False, "data": {}}
    # Asking leaves nothing behind.
    assert lab.run("torch", kernel).error["ename"] == "NameError"


def test_completion_knows_the_learners_names(lab: Lab) -> None:
    kernel = lab.kernel()
    lab.run("learning_rate = 1", kernel)
    matches = lab.wait(kernel.complete("x = learn", 9))["matches"]
    assert [match["text"] for match in matches] == ["learning_rate"]


def test_a_run_and_an_empty_cell(lab: Lab) -> None:
    result = lab.run("   \n")
    assert result.outputs == []
    assert result.status.status == "ok"

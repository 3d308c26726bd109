"""The course plan's cells, in order, page by page: what PyTorch 2.13 printed, warned and raised is what ours does.

One page is one notebook: the cells of a chapter share their names. Where a section's cells go on from the article's
own, `ARTICLE` runs those first.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.programs import FOLDER, Outcome, namespace, run

PLAN = json.loads((FOLDER / "plan.json").read_text(encoding="utf-8"))

#: What the article's own cells leave behind, and what they print.
ARTICLE = {
    "3.1": (
        "import torch\n"
        "a = torch.tensor(1.0)\nb = torch.tensor(-2.0)\nc = torch.tensor(1.0)\n"
        "x = torch.tensor(0.0, requires_grad=True)\n"
        "y = a*torch.pow(x,2) + b*x + c\n"
        "y.backward()\nprint(x.grad)\n"
        "x = torch.tensor(0.0, requires_grad=True)\n"
        "y = a*torch.pow(x,2) + b*x + c\n",
        "tensor(-2.)\n",
    ),
    "3.2": (
        "x = torch.tensor(0.0, requires_grad=True)\n"
        "y = a*torch.pow(x,2) + b*x + c\n"
        "dy_dx = torch.autograd.grad(y, x, create_graph=True)[0]\nprint(dy_dx.data)\n"
        "dy2_dx2 = torch.autograd.grad(dy_dx, x)[0]\nprint(dy2_dx2.data)\n",
        "tensor(-2.)\ntensor(2.)\n",
    ),
    "3.3": (
        "x = torch.tensor(0.0, requires_grad=True)\n"
        "def f(x):\n    return a*torch.pow(x,2) + b*x + c\n"
        "optimizer = torch.optim.SGD(params=[x], lr=0.01)\n"
        "for i in range(500):\n"
        "    optimizer.zero_grad()\n    y = f(x)\n    y.backward()\n    optimizer.step()\n"
        'print("y=", f(x).data, ";", "x=", x.data)\n',
        "y= tensor(0.) ; x= tensor(1.0000)\n",
    ),
}

#: Chapters that the pages have; B1 to B5 come with a later issue, except those whose cells already run.
CHAPTERS = ("0", "1", "2", "3", "4")


def expected(cell: dict[str, Any]) -> Outcome:
    """What PyTorch showed."""
    told = cell["expected"]
    error = told["error"]
    return Outcome(
        told["stdout"],
        told["result"],
        None if error is None else (error["type"], error["message"], error["line"]),
        [(each["category"], each["message"]) for each in told["warnings"]],
    )


def sections(chapter: str) -> list[dict[str, Any]]:
    """The plan's sections of a page."""
    return [section for section in PLAN["sections"] if section["id"].split(".")[0] == chapter]


@pytest.fixture(scope="module")
def shown() -> dict[str, Outcome]:
    """Everything the pages showed, by cell."""
    outcomes = {}
    for chapter in CHAPTERS:
        names = namespace()
        for section in sections(chapter):
            for cell, source in ((f"{section['id']}-setup", section["setup"]), (section["id"], article(section["id"]))):
                if source:
                    outcomes[cell] = run(source, names)
            for cell in section["cells"]:
                outcomes[cell["id"]] = run(cell["source"], names)
    return outcomes


def article(section: str) -> str:
    return ARTICLE.get(section, ("", ""))[0]


CELLS = [cell for chapter in CHAPTERS for section in sections(chapter) for cell in section["cells"]]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell["id"])
def test_cell(cell: dict[str, Any], shown: dict[str, Outcome]) -> None:
    assert shown[cell["id"]] == expected(cell)


@pytest.mark.parametrize("section", ARTICLE)
def test_article_cell(section: str, shown: dict[str, Outcome]) -> None:
    assert shown[section] == Outcome(stdout=ARTICLE[section][1])


def test_all_of_the_plan_is_run() -> None:
    assert len(CELLS) == 49
    assert PLAN["summary"]["torch"].startswith("2.13.")

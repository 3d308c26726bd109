"""A small course to break in one way at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.lessons.catalog import read_lesson
from app.lessons.model import LANGUAGES, CellOutput
from app.lessons.recordings import RecordedCell, Recording, fingerprint, save_recording

FRONT = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
summary: {summary}
title: {title}
---
"""

ZH = """
开头，一个公式 $y = x^2$。

$$
\\frac{a}{b}
$$

(s1-1)=
## 1.1 第一节

```{code-cell} ipython3
:id: 1.1-c1

import torch
x = torch.tensor(2.0)  # 一个数
print("值", x)
```

:::{aside} 关于 `x`
见 [上文](#s1-1)。
:::

```{code-cell} ipython3
:id: 1.1-c2
:tags: [raises-exception]

raise ValueError("不行")
```

:::{quiz} s1-1-q1
`x` 是几？

- [ ] 1
- [x] 2

它是二。
:::
"""

EN = """
An opening with a formula $y = x^2$.

$$
\\frac{a}{b}
$$

(s1-1)=
## 1.1 The first section

```{code-cell} ipython3
:id: 1.1-c1

import torch
x = torch.tensor(2.0)  # a number
print("value", x)
```

:::{aside} About `x`
See [above](#s1-1).
:::

```{code-cell} ipython3
:id: 1.1-c2
:tags: [raises-exception]

raise ValueError("no")
```

:::{quiz} s1-1-q1
What is `x`?

- [ ] 1
- [x] 2

It is two.
:::
"""

ERROR: CellOutput = {
    "output_type": "error",
    "ename": "ValueError",
    "evalue": "",
    "traceback": [],
    "metadata": {"line": 1},
}


class Course:
    """A folder with one sound lesson, `01-one`, and ways to change it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "lessons" / "01-one"
        self.folder.mkdir(parents=True)
        (self.folder / "zh.md").write_text(FRONT.format(title="一", summary="第一页。") + ZH, encoding="utf-8")
        (self.folder / "en.md").write_text(FRONT.format(title="One", summary="The first.") + EN, encoding="utf-8")
        self.record()

    def replace(self, old: str, new: str, *languages: str) -> None:
        """Replace a piece of text that must be there, by default in both languages."""
        for lang in languages or LANGUAGES:
            path = self.folder / f"{lang}.md"
            text = path.read_text(encoding="utf-8")
            assert old in text
            path.write_text(text.replace(old, new), encoding="utf-8")

    def record(self) -> None:
        """Write a recording that fits the sources: no output, and an error where one is expected."""
        cells = {
            lang: {
                cell.id: RecordedCell(fingerprint(cell.source), (ERROR,) if cell.expects_error else ())
                for cell in read_lesson(self.folder, lang).cells
            }
            for lang in LANGUAGES
        }
        save_recording(self.folder, Recording("2.13.0", cells))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)

from __future__ import annotations

import pytest

from app.lessons.same_code import same_code


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("x = 1  # 一", "x = 1  # one"),
        ("print('值', x)", 'print("value", x)'),
        ("print(f'{x:.2f} 次')", "print(f'{x:.2f}')"),
        ("def f():\n    '''文'''\n    return 1", "def f():\n    '''doc'''\n    return 1"),
        ("%timeit x", "%timeit x"),
    ],
)
def test_comments_and_strings_may_differ(one: str, two: str) -> None:
    assert same_code(one, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "y = 1"),
        ("print('a')", "print('a', 'b')"),
        ("print(f'{x:.2f}')", "print(f'{x:.3f}')"),
        ("print(f'{x}')", "print(f'{y}')"),
        ("f(b'a')", "f(b'b')"),
        ("x = (", "x = ( "),
    ],
)
def test_anything_else_may_not(one: str, two: str) -> None:
    assert not same_code(one, two)

"""Whether two cells are the same program but for comments and the contents of strings."""

from __future__ import annotations

import ast

from IPython.core.inputtransformer2 import TransformerManager


def same_code(one: str, two: str) -> bool:
    """Compare two cells, IPython's magics included. Cells that do not parse must be equal to the letter."""
    try:
        return _shape(one) == _shape(two)
    except (SyntaxError, ValueError):
        return one == two


def _shape(source: str) -> str:
    plain: str = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
    return ast.dump(_Blank().visit(ast.parse(plain)))


class _Blank(ast.NodeTransformer):
    """Empties string literals; of a formatted string only what is computed in it is kept."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(value="") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        return ast.JoinedStr(values=[self.visit(part) for part in node.values if isinstance(part, ast.FormattedValue)])

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        # The format after the colon decides what is printed: it must agree.
        return ast.FormattedValue(self.visit(node.value), node.conversion, node.format_spec)

"""torch.return_types: the named tuples that operations with several results give."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any


class ReturnType(tuple[Any, ...]):
    """A tuple whose elements have names, printed one to a line."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __new__(cls, values: Iterable[Any]) -> ReturnType:
        return super().__new__(cls, values)

    def __repr__(self) -> str:
        lines = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{lines})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self),)


def _named(name: str, *fields: str) -> type[ReturnType]:
    members: dict[str, Any] = {field: property(itemgetter(place)) for place, field in enumerate(fields)}
    members |= {"__slots__": (), "_fields": fields, "__module__": "torch.return_types", "__doc__": ", ".join(fields)}
    return type(name, (ReturnType,), members)


max = _named("max", "values", "indices")
min = _named("min", "values", "indices")
median = _named("median", "values", "indices")
nanmedian = _named("nanmedian", "values", "indices")
mode = _named("mode", "values", "indices")
sort = _named("sort", "values", "indices")
topk = _named("topk", "values", "indices")
kthvalue = _named("kthvalue", "values", "indices")
cummax = _named("cummax", "values", "indices")
cummin = _named("cummin", "values", "indices")
aminmax = _named("aminmax", "min", "max")
qr = _named("qr", "Q", "R")
linalg_qr = _named("linalg_qr", "Q", "R")
linalg_svd = _named("linalg_svd", "U", "S", "Vh")
svd = _named("svd", "U", "S", "V")
linalg_eigh = _named("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_eig = _named("linalg_eig", "eigenvalues", "eigenvectors")
linalg_slogdet = _named("linalg_slogdet", "sign", "logabsdet")
slogdet = _named("slogdet", "sign", "logabsdet")
linalg_lstsq = _named("linalg_lstsq", "solution", "residuals", "rank", "singular_values")

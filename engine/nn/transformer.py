"""The transformer: layers of attention and a small network, each added to what came in and normalized."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from engine import arrays, dtypes
from engine.nn import functional as F
from engine.nn import init
from engine.nn.activation import GELU, ReLU
from engine.nn.attention import MultiheadAttention
from engine.nn.containers import ModuleList
from engine.nn.dropout import Dropout
from engine.nn.functional.attention import canonical_mask
from engine.nn.linear import Linear
from engine.nn.module import Module
from engine.nn.normalization import LayerNorm
from engine.tensor import Tensor, wrap

Activation = str | Callable[[Any], Any]


def _activation(activation: Activation) -> Callable[[Any], Any]:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _clones(module: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


def _causal_mask(length: int, dtype: dtypes.DType) -> Any:
    """-inf above the diagonal, else 0: (length, length)."""
    return wrap(np.triu(np.full((length, length), -np.inf, dtype.np), 1), dtype)


def _is_causal(mask: Any, is_causal: bool | None, length: int) -> bool:
    """Whether a mask hides all that comes after; `is_causal` answers unless it is None."""
    if is_causal is not None or mask is None:
        return bool(is_causal)
    return tuple(mask.shape) == (length, length) and bool(
        np.array_equal(np.asarray(arrays.to_host(mask._array)), _causal_mask(length, mask._dtype)._array)
    )


class _Layer(Module):
    """What layers of encoder and decoder share: a feed-forward network and how things are added and normalized."""

    def _feed_forward(self, d_model: int, width: int, dropout: float, bias: bool, kind: dict[str, Any]) -> None:
        self.linear1 = Linear(d_model, width, bias, **kind)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(width, d_model, bias, **kind)

    def _norms(self, count: int, d_model: int, eps: float, bias: bool, dropout: float, kind: dict[str, Any]) -> None:
        for number in range(1, count + 1):
            setattr(self, f"norm{number}", LayerNorm(d_model, eps, bias=bias, **kind))
        for number in range(1, count + 1):
            setattr(self, f"dropout{number}", Dropout(dropout))

    def _attend(self, attention: Module, query: Any, key: Any, mask: Any, padding: Any, causal: bool) -> Any:
        return attention(
            query, key, key, attn_mask=mask, key_padding_mask=padding, need_weights=False, is_causal=causal
        )[0]

    def _network(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then two linear maps with an activation between them.

    `norm_first` normalizes what goes into each part instead of what comes out.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **kind)
        self._feed_forward(d_model, dim_feedforward, dropout, bias, kind)
        self.norm_first = norm_first
        self._norms(2, d_model, layer_norm_eps, bias, dropout, kind)
        self.activation = _activation(activation)

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Tensor:
        """src: (S, N, E), or (N, S, E) with `batch_first`; the result has its shape."""
        dtype = src._dtype
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", src_mask, "src_mask", dtype)
        mask = canonical_mask(src_mask, "src_mask", None, "", dtype, False)
        x = src
        if self.norm_first:
            x = x + self._self_attention(self.norm1(x), mask, padding, is_causal)
            x = x + self.dropout2(self._network(self.norm2(x)))
        else:
            x = self.norm1(x + self._self_attention(x, mask, padding, is_causal))
            x = self.norm2(x + self.dropout2(self._network(x)))
        return x  # type: ignore[no-any-return]

    def _self_attention(self, x: Any, mask: Any, padding: Any, causal: bool) -> Any:
        return self.dropout1(self._attend(self.self_attn, x, x, mask, padding, causal))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's result, then two linear maps with an activation between them."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **kind)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **kind)
        self._feed_forward(d_model, dim_feedforward, dropout, bias, kind)
        self.norm_first = norm_first
        self._norms(3, d_model, layer_norm_eps, bias, dropout, kind)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """tgt: (T, N, E), memory: (S, N, E), or N first with `batch_first`; the result has the shape of tgt."""

        def own(x: Any) -> Any:
            return self.dropout1(self._attend(self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))

        def other(x: Any) -> Any:
            seen = self._attend(self.multihead_attn, x, memory, memory_mask, memory_key_padding_mask, memory_is_causal)
            return self.dropout2(seen)

        x = tgt
        if self.norm_first:
            x = x + own(self.norm1(x))
            x = x + other(self.norm2(x))
            x = x + self.dropout3(self._network(self.norm3(x)))
        else:
            x = self.norm1(x + own(x))
            x = self.norm2(x + other(x))
            x = self.norm3(x + self.dropout3(self._network(x)))
        return x  # type: ignore[no-any-return]


class TransformerEncoder(Module):
    """Copies of an encoder layer, one after the other."""

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        reason = _why_no_fast_path(encoder_layer)
        if enable_nested_tensor and reason:
            warnings.warn(
                f"enable_nested_tensor is True, but self.use_nested_tensor is False because {reason}", stacklevel=2
            )

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Tensor:
        """src: as for the layers; the result has its shape."""
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", mask, "mask", src._dtype)
        mask = canonical_mask(mask, "mask", None, "", src._dtype, False)
        first: Any = self.layers[0]
        causal = _is_causal(mask, is_causal, _length(src, first.self_attn.batch_first))
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        return output if self.norm is None else self.norm(output)  # type: ignore[no-any-return]


def _length(source: Any, batch_first: bool) -> int:
    """How long the sequences are."""
    return int(source.size(1 if batch_first and source.dim() == 3 else 0))


def _why_no_fast_path(layer: Any) -> str:
    """Why PyTorch's encoder would not use its shortcut for padded batches; it says so in a warning."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    attention: Any = layer.self_attn
    known = layer.activation in (F.relu, F.gelu) or isinstance(layer.activation, ReLU | GELU)
    for wrong, reason in (
        (layer.norm_first, ".norm_first was True"),
        (
            not attention.batch_first,
            ".self_attn.batch_first was not True(use batch_first for better inference performance)",
        ),
        (attention.in_proj_bias is None, ".self_attn was passed bias=False"),
        (not known, ".activation_relu_or_gelu was not True"),
        (attention.num_heads % 2 == 1, ".self_attn.num_heads is odd"),
    ):
        if wrong:
            return f"encoder_layer{reason}"
    return ""


class TransformerDecoder(Module):
    """Copies of a decoder layer, one after the other."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """tgt, memory: as for the layers; the result has the shape of tgt."""
        first: Any = self.layers[0]
        causal = _is_causal(tgt_mask, tgt_is_causal, _length(tgt, first.self_attn.batch_first))
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)  # type: ignore[no-any-return]


class Transformer(Module):
    """An encoder for the source and a decoder that writes the target."""

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        options = (dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(d_model, nhead, *options, **kind)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **kind)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(d_model, nhead, *options, **kind)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **kind)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """src: (S, N, E), tgt: (T, N, E), or N first with `batch_first`; the result has the shape of tgt."""
        place = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(place) != tgt.size(place):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(  # type: ignore[no-any-return]
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """-inf above the diagonal, else 0: (sz, sz)."""
        mask: Tensor = _causal_mask(sz, dtype or dtypes.get_default_dtype())
        return mask

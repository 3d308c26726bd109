"""Attention: `scaled_dot_product_attention`, and the layer of several heads around it."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from engine import arrays, dtypes
from engine.functions import FUNCTIONS
from engine.nn.functional.layers import dropout, linear
from engine.nn.functional.resampling import pad
from engine.nn.ops.attention import ScaledDotProductFlashAttentionForCpu
from engine.tensor import Tensor, rounded, wrap


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query @ keyᵀ / sqrt(E) + mask) @ value. query: (…, L, E), key: (…, S, E), value: (…, S, V).

    attn_mask: True where a query may look, or numbers to add. `is_causal`: no query looks at what comes after it.
    """
    _check(query, key, value, attn_mask)
    if enable_gqa and key.size(-3) != query.size(-3):
        times = query.size(-3) // key.size(-3)
        key, value = key.repeat_interleave(times, -3), value.repeat_interleave(times, -3)
    factor = 1 / math.sqrt(query.size(-1)) if scale is None else scale
    learned = attn_mask is not None and attn_mask.requires_grad
    heads = query.dim() == 4 and query.shape[:2] == key.shape[:2] == value.shape[:2]
    if heads and not dropout_p and not learned and query.size(-1) == value.size(-1):
        mask = _numbers(attn_mask, query, key, is_causal)
        result: Tensor = ScaledDotProductFlashAttentionForCpu.apply(query, key, value, mask, factor)[0]
        if not result._dtype.fast:  # an operation with several results leaves rounding to its caller
            result._array = rounded(result._array, result._dtype)
        return result
    # As PyTorch does it in plain steps: each factor gets half of the scale.
    if attn_mask is not None and is_causal:  # only the fused operation takes both
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    half = math.sqrt(factor)
    scores = (query * half).matmul(key.transpose(-2, -1) * half)
    if learned:
        scores = scores + attn_mask
    mask = _numbers(None if learned else attn_mask, query, key, is_causal)
    scores = scores if mask is None else scores + wrap(mask, query._dtype)
    hidden = np.isneginf(arrays.asarray(scores._array)).all(-1, keepdims=True)
    if hidden.any():  # queries that may see nothing get nothing, where a plain softmax gives nan
        nothing = wrap(hidden, dtypes.bool_)
        weights = scores.masked_fill(nothing, 0.0).softmax(-1).masked_fill(nothing, 0.0)
    else:
        weights = scores.softmax(-1)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return weights.matmul(value)  # type: ignore[no-any-return]


def _check(query: Any, key: Any, value: Any, attn_mask: Any) -> None:
    if not query._dtype is key._dtype is value._dtype:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {_c_name(query)} "
            f"key.dtype: {_c_name(key)} and value.dtype: {_c_name(value)} instead."
        )
    if min(query.dim(), key.dim(), value.dim()) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.dim()} key.dim: {key.dim()} and value.dim: {value.dim()} instead."
        )
    if attn_mask is None:
        return
    if attn_mask._dtype is not dtypes.bool_ and attn_mask._dtype is not query._dtype:
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{_c_name(attn_mask)} and  query.dtype: {_c_name(query)} instead."
        )


def _c_name(tensor: Any) -> str:
    """A dtype as C names it."""
    names = {"Long": "long int", "Half": "c10::Half", "BFloat16": "c10::BFloat16", "Byte": "unsigned char"}
    name: str = tensor._dtype.type_name
    return names.get(name, name.lower())


def _numbers(mask: Any, query: Any, key: Any, is_causal: bool) -> Any:
    """What is added to the scores: -inf where a query must not look; None for nothing."""
    kind = query._dtype.np
    added = None if mask is None else arrays.asarray(mask._array)
    if added is not None and mask._dtype is dtypes.bool_:
        added = np.where(added, kind.type(0), kind.type(-np.inf))
    if not is_causal:
        return added
    later = np.triu(arrays.full((query.size(-2), key.size(-2)), -np.inf, kind, query._array), 1)
    return later if added is None else later + added


def canonical_mask(
    mask: Any, name: str, other: Any, other_name: str, dtype: dtypes.DType, check_other: bool = True
) -> Any:
    """A mask as numbers to add; True, which means 'not this one' here, becomes -inf."""
    if mask is None:
        return None
    if mask._dtype is not dtypes.bool_ and not mask._dtype.is_floating_point:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if check_other and other is not None and mask._dtype is not other._dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=3,
        )
    if mask._dtype.is_floating_point:
        return mask
    hidden = arrays.asarray(mask._array)
    return wrap(np.where(hidden, dtype.np.type(-np.inf), dtype.np.type(0)), dtype)


def _check_shapes(query: Any, key: Any, value: Any, key_padding_mask: Any, attn_mask: Any, num_heads: int) -> bool:
    """Whether the inputs are batched; raises AssertionError unless all agree."""
    ndim = query.dim()
    if ndim not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor")
    sort = "batched (3-D)" if ndim == 3 else "unbatched (2-D)"
    if key.dim() != ndim or value.dim() != ndim:
        raise AssertionError(
            f"For {sort} `query`, expected `key` and `value` to be {ndim}-D but found {key.dim()}-D and "
            f"{value.dim()}-D tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask.dim() != ndim - 1:
        raise AssertionError(
            f"For {sort} `query`, expected `key_padding_mask` to be `None` or {ndim - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor instead"
        )
    if attn_mask is not None:
        if attn_mask.dim() not in (2, 3):
            raise AssertionError(
                f"For {sort} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D "
                "tensor instead"
            )
        expected = (num_heads, query.shape[0], key.shape[0])
        if ndim == 2 and attn_mask.dim() == 3 and tuple(attn_mask.shape) != expected:
            raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}")
    return bool(ndim == 3)


def _projected(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    """Queries, keys and values through one matrix of three parts."""
    width = query.size(-1)
    if key is value and query is key:
        made = linear(query, weight, bias)
        parts: Any = made.unflatten(-1, (3, width)).unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous()  # type: ignore[attr-defined]
        return parts[0], parts[1], parts[2]
    if key is value:
        of_query, of_pair = weight.split([width, width * 2])
        b_query, b_pair = (None, None) if bias is None else bias.split([width, width * 2])
        parts = linear(key, of_pair, b_pair)
        parts = parts.unflatten(-1, (2, width)).unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous()
        return linear(query, of_query, b_query), parts[0], parts[1]
    weights = weight.chunk(3)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    q, k, v = (linear(*each) for each in zip((query, key, value), weights, biases, strict=True))
    return q, k, v


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention of several heads. query: (L, N, E), key and value: (S, N, E), or all without N.

    Returns the result like the query and, if asked for, the weights (N, L, S), or (N, heads, L, S) unless averaged.
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        if key is value is query:
            query = key = value = query.unsqueeze(1)
        else:
            query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    dtype = query._dtype
    key_padding_mask = canonical_mask(key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", dtype)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = canonical_mask(attn_mask, "attn_mask", None, "", dtype, False)
        is_causal = is_causal and key_padding_mask is None
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    head = width // num_heads
    if use_separate_proj_weight:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
        biases = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
        q, k, v = (
            linear(each, weight, bias)
            for each, weight, bias in zip(
                (query, key, value), (q_proj_weight, k_proj_weight, v_proj_weight), biases, strict=True
            )
        )
    else:
        if key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias)
    attn_mask = _shaped(attn_mask, (batch * num_heads, length, key.shape[0]))
    if bias_k is not None and bias_v is not None:
        k = FUNCTIONS["cat"]([k, bias_k.repeat(1, batch, 1)])
        v = FUNCTIONS["cat"]([v, bias_v.repeat(1, batch, 1)])
        attn_mask = None if attn_mask is None else pad(attn_mask, (0, 1))
        key_padding_mask = None if key_padding_mask is None else pad(key_padding_mask, (0, 1))
    apart: list[Any] = [
        each.view(each.shape[0], batch * num_heads, head).transpose(0, 1)  # type: ignore[attr-defined]
        for each in (q, k, v)
    ]
    if add_zero_attn:
        nothing = wrap(np.zeros((batch * num_heads, 1, head), dtype.np), dtype)
        apart[1:] = [FUNCTIONS["cat"]([each, nothing], 1) for each in apart[1:]]
        attn_mask = None if attn_mask is None else pad(attn_mask, (0, 1))
        key_padding_mask = None if key_padding_mask is None else pad(key_padding_mask, (0, 1))
    seen = apart[1].size(1)
    if key_padding_mask is not None:
        each = key_padding_mask.view(batch, 1, 1, seen).expand(-1, num_heads, -1, -1)  # type: ignore[attr-defined]
        each = each.reshape(batch * num_heads, 1, seen)
        attn_mask = each if attn_mask is None else attn_mask + each
    if not training:
        dropout_p = 0.0
    if need_weights:
        result, weights = _with_weights(apart, attn_mask, dropout_p)
        result = result.transpose(0, 1).reshape(length * batch, width)
    else:
        weights = None
        if attn_mask is not None:
            attn_mask = attn_mask.unsqueeze(0) if attn_mask.size(0) == 1 else attn_mask.view(batch, num_heads, -1, seen)
        apart = [each.view(batch, num_heads, -1, head) for each in apart]
        q, k, v = apart
        shown: Any = scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
        result = shown.permute(2, 0, 1, 3).reshape(batch * length, width)
    result = linear(result, out_proj_weight, out_proj_bias)
    result = result.view(length, batch, result.size(1))
    if weights is not None:
        weights = weights.view(batch, num_heads, length, seen)
        weights = weights.mean(1) if average_attn_weights else weights
    if not batched:
        result = result.squeeze(1)
        weights = None if weights is None else weights.squeeze(0)
    return result, weights


def _with_weights(apart: list[Any], mask: Any, dropout_p: float) -> tuple[Any, Any]:
    """Attention step by step, because its weights are wanted too."""
    q, k, v = apart
    scaled = q * math.sqrt(1.0 / float(q.size(-1)))
    turned = k.transpose(-2, -1)
    scores = FUNCTIONS["bmm"](scaled, turned) if mask is None else FUNCTIONS["baddbmm"](mask, scaled, turned)
    weights = scores.softmax(-1)
    if dropout_p > 0.0:
        weights = dropout(weights, dropout_p)
    return FUNCTIONS["bmm"](weights, v), weights


def _shaped(mask: Any, wanted: tuple[int, int, int]) -> Any:
    """An attention mask with three dimensions; raises RuntimeError for one that does not fit."""
    if mask is None:
        return None
    if mask.dim() not in (2, 3):
        raise RuntimeError(f"attn_mask's dimension {mask.dim()} is not supported")
    expected = wanted[1:] if mask.dim() == 2 else wanted
    if tuple(mask.shape) != expected:
        raise RuntimeError(
            f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {tuple(expected)}."
        )
    return mask.unsqueeze(0) if mask.dim() == 2 else mask

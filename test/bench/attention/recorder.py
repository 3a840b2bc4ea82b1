"""Notes every softmax that a PyTorch model takes while it runs, the one inside scaled_dot_product_attention included."""

import contextlib
import math

import torch
from torch.nn import functional


def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """scaled_dot_product_attention as its documentation writes it out, with a softmax that is seen."""
    scale = 1 / math.sqrt(query.size(-1)) if scale is None else scale
    if enable_gqa:
        key = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
        value = value.repeat_interleave(query.size(-3) // value.size(-3), -3)
    scores = query @ key.transpose(-2, -1) * scale
    if is_causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(hidden, -math.inf)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return torch.softmax(scores, -1) @ value


@contextlib.contextmanager
def recorded(keep=False):
    """Gives a list that fills with the probabilities of each softmax, in the order in which they are taken; with `keep`, as parts of the graph of gradients."""
    found = []

    def noting(softmax):
        def noted(*arguments, **options):
            result = softmax(*arguments, **options)
            found.append(result if keep else result.detach())
            return result
        return noted

    places = [(torch, 'softmax'), (functional, 'softmax'), (torch.Tensor, 'softmax')]
    kept = [(holder, name, getattr(holder, name)) for holder, name in places]
    sdpa = functional.scaled_dot_product_attention
    fast = torch.backends.mha.get_fastpath_enabled()
    # the functional form calls the method of the tensor, which is not to be noted twice
    plain = {'softmax': torch.Tensor.softmax}
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        torch.softmax = noting(kept[0][2])
        functional.softmax = noting(lambda x, dim=None, _stacklevel=3, dtype=None: kept[0][2](x, dim, dtype=dtype))
        torch.Tensor.softmax = noting(plain['softmax'])
        functional.scaled_dot_product_attention = attention
        yield found
    finally:
        for holder, name, value in kept:
            setattr(holder, name, value)
        functional.scaled_dot_product_attention = sdpa
        torch.backends.mha.set_fastpath_enabled(fast)

"""A linear-chain conditional random field in plain PyTorch, in eager mode or compiled, for the benchmark `tasks`.

Run beside `worker`, once that has found PyTorch, in an interpreter that need not have MXNet.
"""
import torch

__all__ = ["negative_log_likelihood"]


def negative_log_likelihood(emissions, tags, valid, begin, transition, end):
    """Return the sum over rows of -log p(tags | emissions), for torch.jit.script too.

    Parameters
    ----------
    emissions : (T, N, K) tensor
    tags : (T, N) tensor of int64, a tag past the end of a row too
    valid : (T, N) tensor of bool
    begin, transition, end : (K,), (K, K), (K,) tensors
    """
    alpha = begin + emissions[0]
    for t in range(1, emissions.shape[0]):
        new = emissions[t] + torch.logsumexp(alpha.unsqueeze(2) + transition, 1)
        alpha = torch.where(valid[t].unsqueeze(1), new, alpha)
    emitted = (emissions.gather(2, tags.unsqueeze(2)).squeeze(2) * valid).sum()
    moved = (transition[tags[:-1], tags[1:]] * valid[1:]).sum()
    last = tags.gather(0, valid.sum(0, keepdim=True) - 1)[0]
    score = emitted + moved + begin[tags[0]].sum() + end[last].sum()
    return torch.logsumexp(alpha + end, 1).sum() - score

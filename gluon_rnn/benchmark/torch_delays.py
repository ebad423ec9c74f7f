"""The networks of the benchmark `delays` in plain PyTorch, each in every form that might be the fastest.

Run beside `worker` in an interpreter that need not have MXNet: nothing but PyTorch is imported, and that by the caller.
"""

__all__ = ["Networks"]


class Networks:
    """One method a network, `case` to {name of the form: call}; every call does the whole work once.

    Parameters
    ----------
    torch : module
    """

    def __init__(self, torch):
        self.torch, self.linear = torch, torch.nn.functional.linear

    def tdnn(self, case):
        """Dilated convolutions (N, C, T), the library's own way; and products over concatenated slices (T, N, C)."""
        torch, sizes = self.torch, [case["C"], *case["hidden"]]
        activation = getattr(torch, case["activation"])
        weights, biases = [], []
        for offsets, before, size in zip(case["offsets"], sizes, sizes[1:]):
            weights.append((torch.rand(size, len(offsets) * before) * 0.2 - 0.1).requires_grad_())
            biases.append(torch.zeros(size, requires_grad=True))
        kernels = [weight.detach().reshape(len(weight), len(offsets), -1).permute(0, 2, 1).contiguous().requires_grad_()
                   for weight, offsets in zip(weights, case["offsets"])]

        def convolved(x):                                                 # (N, C, T)
            for kernel, bias, offsets in zip(kernels, biases, case["offsets"]):
                step = offsets[1] - offsets[0] if len(offsets) > 1 else 1
                x = torch.nn.functional.pad(x, (max(-offsets[0], 0), max(offsets[-1], 0)))
                x = activation(torch.nn.functional.conv1d(x, kernel, bias, dilation=step))
            return x

        def sliced(x):                                                    # (T, N, C)
            for weight, bias, offsets in zip(weights, biases, case["offsets"]):
                past, steps = max(-offsets[0], 0), x.shape[0]
                x = torch.nn.functional.pad(x, (0, 0, 0, 0, past, max(offsets[-1], 0)))
                window = torch.cat([x[past + offset:past + offset + steps] for offset in offsets], 2)
                x = activation(self.linear(window, weight, bias))
            return x

        T, N, C = case["T"], case["N"], case["C"]
        return {"conv1d": self._call(case, convolved, [*kernels, *biases], torch.rand(N, C, T)),
                "linear": self._call(case, sliced, [*weights, *biases], torch.rand(T, N, C))}

    def peephole_lstm(self, case):
        """A loop over time, in eager mode and compiled by torch.jit.script."""
        torch, C, H, N = self.torch, case["C"], case["H"], case["N"]
        parameters = self._uniform((4 * H, C), (4 * H,), (4 * H, H), (H,), (H,), (H,))
        h, c = torch.zeros(N, H), torch.zeros(N, H)
        x = torch.rand(case["T"], N, C)
        return {name: self._call(case, lambda x, loop=loop: loop(x, *parameters, h, c), parameters, x)
                for name, loop in self._forms(_peephole_lstm)}

    def jordan(self, case):
        """A loop over time, in eager mode and compiled by torch.jit.script."""
        torch, C, H, K, N = self.torch, case["C"], case["H"], case["K"], case["N"]
        parameters = self._uniform((H, C), (H,), (H, K), (K, H), (K,))
        context, decay = torch.zeros(N, K), case["decay"]
        x = torch.rand(case["T"], N, C)
        return {name: self._call(case, lambda x, loop=loop: loop(x, *parameters, context, decay), parameters, x)
                for name, loop in self._forms(_jordan)}

    def free_run(self, case):
        """A loop over time without gradients, in eager mode and compiled by torch.jit.script."""
        torch, T, N = self.torch, case["T"], case["N"]
        parameters = self._narx(case)
        x = torch.rand(T + case["input_lag"], N, 1)
        lagged, relu = torch.zeros(N, case["output_lag"]), case["activation"] == "relu"
        calls = {}
        for name, loop in self._forms(_free_run):
            def call(loop=loop):
                with torch.inference_mode():
                    loop(self._lags(x, case["input_lag"], T), *parameters, lagged, relu)

            calls[name] = call
        return calls

    def open_loop_training(self, case):
        """A step of Adam on lag windows made beforehand: the network is a feed-forward one."""
        torch = self.torch
        w_x, bias, w_y, w_o, b_o = self._narx(case)
        first = torch.cat([w_x.detach(), w_y.detach()], 1).requires_grad_()
        rows = case["T"] * case["N"]
        windows, y = torch.rand(rows, first.shape[1]), torch.rand(rows, 1)

        def loss():
            hidden = torch.tanh(self.linear(windows, first, bias))
            return torch.nn.functional.mse_loss(self.linear(hidden, w_o, b_o), y)

        return self._adam([first, bias, w_o, b_o], {"eager": loss})

    def closed_loop_training(self, case):
        """A step of Adam on the simulation error, back through all steps."""
        torch, T, N = self.torch, case["T"], case["N"]
        parameters = self._narx(case)
        x, y = torch.rand(T + case["input_lag"], N, 1), torch.rand(T, N, 1)
        lagged, forms = torch.zeros(N, case["output_lag"]), {}
        for name, loop in self._forms(_free_run):
            def loss(loop=loop):
                outputs = loop(self._lags(x, case["input_lag"], T), *parameters, lagged, False)
                return torch.nn.functional.mse_loss(outputs, y)

            forms[name] = loss
        return self._adam(parameters, forms)

    def _narx(self, case):
        H, L = case["H"], case["output_lag"]
        return self._uniform((H, case["input_lag"] + 1), (H,), (H, L), (1, H), (1,))

    def _lags(self, x, lag, steps):
        return self.torch.cat([x[lag - k:lag - k + steps] for k in range(lag + 1)], 2)

    def _uniform(self, *shapes):
        return [(self.torch.rand(*shape) * 0.2 - 0.1).requires_grad_() for shape in shapes]

    def _forms(self, loop):
        yield "eager", loop
        yield "jit", self.torch.jit.script(loop)

    def _call(self, case, network, parameters, x):
        """Return a call of the network forward, or forward and backward with head gradients of one."""
        if not case["backward"]:
            def forward():
                with self.torch.inference_mode():
                    network(x)

            return forward
        x.requires_grad_()
        head = self.torch.ones_like(network(x))

        def forward_backward():
            for one in (x, *parameters):
                one.grad = None
            network(x).backward(head)

        return forward_backward

    def _adam(self, parameters, losses):
        """Return a step for each loss and each of PyTorch's own ways to run Adam on a CPU."""
        steps = {}
        for name, loss in losses.items():
            for way in ("foreach", "fused", "for-loop"):
                options = {} if way == "for-loop" else {way: True}
                optimizer = self.torch.optim.Adam(parameters, lr=1e-6, **(options or {"foreach": False}))

                def step(loss=loss, optimizer=optimizer):
                    optimizer.zero_grad(set_to_none=True)
                    loss().backward()
                    optimizer.step()

                steps[f"{name}, {way} Adam"] = step
        return steps


# Functions that torch.jit.script compiles: annotated for it, with no name from outside but torch.

def _peephole_lstm(x, w_x, bias, w_h, p_i, p_f, p_o, h, c):
    drive = torch.nn.functional.linear(x, w_x, bias)
    outputs = []
    for t in range(drive.shape[0]):
        i, f, g, o = torch.addmm(drive[t], h, w_h.t()).chunk(4, 1)
        i, f = torch.sigmoid(torch.addcmul(i, p_i, c)), torch.sigmoid(torch.addcmul(f, p_f, c))
        c = torch.addcmul(f * c, i, torch.tanh(g))
        h = torch.sigmoid(torch.addcmul(o, p_o, c)) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs)


def _jordan(x, w_x, bias, w_s, w_o, b_o, context, decay: float):
    drive = torch.nn.functional.linear(x, w_x, bias)
    outputs = []
    for t in range(drive.shape[0]):
        y = torch.addmm(b_o, torch.tanh(torch.addmm(drive[t], context, w_s.t())), w_o.t())
        context = torch.add(y, context, alpha=decay)
        outputs.append(y)
    return torch.stack(outputs)


def _free_run(x_lags, w_x, bias, w_y, w_o, b_o, lagged, relu: bool):
    drive = torch.nn.functional.linear(x_lags, w_x, bias)
    outputs = []
    for t in range(drive.shape[0]):
        a = torch.addmm(drive[t], lagged, w_y.t())
        y = torch.addmm(b_o, torch.relu(a) if relu else torch.tanh(a), w_o.t())
        lagged = torch.cat([y, lagged[:, :-1]], 1)
        outputs.append(y)
    return torch.stack(outputs)


try:
    import torch
except ImportError:                                                       # the caller says so
    torch = None

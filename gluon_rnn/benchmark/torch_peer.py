"""The peer with PyTorch, which needs neither MXNet nor this package; `worker` imports it from beside itself."""
import os

from worker import best_of, net_width  # beside this file

__all__ = ["TorchPeer"]


class TorchPeer:
    """torch.nn in eager mode, oneDNN as PyTorch itself chooses it."""

    def __init__(self):
        import torch
        self.torch = torch
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

    def about(self):
        return {"version": self.torch.__version__, "threads": str(self.torch.get_num_threads())}

    def layers(self, case):
        torch, T, N, H = self.torch, case["T"], case["N"], case["H"]
        kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[case["cell"]]
        net = kind(H, H, case["layers"], bidirectional=case["bidirectional"])
        x, head = torch.rand(T, N, H) * 2 - 1, torch.ones(T, N, net_width(case))
        state = torch.zeros(case["layers"] * (2 if case["bidirectional"] else 1), N, H)
        states = (state, state.clone()) if case["cell"] == "lstm" else state

        def forward():
            with torch.inference_mode():
                net(x, states)

        def forward_backward():
            net.zero_grad(set_to_none=True)
            x.grad = None
            net(x, states)[0].backward(head)

        x.requires_grad_(case["backward"])
        net.train(case["backward"])
        return forward_backward if case["backward"] else forward

    def inference(self, case):
        """Return a call of one stack of the benchmark `inference`."""
        return self.layers(dict(case, backward=False))

    def delays(self, case):
        """Return {name: call}, all forms of one network of the benchmark `delays`."""
        from torch_delays import Networks  # beside this file, which is run by its name
        return getattr(Networks(self.torch), case["network"])(case)

    def tasks(self, case):
        """Return {name: call}, all forms of one model of the benchmark `tasks`."""
        from torch_tasks import Models  # beside this file, which is run by its name
        return getattr(Models(self.torch), case["network"])(case)

    def peak(self, size, repeats):
        a, b = self.torch.rand(size, size), self.torch.rand(size, size)
        return best_of(lambda: self.torch.mm(a, b), repeats)

    def language_model(self, case):
        torch, V, H = self.torch, case["V"], case["H"]
        embedding, lstm = torch.nn.Embedding(V, H), torch.nn.LSTM(H, H, case["layers"], dropout=case["dropout"])
        output, loss = self._output_of(case, embedding)
        drop, parameters = torch.nn.Dropout(case["dropout"]), list(torch.nn.ModuleList([embedding, lstm, output])
                                                                   .parameters())
        optimizer = (torch.optim.SGD(parameters, lr=case["learning_rate"]) if case["optimizer"] == "sgd" else
                     torch.optim.Adam(parameters, lr=case["learning_rate"], fused=True))
        data, target = self._tokens(case), torch.tensor(case["targets"])
        states = tuple(torch.zeros(case["layers"], case["N"], H) for _ in range(2))

        def step():
            nonlocal states
            states = tuple(state.detach() for state in states)
            optimizer.zero_grad(set_to_none=True)
            hidden, states = lstm(drop(embedding(data)), states)
            loss(drop(hidden).view(-1, H), target).backward()
            torch.nn.utils.clip_grad_norm_(parameters, case["clip_norm"])
            optimizer.step()

        return step

    def _output_of(self, case, embedding):
        """Return the output layer's module, and its loss of hidden outputs (TN, H) and targets (TN,)."""
        nn, V, H = self.torch.nn, case["V"], case["H"]
        if case["output"] == "sampled":
            raise ValueError("PyTorch has no sampled softmax")
        if case["output"] == "adaptive":
            output = nn.AdaptiveLogSoftmaxWithLoss(H, V, case["cutoffs"], case["div_value"], head_bias=True)
            return output, lambda hidden, target: output(hidden, target).loss
        decoder, loss = nn.Linear(H, V), nn.CrossEntropyLoss()
        if case["tied"]:
            decoder.weight = embedding.weight
        return decoder, lambda hidden, target: loss(decoder(hidden), target)

    def output_layer(self, case):
        torch, V = self.torch, case["V"]
        decoder, loss = torch.nn.Linear(case["H"], V), torch.nn.CrossEntropyLoss()
        hidden, target = torch.rand(case["T"], case["N"], case["H"], requires_grad=True), self._tokens(case)

        def step():
            decoder.zero_grad(set_to_none=True)
            hidden.grad = None
            loss(decoder(hidden).view(-1, V), target.view(-1)).backward()

        return step

    def _tokens(self, case):
        return self.torch.randint(0, case["V"], (case["T"], case["N"]))

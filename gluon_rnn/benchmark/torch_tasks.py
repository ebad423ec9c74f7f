"""The models of the benchmark `tasks` in plain PyTorch: packed sequences, fused Adam, each form that might be fastest.

Run beside `worker` in an interpreter that need not have MXNet: nothing but PyTorch is imported.
"""
import functools

from torch_crf import negative_log_likelihood  # beside this file, as `worker` finds it

__all__ = ["Models"]


class Models:
    """One method a model, `case` to {name of the form: call that trains on each of its batches once}.

    Parameters
    ----------
    torch : module
    """

    def __init__(self, torch):
        self.torch, self.nn, self.functional = torch, torch.nn, torch.nn.functional
        self.random = torch.Generator().manual_seed(0)

    def classifier(self, case):
        """A packed bidirectional LSTM, the maximum over time, cross-entropy."""
        torch, nn, functional = self.torch, self.nn, self.functional
        embedding = nn.Embedding(case["V"], case["E"])
        lstm = nn.LSTM(case["E"], case["H"], case["layers"], bidirectional=True, dropout=case["between"])
        output = nn.Linear(2 * case["H"], case["K"])
        batches = [(self._ids(case["V"], rows["lengths"]), torch.tensor(rows["lengths"]),
                    torch.randint(case["K"], (len(rows["lengths"]),))) for rows in case["batches"]]

        def loss(tokens, lengths, targets):
            embedded = self._drop_steps(self._drop_words(embedding, tokens, case["drop_e"]), case["drop_i"])
            outputs = self._run_packed(lstm, embedded, lengths, padding=-torch.inf)
            pooled = functional.dropout(outputs.max(0).values, case["dropout"])
            return functional.cross_entropy(output(pooled), targets)

        return self._training(case, [embedding, lstm, output], {"": loss}, batches)

    def tagger(self, case):
        """A packed bidirectional LSTM over words; letters of all words as one packed batch, sorted by length."""
        torch, nn, functional, spelled = self.torch, self.nn, self.functional, case["spelled"]
        embedding, modules = nn.Embedding(case["V"], case["E"]), []
        if spelled:
            letters_of = nn.Embedding(case["V_chars"], case["E_chars"])
            speller = nn.LSTM(case["E_chars"], case["H_chars"], bidirectional=True)
            modules = [letters_of, speller]
        lstm = nn.LSTM(case["E"] + (2 * case["H_chars"] if spelled else 0), case["H"], bidirectional=True)
        output = nn.Linear(2 * case["H"], case["K"])

        def batch(rows):
            lengths = rows["lengths"]
            arrays = [self._ids(case["V"], lengths), torch.tensor(lengths), self._ids(case["K"], lengths)]
            if spelled:                                                   # as the tokens of a mask stand, time first
                counts = [row[step] for step in range(lengths[0]) for row in rows["words"] if step < len(row)]
                arrays += [self._ids(case["V_chars"], counts), torch.tensor(counts)]
            return arrays

        def outputs_of(words, lengths, valid, *spelling):
            features = self._drop_words(embedding, words, case["drop_e"])
            if spelling:
                letters = functional.dropout(letters_of(spelling[0]), case["drop_i"])
                packed = nn.utils.rnn.pack_padded_sequence(letters, spelling[1], enforce_sorted=False)
                ends = speller(packed)[1][0]                              # (2, words, H): each direction's last output
                spelled_words = features.new_zeros(*words.shape, 2 * case["H_chars"])
                spelled_words[valid] = torch.cat([ends[0], ends[1]], 1)
                features = torch.cat([features, spelled_words], 2)
            return self._run_packed(lstm, functional.dropout(features, case["drop_i"]), lengths)

        def loss(words, lengths, tags, *spelling):
            valid = self._valid(lengths, words)
            outputs = outputs_of(words, lengths, valid, *spelling)
            scores = output(functional.dropout(outputs[valid], case["dropout"]))
            return functional.cross_entropy(scores, tags[valid])

        losses, modules = {"": loss}, [embedding, lstm, output, *modules]
        if case["crf"]:
            chain = _chain(torch, case["K"])
            losses, modules = self._crf_losses(case, chain, output, outputs_of), [*modules, chain]
        return self._training(case, modules, losses, [batch(rows) for rows in case["batches"]])

    def _crf_losses(self, case, chain, output, outputs_of):
        """Return the loss with a CRF, eager and compiled; `output` is the layer in front of it."""
        def loss(words, lengths, tags, *spelling, normalized):
            valid = self._valid(lengths, words)
            outputs = self.functional.dropout(outputs_of(words, lengths, valid, *spelling), case["dropout"])
            return normalized(output(outputs), tags, valid, chain.begin, chain.transition, chain.end) / valid.sum()

        ways = {"eager": negative_log_likelihood, "jit": self.torch.jit.script(negative_log_likelihood)}
        return {name: functools.partial(loss, normalized=way) for name, way in ways.items()}

    def seq2seq(self, case):
        """A packed bidirectional encoder; the decoder at once, or step by step with Bahdanau's attention."""
        torch = self.torch
        model = _seq2seq(torch, case)
        batches = []
        for rows in case["batches"]:
            batches.append((self._ids(case["V_source"], rows["source"]), torch.tensor(rows["source"]),
                            self._ids(case["V"], rows["lengths"]), torch.tensor(rows["lengths"])))

        def loss(source, source_length, target, target_length, only_valid):
            embedded = self._drop_steps(model.source(source), case["drop_i"])
            memory, final = model.read(self, embedded, source_length)
            written = self._drop_steps(model.target(target), case["drop_i"])
            hidden = model.write(memory, final, written, self._valid(source_length, source))
            valid = self._valid(target_length, target)
            return model.loss(hidden, target, valid, only_valid)

        forms = {name: lambda *arrays, only_valid=only_valid: loss(*arrays, only_valid)
                 for name, only_valid in (("output layer on all steps", False), ("output layer on valid steps", True))}
        return self._training(case, [model], forms, batches)

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _ids(self, size, lengths):
        """Return token ids (T, N), 0 past each length."""
        ids = self.torch.randint(size, (max(lengths), len(lengths)), generator=self.random)
        return ids * self._valid(self.torch.tensor(lengths), ids)

    def _valid(self, lengths, tokens):
        return self.torch.arange(len(tokens))[:, None] < lengths          # (T, N)

    def _drop_words(self, embedding, tokens, rate):
        """Look tokens up, leaving out a share of the vocabulary."""
        if not rate:
            return embedding(tokens)
        kept = self.functional.dropout(self.torch.ones(embedding.num_embeddings, 1), rate)
        return embedding(tokens) * kept[tokens]

    def _drop_steps(self, values, rate):
        """Dropout with one mask for all steps."""
        return values * self.functional.dropout(self.torch.ones_like(values[:1]), rate)

    def _run_packed(self, layer, values, lengths, padding=0.0):
        packed = self.nn.utils.rnn.pack_padded_sequence(values, lengths)  # sorted: longest first
        return self.nn.utils.rnn.pad_packed_sequence(layer(packed)[0], padding_value=padding)[0]

    def _training(self, case, modules, losses, batches):
        """Return a call for each loss that makes one update on each batch: gradients, their norm, clipping, Adam."""
        torch, calls = self.torch, {}
        parameters = list(dict.fromkeys(one for module in modules for one in module.parameters()))
        optimizer = torch.optim.Adam(parameters, lr=1e-6, fused=True)

        for name, loss in losses.items():
            def steps(loss=loss):
                for batch in batches:
                    optimizer.zero_grad(set_to_none=True)
                    loss(*batch).backward()
                    torch.nn.utils.clip_grad_norm_(parameters, case["clip_norm"])
                    optimizer.step()

            calls[name] = steps
        return calls


def _chain(torch, size):
    """Return a module with the parameters of a CRF over `size` labels."""
    chain = torch.nn.Module()
    for name, shape in (("begin", (size,)), ("transition", (size, size)), ("end", (size,))):
        chain.register_parameter(name, torch.nn.Parameter(torch.zeros(shape)))
    return chain


def _ask_each_step(torch, model, memory, state, embedded, keys, mask):
    """Return [c_t; s_t] of all steps (T, N, 3 H): Bahdanau's attention before each step of the decoder."""
    steps = []
    for x in embedded:
        pairs = torch.tanh(model.query(state[0])[:, None] + keys)         # (N, S, H)
        scores = model.score(pairs).transpose(1, 2)                       # (N, 1, S)
        context = (scores.masked_fill(mask, -torch.inf).softmax(2) @ memory)[:, 0]
        output, state = model.decoder(torch.cat([x, context], 1)[None], state)
        steps.append(torch.cat([context, output[0]], 1))
    return torch.stack(steps)


def _seq2seq(torch, case):
    """Return a translation model of the case; a class made here, since PyTorch comes from the caller."""
    nn, functional, H, E, attention = torch.nn, torch.nn.functional, case["H"], case["E"], case["attention"]

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.source, self.target = nn.Embedding(case["V_source"], E), nn.Embedding(case["V"], E)
            self.encoder = nn.GRU(E, H, bidirectional=True)
            self.decoder = nn.GRU(E + (2 * H if attention == "bahdanau" else 0), H)
            self.bridge = nn.Linear(2 * H, H)
            if attention != "none":
                self.key, self.readout = nn.Linear(2 * H, H, bias=False), nn.Linear(3 * H, E)
            if attention == "bahdanau":
                self.query, self.score = nn.Linear(H, H, bias=False), nn.Linear(H, 1, bias=False)
            self.bias = nn.Parameter(torch.zeros(case["V"]))              # of the output layer, whose weight is target

        def read(self, models, embedded, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(embedded, lengths)
            outputs, final = self.encoder(packed)
            memory = nn.utils.rnn.pad_packed_sequence(outputs)[0]
            memory = functional.dropout(memory, case["dropout"]).transpose(0, 1).contiguous()         # (N, S, 2 H)
            return memory, torch.tanh(self.bridge(torch.cat([final[0], final[1]], 1)))[None]

        def write(self, memory, state, embedded, valid):
            """Return h~ (T, N, E)."""
            if attention == "none":
                return self.decoder(embedded, state)[0]
            keys, mask = self.key(memory), ~valid.t()[:, None, :]         # (N, S, H), (N, 1, S)
            if attention == "luong":
                outputs = self.decoder(embedded, state)[0]
                scores = outputs.transpose(0, 1) @ keys.transpose(1, 2)   # (N, T, S)
                contexts = (scores.masked_fill(mask, -torch.inf).softmax(2) @ memory).transpose(0, 1)
                return torch.tanh(self.readout(torch.cat([contexts, outputs], 2)))
            return torch.tanh(self.readout(_ask_each_step(torch, self, memory, state, embedded, keys, mask)))

        def loss(self, hidden, target, valid, only_valid):
            if only_valid:
                hidden, target = hidden[valid], target[valid]
            else:
                target = target.masked_fill(~valid, -100).flatten()
            logits = functional.linear(functional.dropout(hidden, case["dropout"]), self.target.weight, self.bias)
            return functional.cross_entropy(logits.view(-1, case["V"]), target, label_smoothing=case["smoothing"])

    return Model()

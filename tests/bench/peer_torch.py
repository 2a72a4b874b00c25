"""PyTorch as a side: the two default networks as PyTorch's own modules, trained as its users write it.

Asked by training.py over standard input. Also writes its weights under our names (safetensors) and as ONNX, and takes
ours, so that both sides compute the same network.

Layouts: torch's Linear is [out, in], ours [in, out]; its LSTM has gates i, f, g, o stacked in [4·units, in] and two biases
that are only ever added, ours has [in, 4·units] and one; its attention has query, key and value in one matrix.
"""
import json
import struct
import warnings

import torch
from torch import nn

from side import answer_all, peak_memory, repeat

NETWORKS = {"lstm": (60, 5, 1e-3), "transformer": (100, 7, 1e-4)}
networks = {}
# The exporter warns of its age and of batches it cannot know; training.py compares what it wrote instead.
warnings.simplefilter("ignore")


class StackedLstm(nn.Module):
    def __init__(self, features=5, units=(128, 64, 32), dropout=0.2):
        super().__init__()
        widths = [features, *units]
        self.layers = nn.ModuleList(nn.LSTM(before, after, batch_first=True) for before, after in zip(widths, units))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(units[-1], 1)

    def forward(self, x):
        for layer in self.layers:
            x = self.dropout(layer(x)[0])
        return self.head(x[:, -1])


class Transformer(nn.Module):
    def __init__(self, steps=100, features=7, width=128, heads=8, wide=256, layers=4, dropout=0.1):
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.place = nn.Parameter(torch.randn(steps, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, heads, wide, dropout, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        return self.head(self.encoder(self.embed(x) + self.place).mean(1))


def build(name):
    torch.manual_seed(7)
    plain = name.endswith("-plain")
    kind = StackedLstm if name.startswith("lstm") else Transformer
    return kind(dropout=0.0) if plain else kind()


def shape(name):
    return NETWORKS[name.removesuffix("-plain")]


def network(name):
    if name not in networks:
        networks[name] = build(name)
    return networks[name]


def places(name, net):
    """Our name of each weight, the tensor of torch that holds it, and how to see it in our layout."""
    def linear(ours, theirs):
        return [(ours + ".kernel", theirs.weight, lambda w: w.T), (ours + ".bias", theirs.bias, lambda w: w)]

    if name.startswith("lstm"):
        for at, layer in enumerate(net.layers):
            yield "lstm%d.kernel-0" % at, layer.weight_ih_l0, lambda w: w.T
            yield "lstm%d.recurrent-kernel-0" % at, layer.weight_hh_l0, lambda w: w.T
            yield "lstm%d.bias-0" % at, layer.bias_ih_l0, lambda w: w
    else:
        yield from linear("embed", net.embed)
        yield "place.positions", net.place, lambda w: w
        for at, layer in enumerate(net.encoder.layers):
            inner, width = layer.self_attn, layer.self_attn.embed_dim
            for third, part in enumerate(("query", "key", "value")):
                rows = slice(third * width, (third + 1) * width)
                yield "attention%d.%s" % (at, part), inner.in_proj_weight, lambda w, rows=rows: w[rows].T
                yield "attention%d.%s-bias" % (at, part), inner.in_proj_bias, lambda w, rows=rows: w[rows]
            yield "attention%d.output" % at, inner.out_proj.weight, lambda w: w.T
            yield "attention%d.output-bias" % at, inner.out_proj.bias, lambda w: w
            yield from linear("wide%d" % at, layer.linear1)
            yield from linear("narrow%d" % at, layer.linear2)
            for ours, theirs in (("attention%d-norm" % at, layer.norm1), ("feed%d-norm" % at, layer.norm2)):
                yield ours + ".scale", theirs.weight, lambda w: w
                yield ours + ".shift", theirs.bias, lambda w: w
    yield from linear("head", net.head)


def one_bias(net):
    """Gives the first of each LSTM layer's two biases their sum; the other is zero from then on."""
    for layer in getattr(net, "layers", []):
        layer.bias_ih_l0 += layer.bias_hh_l0
        layer.bias_hh_l0.zero_()


@torch.no_grad()
def export(network, weights, onnx):
    """Writes the weights for us and the graph for ONNX Runtime."""
    name, net = network, globals()["network"](network)
    one_bias(net)
    tensors = [(ours, view(tensor).contiguous()) for ours, tensor, view in places(name, net)]
    header, begin = {}, 0
    for ours, tensor in tensors:
        end = begin + 4 * tensor.numel()
        header[ours] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
        begin = end
    header = json.dumps(header).encode()
    header += b" " * (-len(header) % 8)
    with open(weights, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for _, tensor in tensors:
            file.write(tensor.numpy().tobytes())
    net.eval()
    steps, features, _ = shape(name)
    # The exporter does not know the fused encoder layer of inference; the operations it stands for it does.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        torch.onnx.export(net, (torch.randn(2, steps, features),), onnx, input_names=["x"], output_names=["y"],
                          dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, dynamo=False)
    except Exception as error:  # noqa: BLE001: only ONNX Runtime's rows depend on it
        return {"onnx": "%s: %s" % (type(error).__name__, str(error).partition("\n")[0])}
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    return {"onnx": None}


@torch.no_grad()
def take(name, net, weights):
    """Puts our weights in place."""
    with open(weights, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), bytearray(file.read())
    one_bias(net)
    for layer in getattr(net, "layers", []):
        layer.bias_hh_l0.zero_()
    for ours, tensor, view in places(name, net):
        begin, end = header[ours]["data_offsets"]
        view(tensor).copy_(torch.frombuffer(data[begin:end], dtype=torch.float32).reshape(header[ours]["shape"]))


def floats(path):
    with open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.float32)


def windows_of(name, path):
    steps, features, _ = shape(name)
    return floats(path).reshape(-1, steps, features)


def trainer(name, net, x, y):
    """One step on one batch, as a user of torch writes it."""
    net.train()
    optimizer, loss_of = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=shape(name)[2]), nn.MSELoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def train(network, threads, seconds, batch=32, device="cpu"):
    torch.set_num_threads(threads)
    steps, features, _ = shape(network)
    key = "training %s, %d on %s" % (network, batch, device)
    if key not in networks:
        x, y = torch.randn(batch, steps, features, device=device), torch.randn(batch, 1, device=device)
        networks[key] = trainer(network, build(network).to(device), x, y)
    if device == "cpu":
        return repeat(seconds, batch, "samples", networks[key])

    def step():
        # Ours gives its loss to the host after every step; the read also waits for the GPU.
        networks[key]().item()

    return repeat(seconds, batch, "samples", step)


def infer(network, batch, seconds):
    torch.set_num_threads(1)
    net, (steps, features, _) = globals()["network"](network).eval(), shape(network)
    x = torch.randn(batch, steps, features)

    def call():
        with torch.inference_mode():
            net(x)

    return repeat(seconds, batch, "samples", call)


def outputs(network, windows):
    with torch.inference_mode():
        return {"outputs": globals()["network"](network).eval()(windows_of(network, windows)).flatten().tolist()}


def losses(network, windows, targets, steps, threads, weights):
    """Losses of so many steps on one batch from our weights. The second bias of an LSTM stays zero, as ours has one."""
    torch.set_num_threads(threads)
    net = build(network)
    take(network, net, weights)
    for layer in getattr(net, "layers", []):
        layer.bias_hh_l0.requires_grad_(False)
    step = trainer(network, net, windows_of(network, windows), floats(targets).reshape(-1, 1))
    return {"losses": [step().item() for _ in range(steps)]}


def gemm(threads, seconds, size=2048):
    torch.set_num_threads(threads)
    one, other, product = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    return repeat(seconds, 2 * size ** 3 / 1e9, "GFLOP", lambda: torch.mm(one, other, out=product))


if __name__ == "__main__":
    answer_all({
        "hello": lambda: {"name": "PyTorch", "version": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability()},
        "train": train, "infer": infer, "outputs": outputs, "losses": losses, "export": export, "gemm": gemm,
        "memory": peak_memory,
    })

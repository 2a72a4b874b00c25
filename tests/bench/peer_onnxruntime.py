"""ONNX Runtime as a side: serves the networks that peer_torch.py exported, on one thread."""
import numpy
import onnxruntime

from side import answer_all, peak_memory, repeat

SHAPES = {"lstm": (60, 5), "transformer": (100, 7)}
sessions = {}


def load(network, onnx):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    sessions[network] = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    return {}


def infer(network, batch, seconds):
    session = sessions[network]
    x = numpy.random.default_rng(0).normal(size=(batch, *SHAPES[network])).astype(numpy.float32)
    return repeat(seconds, batch, "samples", lambda: session.run(None, {"x": x}))


def outputs(network, windows):
    x = numpy.fromfile(windows, numpy.float32).reshape(-1, *SHAPES[network])
    return {"outputs": sessions[network].run(None, {"x": x})[0].flatten().tolist()}


if __name__ == "__main__":
    answer_all({
        "hello": lambda: {"name": "ONNX Runtime", "version": onnxruntime.__version__},
        "load": load, "infer": infer, "outputs": outputs, "memory": peak_memory,
    })

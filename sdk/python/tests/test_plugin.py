"""State, configuration, registration, networks and HTTP."""

import json
import unittest

import bellwether
from bellwether import Error, InvalidConfig, InvalidInput, Other, Transient, http, testing, training
from bellwether.builder import NetworkBuilder
from bellwether.deploy import Action, Pause
from bellwether.http import Failure, Response, Url
from bellwether.model import HyperParameter, TrainingPlan
from bellwether.network import Activation, Initializer, Loss, Optimizer, Schedule, TimePooling
from bellwether.state import Reader, Writer
from bellwether.values import json_text


def state():
    writer = Writer("my-test", 1)
    writer.u64(3)
    writer.number(0.5)
    writer.numbers([1.5, float("inf")])
    writer.text("ü")
    writer.texts(["a", ""])
    writer.bytes(b"\xff")
    return writer.finish()


class State(unittest.TestCase):
    def read(self, data, tag="my-test", version=1):
        reader = Reader(data, tag, version)
        found = (reader.u64(), reader.number(), list(reader.numbers()), reader.text(), reader.texts(), reader.bytes())
        reader.finish()
        return found

    def test_what_was_written_is_read(self):
        self.assertEqual(self.read(state()), (3, 0.5, [1.5, float("inf")], "ü", ["a", ""], b"\xff"))

    def test_the_layout_is_that_of_the_sdk_for_rust(self):
        writer = Writer("t", 2)
        writer.numbers([1.0])
        expected = b"\x01" + bytes(7) + b"t" + b"\x02" + bytes(3) + b"\x01" + bytes(7) + bytes(6) + b"\xf0\x3f"
        self.assertEqual(writer.finish(), expected)

    def test_foreign_and_damaged_states_are_refused(self):
        data = state()
        broken = [b"", b"foreign", data[:-1], data + b"x", b"\xff" * len(data), *(data[:place] for place in range(len(data)))]
        for part in broken:
            with self.assertRaises(InvalidInput):
                self.read(part)
        with self.assertRaisesRegex(InvalidInput, "not a `other` state"):
            self.read(data, tag="other")
        with self.assertRaisesRegex(InvalidInput, "version 1, this plugin reads version 2"):
            self.read(data, version=2)


class Small(bellwether.DriftDetector):
    name, version, summary = "small", "0.1.0", "A detector."
    config_schema = bellwether.settings(
        low={"type": "number", "default": 1.0, "description": "Low."},
        high={"type": "number", "default": 2.0, "description": "High."},
    )

    def check(self, config):
        if config.low >= config.high:
            raise InvalidConfig("`low` must be below `high`")

    def start(self, config):
        return b""

    def update(self, state, values, config):
        return bellwether.drift.Advance(state)


class Plugins(unittest.TestCase):
    def test_a_configuration_is_filled_and_checked(self):
        config = testing.config(Small, low=0.5)
        self.assertEqual((config.low, config["high"], dict(config)), (0.5, 2.0, {"low": 0.5, "high": 2.0}))
        with self.assertRaises(InvalidConfig):
            testing.config(Small, low=3)
        with self.assertRaisesRegex(AttributeError, "no setting `lwo`"):
            config.lwo
        testing.check_schema(Small)

    def test_a_schema_that_does_not_hold_is_told(self):
        for schema in ({"type": "object", "properties": {}}, bellwether.settings(a={"type": "number", "default": 1})):
            with self.assertRaises(AssertionError):
                testing.check_schema(type("Bad", (Small,), {"config_schema": schema}))

    def test_mistakes_show_at_registration(self):
        self.assertIs(bellwether.register(Small), Small)
        for members, message in (
            ({"name": "Small One"}, "lower-case letters"),
            ({"summary": ""}, "needs `version` and `summary`"),
            ({"update": bellwether.DriftDetector.update}, "lacks update"),
        ):
            with self.assertRaisesRegex(TypeError, message):
                bellwether.register(type("Other", (Small,), members))
        with self.assertRaisesRegex(TypeError, "is a name the component exports"):
            bellwether.register(type("Detector", (Small,), {}))
        with self.assertRaisesRegex(TypeError, "must derive from"):
            bellwether.register(type("Nothing", (), {}))

    def test_variants_know_their_cases(self):
        self.assertEqual(Action.pause(3), Action("pause", Pause("seconds", 3)))
        self.assertNotEqual(Action.promote(), Action.check_health())
        with self.assertRaisesRegex(ValueError, "no case `puase`"):
            Action("puase")
        self.assertEqual(HyperParameter.choice("loss", ["mse"]).values.value, ['"mse"'])

    def test_json_has_no_nan(self):
        self.assertEqual(json_text({"a": [float("nan"), 1, True, None, "ü"]}), '{"a":[null,1,true,null,"\\u00fc"]}')


class Networks(unittest.TestCase):
    def test_layers_are_named_and_wired(self):
        net = NetworkBuilder()
        window = net.input()
        hour = net.embedding(net.reshape(net.slice(window, 1, 0, 1), [60]), 24, 8)
        x = net.dense(window, 8, bias=False, kernel=Initializer.HE_UNIFORM)
        branch = net.activation(net.batch_norm(net.conv(x, 8, 3, dilation=2)), Activation.SILU)
        x = net.concat([net.add(x, branch), hour], 1)
        head = net.name(net.dense(net.pool(x, TimePooling.ATTENTION), 1), "head")
        net.output("prediction", head, Loss.MSE)
        expected = [
            "slice_1 <- input",
            "reshape_1 <- slice_1",
            "embedding_1 <- reshape_1",
            "dense_1 <- input",
            "conv_1 <- dense_1",
            "batch_norm_1 <- conv_1",
            "activation_1 <- batch_norm_1",
            "add_1 <- dense_1, activation_1",
            "concat_1 <- add_1, embedding_1",
            "pool_1 <- concat_1",
            "head <- pool_1",
        ]
        self.assertEqual(testing.outline(net.build()), expected)

    def test_shared_settings_make_a_training(self):
        class Net(bellwether.ModelType):
            name, version, summary = "net", "0.1.0", "A network."
            config_schema = bellwether.settings(**training.SETTINGS)

            def check(self, config):
                training.check(config)

            def plan(self, config, input, target):
                net = NetworkBuilder()
                return TrainingPlan.network(training.finish(net, net.pool(net.input(), TimePooling.LAST), config, target))

            def search_space(self):
                return training.search_space(1e-4, 1e-2)

        testing.check_schema(Net)
        testing.check_search_space(Net)
        network = testing.plan(Net, 8, ["a"], loss="quantile", optimizer="adamw", schedule="step", clip_norm=0).value
        self.assertEqual((network.nodes[-1].operation.value.units, network.outputs[0].loss), (3, Loss.quantile([0.05, 0.5, 0.95])))
        self.assertEqual((network.training.optimizer.case, network.training.clip_norm), ("adamw", None))
        self.assertEqual(network.training.schedule, Schedule("step", (30, 0.5)))
        self.assertEqual(testing.plan(Net, 8, ["a"], "direction").value.outputs[0].loss, Loss.BCE)
        self.assertIsInstance(network.training.optimizer, Optimizer)
        for wrong in ({"quantiles": [0.5, 0.1]}, {"quantiles": [0.1]}, {"optimizer": "sgd", "nesterov": True, "momentum": 0}):
            with self.assertRaises(InvalidConfig):
                testing.config(Net, **wrong)


class Http(unittest.TestCase):
    def setUp(self):
        testing.reset()

    def test_failures_are_sorted_by_whether_another_try_helps(self):
        def found(answer):
            def respond(_request):
                if isinstance(answer, Failure):
                    raise answer
                return Response(answer, body=b"busy")

            testing.respond_with(respond)
            try:
                return f"ok {http.post_json('https://example.com/hook', 1).status}"
            except Error as error:
                return f"{error.code} {error.message}"

        self.assertEqual(found(204), "ok 204")
        self.assertEqual(found(503), "transient the receiver answered 503: busy")
        self.assertEqual([found(status).split()[0] for status in (429, 408, 404, 301)], ["transient", "transient", "http-404", "http-301"])
        self.assertEqual(found(Failure("unreachable", "connection refused")), "transient https://example.com: connection refused")
        self.assertTrue(found(Failure("refused", "not granted")).startswith("invalid-config"))
        self.assertTrue(found(Failure("broken", "certificate expired")).startswith("http-failed"))
        self.assertTrue(issubclass(Transient, Error) and issubclass(Other, Error))

    def test_a_document_is_posted(self):
        testing.respond_with(lambda request: Response(200, (("x-a", "b"),), b"{}"))
        answer = http.post_json("https://example.com", {"a": 1}, {"X-Key": "k"}, timeout=3)
        (sent,) = testing.requests()
        self.assertEqual((sent.method, json.loads(sent.body), sent.timeout), ("POST", {"a": 1}, 3))
        self.assertEqual(sent.headers, (("X-Key", "k"), ("content-type", "application/json")))
        self.assertEqual((answer.text, answer.header("X-A"), answer.header("y")), ("{}", "b", None))

    def test_headers_cannot_smuggle_lines(self):
        testing.respond_with(lambda request: Response(200))
        for name, value in (("x-a", "b\r\nx-c: d"), ("x a", "b"), ("", "b")):
            with self.assertRaises(InvalidConfig):
                http.post_json("https://example.com", 1, {name: value})

    def test_urls_come_apart(self):
        for text, origin, path in (
            ("https://Example.com/a?b=c#d", "https://example.com", "/a?b=c"),
            ("http://[::1]:8080", "http://[::1]:8080", "/"),
            ("https://example.com?x", "https://example.com", "/?x"),
        ):
            url = Url.parse(text)
            self.assertEqual((url.origin, url.path), (origin, path))
        for text in ("ftp://example.com", "example.com", "https:///a", "https://me:secret@example.com", "https://example.com/a b"):
            with self.assertRaises(InvalidConfig):
                Url.parse(text)


if __name__ == "__main__":
    unittest.main()

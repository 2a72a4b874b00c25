"""Runs natively: python3 -m unittest"""

import json
import unittest

from bellwether import InvalidConfig, Transient, http, testing
from bellwether.alert import Phase
from plugin import {{Pascal}}

URL = "https://hooks.example.com/a"


def handle(alert, **config):
    {{Pascal}}().handle(alert, testing.config({{Pascal}}, url=URL, **config))


class Tests(unittest.TestCase):
    def setUp(self):
        testing.reset()
        testing.respond_with(lambda request: http.Response(200))

    def test_the_schema_holds(self):
        testing.check_schema({{Pascal}}, url=URL)

    def test_an_alert_is_posted(self):
        handle(testing.alert(summary="Drift in rsi(14).", symbol="BTC/USDT"))
        handle(testing.alert(phase=Phase.RESOLVED))
        first, second = testing.requests()
        self.assertEqual((first.method, first.url), ("POST", URL))
        self.assertEqual(json.loads(first.body), {"text": "Warning: Drift in rsi(14). (BTC/USDT)"})
        self.assertIn(("idempotency-key", "alert-1-1"), first.headers)
        self.assertTrue(json.loads(second.body)["text"].startswith("Over: "))

    def test_a_token_is_sent_where_asked(self):
        with self.assertRaises(InvalidConfig):
            handle(testing.alert(), authorise=True)
        testing.set_secret("token", "hunter2\n")
        handle(testing.alert(), authorise=True)
        self.assertIn(("authorization", "Bearer hunter2"), testing.requests()[0].headers)

    def test_only_what_may_pass_is_tried_again(self):
        testing.respond_with(lambda request: http.Response(503, body=b"busy"))
        with self.assertRaises(Transient):
            handle(testing.alert())


if __name__ == "__main__":
    unittest.main()

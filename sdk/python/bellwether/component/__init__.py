"""What exists only in a component: values into and out of the generated bindings, and the classes it exports.

Plugins never see this package, and nothing in it is loaded natively except by the SDK's own tests.
"""

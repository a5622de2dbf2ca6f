"""Loaded by pytest before any test is collected.

TensorFlow's wheel exports BoringSSL's symbols to the whole process. A pylibsrtp (aiortc's
encryption) that is loaded after it binds to them and crashes; loaded before it, both work. Some
tests import TensorFlow and others aiortc, in one process and in any order.
"""

import pylibsrtp  # noqa: F401

"""A text that has whatever may look like the beginning of a function, or hide one."""

from __future__ import annotations

TRICKY = '''\
# -*- coding: latin-1 -*-
"""A text
def not_a_function(): the margin of a string
"""
import functools

@functools.cache
# a comment at the margin
def decorated(a="\u00e9", b=(
1, 2)):
    x = """
def inside(): a string
@of this function
class X: y
"""
# another comment at the margin

    return x, "\u00e9\u00e9", \\
a
@functools.cache
@functools.cache
class Decorated:
\tdef tabs(self): return [
"at the margin"
]
\f
def after_a_form_feed(): return 1
async def last(
):
    class Inner:
        def method(self): return lambda: self
    return Inner
if Decorated:
    def conditional(): return 1
else:
    def conditional(): return 2
x = 1; y = lambda: 2
def end(): return 3'''

"""OCPI as data, for tests: every object of every version can be checked, and random valid ones made.

    >>> from random import Random
    >>> token = example("2.2.1", "Token", Random(7))
    >>> check("2.2.1", "Token", token)
    []
    >>> del token["uid"]
    >>> [str(problem) for problem in check("2.2.1", "Token", token)]
    ['uid: required, but absent']

The facts are those of the specification: names, types, lengths, cardinalities, values. What a field means is there,
under the same name.
"""

from tests.ocpi.checking import Problem, check
from tests.ocpi.examples import example
from tests.ocpi.schema import VERSIONS, Schema, load

__all__ = ["VERSIONS", "Problem", "Schema", "check", "example", "load"]

#!/usr/bin/env python3
"""Generates metadata.rs: python3 metadata.py VERSION PhoneNumberMetadata.xml > metadata.rs

The XML is libphonenumber's `resources/PhoneNumberMetadata.xml`; the crate `phonenumber` has it in `assets/`.
For each calling code, all regions and all types of numbers together: which lengths a national number may have after which first three digits.
"""

import re
import sys
import xml.etree.ElementTree as ET
from re import _constants as sc, _parser as sp

DEPTH = 3
DIGITS = "0123456789"
TYPES = "fixedLine mobile tollFree premiumRate sharedCost personalNumber voip uan pager voicemail".split()
HEAD = """\
//! Numbering plans: which lengths a national number may have after which first digits.
//!
//! Source: libphonenumber {version}, `PhoneNumberMetadata.xml` (Apache-2.0), as the crate `phonenumber` carries it. Generated; do not edit.
//! To regenerate: `python3 metadata.py VERSION PhoneNumberMetadata.xml > metadata.rs` in this folder.

/// Calling code and its rules, by first digit. `16 4,7-9:3[1-5],80` reads: a number that begins with 1 or 6 has 4 or 7 to 9 digits if 31 to 35 or
/// 80 follow. A `.` is any digit. All regions and all types of numbers of a code stand together, to three digits: no valid number is missing.
#[rustfmt::skip]
pub(super) const PLANS: &[(u16, &[&str])] = &["""


class Automaton:
    """The pattern of a number, without captures and anchors."""

    def __init__(self, pattern):
        self.edges, self.free, self.memo = {}, {}, {}
        start = self.state()
        self.end = self.build(sp.parse(pattern), start)
        self.start = self.closure([start])

    def state(self):
        new = len(self.edges)
        self.edges[new], self.free[new] = [], []
        return new

    def build(self, items, at):
        for op, value in items:
            if op in (sc.LITERAL, sc.IN):
                new = self.state()
                self.edges[at].append((letters(op, value), new))
                at = new
            elif op is sc.SUBPATTERN:
                at = self.build(value[3], at)
            elif op is sc.BRANCH:
                end = self.state()
                for branch in value[1]:
                    self.free[self.build(branch, at)].append(end)
                at = end
            elif op is sc.MAX_REPEAT:
                least, most, body = value
                assert most < 30
                end = self.state()
                for count in range(most):
                    if count >= least:
                        self.free[at].append(end)
                    at = self.build(body, at)
                self.free[at].append(end)
                at = end
            else:
                raise ValueError(op)
        return at

    def closure(self, states):
        seen, todo = set(states), list(states)
        while todo:
            for state in self.free[todo.pop()]:
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
        return frozenset(seen)

    def step(self, states, digit):
        return self.closure([to for state in states for digits, to in self.edges[state] if digit in digits])

    def rest(self, states):
        """How many digits may still follow."""
        if states not in self.memo:
            found = {0} if self.end in states else set()
            for after in {self.step(states, digit) for digit in DIGITS}:
                if after:
                    found |= {length + 1 for length in self.rest(after)}
            self.memo[states] = found
        return self.memo[states]

    def beginnings(self, lengths, states=None, head=""):
        states = self.start if states is None else states
        possible = {length + len(head) for length in self.rest(states)} & lengths
        if possible and len(head) == DEPTH:
            yield head, possible
        elif possible:
            for digit in DIGITS:
                after = self.step(states, digit)
                if after:
                    yield from self.beginnings(lengths, after, head + digit)


def letters(op, value):
    if op is sc.LITERAL:
        return {chr(value)}
    found = set()
    for kind, item in value:
        if kind is sc.LITERAL:
            found.add(chr(item))
        elif kind is sc.RANGE:
            found |= {chr(code) for code in range(item[0], item[1] + 1)}
        elif kind is sc.CATEGORY and item is sc.CATEGORY_DIGIT:
            found |= set(DIGITS)
        else:
            raise ValueError(kind)
    return found


def lengths_of(text):
    found = set()
    for low, high in re.findall(r"(\d+)(?:-(\d+))?", text):
        found |= set(range(int(low), int(high or low) + 1))
    return found


def spans(numbers, least=1):
    """`[4, 7, 8, 9]` is `4`, `7-9`; a span of fewer than `least` steps is written out."""
    numbers, parts = sorted(numbers), []
    while numbers:
        length = next((i for i in range(1, len(numbers)) if numbers[i] != numbers[0] + i), len(numbers))
        run, numbers = numbers[:length], numbers[length:]
        parts += [f"{run[0]}-{run[-1]}"] if len(run) > least else [str(number) for number in run]
    return parts


def digit_class(digits):
    if len(digits) in (1, 10):
        return digits[0] if len(digits) == 1 else "."
    return "[" + "".join(spans(map(int, digits), 2)) + "]"


def patterns(heads, depth):
    if depth == 0:
        return [""]
    tails = {}
    for head in heads:
        tails.setdefault(head[0], set()).add(head[1:])
    alike = {}
    for digit, rest in sorted(tails.items()):
        alike.setdefault(frozenset(rest), []).append(digit)
    return [(digit_class(digits) + tail).rstrip(".") or "." for rest, digits in alike.items() for tail in patterns(rest, depth - 1)]


def plans(path):
    found = {}
    for territory in ET.parse(path).getroot().iter("territory"):
        plan = found.setdefault(int(territory.get("countryCode")), {})
        for kind in map(territory.find, TYPES):
            if kind is None or kind.find("nationalNumberPattern") is None or kind.find("possibleLengths").get("national") == "-1":
                continue
            automaton = Automaton(re.sub(r"\s", "", kind.find("nationalNumberPattern").text))
            for head, lengths in automaton.beginnings(lengths_of(kind.find("possibleLengths").get("national"))):
                plan.setdefault(head, set()).update(lengths)
    return sorted(found.items())


def rules(heads):
    groups = {}
    for head, lengths in heads.items():
        groups.setdefault(tuple(sorted(lengths)), []).append(head)
    return " ".join(f"{','.join(spans(lengths))}:{','.join(patterns(heads, DEPTH - 1))}" for lengths, heads in sorted(groups.items()))


def by_first_digit(plan):
    alike = {}
    for first in DIGITS:
        heads = {head[1:]: lengths for head, lengths in plan.items() if head[0] == first}
        if heads:
            alike.setdefault(rules(heads), []).append(first)
    return ", ".join(f'"{"".join(firsts)} {text}"' for text, firsts in alike.items())


def main():
    print(HEAD.format(version=sys.argv[1]))
    for code, plan in plans(sys.argv[2]):
        print(f"    ({code}, &[{by_first_digit(plan)}]),")
    print("];")


main()

"""The options of ``samebytes verify`` as ``--help`` shows them."""

from __future__ import annotations

import argparse

from samebytes_tools.commands.verify.command import add_parser

AT_ONCE = 12
"""Options that are still looked over."""


def test_options_stand_in_groups_with_titles() -> None:
    subparsers = argparse.ArgumentParser().add_subparsers()
    add_parser(subparsers)
    first, *groups = subparsers.choices["verify"]._action_groups
    own = {group.title: [action.dest for action in group._group_actions] for group in groups if group._group_actions}
    unnamed = (
        own.pop(first.title, []) + own.pop("options", []) + own.pop("optional arguments", [])
    )  # before Python 3.10
    assert unnamed == ["help", "verbosity", "verbosity"]
    assert list(own) == [
        "what to verify",
        "its source, or a record to follow",
        "how to build",
        "what is written, and the exit status",
    ]
    assert max(map(len, own.values())) <= AT_ONCE

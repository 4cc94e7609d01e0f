"""Greets in words that lie in a text file."""

__version__ = "1.4.2"


def greeting(name):
    import legacy_words

    return "{}, {}!".format(legacy_words.first(), name)

"""The sandbox that a survey builds in, and its limits."""

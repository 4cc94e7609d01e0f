"""``samebytes wrap`` and ``unwrap``: put samebytes in front of a project's backend, and take it away."""

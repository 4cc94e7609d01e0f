"""What the reports of several commands share: difference trees, evidence, HTML."""

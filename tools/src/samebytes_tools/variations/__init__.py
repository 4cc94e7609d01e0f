"""What is varied between the two builds of a check, and how."""

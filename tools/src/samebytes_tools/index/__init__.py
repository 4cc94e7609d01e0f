"""Package indexes: releases and their files."""

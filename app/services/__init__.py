"""Rules and queries, one module per noun. A session comes first, then keywords; nobody commits."""

"""What stands around the service: proxies in front of it, and a demo of the whole."""

"""The HTTP API: the same analyzer as the page, over the wire, in the page's own process."""

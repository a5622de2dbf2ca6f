"""Every figure of the README can be made again from here."""

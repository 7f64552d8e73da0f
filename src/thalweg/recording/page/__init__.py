"""The page that plays a recording: plain modules, a style, and what holds them."""

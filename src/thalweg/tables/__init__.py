"""Tables become arrays: read, infer, encode, split. Nothing here trains."""

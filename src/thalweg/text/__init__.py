"""A file becomes arrays of characters: read, number, split. Nothing here trains."""

from thalweg.text.read import is_text
from thalweg.text.text import Text, TextParts
from thalweg.text.vocabulary import Bytes, Characters, Vocabulary

__all__ = ["Bytes", "Characters", "Text", "TextParts", "Vocabulary", "is_text"]

"""Which rows are learned from, choose the epoch, and are tested on."""

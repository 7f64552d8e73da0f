"""When things are computed: networks, batches, epochs, stopping, and files."""

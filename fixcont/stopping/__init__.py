"""What a trap calls: who will handle the exception, whether to stop, and the stop itself."""

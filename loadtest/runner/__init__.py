"""What `loadtest/run` is made of: scenarios, k6, the server under load, its books, and the page."""
